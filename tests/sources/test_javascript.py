from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meta.sources.javascript import Call, calls


def commands(script: str) -> list[str | None]:
    return [call.arguments.get("cmd") for call in calls(script)]


@pytest.mark.parametrize(
    ("script", "command"),
    [
        ('await tools.exec_command({"cmd":"ls -l","workdir":"/tmp"});', "ls -l"),
        ("await tools.exec_command({cmd:'it\\'s'});", "it's"),
        ('tools.exec_command({ cmd : "a\\n\\tb\\u0041\\x42\\u{43}" })', "a\n\tbABC"),
        ("tools.exec_command({cmd:`ls\n-l`})", "ls\n-l"),
        ("tools.exec_command({cmd:`a \\`b\\` \\${c}`})", "a `b` ${c}"),
        ('tools.exec_command({cmd:"ls " + "-l" + `a`})', "ls -la"),
        ('const p = "./x y"; tools.exec_command({cmd:`cat ${p}`})', "cat ./x y"),
        ('const p = "./x y"; tools.exec_command({cmd:`cat ${JSON.stringify(p)}`})', 'cat "./x y"'),
        ('const cmd = "ls"\nawait tools.exec_command({cmd, workdir: "/"})', "ls"),
        ('const a="x", n="y"; const b=`${a}-${n}`; tools.exec_command({cmd:b})', "x-y"),
        ('tools.exec_command({cmd:["a","b",].join(" && ")})', "a && b"),
        ("tools.exec_command({cmd:String.raw`grep '\\d'`})", "grep '\\d'"),
        ('tools.exec_command({cmd:("a"+"b"), prefix_rule:["x","y"]})', "ab"),
        ('text(/["\'`]/.test(x)); tools.exec_command({cmd:"ls"})', "ls"),
        ('// tools.exec_command({cmd:"no"})\n/* `${ */ tools.exec_command({cmd:"ls"})', "ls"),
        ('const r = a / b; tools.exec_command({cmd:"x / y"})', "x / y"),
        ('text(`${(await tools.exec_command({cmd:"ls"})).output}`)', "ls"),
    ],
)
def test_a_command_that_is_plainly_written_is_read_off(script: str, command: str) -> None:
    assert commands(script) == [command]


@pytest.mark.parametrize(
    "script",
    [
        "[0,1].map(page => tools.exec_command({cmd:`render ${page}`}))",
        "Array.from({length: 3}, (_, p) => tools.exec_command({cmd:`render ${p}`}))",
        "for (const d of days) tools.exec_command({cmd:`get ${d}`})",
        'let a = "x"; a = "y"; tools.exec_command({cmd:a})',
        'let a = "x"; a += "y"; tools.exec_command({cmd:a})',
        'const p = "x"; f(p => tools.exec_command({cmd:p}))',
        'const p = "x"; function f(p) { tools.exec_command({cmd:p}) }',
        "const {p} = q; tools.exec_command({cmd:p})",
        'const p = "x".repeat(3); tools.exec_command({cmd:p})',
        'const p = "x" ? "y" : "z"; tools.exec_command({cmd:p})',
        'tools.exec_command({cmd:"x".repeat(3)})',
        'tools.exec_command({cmd:"x" ? "y" : "z"})',
        'tools.exec_command({cmd:`${f("a")}`})',
        "const n=1+2; tools.exec_command({cmd:`head -${n}`})",
        "tools.exec_command(options)",
        "tools.exec_command({cmd)",
        'tools.exec_command({cmd:"ls\n})',
        "tools.exec_command({cmd:]",
        "tools.exec_command({cmd:",
        "tools.exec_command({cmd:`",
        "tools.exec_command(",
    ],
)
def test_a_command_that_only_running_would_tell_stays_unknown(script: str) -> None:
    assert commands(script) == [None]


@pytest.mark.parametrize(
    "script",
    ["", 'text("tools.exec_command({cmd:1})")', "tools.exec_command", 'x.exec_command({cmd:"ls"})', "`tools.x({})`"],
)
def test_what_only_looks_like_a_call_is_none(script: str) -> None:
    assert calls(script) == ()


def test_every_tool_is_seen_and_a_single_text_is_its_input() -> None:
    script = 'const patch = "*** Begin Patch"; await tools.apply_patch(patch); tools.web__run({q:[{a:"b"}],n:"c"})'
    assert calls(script) == (
        Call("apply_patch", {"input": "*** Begin Patch"}),
        Call("web__run", {"n": "c"}),
    )


@pytest.mark.parametrize("piece", ["/*", "'\\", "/[", "`${", "()=", "tools.x({a:", "${", "\"'", "const a="])
def test_a_script_made_to_cost_much_costs_little(piece: str) -> None:
    assert len(calls(piece * (60_000 // len(piece)))) <= 100
    assert calls(piece * 60_000) == ()


def test_a_value_that_doubles_itself_is_given_up() -> None:
    names = [f"x{n}" for n in range(60)]
    doubling = "".join(f"const {b}={a}+{a};" for a, b in pairwise(names))
    assert commands(f'const x0="laugh";{doubling}tools.exec_command({{cmd:x59}})') == [None]


def test_nesting_without_end_is_unknown_and_no_error() -> None:
    assert commands("tools.exec_command({cmd:" + "`${" * 5000) == [None]
    assert commands("tools.exec_command({cmd:" + "(" * 5000) == [None]
    assert commands("tools.exec_command({cmd:" * 500)[:2] == [None, None]
    assert commands("tools.exec_command({cmd:" + "[" * 5000) == [None]


@given(st.text())
def test_a_quoted_text_is_read_back(text: str) -> None:
    quoted = text.replace("\\", "\\\\").replace("`", "\\`").replace("$", "\\$")
    assert commands(f"tools.exec_command({{cmd:`{quoted}`}})") == [text]


@given(st.text(alphabet="abtols.exec_command({})[]`$\"'/\\=>,;:+ \n"))
def test_no_script_makes_it_fail(script: str) -> None:
    calls(script)
    calls("tools.exec_command({cmd:" + script)
