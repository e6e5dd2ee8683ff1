"""A family's generator makes its members again, makes the next one, and leaves alone what is there."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from meta.errors import UserError
from meta.families import names, patterns
from meta.families.blueprint import blueprint, of_repository
from meta.family import Family, Hub, Member, Named, Slot
from meta.generation import copier_template, filling, generator
from meta.generation.words import RefusedError
from meta.model import Tool, Verdict
from meta.registration import generator_request, lifecycle
from meta.verification import generators
from tests.families import providers
from tests.registration.conftest import empty, git, workspace  # fixtures are used by name

__all__ = ["empty", "workspace"]

PLAIN = providers.texts()


@pytest.fixture(scope="module")
def tool() -> Tool:
    return generator.generate(providers.judged(PLAIN), providers.plan(PLAIN), providers.by_member(PLAIN))


@pytest.fixture
def project(tmp_path: Path, tool: Tool) -> Path:
    """A repository with the members' hubs and the tool in it."""
    for path, text in providers.hub_texts().items():
        write(tmp_path / path, text)
    for path, text in tool.files.items():
        write(tmp_path / "generated_tools" / tool.name / path, text)
    (tmp_path / ".git").mkdir()
    return tmp_path


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(text.encode())


def run(project: Path, *arguments: str, code: int = 0, program: str = "tool.py") -> str:
    argv = [sys.executable, f"generated_tools/new-provider/{program}", *arguments]
    done = subprocess.run(argv, cwd=project, capture_output=True, text=True)
    assert done.returncode == code, done.stderr
    return done.stdout + done.stderr


def everything(project: Path) -> dict[str, bytes]:
    return {
        str(p.relative_to(project)): p.read_bytes() for p in project.rglob("*") if p.is_file() and ".git" not in p.parts
    }


@pytest.mark.parametrize("of", [
    pytest.param(PLAIN, id="plain"),
    pytest.param(providers.texts("        x = [[1, 2]]  # {{ }} (( [% if %] [# #]\n"), id="with what templates use"),
    pytest.param(providers.texts("        # ümläut « »\r\n\t\n"), id="with other line breaks"),
    pytest.param(providers.texts(without_tests=("dune", "acorn")), id="without a file here and there"),
])  # fmt: skip
def test_copier_makes_every_member_again_byte_for_byte(of: dict[str, dict[str, str]]) -> None:
    plan = providers.plan(of)
    template = copier_template.template(plan)
    rows = {name: filling.values(template, answers) for name, answers in plan.answers.items()}
    assert filling.made(template, rows) == providers.by_member(of)
    assert {name: filling.rendered(template, row) for name, row in rows.items()} == providers.by_member(of)


def test_no_more_than_eight_questions_are_asked_and_the_rest_is_worked_out() -> None:
    template = copier_template.template(providers.plan(PLAIN))
    questions = [
        json.loads(line.partition(": ")[2])
        for line in template.files["copier.yml"].split("\n")[1:]
        if line[:1].isalpha()
    ]
    assert 1 <= sum(question.get("when", True) for question in questions) <= 8
    assert all("default" in question for question in questions[1:])


def test_a_member_that_holds_every_kind_of_brackets_has_no_template() -> None:
    signs = "".join(f"x {s.value[0]}{s.statement[0]}{s.comment[0]}\n" for s in copier_template.SIGNS)
    of = {"a/{X}.txt": {name: signs + name + "\n" for name in providers.NAMES}}
    known = tuple(Member(name, (f"a/{name}.txt",)) for name in providers.NAMES)
    with pytest.raises(UserError, match="every kind of brackets"):
        copier_template.template(blueprint("x", known, patterns.learn_together(of), of))


def test_a_template_that_does_not_make_a_member_again_is_refused() -> None:
    other = providers.by_member(PLAIN)
    other["dune"]["tests/test_dune.py"] += "# one more\n"
    with pytest.raises(RefusedError, match=r"tests/test_dune\.py of dune"):
        generator.generate(providers.judged(PLAIN), providers.plan(PLAIN), other)


def test_the_tools_own_test_passes_and_fails_where_a_template_was_broken(project: Path) -> None:
    assert run(project, program="test_tool.py").count("passed") == 4
    broken = next((project / "generated_tools/new-provider/template/files").rglob("test_*.jinja"))
    broken.write_text(broken.read_text().replace("assert", "assume"))
    run(project, program="test_tool.py", code=1)


