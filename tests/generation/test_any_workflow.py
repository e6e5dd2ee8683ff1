"""Whatever steps, guards, switches and words a workflow has: its tool prints what it means, or it is refused."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from meta.generation.generate import generate
from meta.generation.words import RefusedError
from meta.model import Binding, Fixed, Group, Guard, Hole, Parameter, Part, Rest, Style, Workflow, WorkflowStep
from meta.rendering import UnboundError, commands
from tests.generation.test_generated import call, load, words
from tests.generation.workflows import DECISION, ESTIMATE, VALUE, fixed, refused, workflow

NAMES = ("one", "two", "three", "four", "five")
STYLES: st.SearchStrategy[Style] = st.sampled_from(["bare", "double", "single", "heredoc"])
PARAMETERS = (
    Parameter("text", "str"),
    Parameter("word", "str", default="usual"),
    Parameter("many", "list"),
    Parameter("flag", "bool"),
    Parameter("also", "bool"),
    Parameter("fast", "bool", default=False),
)
BINDINGS: st.SearchStrategy[dict[str, Binding]] = st.fixed_dictionaries(
    {"text": VALUE},
    optional={"word": VALUE, "many": st.lists(VALUE, max_size=3), "flag": st.just(True), "also": st.just(True),
              "fast": st.just(True), "failed": st.lists(st.sampled_from(NAMES), min_size=1, max_size=2, unique=True)},
)  # fmt: skip


@st.composite
def holes(draw: st.DrawFn) -> Hole:
    affix = st.sampled_from(["", "", "--to=", "a/"])
    return Hole(
        draw(st.sampled_from(["text", "word"])),
        draw(STYLES),
        draw(STYLES),
        draw(affix),
        draw(st.just("") | st.just(":x")),
    )


@st.composite
def parts(draw: st.DrawFn) -> tuple[Part, ...]:
    fixed_words = st.builds(fixed, VALUE, STYLES) | st.just(fixed("> out.txt", "shell"))
    inner = st.lists(fixed_words | holes(), min_size=1, max_size=2).map(tuple)
    groups = st.builds(Group, st.sampled_from(["text", "word", "flag", "many"]), inner)
    rest = st.builds(Rest, st.just("many"), STYLES)
    program: Part = Fixed(fixed("say", "bare").word)
    return (program, *draw(st.lists(fixed_words | holes() | groups | rest, max_size=4)))


@st.composite
def workflows(draw: st.DrawFn) -> Workflow:
    steps = []
    for name in NAMES[: draw(st.integers(1, 5))]:
        kind = draw(st.sampled_from(["command", "command", "command", "judgement"]))
        guard = draw(st.none() | st.builds(Guard, st.sampled_from(NAMES), st.sampled_from(["failed", "ok"])))
        flags = st.sampled_from(["", "", "flag", "also", "fast"])
        step = WorkflowStep(name, "judgement", "edit *.py", draw(st.floats(0, 1)), guard=guard)
        if kind == "command":
            each = draw(st.sampled_from(["", "", "many"]))
            step = WorkflowStep(name, "command", "say", 1.0, draw(parts()), guard, draw(flags), draw(flags), each)
        steps.append(step)
    return workflow(tuple(steps), PARAMETERS, ())


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(of=workflows(), several=st.lists(BINDINGS, min_size=4, max_size=8))
def test_a_dry_run_prints_what_any_workflow_means(of: Workflow, several: list[dict[str, Binding]]) -> None:
    try:
        made = generate(of, ESTIMATE, DECISION)
    except RefusedError:
        assume(False)
    with TemporaryDirectory() as folder:
        Path(folder, "tool.py").write_text(made.files["tool.py"])
        tool = load(Path(folder))
        for bindings in several:
            try:
                expected: tuple[str, ...] | None = commands(of.steps, of.parameters, bindings)
            except UnboundError:
                expected = None
            if expected is None or refused(of, bindings):
                with pytest.raises(SystemExit):
                    call(tool, *words(bindings), "--dry-run")
                continue
            assert call(tool, *words(bindings), "--dry-run") == (0, "".join(line + "\n" for line in expected))
