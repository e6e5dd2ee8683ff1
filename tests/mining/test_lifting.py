"""What a workflow learned from runs looks like, and that it gives back each run exactly or refuses it."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import replace

import pytest

from meta.mining.binding import bind
from meta.mining.lifting import best, lift
from meta.mining.naming import majority
from meta.mining.programs import Program
from meta.mining.runs import Run
from meta.model import Parameter, Workflow
from meta.rendering import commands, template
from tests.mining.recorded_runs import Cell, columns, run, runs


def lifted(heads: str, *cells: Sequence[Cell]) -> Workflow:
    """The workflow of runs given as cells; heads are separated by commas."""
    workflow = lift("w", "p", columns(*heads.split(",")), runs(*cells))
    for occurrence in workflow.occurrences:
        assert commands(workflow.steps, workflow.parameters, occurrence.bindings) == occurrence.commands
    return workflow


def templates(workflow: Workflow) -> list[str]:
    return [template(step) for step in workflow.steps]


def parameter(workflow: Workflow, name: str) -> Parameter:
    return next(p for p in workflow.parameters if p.name == name)


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        pytest.param(["ruff check ."] * 3, "ruff check .", id="what never differs stays"),
        pytest.param(["git commit -m a1", "git commit -m b2"], "git commit -m {message}", id="a value becomes a hole"),
        pytest.param(
            ["pytest -q a/x.py", "pytest -q b/y.py"],
            "pytest -q {path}",
            id="what stands behind a switch is not its value",
        ),
        pytest.param(["run --lr=1", "run --lr=2"], "run --lr={lr}", id="a flag's name stays out of the value"),
        pytest.param(["GOOS=linux go build", "GOOS=darwin go build"], "GOOS={goos} go build", id="a variable"),
        pytest.param(
            ["train experiments/a1.yaml", "train experiments/b2.yaml", "train experiments/c3.yaml"],
            "train experiments/{experiment}.yaml",
            id="a common folder and ending",
        ),
        pytest.param(
            ["train experiments/a1.yaml", "train experiments/b2.yaml"], "train {path}", id="two may be chance"
        ),
        pytest.param(
            ["log 2024-01-02", "log 2024-01-03", "log 2024-01-09"],
            "log {log_arg}",
            id="a date is not cut in its middle",
        ),
        pytest.param(["t -q a.py", "t b.py", "t -q c.py", "t d.py"], "t [-q] {t_arg}.py", id="an optional flag"),
        pytest.param(
            ["t --max 3", "t", "t --max 5", "t"], "t [--max {max}]", id="an optional flag with its value goes together"
        ),
        pytest.param(["t", "t", "t a/b.py"], "t [{path}]", id="an optional plain word seen once is a value"),
        pytest.param(["t", "t on", "t", "t on"], "t [on]", id="an optional plain word seen again is constant"),
        pytest.param(
            ["git add a.py", "git add b.py c.py", "git add d.py e.py f.py"],
            "git add {paths...}",
            id="any number of words",
        ),
        pytest.param(["git log -5", "git log -10"], "git log -{count}", id="a count is a value, not a flag"),
    ],
)
def test_lines_that_differ_are_one_step(lines: list[str], expected: str) -> None:
    assert templates(lifted(lines[0].split()[0], *([line] for line in lines))) == [expected]


def test_a_flag_seen_once_is_refused_in_many_runs_but_kept_in_few() -> None:
    many = lifted("t", *[["t a"]] * 9, ["t --odd a"])
    assert templates(many) == ["t a"]
    assert many.refused == (("s9", "a flag seen once"),)
    few = lifted("t", ["t a"], ["t a"], ["t --odd a"])
    assert templates(few) == ["t [--odd] a"]
    assert not few.refused


def test_the_same_value_in_two_steps_is_one_parameter_and_different_values_are_two() -> None:
    same = lifted("train,eval", *([f"train {x}", f"eval --run {x}"] for x in ("alpha7", "beta21", "gamma3")))
    assert templates(same) == ["train {run}", "eval --run {run}"]
    other = lifted(
        "train,eval", ["train alpha7", "eval --run x"], ["train beta2", "eval --run y"], ["train c", "eval --run z"]
    )
    assert templates(other) == ["train {train_arg}", "eval --run {run}"]


def test_few_small_numbers_that_agree_are_no_evidence() -> None:
    workflow = lifted("a,b", ["a 1", "b 1"], ["a 2", "b 2"], ["a 1", "b 1"])
    assert len(workflow.parameters) == 2


@pytest.mark.parametrize(
    ("make", "program"),
    [
        pytest.param(lambda x: x.rsplit("/", 1)[-1], (("basename",),), id="basename"),
        pytest.param(lambda x: x.rsplit("/", 1)[-1][:-3], (("stem",),), id="stem"),
        pytest.param(str.upper, (("upper",),), id="upper case"),
        pytest.param(lambda x: x.replace("/", "."), (("replace", "/", "."),), id="replace"),
        pytest.param(lambda x: x.split("/")[1], (("field", "/", "1"),), id="field"),
        pytest.param(lambda x: f'"see {x}"', (("prepend", "see "),), id="inside a text"),
    ],
)
def test_a_value_that_follows_from_another_is_derived(make: Callable[[str], str], program: Program) -> None:
    paths = ["src/ab12/first9.py", "lib/cd34/other8.ts", "app/ef56/third7.py", "bin/gh78/fourth6.js"]
    workflow = lifted("a,b", *([f"a {x}", f"b --out {make(x)}"] for x in paths))
    derived = parameter(workflow, "out")
    assert derived.source == "derived"
    assert derived.derivation is not None
    assert derived.derivation.program == program
    assert all("out" not in occurrence.bindings for occurrence in workflow.occurrences)


def test_a_part_is_not_read_out_of_a_later_text_that_tells_of_it() -> None:
    cells = [[f"python train.py --fold {k}{k}", f'git commit -m "log fold {k}{k} of the week"'] for k in range(10, 22)]
    found = lift("x", "p", columns("python train.py", "git commit"), [run(n, c) for n, c in enumerate(cells)])
    assert {p.name: p.source for p in found.parameters}["fold"] == "caller"


def test_a_value_wrapped_in_bare_text_needs_no_parameter_of_its_own() -> None:
    workflow = lifted("a,b", *([f"a {x}", f"b out/{x}"] for x in ("alpha7.x", "beta21", "gamma3.json.y")))
    assert templates(workflow) == ["a {a_arg}", "b out/{a_arg}"]


def _pull(number: int, said: int) -> list[Cell]:
    return [("gh pr create", "ok", f"Creating\nhttps://x.y/pull/{said}\nin {number % 7} s"), f"gh pr merge {number}"]


def test_a_value_printed_by_an_earlier_step_is_read_from_its_output() -> None:
    workflow = lifted("gh pr create,gh pr merge", *(_pull(n, n) for n in (1012, 1170, 2231, 2290)))
    number = parameter(workflow, "pr")
    assert number.source == "output"
    assert number.derivation is not None
    assert number.derivation.source == workflow.steps[0].name
    assert workflow.occurrences[0].bindings == {"pr": "1012"}


def test_a_value_that_other_outputs_hold_is_not_read_from_them() -> None:
    workflow = lifted("gh pr create,gh pr merge", *(_pull(n, n + 1) for n in (1012, 1170, 2231, 2290)))
    assert parameter(workflow, "pr").source == "caller"


def test_an_argument_that_the_output_repeats_stays_an_argument() -> None:
    cells: list[list[Cell]] = [
        [(f"new {x}", "ok", f"made: {x}\n"), f"open {x}"] for x in ("alpha7", "beta21", "gamma3")
    ]
    assert [p.source for p in lifted("new,open", *cells).parameters] == ["caller"]


GATE = "bun test,bun lint,bun lint:fix,bun lint,bun typecheck"
PASSED: list[Cell] = ["bun run test", "bun run lint", None, None, None]
FIXED: list[Cell] = ["bun run test", ("bun run lint", "failed"), "bun run lint:fix", "bun run lint", None]
TYPED: list[Cell] = ["bun run test", "bun run lint", None, None, "bun run typecheck"]
STOPPED: list[Cell] = [("bun run test", "failed"), None, None, None, None]


def test_a_gate_with_repair_is_one_workflow() -> None:
    workflow = lifted(GATE, *[PASSED] * 5, *[FIXED] * 4, *[TYPED] * 2, *[STOPPED] * 3)
    assert [step.name for step in workflow.steps] == ["test", "lint", "lint-fix", "lint-again", "typecheck"]
    assert [step.guard.step if step.guard else "" for step in workflow.steps] == ["", "", "lint", "lint", ""]
    assert workflow.steps[4].switch == "typecheck"
    assert workflow.support == workflow.held_out == 14
    bound = [occurrence.bindings for occurrence in workflow.occurrences]
    assert (bound[0], bound[5], bound[9], bound[11]) == (
        {},
        {"failed": ["lint"]},
        {"typecheck": True},
        {"failed": ["test"]},
    )


def test_a_step_after_success_and_failure_alike_has_no_guard() -> None:
    cells: list[list[Cell]] = [["a", "b"], [("a", "failed"), "b"], ["a", None], [("a", "failed"), None], ["a", "b"]]
    workflow = lifted("a,b", *cells)
    assert workflow.steps[1].guard is None
    assert workflow.steps[1].skip == "skip_b"


def test_a_repair_that_ran_though_nothing_failed_is_refused() -> None:
    workflow = lifted(GATE, *[PASSED] * 9, *[FIXED] * 12)
    odd = run(99, ["bun run test", "bun run lint", "bun run lint:fix", "bun run lint", None])
    assert bind(workflow.steps, workflow.parameters, odd) == "lint-fix: ran although lint had not failed"


def test_success_of_a_viewer_is_no_success_of_the_command() -> None:
    def seen(number: int, cells: list[Cell]) -> Run:
        recorded = run(number, cells)
        return replace(
            recorded,
            cells=tuple(tuple(replace(s, display="| tail -5", status="unknown") for s in c) for c in recorded.cells),
        )

    unclear: list[Cell] = ["bun run test", "bun run lint", "bun run lint:fix", "bun run lint", None]
    recorded = [*runs(*[PASSED] * 5, *[FIXED] * 4), *(seen(k, unclear) for k in (90, 91))]
    workflow = lift("w", "p", columns(*GATE.split(",")[:4]), [replace(r, cells=r.cells[:4]) for r in recorded])
    assert workflow.support == 11
    assert workflow.occurrences[-1].bindings == {"failed": ["lint"]}


def test_a_run_that_ended_without_a_failure_is_refused() -> None:
    workflow = lifted("a,b", *[["a", "b"]] * 9)
    assert bind(workflow.steps, workflow.parameters, run(9, ["a", None])) == "b: missing"
    assert bind(workflow.steps, workflow.parameters, run(9, [("a", "failed"), None])) == {"failed": ["a"]}


def test_an_edit_between_most_runs_is_judgement_and_a_rare_one_is_not() -> None:
    cells: list[Cell] = ["a", "b"]
    often = [run(k, cells, *[(15, "edit *.py")] * (k < 4)) for k in range(5)]
    workflow = lift("w", "p", columns("a", "b"), often)
    assert [(step.name, step.kind, step.head) for step in workflow.steps] == [
        ("a", "command", "a"),
        ("edit-py", "judgement", "edit *.py"),
        ("b", "command", "b"),
    ]
    rare = [run(k, cells, *[(15, "edit *.py")] * (k < 2)) for k in range(5)]
    assert len(lift("w", "p", columns("a", "b"), rare).steps) == 2


def test_a_step_repeated_for_each_item_takes_a_list_that_later_words_share() -> None:
    workflow = lifted(
        "convert,git add",
        ["convert a1.png", "git add a1.png"],
        [["convert b2.png", "convert c3.png"], "git add b2.png c3.png"],
        [["convert d4.png", "convert e5.png", "convert f6.png"], "git add d4.png e5.png f6.png"],
    )
    assert workflow.steps[0].each == "paths"
    assert workflow.occurrences[1].bindings == {"paths": ["b2.png", "c3.png"]}


def test_a_step_repeated_with_two_changing_words_is_refused() -> None:
    workflow = lifted("cp", *[["cp a1 b1"]] * 4, [["cp c2 d2", "cp e3 f3"]])
    assert workflow.support == 4


def test_a_secret_is_never_shown_or_fixed() -> None:
    workflow = lifted("curl", *[['curl -H "Authorization: Bearer REDACTED_TOKEN_ab12" https://a.b/c']] * 4)
    assert templates(workflow) == ["curl -H {header} https://a.b/c"]
    assert workflow.parameters == (Parameter("header", "secret"),)


def test_shell_text_is_fixed_or_refused_but_never_a_value() -> None:
    constant = lifted("deploy", *[["deploy $HOME/x a1"], ["deploy $HOME/x b2"], ["deploy $HOME/x c3"]])
    assert templates(constant) == ["deploy $HOME/x {deploy_arg}"]
    varying = lifted("deploy", ["deploy a1"], ["deploy b2"], ["deploy $X"], ["deploy c3"])
    assert templates(varying) == ["deploy {deploy_arg}"]
    assert varying.refused == (("s2", "shell expansion in a value"),)


def test_a_line_quoted_in_another_way_is_refused() -> None:
    workflow = lifted("say", *([f'say "a b{k}"'] for k in range(5)), ["say 'a c'"])
    assert workflow.support == 5
    assert "quoting" in workflow.refused[0][1]


def test_types_defaults_and_choices_follow_from_the_values() -> None:
    stages = ["dev", "prod", "dev", "dev", "prod", "dev"]
    numbers = [
        (3, "0.10", "a/x/b.py"),
        (1, "0.5", "c/d/e.ts"),
        (4, "1e-3", "f.py"),
        (1, "2", "g/h.py"),
        (5, "0.7", "i.c"),
    ]
    rows = zip(stages, [*numbers, (9, "3.5", "k/l")], strict=True)
    workflow = lifted("d", *([f"d --stage {s} --n {n} --lr {lr} --file {f}"] for s, (n, lr, f) in rows))
    assert [(p.name, p.type, p.default) for p in workflow.parameters] == [
        ("stage", "choice", "dev"),
        ("n", "int", None),
        ("lr", "float", None),
        ("file", "path", None),
    ]
    assert parameter(workflow, "stage").choices == ("dev", "prod")


def test_names_never_clash_with_the_options_of_every_tool() -> None:
    workflow = lifted("t", ["t --json a1 --tail 3 --help x"], ["t --json b2 --tail 7 --help y"])
    assert {p.name for p in workflow.parameters} == {"t_json", "t_tail", "t_help"}


def test_a_wrapper_before_every_step_is_one_boolean() -> None:
    workflow = lifted("a,b", ["wrap a", "wrap b"], ["a", "b"], ["wrap a", "wrap b"], ["a", "b"])
    assert [p.name for p in workflow.parameters] == ["wrap"]


def test_one_run_is_all_constant_and_no_run_is_no_workflow() -> None:
    assert templates(lifted("a", ["a b"])) == ["a b"]
    assert lifted("a").steps == ()


def _mixed(seed: int) -> list[Run]:
    r = random.Random(seed)
    cells: list[list[Cell]] = []
    for _ in range(16):
        name = r.choice(("alpha", "beta", "gamma")) + str(r.randrange(90))
        passed = r.random() < 0.8
        test = f"bun test{' -q' * (r.random() < 0.3)} src/{name}.py"
        lint = f"bun lint --name={name}{' --fix' * (r.random() < 0.1)}" if passed else None
        add = "git add " + " ".join(r.sample(["a.py", "b.py", "c.py"], r.choice((1, 1, 2, 3)))) if passed else None
        cells.append([(test, "ok" if passed else "failed"), lint, add])
    return runs(*cells)


@pytest.mark.parametrize("seed", range(8))
def test_leaving_out_by_short_cut_counts_as_fitting_every_run_again(seed: int) -> None:
    heads = columns("bun test", "bun lint", "git add")
    recorded = _mixed(seed)
    workflow = lift("w", "p", heads, recorded)
    again = 0
    for k, one in enumerate(recorded):
        others = best(heads, [*recorded[:k], *recorded[k + 1 :]]).fit
        refused = {session for session, _ in workflow.refused}
        again += one.session not in refused and not isinstance(bind(others.steps, others.parameters, one), str)
    assert workflow.held_out == again


@pytest.mark.parametrize(
    ("values", "usual"),
    [
        pytest.param(["a", "a", "b"], "a", id="most runs have it"),
        pytest.param(["a", "b"], None, id="each run has its own"),
        pytest.param(["a"], None, id="one run tells nothing"),
        pytest.param([], None, id="of a step that no run had"),
    ],
)
def test_a_value_is_the_usual_one_where_most_runs_have_it(values: list[str], usual: str | None) -> None:
    assert majority(values) == usual