def test_the_next_member_is_written_and_listed_and_its_code_is_what_a_person_would_write(project: Path) -> None:
    run(project, "grey_goose", "--like", "cobalt")
    made = (project / "app/providers/grey_goose/provider.py").read_text()
    assert "class GreyGooseProvider(Provider):" in made
    assert (project / "tests/test_grey_goose.py").read_text() == providers.test_code("grey_goose")
    assert (project / "app/settings.py").read_text() == providers.hub((*providers.NAMES, "grey_goose"))
    assert (project / "docs/providers.md").read_text() == providers.docs((*providers.NAMES, "grey_goose"))


def test_from_copies_a_member_under_the_new_name(project: Path) -> None:
    run(project, "hill", "--from", "cobalt")
    assert (project / "app/providers/hill/provider.py").read_text() == PLAIN[providers.PATHS[0]]["cobalt"].replace(
        "cobalt", "hill"
    ).replace("Cobalt", "Hill")


def test_a_dry_run_tells_all_and_writes_nothing(project: Path) -> None:
    before = everything(project)
    shown = run(project, "grey_goose", "--dry-run")
    assert '+    "app.providers.grey_goose",' in shown
    assert everything(project) == before


def test_what_exists_is_not_overwritten_and_nothing_else_is_written(project: Path) -> None:
    write(project / "tests/test_grey_goose.py", "mine\n")
    before = everything(project)
    assert "exists already" in run(project, "grey_goose", code=1)
    assert everything(project) == before


@pytest.mark.parametrize("name", ["../evil", "a/b", "", "-x", "a b", "..."])
def test_a_name_that_is_no_name_is_refused(project: Path, name: str) -> None:
    before = everything(project)
    run(project, f"--name={name}", code=2)
    assert everything(project) == before


def test_a_hub_without_a_place_is_left_alone_and_told(project: Path) -> None:
    write(project / "app/settings.py", "APPS = load()\n")
    told = json.loads(run(project, "grey_goose", "--json"))
    assert told["edited"] == ["docs/providers.md"]
    assert "app.providers.grey_goose" in told["by_hand"][0]
    assert (project / "app/settings.py").read_text() == "APPS = load()\n"


def test_a_member_that_is_listed_with_other_words_is_not_listed_twice(project: Path) -> None:
    write(
        project / "app/settings.py",
        providers.hub((*providers.NAMES, "grey_goose")).replace(
            '"app.providers.grey_goose",', "'app.providers.grey_goose'"
        ),
    )
    told = json.loads(run(project, "grey_goose", "--json"))
    assert told["edited"] == ["docs/providers.md"]


def test_what_is_left_to_fill_is_marked_and_told(tmp_path: Path) -> None:
    own = {
        name: providers.code(name).replace(
            "\n\nprovider =", f"    def {name}_only(self):\n        {'pass; ' * n}pass\n\n\nprovider ="
        )
        for n, name in enumerate(providers.NAMES, 1)
    }
    of = {**PLAIN, providers.PATHS[0]: own}
    made = generator.generate(providers.judged(of), providers.plan(of), providers.by_member(of))
    for path, text in made.files.items():
        write(tmp_path / "generated_tools" / made.name / path, text)
    told = json.loads(run(tmp_path, "grey_goose", "--json", "--dry-run"))
    assert told["left"]
    assert all(place.startswith("app/providers/grey_goose/provider.py:") for place in told["left"])


def test_the_tool_splits_and_writes_names_as_the_members_were_read(project: Path) -> None:
    probe = "import json, tool; print(json.dumps([[form(tool.words(n)) for form in tool.WRITE.values()] for n in {!r}]), list(tool.WRITE))"
    given = ["acorn", "blue_jay", "HTTPServer2_log", "x1-y2", "Ünï_code"]
    folder = project / "generated_tools/new-provider"
    done = subprocess.run(
        [sys.executable, "-c", probe.format(given)], cwd=folder, capture_output=True, text=True, check=True
    )
    told, _, forms = done.stdout.strip().rpartition("] [")
    expected: list[list[str]] = [[names.in_form(name, form) for form in eval_names(forms)] for name in given]  # type: ignore[arg-type]  # the forms' names, from the tool
    assert json.loads(told + "]") == expected


