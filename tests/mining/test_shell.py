"""A shell call becomes the simple commands that it ran, and nothing that it did not run."""

import json
import subprocess
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from meta.mining.shell import Reader, as_word, parse
from meta.model import Style
from meta.rendering import quote


def heads(call: str) -> list[str]:
    return [command.head for command in parse(call) if command.effect != "look"]


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        pytest.param("git add -A && git commit -q -m 'a: b'; git push", ["git add", "git commit", "git push"], id="a list"),
        pytest.param("bun run lint:fix", ["bun run lint:fix"], id="a script of a package"),
        pytest.param("cd x && GOOS=linux go build ./... 2>&1 | tail -5; echo done", ["go build"], id="environment, tail"),
        pytest.param("uv run --with x python3.12 -m pytest -q", ["pytest"], id="wrappers are seen through"),
        pytest.param("timeout 60 npx tsc --noEmit", ["tsc"], id="two wrappers"),
        pytest.param("git -C /x/y -c a=b stash pop", ["git stash pop"], id="global flags"),
        pytest.param("python scripts/train.py --fold 1", ["python scripts/train.py"], id="a script with its path"),
        pytest.param("python /tmp/x/reproduce_issue.py", ["python reproduce_issue.py"], id="a script by its name"),
        pytest.param("../scratch.exe --x", ["../scratch.exe"], id="a program of the project"),
        pytest.param("bash -lc 'npm test'", ["npm test"], id="a shell within"),
        pytest.param("(cd a && make all); make b", ["make all", "make b"], id="a subshell"),
        pytest.param("ls; cat a | head -3; rg x | sort | uniq -c", [], id="looking only"),
        pytest.param("grep x a > out.txt", ["grep"], id="looking into a file is work"),
        pytest.param("for i in 1 2; do pytest -k $i; done | tail -3", ["for pytest"], id="a loop is one step"),
        pytest.param("x=$(pytest -q); echo $x", [], id="what a substitution runs is not a step"),
        pytest.param("sed -n 1,5p a; sed -i s/a/b/ a", ["sed"], id="sed that edits"),
        pytest.param("echo hi # git push", [], id="a comment"),
        pytest.param("echo 'git push && rm -rf x'", [], id="a quoted command"),
        pytest.param("cat <<'EOF'\ngit push\nEOF", [], id="a here-document"),
    ],
)  # fmt: skip
def test_the_commands_of_a_call(call: str, expected: list[str]) -> None:
    assert heads(call) == expected


@pytest.mark.parametrize(
    ("call", "line", "display"),
    [
        ("pytest -q 2>&1 | tail -40", "pytest -q", "2>&1 | tail -40"),
        ("pytest  -q   >/dev/null", "pytest -q", ">/dev/null"),
        ("pytest -q > log.txt", "pytest -q > log.txt", ""),
        ("pytest -q > log.txt 2>&1", "pytest -q > log.txt 2>&1", ""),
        ("go test 2>&1 | tee log", "go test 2>&1 | tee log", ""),
        ("go test |& tee log 2>/dev/null | tail -3", "go test 2>&1 | tee log", "2>/dev/null | tail -3"),
        ("pg_dump db | gzip > db.gz", "pg_dump db | gzip > db.gz", ""),
        ("FOO='a b' make x", "FOO='a b' make x", ""),
        ("V=1.2; git tag v$V", "V=1.2 && git tag v$V", ""),
        ("source .venv/bin/activate && pytest", "source .venv/bin/activate && pytest", ""),
        ("rtk git -C /home/me/repo status 2>&1", "git status", "rtk 2>&1"),
        ("rtk lint bun run lint", "bun run lint", "rtk lint"),
        ("rtk lint", "lint", "rtk"),
        ("rtk test bun run test 2>&1 | tee log", "bun run test 2>&1 | tee log", "rtk test"),
    ],
)
def test_how_output_was_looked_at_is_not_part_of_the_line(call: str, line: str, display: str) -> None:
    command = parse(call)[0]
    assert " ".join(word.text for word in command.words) == line
    assert command.display == display


def test_where_a_command_ran_follows_cd() -> None:
    assert [c.directory for c in parse("make a; cd b && make c; (cd d && make e); make f")] == [None, "b", "b/d", "b"]
    assert parse("cd b && git -C c status")[0].directory == "b/c"


@pytest.mark.parametrize(
    ("call", "kind"),
    [
        ("cat > f.py <<'E'\nx\nE", "edit"),
        ("sed -i s/a/b/ f", "edit"),
        ("echo x >> notes.md", "edit"),
        ("pytest > log", "command"),
        ("python - <<'E'\nprint(1)\nE", "command"),
    ],
)
def test_writing_thought_out_text_is_an_edit(call: str, kind: str) -> None:
    assert parse(call)[0].kind == kind


def test_only_identical_scripts_are_the_same_step() -> None:
    one, same, other = (parse(f"python - <<'E'\nprint({n})\nE")[0].head for n in (1, 1, 2))
    assert one == same != other


