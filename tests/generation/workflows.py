"""Workflows built by hand, one of each kind that a tool can come from, with bindings for each."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from hypothesis import strategies as st

from meta.model import (
    Binding,
    Decision,
    Derivation,
    Estimate,
    Fixed,
    Group,
    Guard,
    Hole,
    Occurrence,
    Parameter,
    Part,
    Rest,
    Style,
    Word,
    Workflow,
    WorkflowStep,
)
from meta.policy.steps import openings
from meta.rendering import commands, quote, resolve

ESTIMATE = Estimate(41, 0.08, 1.2, 96_000, 0.03, 0.9, 5, 0.6, (0.4, 0.9), {"runs_per_week": "measured"})
DECISION = Decision(True, "pays back in 4 days")
VALUE = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=12) | st.sampled_from(
    [
        "-x",
        "--dry-run",
        "a b",
        "it's",
        '"; touch owned; "',
        "$(touch owned)",
        "`touch owned`",
        "~",
        "{{ 7*7 }}",
        "a\nEOF\nb",
        "",
    ]
)


def bare(line: str) -> tuple[Fixed, ...]:
    return tuple(Fixed(Word(text, text)) for text in line.split())


def fixed(value: str, style: Style, prefix: str = "") -> Fixed:
    text = value if style == "shell" else prefix + quote(value, style)
    return Fixed(Word(text, prefix + value, style, prefix))


def step(name: str, *parts: Part | str, **more: object) -> WorkflowStep:
    """A command step; text among the parts stands for bare words."""
    words = tuple(part for item in parts for part in (bare(item) if isinstance(item, str) else (item,)))
    head = " ".join(part.word.value for part in words[:3] if isinstance(part, Fixed))
    return replace(WorkflowStep(name, "command", head, 1.0, words), **more)  # type: ignore[arg-type]  # fields by name


def workflow(
    steps: tuple[WorkflowStep, ...],
    parameters: tuple[Parameter, ...] = (),
    runs: tuple[Mapping[str, Binding], ...] = ({},),
    triggers: tuple[str, ...] = (),
) -> Workflow:
    """A workflow whose recorded runs are those bindings."""
    occurrences = tuple(
        Occurrence(f"s{n}", "claude", (f"e{n}",), bindings, commands(steps, parameters, bindings))
        for n, bindings in enumerate(runs)
    )
    return Workflow("wf:3f9c2a", "", "demo", steps, parameters, occurrences, triggers=triggers)


def refused(of: Workflow, bindings: Mapping[str, Binding]) -> bool:
    """Whether a value begins as a program would take for more than a value, and was not recorded so."""
    values = resolve(of.parameters, bindings)
    for name, signs in openings(of).items():
        recorded = [run.bindings.get(name) for run in of.occurrences]
        known = {str(item) for one in recorded for item in (one if isinstance(one, list) else [one])}
        value = values.get(name, "")
        for item in value if isinstance(value, list) else [value]:
            if isinstance(item, str) and item.startswith(tuple(signs)) and item not in known:
                return True
    return False


@dataclass(frozen=True, slots=True)
class Case:
    """A workflow and the bindings to try it with."""

    workflow: Workflow
    bindings: st.SearchStrategy[dict[str, Binding]]


def optional(**values: st.SearchStrategy[Binding]) -> st.SearchStrategy[dict[str, Binding]]:
    return st.fixed_dictionaries({}, optional=values)


def failing(*names: str) -> st.SearchStrategy[Binding]:
    return st.lists(st.sampled_from(names), min_size=1, max_size=2, unique=True)


GATE = Case(
    workflow(
        (
            step("test", "bun run test"),
            step("lint", "bun run lint"),
            step("lint-fix", "bun run lint:fix", guard=Guard("lint", "failed")),
            step("lint-again", "bun run lint", guard=Guard("lint-fix", "ok")),
            step("typecheck", "bun run typecheck", switch="typecheck"),
        ),
        (Parameter("typecheck", "bool"),),
        ({}, {"failed": ["lint"]}, {"failed": ["test"]}, {"typecheck": True}),
        ("commit", "test", "lint"),
    ),
    optional(typecheck=st.just(True), failed=failing("test", "lint", "lint-fix", "lint-again")),
)
COMMIT = Case(
    workflow(
        (
            step("add", "git add", Rest("paths")),
            step("commit", "git commit", Group("amend", bare("--amend")), "-m", Hole("message", "double", "heredoc")),
            step("push", "git push origin", Hole("branch", prefix="HEAD:"), switch="push"),
        ),
        (
            Parameter("paths", "list"),
            Parameter("amend", "bool"),
            Parameter("message", "str"),
            Parameter("branch", "str", default="main"),
            Parameter("push", "bool"),
        ),
        (
            {"paths": ["a.py", "b.py"], "message": "one line"},
            {"paths": ["."], "message": "a title\n\nand it's `more` than $one", "amend": True},
            {"paths": ["."], "message": "-x", "push": True, "branch": "next"},
            {"paths": ["."], "failed": ["add"]},
        ),
    ),
    st.fixed_dictionaries(
        {"message": VALUE},
        optional={"paths": st.lists(VALUE, max_size=3), "amend": st.just(True), "push": st.just(True), "branch": VALUE,
                  "failed": failing("add", "commit")},
    ),
)  # fmt: skip
STYLES = Case(
    workflow(
        (
            step("say", "say", fixed("it's fixed", "single"), fixed("plain", "double"), fixed("a b", "double", "--to="),
                 Hole("one", "single", "single", "--one="), Hole("two", "bare", "heredoc", "", ":/x")),
            step("more", "say", Group("three", (*bare("-k"), Hole("three", "double"))), Rest("four", "double")),
        ),
        (Parameter("one", "str"), Parameter("two", "str"), Parameter("three", "str"), Parameter("four", "list")),
        ({"one": "1", "two": "2"}, {"one": "it's", "two": "a\nb", "three": "k", "four": ["x", "y z"]}),
    ),
    st.fixed_dictionaries({"one": VALUE, "two": VALUE}, optional={"three": VALUE, "four": st.lists(VALUE, max_size=3)}),
)  # fmt: skip
EACH = Case(
    workflow(
        (
            step("check", "make check", Hole("targets", prefix="T="), each="targets"),
            step("class", "say", Hole("class", "double"), directory="sub"),
        ),
        (Parameter("targets", "list"), Parameter("class", "str"), Parameter("timeout", "int", "constant", default=30)),
        ({"targets": ["a", "b"], "class": "x"},),
    ),
    st.fixed_dictionaries(
        {"class": VALUE}, optional={"targets": st.lists(VALUE, max_size=3), "failed": failing("check")}
    ),
)
OUTPUT = Case(
    workflow(
        (
            step("create", "say created", Hole("path")),
            step("view", "say view", Hole("number"), Hole("stem", "double"), Hole("field"), Hole("tag")),
        ),
        (
            Parameter("path", "path"),
            Parameter("number", "str", "output", derivation=Derivation("create", (("regex", r"#(\d+)"), ("strip",)))),
            Parameter("stem", "str", "derived", derivation=Derivation("path", (("basename",), ("stem",), ("upper",)))),
            Parameter(
                "field", "str", "derived", derivation=Derivation("path", (("field", "/", "0"), ("append", "'%s")))
            ),
            Parameter(
                "tag", "str", "derived", derivation=Derivation("number", (("prepend", "v"), ("replace", "7", "{}")))
            ),
        ),
        ({"path": "src/a#12.py", "number": "12"},),
    ),
    st.fixed_dictionaries({"path": VALUE, "number": VALUE}),
)
SHELL = Case(
    workflow(
        (
            step("count", "sort", Group("reverse", bare("-r")), Hole("path", "double"), fixed("| uniq -c", "shell"),
                 fixed("> counts.txt", "shell")),
            step("show", "cat", Rest("files"), fixed("2>&1 | head", "shell"), "-n", Hole("top")),
        ),
        (Parameter("reverse", "bool"), Parameter("path", "path"), Parameter("files", "list"), Parameter("top", "int", default=5)),
        ({"path": "in.txt", "files": ["counts.txt"]}, {"path": "in.txt", "reverse": True, "top": "3"}),
    ),
    st.fixed_dictionaries({"path": VALUE}, optional={"reverse": st.just(True), "files": st.lists(VALUE, max_size=3), "top": VALUE}),
)  # fmt: skip
ENVIRONMENT = Case(
    workflow(
        (
            step("build", Hole("system", prefix="GOOS="), "go build", Hole("package")),
            step("vet", fixed("-mod=mod -x", "double", "GOFLAGS="), "go vet", Hole("package")),
        ),
        (Parameter("system", "choice", choices=("linux", "windows")), Parameter("package", "path")),
        ({"system": "linux", "package": "./..."}, {"system": "windows", "package": "./cmd"}),
    ),
    st.fixed_dictionaries({"system": VALUE, "package": VALUE}),
)
HYBRID = Case(
    workflow(
        (
            step("diff", "git diff", Hole("base")),
            WorkflowStep("edit", "judgement", "edit *.md", 1.0),
            step("test", "make test"),
            WorkflowStep("repair", "judgement", "edit *.py", 0.4, guard=Guard("test", "failed")),
            step("test-again", "make test", guard=Guard("test", "failed")),
            step("commit", "git commit -m", Hole("message", "double")),
        ),
        (Parameter("base", "str"), Parameter("message", "str")),
        ({"base": "main", "message": "docs"}, {"base": "main", "message": "docs", "failed": ["test"]}),
    ),
    st.fixed_dictionaries(
        {"base": VALUE, "message": VALUE}, optional={"failed": failing("diff", "test", "test-again")}
    ),
)
SCRIPT = Case(
    workflow(
        (
            step("count", "sort in.txt", fixed("| uniq -c > counts.txt", "shell")),
            step("first", "head -n 1 counts.txt", fixed("> first.txt", "shell")),
        ),
    ),
    optional(failed=failing("count", "first")),
)
SKIPPED = Case(
    workflow(
        (
            step("lint", "make lint", skip="skip_lint"),
            step("fix", "make fix", guard=Guard("lint", "failed"), skip="skip_fix"),
            step("praise", "make praise", guard=Guard("lint", "ok")),
            step("after", "make after", guard=Guard("praise", "ok"), switch="after"),
            step("test", "make test"),
        ),
        (Parameter("skip_lint", "bool"), Parameter("skip_fix", "bool"), Parameter("after", "bool")),
        ({}, {"failed": ["lint"]}, {"skip_lint": True}, {"after": True}),
    ),
    optional(
        skip_lint=st.just(True),
        skip_fix=st.just(True),
        after=st.just(True),
        failed=failing("lint", "fix", "praise", "test"),
    ),
)
CLEAN = Case(
    workflow((step("clean", "rm -rf build", switch="clean"), step("build", "make build")), (Parameter("clean", "bool"),),
             ({}, {"clean": True})),
    optional(clean=st.just(True)),
)  # fmt: skip
CASES = {
    "gate": GATE, "commit": COMMIT, "styles": STYLES, "each": EACH, "output": OUTPUT, "shell": SHELL,
    "environment": ENVIRONMENT, "hybrid": HYBRID, "script": SCRIPT, "skipped": SKIPPED, "clean": CLEAN,
}  # fmt: skip