def eval_names(forms: str) -> list[str]:
    return [form.strip("'] ") for form in forms.split(",")]


def test_the_generator_goes_to_a_review_branch_and_is_registered_like_any_tool(workspace: Path, tool: Tool) -> None:
    judged = providers.judged(PLAIN)
    hubs = providers.plan(PLAIN).hubs
    text = generator_request.text(judged, hubs, tool, Verdict((), "none"))
    workflow = generator.as_workflow(tool)
    lifecycle.propose(workspace, tool, workflow, judged.estimate, text)
    assert [known.state for known in lifecycle.tools(workspace)] == ["proposed"]
    lifecycle.accept(workspace, tool.name)
    skill = (workspace / ".agents/skills/new-provider/SKILL.md").read_text()
    assert "python3 generated_tools/new-provider/tool.py --name NAME" in skill
    assert "It overwrites nothing." in skill
    assert "read the log" not in skill
    assert (workspace / "generated_tools/new-provider/template/copier.yml").exists()
    lifecycle.retire(workspace, tool.name)
    assert not (workspace / ".agents/skills/new-provider/SKILL.md").exists()
    assert git(workspace, "branch", "--list", "meta/*") == ""


def test_the_text_for_the_reviewer_tells_what_was_measured_and_what_stays_to_be_done(tool: Tool) -> None:
    text = generator_request.text(providers.judged(PLAIN), providers.plan(PLAIN).hubs, tool, Verdict((), "none"))
    assert "6 members since 14 Nov 2023" in text
    assert "55% of a next member's lines (measured: the last 2" in text
    assert "meta retire new-provider" in text
    assert max(map(len, text.split("\n")[1:])) <= 120


def test_the_generator_passes_its_checks(tool: Tool) -> None:
    verdict = generators.verify(tool)
    assert [check.name for check in verdict.checks] == ["parses", "lint", "policy", "own tests"]
    assert not [check for check in verdict.checks if check.passed is False]


@pytest.mark.parametrize(("before", "after", "why"), [
    pytest.param("import json\n", "import json\nimport socket\n", "imports socket", id="a connection"),
    pytest.param("[*FORMATTER, *code]", "['sh', *code]", "not the formatter", id="another program"),
    pytest.param("FORMATTER = []", "FORMATTER = ['curl']", "no formatter known", id="a formatter that is none"),
])  # fmt: skip
def test_a_generator_that_reaches_further_does_not_pass(tool: Tool, before: str, after: str, why: str) -> None:
    assert before in tool.files["tool.py"]
    changed = replace(tool, files={**tool.files, "tool.py": tool.files["tool.py"].replace(before, after, 1)})
    (policy,) = [check for check in generators.verify(changed).checks if check.name == "policy"]
    assert policy.passed is False
    assert why in policy.detail


def test_a_part_that_only_some_members_have_is_asked_for_with_yes_or_no(tmp_path: Path) -> None:
    of = providers.texts("        more = 1\n        return more\n")
    made = generator.generate(providers.judged(of), providers.plan(of), providers.by_member(of))
    (switch,) = [p.name for p in generator.as_workflow(made).parameters if p.type == "bool"]
    for path, text in made.files.items():
        write(tmp_path / "generated_tools" / made.name / path, text)
    option = switch.replace("_", "-")
    assert "+        more = 1" in run(tmp_path, "grey_goose", "--dry-run", f"--{option}")
    assert "+        more = 1" not in run(tmp_path, "grey_goose", "--dry-run", f"--no-{option}")


@pytest.mark.parametrize(("settings", "command"), [
    pytest.param({"pyproject.toml": "[tool.ruff.format]\nquote-style = 'single'\n"}, ("ruff", "format", "--quiet"), id="ruff"),
    pytest.param({".pre-commit-config.yaml": "- repo: https://github.com/psf/black\n"}, ("black", "--quiet"), id="black as a hook"),
    pytest.param({"pyproject.toml": "[tool.ruff.lint]\n"}, (), id="ruff that only lints"),
    pytest.param({"ruff.toml": "[format]\n"}, ("ruff", "format", "--quiet"), id="ruff by its own file"),
    pytest.param({}, (), id="none"),
])  # fmt: skip
def test_the_projects_own_formatter_is_taken_and_no_other(settings: dict[str, str], command: tuple[str, ...]) -> None:
    assert generator.formatter(settings) == command


