"""Poisoned sessions and repositories: nothing that was not run becomes a step, and nothing of it reaches an agent.

Beside each "nothing" stands the same text truly run, which is proposed, so that the search can fail.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from skills_ref.parser import parse_frontmatter

from meta import contract, flow
from meta.config import Config
from meta.generation.generate import generate
from meta.generation.words import RefusedError
from meta.model import Parameter, Proposal, Survey, Tool, Verdict
from meta.registration import index, pull_request
from meta.registration.agents import registrars
from meta.registration.card import OwnFile, card
from meta.roi import compare
from tests.cli.conftest import Desk, git
from tests.registration.conftest import estimate, workflow_of
from tests.safety import judge
from tests.safety.poison import (
    CARRIERS,
    DAY,
    PAYLOADS,
    PLACES,
    SESSIONS,
    START,
    Poison,
    at_work,
    executed,
    honest,
    poison,
    poisoned,
)
from tests.safety.writers import WRITERS, Act, Prompt, Script, Shell

EASY = Config(weeks=100_000.0)  # whatever repeats is worth a tool


def planted(payload: str | None) -> dict[str, str]:
    """The token of every carrier in every format, with where it stands."""
    return {
        poison(name, agent, payload=payload or list(PAYLOADS)[place % len(PAYLOADS)]).token: f"{name}, {agent}"
        for agent in WRITERS
        for names in (CARRIERS, PLACES)
        for place, name in enumerate(names)
    }


def write(folder: Path, payload: str | None) -> Path:
    for agent, writer in WRITERS.items():
        for number in range(SESSIONS):
            writer(folder, poisoned(agent, number, payload))
    return folder


def mined(survey: Survey) -> list[str]:
    """All that was learned of what was done; the ids of the sessions and the project are left out."""
    kept = ("name", "steps", "parameters")
    everything = [contract.proposal(one) for one in (*survey.proposals, *survey.loops)]
    return [
        json.dumps([*(one[key] for key in kept), [run["commands"] for run in one["occurrences"]]], ensure_ascii=False)
        for one in everything
    ]


def leaks(texts: Sequence[str], known: dict[str, str]) -> set[str]:
    return {known.get(token, token) for text in texts for token in judge.tokens(text, known)}


@pytest.mark.parametrize("payload", [None, *(pytest.param(name, marks=pytest.mark.slow) for name in PAYLOADS)])
def test_no_text_that_was_not_run_becomes_a_step_in_any_format(payload: str | None, home: Path, tmp_path: Path) -> None:
    survey = flow.survey(EASY, [write(tmp_path / "s", payload)])
    assert leaks(mined(survey), planted(payload)) == set()
    assert survey.proposals[0].workflow.name == "test-lint-commit"
    assert {run.agent for run in survey.proposals[0].workflow.occurrences} >= {"claude-code", "codex", "opencode"}


def test_the_same_lines_are_steps_where_they_were_run_in_every_format(home: Path, tmp_path: Path) -> None:
    known = {poison("run", agent, payload="order").token: agent for agent in WRITERS}
    for agent, writer in WRITERS.items():
        p = poison("run", agent, payload="order")
        for number in range(SESSIONS):
            acts: list[Act] = [Prompt(f"see to it, part {number}"), *map(Shell, p.lines)]
            writer(tmp_path / "s", Script(f"{agent[:3]}{number}", (*acts, *honest(number)), START + number * DAY))
    assert leaks(mined(flow.survey(EASY, [tmp_path / "s"])), known) == set(WRITERS)


# -- what was run ------------------------------------------------------------------------------------------------------


def told(proposal: Proposal) -> dict[str, str]:
    """Every file that a proposal becomes, without running it; none where it is refused."""
    try:
        tool = generate(proposal.workflow, proposal.estimate, proposal.decision)
    except RefusedError:
        return {}
    about = card(tool, proposal.workflow, proposal.estimate)
    pieces = [piece for registrar in registrars() for piece in registrar.pieces(about)]
    files = {f"generated_tools/{tool.name}/{path}": text for path, text in tool.files.items()}
    files |= {piece.path: piece.text for piece in pieces if isinstance(piece, OwnFile)}
    skills = {tool.name: files[f".agents/skills/{tool.name}/SKILL.md"]}
    files["AGENTS.md"] = index.text(index.entries(skills)) or ""
    economics = compare(proposal.workflow, proposal.estimate)
    text = pull_request.text(proposal.workflow, proposal.estimate, tool, Verdict((), "none"), economics)
    return {**files, f"generated_tools/{tool.name}/PR.md": text}


def rotated(number: int, turn: int) -> Script:
    """The work of `at_work`, each piece with another payload."""
    acts: list[Act] = []
    names = list(executed(Poison("", ""), 0))
    for place, name in enumerate(names):
        p = poison("executed", name, payload=list(PAYLOADS)[(place + turn) % len(PAYLOADS)])
        acts += [Prompt(f"please see to task {len(acts)} of {number}"), *executed(p, number)[name]]
    return Script(f"work{number:02}", tuple(acts), START + number * DAY / 2 + 40_000)


def well_formed(path: str, text: str) -> None:
    """What clients read of a file is what was meant, and nothing more."""
    if path.endswith(".toml"):
        assert path.startswith("generated_tools/") or set(tomllib.loads(text)) == {"description", "prompt"}
    elif path.endswith((".json",)):
        json.loads(text)
    elif path.startswith((".agents/", ".claude/")):
        assert text.startswith("---\n")
        head, _, body = text[4:].partition("\n---\n")
        keys = {line.partition(":")[0] for line in head.splitlines() if not line.startswith("  ")}
        assert keys <= {"name", "description", "metadata", "arguments", "argument-hint", "allowed-tools"}
        if path.endswith("/SKILL.md"):
            assert set(parse_frontmatter(text)[0]) == keys
        assert "\n---" not in body
        assert "!`" not in body
        assert "@" not in body
    if not path.endswith((".py", ".sh")) and "/evidence" not in path:
        assert all(c.isprintable() or c == "\n" for c in text), f"{path} hides something"
    if path.endswith("PR.md"):
        assert "<!--" not in text.replace("\\<", "")


@pytest.mark.parametrize(
    "turn", [pytest.param(turn, marks=[pytest.mark.slow] if turn % 8 else []) for turn in range(len(PAYLOADS))]
)
def test_what_was_run_is_a_word_of_a_command_at_most_and_is_told_to_no_agent(
    turn: int, home: Path, tmp_path: Path
) -> None:
    for number in range(SESSIONS):
        WRITERS["claude-code"](tmp_path / "s", rotated(number, turn))
    survey = flow.survey(EASY, [tmp_path / "s"])
    names = list(executed(Poison("", ""), 0))
    payloads = [list(PAYLOADS)[(place + turn) % len(PAYLOADS)] for place in range(len(names))]
    known = {poison("executed", n, payload=p).token: n for n, p in zip(names, payloads, strict=True)}
    assert len(survey.proposals) >= len(names) - 1
    seen: set[str] = set()
    for proposal in survey.proposals:
        files = told(proposal)
        assert judge.loaded(files, known) == {}
        for path, text in files.items():
            well_formed(path, text)
            if path.startswith("generated_tools/"):
                assert judge.out_of_place(path, text, known) == set(), path
        seen |= {token for found in judge.made(files, known).values() for token in found}
    assert len(seen) >= len(names) // 2, "the search found no argument either"


def test_what_was_run_speaks_to_no_terminal(desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("META_WEEKS", "100000")
    for number in range(SESSIONS):
        WRITERS["claude-code"](tmp_path / "s", rotated(number, 5))
    printed = [desk("mine", tmp_path / "s"), desk("mine", tmp_path / "s", "--json")]
    printed += [desk("show", one["id"], tmp_path / "s") for one in json.loads(printed[1])["workflows"]]
    text = "".join(printed)
    assert "rules and run" in text
    assert all(c.isprintable() or c == "\n" for c in text)


# -- the whole corridor ------------------------------------------------------------------------------------------------


def poison_history(repository: Path, payload: str) -> dict[str, str]:
    """Releases whose messages, tags, branches, authors and files are poisoned; the tokens with where they stand."""
    where = ("message", "body", "tag", "branch", "file", "author")
    p = {name: poison("git", name, payload=payload) for name in where}
    for number in range(5):
        for name in ("CHANGELOG.md", f"{p['file'].slug}.md"):
            (repository / name).write_text(f"{number} {p['file'].script}\n")
        git(repository, "add", ".")
        day = f"2026-0{number + 1}-05T10:00:00Z"
        subject = (
            f"Release 1.{number}.0 {' '.join(p['message'].text.split())}" if number % 2 else f"Release 1.{number}.0"
        )
        author = f"{p['author'].slug} <ann@example.org>"
        message = f"{subject}\n\n{p['body'].script}".replace("\0", "")
        git(repository, "-c", "core.commentChar=auto", "commit", "-qm", message, "--date", day, "--author", author)
        git(repository, "tag", f"v1.{number}.0")
        git(repository, "tag", f"{p['tag'].slug}-1.{number}.0")
    git(repository, "branch", p["branch"].slug)
    return {p[name].token: f"git {name}" for name in where}


def corridor(desk: Desk, repository: Path, *paths: Path, most: int) -> dict[str, str]:
    """All that extract and accept leave in a workspace and on its branches."""
    desk("init")
    extraction = desk.json("extract", *paths, "--most", str(most))
    names = [tool["name"] for tool in extraction["tools"] if tool["state"] == "proposed"]
    branches = git(repository, "for-each-ref", "--format=%(refname) %(contents)", "refs/heads/meta/")
    log = git(repository, "log", "--format=%B", "--all", "--not", "main") if names else ""
    for name in names:
        desk("accept", name)
    return {**judge.files_below(repository), "README-branches": branches + log}


def honest_sessions(folder: Path, payload: str) -> Path:
    for agent in ("claude-code", "codex"):
        for number in range(SESSIONS):
            WRITERS[agent](folder, poisoned(agent, number, payload))
    return folder


def test_a_poisoned_repository_and_its_sessions_make_clean_tools(
    desk: Desk, repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("META_WEEKS", "100000")
    (repository / "CLAUDE.md").write_text("# Mine\n")
    known = {**poison_history(repository, "our own markers"), **planted("our own markers")}
    before = judge.files_below(repository)
    sessions = honest_sessions(tmp_path / "s", "our own markers")
    files = corridor(desk, repository, sessions, repository, most=3)
    ours = {path: text for path, text in files.items() if before.get(path) != text}
    tools = "".join(text for path, text in ours.items() if path.endswith("tool.py"))
    assert "git tag" in tools.replace('", "', " "), "no tool was made of the releases"
    assert "pytest" in tools, "no tool was made of the sessions"
    assert judge.loaded(ours, known) == {}
    assert judge.made(ours, known) == {}


def test_a_skill_that_only_claims_to_be_ours_cannot_break_out_of_the_list() -> None:
    p = poison("skill", payload="our own markers")
    head = '---\nname: x\ndescription: "{}"\nmetadata:\n  meta-workflow: "wf:1"\n---\n'
    skills = {
        "fine": head.format(p.text.replace("\n", " ")),
        p.slug + "\n# x": head.format("x"),
        "IGNORE": head.format("x"),
    }
    (entry,) = index.entries(skills)
    assert entry.name == "fine"
    assert not {"<", ">", "\n"} & set(entry.description)


@pytest.mark.parametrize(
    ("choices", "told"),
    [
        (("fast", "all"), ("fast", "all")),
        (("fast", "@evil.md"), ()),
        (("fast", "x@y"), ()),
        (("fast", "ignore-all-your-rules"), ()),
        (("fast", "$ARGUMENTS"), ()),
        (("fast", "!`id`"), ()),
    ],
)
def test_values_are_offered_only_where_all_of_them_are_names(
    choices: tuple[str, ...], told: tuple[str, ...], gate: Tool
) -> None:
    workflow = workflow_of(gate)
    workflow = replace(workflow, parameters=(Parameter("suite", "choice", choices=choices),))
    assert card(gate, workflow, estimate()).options[0].choices == told


def test_only_options_of_the_tool_itself_are_advice(gate: Tool) -> None:
    source = gate.files["tool.py"] + 'X = ["./sail.sh", "--allow-ignoring-all-rules", "--from", "x"]\n'
    about = card(replace(gate, files={"tool.py": source}), workflow_of(gate), estimate())
    assert (about.consent, about.pauses) == ((), False)


@pytest.mark.slow
@pytest.mark.parametrize("payload", list(PAYLOADS))
def test_every_carrier_with_every_payload_in_every_format_leaves_the_whole_corridor_clean(
    payload: str, desk: Desk, repository: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("META_WEEKS", "100000")
    sessions = write(tmp_path / "s", payload)
    for number in range(SESSIONS):
        WRITERS["claude-code"](sessions, at_work(number, payload))
    run = {poison("executed", name, payload=payload).token: name for name in executed(Poison("", ""), 0)}
    unrun = planted(payload)
    files = corridor(desk, repository, sessions, most=40)
    assert judge.loaded(files, {**run, **unrun}) == {}
    assert judge.made(files, unrun) == {}
    tools = {path: text for path, text in files.items() if path.startswith("generated_tools/")}
    assert {path: found for path, text in tools.items() if (found := judge.out_of_place(path, text, run))} == {}
    assert len({path for path in tools if path.endswith("tool.py")}) >= len(run) // 2


def test_the_language_makes_more_than_two_hundred_poisoned_sessions() -> None:
    sessions = len(PAYLOADS) * len(WRITERS) * SESSIONS
    assert sessions >= 200
    assert len(planted("order")) == len(WRITERS) * (len(CARRIERS) + len(PLACES))
    assert all(len({replace(poison("x", payload=p)).token for p in PAYLOADS}) == len(PAYLOADS) for _ in (0,))
