"""The readers against the counts of a collection of real sessions, where it is at hand."""

import json
import os
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from meta.model import Session
from meta.sources import SOURCES, combine, discover, read

CORPUS = Path(os.environ.get("META_CORPUS") or Path(__file__).parents[2] / "shared" / "corpus")
pytestmark = [
    pytest.mark.corpus,
    pytest.mark.skipif(not (CORPUS / "MANIFEST.json").exists(), reason="the corpus is not at hand"),
]
PROJECTS: dict[str, Any] = (
    json.loads((CORPUS / "MANIFEST.json").read_text())["projects"] if (CORPUS / "MANIFEST.json").exists() else {}
)
AGENTS = {source.name for source in SOURCES}
DIFFERENT = {
    ("context-evaluator", "sessions"): 116,
    ("oh-my-posh", "tool_calls"): 2066,
    ("oh-my-posh", "shell_commands"): 968,
    ("motion-jepa", "shell_commands"): 193,
    ("test-framework", "sessions"): 33,
    ("getspecstory", "sessions"): 77,
    ("getspecstory", "tool_calls"): 1988,
    ("getspecstory", "shell_commands"): 582,
    ("aider-afi-core", "sessions"): 8,
    ("aider-afi-core", "tool_calls"): 41,
    ("aider-monochromatic", "sessions"): 13,
    ("aider-monochromatic", "tool_calls"): 63,
}


def known(entry: dict[str, Any]) -> bool:
    return entry["format"] in AGENTS


def counted(sessions: Iterable[Session]) -> Counter[str]:
    counts: Counter[str] = Counter()
    for session in sessions:
        counts["sessions"] += 1
        for event in session.events:
            counts["tool_calls"] += event.kind == "call"
            counts["shell_commands"] += event.kind == "call" and event.tool_kind == "shell"
    return counts


def expected(project: dict[str, Any]) -> Counter[str]:
    entries = [entry for entry in project["file_list"] if known(entry)]
    several = project["sessions"] - project["files"]  # some formats hold many sessions in one file
    counts: Counter[str] = Counter(sessions=len(entries) + several)
    for entry in entries:
        counts.update(tool_calls=entry["tool_calls"], shell_commands=entry["shell_commands"])
    return counts


@pytest.mark.parametrize("name", [name for name, project in PROJECTS.items() if any(map(known, project["file_list"]))])
def test_sessions_and_calls_are_those_of_the_manifest(name: str) -> None:
    """Within 2 %, but for what is counted by another rule. The manifest counts per file, each call id once.

    project            count           manifest  here  rule
    context-evaluator  sessions        98        116   a sub-agent is a session of its own (18)
    oh-my-posh         tool_calls      2244      2066  a call that a fork replays belongs to the first session
    oh-my-posh         shell_commands  1023      968   the same
    motion-jepa        shell_commands  173       193   templates, constants and sums in scripts are evaluated
    test-framework     sessions        34        33    a session without any event is none
    getspecstory       sessions        83        77    three were exported twice, three are without any event
    getspecstory       tool_calls      2186      1988  82 are quoted in the output of others, the rest exported twice
    getspecstory       shell_commands  611       582   the same (3 quoted)
    aider-afi-core     sessions        9         8     a session without any event is none
    aider-afi-core     tool_calls      11        41    applied edits and commits are calls here
    aider-monochromatic  sessions      19        13    six are without any event
    aider-monochromatic  tool_calls    0         63    applied edits and commits are calls here

    Searches of the web and of tools are calls here and not there, a difference below 2 %.
    """
    paths = [CORPUS / entry["file"] for entry in PROJECTS[name]["file_list"] if known(entry)]
    counts = counted(combine(map(read, paths)).sessions)
    for what, number in expected(PROJECTS[name]).items():
        if (name, what) in DIFFERENT:
            assert counts[what] == DIFFERENT[name, what], what
        else:
            assert counts[what] == pytest.approx(number, rel=0.02), what


@pytest.mark.parametrize(
    ("name", "projects"),
    [
        ("agentv", {"agentv"}),
        ("test-framework", {"test-framework"}),
        ("nimbus", {"nimbus"}),
        ("oh-my-posh", {"oh-my-posh"}),
        ("context-evaluator", {"agents-md-evaluator"}),
        ("motion-jepa", {"motion-jepa", "tmp"}),
    ],
)
def test_a_folder_of_the_collection_is_one_project_as_far_as_its_sessions_tell(name: str, projects: set[str]) -> None:
    sessions = combine(map(read, discover([CORPUS / name]))).sessions
    if sessions:
        assert {session.project for session in sessions} == projects


def test_reading_the_collection_twice_and_backwards_changes_nothing() -> None:
    paths = [CORPUS / entry["file"] for name in ("oh-my-posh", "code-butler") for entry in PROJECTS[name]["file_list"]]
    readings = [read(path) for path in paths]
    assert combine([*reversed(readings), *readings]) == combine(readings)


def test_nothing_of_a_known_format_is_skipped_but_what_only_running_would_tell() -> None:
    paths = [CORPUS / entry["file"] for project in PROJECTS.values() for entry in project["file_list"] if known(entry)]
    skipped: Counter[str] = Counter()
    for session in combine(map(read, paths)).sessions:
        skipped.update(session.skipped)
    assert skipped["not JSON"] == skipped["unknown row"] == 0