@pytest.mark.parametrize("tidy", [True, False])
def test_a_hub_is_formatted_only_where_that_touches_no_other_line(tmp_path: Path, tidy: bool) -> None:
    made = generator.generate(
        providers.judged(PLAIN), providers.plan(PLAIN), providers.by_member(PLAIN), formatter=("ruff", "format")
    )
    hub = providers.hub() if tidy else providers.hub().replace("DEBUG = False", "DEBUG=False")
    write(tmp_path / "app/settings.py", hub)
    write(tmp_path / "docs/providers.md", providers.docs())
    for path, text in made.files.items():
        write(tmp_path / "generated_tools" / made.name / path, text)
    run(tmp_path, "grey_goose")
    assert (tmp_path / "app/settings.py").read_text().endswith("DEBUG = False\n" if tidy else "DEBUG=False\n")
    assert "app.providers.grey_goose" in (tmp_path / "app/settings.py").read_text()


def test_a_spelling_of_its_own_is_kept_in_hubs_too() -> None:
    of = {PATH: {name: providers.code(name) for name in providers.NAMES} for PATH in providers.PATHS[:1]}
    of[providers.PATHS[0]]["dune"] = of[providers.PATHS[0]]["dune"].replace("DuneProvider", "DUNEProvider")
    plan = providers.plan(of | {providers.PATHS[1]: PLAIN[providers.PATHS[1]]}, providers.classes)
    (line,) = plan.hubs[0].insertions[0].lines
    (slot,) = [piece.parameter for piece in line.pieces if isinstance(piece, Slot)]
    assert plan.answers["dune"][slot] == "DUNE"
    assert plan.defaults[slot] == Named("name", "pascal")


def test_from_a_repository_to_a_tool_on_its_review_branch(workspace: Path) -> None:
    known: list[Member] = []
    for number, name in enumerate(providers.NAMES):
        for path, of in PLAIN.items():
            write(workspace / path.replace("{X}", name), of[name])
        write(workspace / "app/settings.py", providers.hub(providers.NAMES[: number + 1]))
        git(workspace, "add", "app", "tests")
        git(workspace, "commit", "-qm", f"Add {name}")
        files = tuple(path.replace("{X}", name) for path in PLAIN)
        known.append(Member(name, files, git(workspace, "rev-parse", "HEAD").strip(), 1.7e9 + number))
    family = Family("fam:1", "provider", "files", providers.PATHS, tuple(known), (Hub("app/settings.py", 1.0),))
    with pytest.raises(UserError, match="fewer than 3 members"):
        of_repository(workspace, replace(family, members=(*known[:2], Member("gone", ("a", "b"), known[0].commit))))
    gone = Hub("app/gone.py", 0.5)
    plan, texts = of_repository(workspace, replace(family, hubs=(*family.hubs, gone)))
    assert [edit.path for edit in plan.hubs] == ["app/settings.py"]
    judged = replace(providers.judged(PLAIN), family=family)
    made = generator.generate(judged, plan, texts)
    verdict = generators.verify(made)
    assert verdict.state != "failed"
    lifecycle.propose(
        workspace,
        made,
        generator.as_workflow(made),
        judged.estimate,
        generator_request.text(judged, plan.hubs, made, verdict),
    )
    lifecycle.accept(workspace, made.name)
    run(workspace, "grey_goose", "--like", "acorn")
    assert (workspace / "tests/test_grey_goose.py").read_text() == providers.test_code("grey_goose")
    assert (workspace / "app/settings.py").read_text() == providers.hub((*providers.NAMES, "grey_goose"))


def test_the_same_family_gives_the_same_bytes(tool: Tool) -> None:
    assert generator.generate(providers.judged(PLAIN), providers.plan(PLAIN), providers.by_member(PLAIN)) == tool


def test_a_name_that_is_taken_gets_a_number(tool: Tool) -> None:
    other = generator.generate(
        providers.judged(PLAIN), providers.plan(PLAIN), providers.by_member(PLAIN), taken=[tool.name]
    )
    assert other.name == "new-provider-2"
