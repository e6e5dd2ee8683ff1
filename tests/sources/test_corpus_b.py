"""The readers held against a corpus of real sessions, whose counts were made by another program.

Sessions, calls and shell commands of a project differ by 2 % at most, but for these rules of ours:
- Aider: applied edits and commits are calls here (37 and 56 in the corpus); the corpus counts shell commands only.
- SpecStory: a `<tool-use>` that is quoted in the output of another is not a call. The histories of SpecStory's own
  repository quote many: 82 of 2,186 calls are such, 3 of 611 shell commands; `LS` is a search, whatever its type says.
"""

import json
import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from meta.sources import aider, copilot, mini_swe_agent, opencode, specstory
from meta.sources.base import Source

CORPUS = Path(os.environ.get("META_CORPUS") or Path(__file__).parents[2] / "shared" / "corpus")
pytestmark = [
    pytest.mark.corpus,
    pytest.mark.skipif(not (CORPUS / "MANIFEST.json").is_file(), reason="the corpus is not at hand"),
]
PROJECTS = [("agentv", "copilot-cli", copilot.source), ("mini-swe-agent", "mini-swe-agent", mini_swe_agent.source),
        ("nimbus", "opencode", opencode.source),
        ("alpamayo", "specstory", specstory.source), ("getspecstory", "specstory", specstory.source),
        ("aider-afi-core", "aider", aider.source), ("aider-monochromatic", "aider", aider.source)]  # fmt: skip
SESSIONS = {"aider-afi-core": 9, "aider-monochromatic": 19}  # many in one file
QUOTED = {"getspecstory": 82}


def files(project: str, form: str) -> Iterator[dict[str, Any]]:
    manifest = json.loads((CORPUS / "MANIFEST.json").read_text())
    return (file for file in manifest["projects"][project]["file_list"] if file["format"] == form)


def counted(source: Source, path: Path) -> Counter[str]:
    assert source.sniff(path, path.read_bytes()[: 64 * 1024]), path.name
    sessions = list(source.read(path))
    assert not any(session.skipped for session in sessions)
    calls = [event for session in sessions for event in session.events if event.kind == "call"]
    kinds = Counter(event.tool_kind for event in calls)
    return Counter(sessions=len(sessions), tool_calls=len(calls), shell_commands=kinds["shell"], commits=kinds["commit"],
                   edits=kinds["edit"])  # fmt: skip


@pytest.mark.parametrize(("project", "form", "source"), PROJECTS, ids=[case[0] for case in PROJECTS])
def test_a_project_has_the_sessions_and_calls_it_should(project: str, form: str, source: Source) -> None:
    expected: Counter[str] = Counter()
    found: Counter[str] = Counter()
    for file in files(project, form):
        expected.update({"sessions": 1, "tool_calls": file["tool_calls"], "shell_commands": file["shell_commands"]})
        found += counted(source, CORPUS / file["file"])
    expected["sessions"] = SESSIONS.get(project, expected["sessions"])
    expected["tool_calls"] -= QUOTED.get(project, 0)
    if form == "aider":
        found["tool_calls"] -= found["edits"] + found["commits"]
    for name, number in expected.items():
        assert found[name] == pytest.approx(number, rel=0.02), name
