"""Every registrar's own examples, and what no registered text may contain."""

import os
import re
import shutil
import subprocess
import sys
import tomllib
from dataclasses import replace
from pathlib import Path

import pytest

from meta.model import Tool
from meta.registration import index
from meta.registration.agents import registrars
from meta.registration.card import Card, Example, Link, Option, OwnFile, Registrar, card
from tests.registration.conftest import estimate, workflow_of

EXAMPLES = [pytest.param(r, e, id=f"{r.name}-{n}") for r in registrars() for n, e in enumerate(r.examples)]
HOSTILE = Card(
    "gate",
    "Say 'yes' \"now\"\\ <b>\nand ''' too: #x",
    "wf:1",
    "1",
    options=(Option("message", "str", True), Option("paths", "list"), Option("fast", "bool"), Option("__x", "str")),
)


def files(of: Card) -> dict[str, str]:
    return {p.path: p.text for r in registrars() for p in r.pieces(of) if isinstance(p, OwnFile)}


def installed(program: str) -> str:
    beside = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    return shutil.which(program, path=beside) or pytest.skip(f"{program} is not installed")


def validate(folder: Path, *program: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(program, cwd=folder, capture_output=True, text=True, check=False)


@pytest.fixture
def registered(tmp_path: Path, save: Tool) -> Path:
    """A folder in which every registrar has put its pieces, and the list of tools."""
    made = card(save, workflow_of(save), estimate())
    for registrar in registrars():
        for piece in registrar.pieces(made):
            path = tmp_path / piece.path
            path.parent.mkdir(parents=True, exist_ok=True)
            if isinstance(piece, Link):
                path.symlink_to(piece.target)
            else:
                path.write_text(piece.text)
    listing = index.text(index.entries({save.name: (tmp_path / f".agents/skills/{save.name}/SKILL.md").read_text()}))
    (tmp_path / "AGENTS.md").write_text(f"<!-- meta:begin tools -->\n{listing}\n<!-- meta:end tools -->\n")
    return tmp_path


@pytest.mark.parametrize(("registrar", "example"), EXAMPLES)
def test_a_registrar_makes_what_its_example_says(registrar: Registrar, example: Example) -> None:
    assert registrar.pieces(example.card) == example.pieces


def test_the_folder_is_the_list_of_registrars() -> None:
    assert [r.name for r in registrars()] == ["claude-command", "gemini-command", "skill"]
    assert all(r.examples for r in registrars())


def test_pieces_are_found_again_by_the_name_alone() -> None:
    def paths(of: Card) -> list[str]:
        return [piece.path for r in registrars() for piece in r.pieces(of)]

    assert paths(HOSTILE) == paths(Card("gate", "", "", ""))


def test_no_placeholder_stands_where_a_shell_would_read_it() -> None:
    for text in files(HOSTILE).values():
        assert not re.search(r"!`|!\{|```!", text)
        assert not re.search(r"\$\d|\$ARGUMENTS", text)


def test_a_claude_command_names_its_arguments_required_ones_first() -> None:
    text = files(Card("gate", "x", "wf:1", "1", options=(Option("b", "str"), Option("a", "str", True))))
    command = text[".claude/commands/gate.md"]
    assert 'arguments: [a, b]\nargument-hint: "[a] [b]"\n' in command
    assert "$a" in command


def test_a_claude_command_without_values_names_no_arguments() -> None:
    command = files(Card("gate", "x", "wf:1", "1", options=(Option("fast", "bool"),)))[".claude/commands/gate.md"]
    assert "arguments:" not in command
    assert "$" not in command


def test_a_command_is_allowed_beforehand_only_where_no_harm_can_be_agreed_to() -> None:
    harmless = Card("gate", "x", "wf:1", "1")
    rule = "allowed-tools: Bash(python3 generated_tools/gate/tool.py *)"
    assert rule in files(harmless)[".claude/commands/gate.md"]
    assert "allowed-tools" not in files(replace(harmless, consent=("--allow-destroy",)))[".claude/commands/gate.md"]


def test_a_gemini_command_is_toml_with_the_two_known_keys() -> None:
    parsed = tomllib.loads(files(HOSTILE)[".gemini/commands/gate.toml"])
    assert set(parsed) == {"description", "prompt"}
    assert parsed["description"] == HOSTILE.description
    assert parsed["prompt"].count("{{args}}") == 1


def test_a_card_holds_no_angle_bracket_and_no_recorded_value(save: Tool) -> None:
    made = card(save, workflow_of(save), estimate())
    assert not re.search(r"[<>]", made.description)
    assert [(o.flag, o.required) for o in made.options] == [
        ("--paths", False),
        ("--message", True),
        ("--trailer", False),
    ]
    everything = "\n".join(files(made).values())
    recorded = {str(v) for o in workflow_of(save).occurrences for v in o.bindings.values() if len(str(v)) > 4}
    assert not [value for value in recorded if value in everything]


def test_the_skill_validator_accepts_the_skill_and_not_a_foreign_key(registered: Path, save: Tool) -> None:
    program = installed("agentskills")
    skill = registered / ".agents/skills" / save.name
    assert validate(registered, program, "validate", str(skill)).returncode == 0
    text = (skill / "SKILL.md").read_text()
    (skill / "SKILL.md").write_text(text.replace("metadata:", "arguments: [a]\nmetadata:"))
    assert validate(registered, program, "validate", str(skill)).returncode != 0


def test_the_linter_of_agent_files_has_no_finding(registered: Path, save: Tool) -> None:
    program = installed("agnix")
    done = validate(registered, program, "--strict", ".")
    assert done.returncode == 0, done.stdout
    (registered / ".claude/commands" / f"{save.name}.md").write_text("---\ndescription: [\n---\n")
    (registered / ".agents/skills" / save.name / "SKILL.md").write_text("---\nname: Bad Name\n---\n")
    assert validate(registered, program, "--strict", ".").returncode != 0


def skill(payback: str, description: str = '"x"') -> str:
    return (
        f'---\ndescription: {description}\nmetadata:\n  meta-workflow: "wf:1"\n  meta-payback-weeks: {payback}\n---\n'
    )


def test_the_list_has_the_best_payback_first_and_no_skill_of_others() -> None:
    listed = index.entries(
        {"b": skill('"2.0"'), "a": skill('"never"'), "c": skill("0.5"), "theirs": "---\nname: theirs\n---\n"}
    )
    assert [entry.name for entry in listed] == ["c", "b", "a"]


@pytest.mark.parametrize("description", ['"say \\"x\\""', 'say "x"', "'say \"x\"'"])
def test_the_list_reads_a_description_that_was_edited_by_hand(description: str) -> None:
    assert index.entries({"a": skill('"1"', description)})[0].description == 'say "x"'


def test_the_list_keeps_to_its_budget_and_counts_the_rest() -> None:
    listed = [index.Entry(f"tool-{n:03}", "word " * 30, n) for n in range(200)]
    text = index.text(listed)
    assert text is not None
    assert len(text) <= index.BUDGET
    shown = text.count("tool.py")
    assert 0 < shown < 200
    assert text.endswith(f"- {200 - shown} more in `generated_tools/`, each with `--help`")


def test_there_is_no_list_without_tools() -> None:
    assert index.text([]) is None