@pytest.mark.parametrize(
    ("text", "value", "style", "prefix"),
    [
        ("plain/path.py", "plain/path.py", "bare", ""),
        ('"a b"', "a b", "double", ""),
        ('"say \\"x\\" for \\$1"', 'say "x" for $1', "double", ""),
        ("'a $x'", "a $x", "single", ""),
        ("--message='a b'", "--message=a b", "single", "--message="),
        ('"$HOME/x"', '"$HOME/x"', "shell", ""),
        ("*.py", "*.py", "shell", ""),
        ("a{b,c}", "a{b,c}", "shell", ""),
        ("{1..3}", "{1..3}", "shell", ""),
        ("x=~/y", "x=~/y", "shell", ""),
        ("a:~/b", "a:~/b", "shell", ""),
        ("stash@{0}", "stash@{0}", "bare", ""),
        ("HEAD~1", "HEAD~1", "bare", ""),
        ("\"$(cat <<'EOF'\none\n\nEOF\n)\"", "\"$(cat <<'EOF'\none\n\nEOF\n)\"", "shell", ""),
        ("$(date)", "$(date)", "shell", ""),
        ("'a'\"b\"", "'a'\"b\"", "shell", ""),
        ("\"$(cat <<'EOF'\none\n\ntwo\nEOF\n)\"", "one\n\ntwo", "heredoc", ""),
    ],
)
def test_a_word_has_a_value_only_where_no_shell_is_needed(text: str, value: str, style: str, prefix: str) -> None:
    word = as_word(text)
    assert (word.value, word.style, word.prefix) == (value, style, prefix)


special = st.sampled_from(
    ["EOF", "EOF)", "a\nEOF\nb", "a\nEOF)", "a\n", "{a,b}", "{1..3}", "~", "x=~/y", "a:~", "a\\", "\n", ""]
)
anything = special | st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=30)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(anything, st.sampled_from(["bare", "single", "double", "heredoc"])), min_size=1, max_size=4))
def test_quoted_values_come_back_and_bash_agrees(words: list[tuple[str, Style]]) -> None:
    values = [value for value, _ in words]
    line = "printf %s\\\\0 " + " ".join(quote(value, style) for value, style in words)
    done = subprocess.run(["bash", "-c", line], capture_output=True, check=True)
    assert done.stdout.decode().split("\0")[:-1] == values
    for value, style in words:
        word = as_word(quote(value, style))
        assert word.text == word.prefix + quote(word.value[len(word.prefix) :], word.style)
        assert word.style == "shell" or word.value == value


@pytest.mark.parametrize(
    "call", ["make 'all && x", "if a; then make b", 'git add -A && git commit -m "x; git push', ")"]
)
def test_a_line_that_cannot_be_read_is_one_opaque_step_and_told(call: str) -> None:
    (step,) = parse(call)
    assert (step.broken, step.effect, [(word.text, word.style) for word in step.words]) == (
        True,
        "work",
        [(call, "shell")],
    )
    assert not parse("make all")[0].broken


@pytest.mark.parametrize(
    "text",
    [
        "a $(b) && " * 20000 + "c",
        "a $(b) && " * 1600 + "c",
        "a > x && " * 1700 + "c",
        "python -m " * 5000,
        "python -m " * 1600,
        "python -m pipenv run " * 700,
        "".join(f"A{n}=1 && " for n in range(3000)) + "make $A1",
        "A=1; c $A; " * 1400,
        " ".join(f"A{n}=1" for n in range(1600)) + " make",
        "'" * 65536,
        "'" * 16001,
        '"`' * 8000,
        "$(" + ">" * 16000,
        "(" * 5000,
        "( " * 3000 + "make" + " )" * 3000,
        "for i in a; do " * 400 + "make;" + " done;" * 400,
        "if a; then " * 500 + "make;" + " fi;" * 500,
        "find . -exec " * 1200,
        "bash -c " * 2000,
        "rtk " * 4000,
        "git -C a " * 1700,
        "sudo " * 3000,
        "xargs " * 2500,
        "{a," * 5000,
        "x" * 500_000,
    ],
    ids=lambda text: f"{text[:12]}... of {len(text)}",
)
def test_one_line_costs_neither_recursion_nor_more_than_a_moment(text: str) -> None:
    for shell in ("bash", "powershell"):
        began = time.process_time()
        assert parse(text, shell)
        assert time.process_time() - began < 1.0


@settings(max_examples=300, deadline=None)
@given(st.text(st.sampled_from("ab git-'\"$()<>|&;\n\\{}=#!*`EOF[] "), max_size=60))
def test_no_text_breaks_the_parser_or_its_invariant(text: str) -> None:
    for command in parse(text):
        for word in command.words:
            assert word.style == "shell" or word.text == word.prefix + quote(word.value[len(word.prefix) :], word.style)


def test_powershell_is_cut_outside_of_quotes_and_left_opaque() -> None:
    commands = parse("go build ./...; Write-Output 'a; b'", "powershell")
    assert [(c.head, c.effect) for c in commands] == [("go build", "work"), ("Write-Output", "look")]
    assert all(word.style == "shell" for c in commands for word in c.words)


CALLS = [
    "cd a && uv run pytest -q 'x y' 2>&1 | tail -3; git commit -m \"$(cat <<'EOF'\na\nEOF\n)\"",
    "if then",
    "ls",
    "",
]


def test_what_was_read_before_is_the_same_as_when_read_anew() -> None:
    used: dict[str, object] = {}
    first = [Reader({}, used)(call) for call in CALLS]
    kept = json.loads(json.dumps(used))
    again = Reader(kept, {})
    assert [again(call) for call in CALLS] == first == [parse(call) for call in CALLS]
    assert [again(call, "powershell") for call in CALLS] == [parse(call, "powershell") for call in CALLS]


def test_a_call_that_is_asked_for_no_more_is_not_kept() -> None:
    before: dict[str, object] = {}
    Reader({}, before)("make a")
    after: dict[str, object] = {}
    Reader(before, after)("make b")
    assert [list(kept) for kept in (before, after)] == [["bash make a"], ["bash make b"]]
