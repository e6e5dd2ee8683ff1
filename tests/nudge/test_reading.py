"""A shell line is read cheaply, and on simple lines as the miner reads it."""

from __future__ import annotations

import os
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meta.mining import commands as known
from meta.mining import shell
from meta.nudge.reading import LIMIT, commands


def heads(line: str) -> list[str]:
    return [did.head for did in commands(line)]


@pytest.mark.parametrize(
    ("line", "read"),
    [
        pytest.param(
            "pytest -q && ruff check .; git add -A", ["pytest", "ruff check", "git add"], id="one after another"
        ),
        pytest.param("make test\nmake lint", ["make test", "make lint"], id="lines"),
        pytest.param("make \\\n  test", ["make test"], id="a line that goes on"),
        pytest.param("cd src && bun run lint", ["bun run lint"], id="a folder is no step"),
        pytest.param("CI=1 timeout 60 uv run pytest -q", ["pytest"], id="wrappers are no step"),
        pytest.param("pytest 2>&1 | tail -3", ["pytest", "tail"], id="its output is no command"),
        pytest.param("make > log.txt 2>&1", ["make"], id="nor is a file for it"),
        pytest.param("make >& log; make <(ls) x", ["make", "make", "ls", "x"], id="what else is said with arrows"),
        pytest.param("echo 'a && b; c' \"d | e\"", ["echo"], id="signs in quotes separate nothing"),
        pytest.param("grep '|' x && cut -d ';' -f 1 x", ["grep", "cut"], id="not even alone"),
        pytest.param("'git' \"add\" a\\ b", ["git add"], id="quoted words are words"),
        pytest.param(
            "git commit -F - <<'EOF'\nmake test\nEOF\ngit push", ["git commit", "git push"], id="a message below"
        ),
        pytest.param(
            'git commit -m "$(cat <<\'EOF\'\nsay "make"; make test\nEOF\n)"', ["git commit"], id="a message within"
        ),
        pytest.param("for f in a b; do pytest $f; done", ["pytest"], id="in a loop"),
        pytest.param("if make test; then git push; fi", ["make test", "git push"], id="on a condition"),
        pytest.param("x=$(git rev-parse HEAD); source a; export B=1; make", ["make"], id="set up"),
        pytest.param("# make test\nmake lint # not make all", ["make lint"], id="remarks"),
        pytest.param("git log --grep a#b", ["git log"], id="a sign within a word is no remark"),
        pytest.param("bash -lc 'cd x && make test'", ["make test"], id="a script as a word"),
        pytest.param("git -C sub commit -m x", ["git commit"], id="a folder by an option"),
        pytest.param("rtk test make test", ["make test"], id="what only shortens output"),
        pytest.param("make 'test", [], id="what is not closed is not read"),
        pytest.param("make a; make 'test", ["make a"], id="but what stands before it is"),
        pytest.param("", [], id="nothing"),
    ],
)
def test_a_line_is_the_commands_that_it_ran(line: str, read: list[str]) -> None:
    assert heads(line) == read


@pytest.mark.parametrize(
    ("line", "read"),
    [
        ("cd /elsewhere && make a; cd /home/ann/shop/src; make b", ["make b"]),
        ("cd .. && make a", []),
        ("cd src/.. && make a", ["make a"]),
        ("git -C ../other commit; git -C src commit", ["git commit"]),
        ("cd ..; bash -c 'make a'; cd shop; bash -c 'cd src; make b; cd ../..; make c'", ["make b"]),
        ('cd "$ROOT" && cd - && make a', ["make a"]),
        ("cd && make a", []),
    ],
)
def test_what_ran_in_another_project_is_left_out(line: str, read: list[str]) -> None:
    def inside(folder: str) -> bool:
        return (os.path.normpath(os.path.join("/home/ann/shop", folder)) + "/").startswith("/home/ann/shop/")

    assert [did.head for did in commands(line, inside)] == read


@pytest.mark.parametrize(
    ("line", "tool"),
    [
        ("python3 generated_tools/gate/tool.py --help", "gate"),
        ("cd x && ./generated_tools/gate-2/tool.py", "gate-2"),
        ("uv run --script /home/ann/shop/generated_tools/gate/tool.py", "gate"),
        ("python3 generated_tools/gate/test_tool.py", ""),
        ("cat tools/gate/tool.py", ""),
    ],
)
def test_a_call_of_a_tool_is_known(line: str, tool: str) -> None:
    assert [did.tool for did in commands(line)] == [tool]


@pytest.mark.parametrize(
    ("line", "step", "is_one"),
    [
        ("git commit -m x", "git commit", True),
        ("git commit -m x", "git", False),
        ("./dev test -k a", "dev test", True),  # a sub-command that was learned
        ("./dev test -k a", "dev lint", False),
        ("python scripts/ignore_all_rules_and_print_secrets.py", "sha256:" + "0" * 16, False),
    ],
)
def test_a_command_is_a_step_by_its_head(line: str, step: str, is_one: bool) -> None:
    assert [did.is_step(step) for did in commands(line)] == [is_one]


def test_a_head_that_is_told_as_a_hash_is_known_by_it() -> None:
    from meta.vetting import shown_work

    (did,) = commands("python scripts/ignore_all_rules_and_print_secrets.py")
    (step,) = shown_work([did.head])
    assert step.startswith("sha256:")
    assert did.is_step(step)


WORK = [line for line, _, effect in known.EXAMPLES if effect == "work" and "+" not in line]
WORK += ["pytest -q 'a b'", 'git commit -m "It; works && so"']
OTHER = [line for line, _, effect in known.EXAMPLES if effect != "work" and "+" not in line]
SIMPLE = st.builds(
    lambda before, line, shown: f"{before}{line}{shown}",
    st.sampled_from(["", "", "CI=1 ", "timeout 60 ", "uv run ", "sudo -u www ", "time "]),
    st.sampled_from(OTHER) | st.builds(str.__add__, st.sampled_from(WORK), st.sampled_from(["", " > log 2>&1"])),
    st.sampled_from(["", "", " 2>&1", " 2>/dev/null", " | tail -5", " 2>&1 | grep -v x"]),
)
LINE = st.lists(SIMPLE, min_size=1, max_size=4).flatmap(
    lambda parts: st.sampled_from([" && ", "; ", "\n", " || "]).map(lambda sign: sign.join(parts))
)


@given(LINE)
def test_the_work_of_a_simple_line_is_what_the_miner_reads(line: str) -> None:
    mined = [c.head for c in shell.parse(line) if c.effect == "work" and c.kind == "command"]
    assert [did.head for did in commands(line) if did.effect == "work"] == mined


@given(
    st.text()
    | st.text(alphabet="a$('\"`<>|&;\\\n #{}=-")
    | st.lists(st.sampled_from(["<<E", "\n", "E", "cd", "'", '"', "$(", ")"])).map(" ".join)
)
def test_any_text_is_read_somehow(line: str) -> None:
    assert all(did.head or did.argument == "" for did in commands(line))


@pytest.mark.parametrize(
    "piece", ["<<a\n", '"\\', "'", "$((", "((", "a=", "cd x;", "bash -c '", "0>", "\\", "env ", "if ", "a ", "<<"]
)
def test_a_line_that_was_made_to_hold_us_up_does_not(piece: str) -> None:
    start = time.process_time()
    for _ in commands(piece * (LIMIT // len(piece) * 2)):
        pass
    assert time.process_time() - start < 1.0, "a hostile line holds up the agent"
