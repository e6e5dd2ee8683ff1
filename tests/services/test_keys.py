"""Our values in a settings file: put without touching a byte of others, and taken out as if they had never been."""

import json
import re
import tomllib
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from meta import keys
from meta.errors import UserError
from meta.keys import Own, Trace

SERVER = Own(("mcpServers", "meta"), {"command": "meta", "args": ["serve"]})
HOOK = Own(("hooks", "SessionStart"), {"hooks": [{"type": "command", "command": "meta hook"}]}, item=True)
CLAUDE = """\
{
  "model": "opus",
  "hooks": {
    "SessionStart": [
      {"matcher": "", "hooks": [{"type": "command", "command": "echo hi"}]}
    ]
  },
  "big": 12345678901234567890.0e+2, "permissions": {"allow": ["Bash(ls:*)"]}
}
"""


def put(text: str, own: Own) -> tuple[str, Trace]:
    made = keys.put(text, own, "settings.json")
    assert made is not None
    return made


def plain(text: str) -> Any:
    """What a text with comments and trailing commas says; good for the texts of these tests only."""
    quoted = r'("(?:[^"\\]|\\.)*")'
    for other in (r"//[^\n]*|/\*.*?\*/", r",(?=\s*[}\]])"):
        text = re.sub(f"{quoted}|{other}", lambda match: match[1] or "", text.removeprefix("\ufeff"), flags=re.DOTALL)
    return json.loads(text)


def added(values: Any, own: Own) -> Any:
    """The values with ours among them."""
    values = json.loads(json.dumps(values))
    place = values
    for key in own.path[:-1]:
        place = place.setdefault(key, {})
    if own.item:
        place.setdefault(own.path[-1], []).append(own.value)
    else:
        place[own.path[-1]] = own.value
    return values


def test_a_server_is_put_behind_the_last_key_in_the_files_own_indentation() -> None:
    after, _ = put(CLAUDE, SERVER)
    assert after == CLAUDE.replace(
        '"allow": ["Bash(ls:*)"]}\n',
        '"allow": ["Bash(ls:*)"]},\n  "mcpServers": {\n    "meta": {\n      "command": "meta",\n'
        '      "args": [\n        "serve"\n      ]\n    }\n  }\n',
    )


def test_a_hook_is_put_behind_those_of_others() -> None:
    after, trace = put(CLAUDE, HOOK)
    (theirs, ours) = json.loads(after)["hooks"]["SessionStart"]
    assert (theirs["matcher"], ours) == ("", HOOK.value)
    assert keys.take(after, HOOK, trace, "settings.json") == CLAUDE


@pytest.mark.parametrize("own", [SERVER, HOOK])
def test_what_is_there_already_is_not_put_again(own: Own) -> None:
    after, _ = put(CLAUDE, own)
    assert keys.put(after, own, "settings.json") is None


WRITTEN = {
    "an empty object": "{}",
    "spaces inside": "{ }\n",
    "a line inside": "{\n}\n",
    "one line": '{"a": 1}',
    "no line break at the end": '{\n  "a": 1\n}',
    "tabs": '{\n\t"a": {\n\t\t"b": []\n\t}\n}\n',
    "CRLF": '{\r\n    "a": 1,\r\n    "mcpServers": {}\r\n}\r\n',
    "a byte order mark": '\ufeff{\n  "a": 1\n}\n',
    "a comma behind the last": '{\n  "a": 1,\n}\n',
    "comments": '// first\n{\n  "a": 1, // one\n  /* two */ "b": [1, 2] // three\n  // four\n}\n// five\n',
    "a comment inside nothing": '{\n  "mcpServers": { /* none yet */ },\n  "hooks": {} // none\n}\n',
    "a comma and a comment behind the last": '{\n  "a": 1, // one\n}\n',
    "text that looks like more": '{"a": "} // \\" {", "b": "/* */,"}',
    "servers of others": '{"mcpServers": {"theirs": {"command": "x"}}, "hooks": {"SessionStart": []}}',
    "hooks of others": '{\n "hooks": {\n  "SessionStart": [\n   {"x": 1.50},\n   {"y": 1e3}\n  ]\n }\n}\n',
    "the same twice": '{"mcpServers": {"a": 1}, "mcpServers": {"b": 2}}',
}


@pytest.mark.parametrize("text", WRITTEN.values(), ids=WRITTEN.keys())
@pytest.mark.parametrize("own", [SERVER, HOOK, Own(("z",), [1, "é\n"])], ids=["server", "hook", "a value"])
def test_putting_adds_just_ours_and_taking_restores_every_byte(text: str, own: Own) -> None:
    after, trace = put(text, own)
    assert plain(after) == added(plain(text), own)
    assert is_subsequence(text, after)
    assert keys.take(after, own, trace, "settings.json") == text


def is_subsequence(text: str, longer: str) -> bool:
    letters = iter(longer)
    return all(letter in letters for letter in text)


spaces = st.sampled_from(["", " ", "\n", "\n  ", "\r\n\t", " // c\n", "/* c */", " // c\r\n"])
scalars = st.sampled_from(["1", "-0.50", "1E+2", "true", "null", '"x"', '"} ]"', '"\\u00e9/*"'])


def containers(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    names = st.sampled_from(['"a"', '"mcpServers"', '"hooks"', '"SessionStart"', '"meta"'])
    member = st.tuples(spaces, names, spaces, spaces, inner, spaces).map(
        lambda p: f"{p[0]}{p[1]}{p[2]}:{p[3]}{p[4]}{p[5]}"
    )
    element = st.tuples(spaces, inner, spaces).map("".join)
    trailing = st.sampled_from(["", ",", ", // t\n "])

    def joined(parts: tuple[list[str], str, str]) -> str:
        children, comma, space = parts
        return ",".join(children) + (comma if children else "") + space

    objects = st.tuples(st.lists(member, max_size=3), trailing, spaces).map(lambda p: "{" + joined(p) + "}")
    arrays = st.tuples(st.lists(element, max_size=3), trailing, spaces).map(lambda p: "[" + joined(p) + "]")
    return objects | objects | arrays


documents = st.tuples(spaces, st.recursive(scalars, containers, max_leaves=8), spaces).map("".join)


@settings(max_examples=400)
@given(documents, st.sampled_from([SERVER, HOOK, Own(("a",), {}), Own(("a", "b", "c"), 1)]))
def test_in_any_document_putting_and_taking_restores_every_byte_or_is_refused(text: str, own: Own) -> None:
    try:
        made = keys.put(text, own, "settings.json")
    except UserError:
        return
    if made is None:
        return
    after, trace = made
    assert keys.put(after, own, "settings.json") is None
    assert keys.take(after, own, trace, "settings.json") == text


@given(documents, st.sampled_from([SERVER, HOOK]))
def test_what_others_write_later_stays_when_ours_is_taken(text: str, own: Own) -> None:
    """Another program reads the file, adds a key, and writes it all in its own form."""
    try:
        made = keys.put(text, own, "settings.json")
    except UserError:
        return
    if made is None or "//" in text or "/*" in text or re.search(r",\s*[}\]]", text) or repeated(text):
        return
    theirs = json.dumps({**json.loads(made[0]), "later": [1]}, indent=4)
    taken = keys.take(theirs, own, made[1], "settings.json")
    assert taken is not None
    assert json.loads(taken) == {**json.loads(text), "later": [1]}


def repeated(text: str) -> bool:
    """Whether a key stands twice in an object: other programs keep one of them."""
    found = False

    def pairs(members: list[tuple[str, Any]]) -> dict[str, Any]:
        nonlocal found
        found = found or len(members) != len(dict(members))
        return dict(members)

    json.loads(text, object_pairs_hook=pairs)
    return found


@pytest.mark.parametrize(
    "text",
    ["{", '{"a": 1', '{"a" 1}', '{"a": 1 "b": 2}', "{'a': 1}", '{"a": 01}', '{"a": "\\x"}', "{,}", "[1,,2]", "{} x",
     '{"a": NaN}', "/* {}", '{"a": "line\nbreak"}', "[" * 5000],
)  # fmt: skip
def test_what_is_no_json_is_refused_with_its_line(text: str) -> None:
    with pytest.raises(UserError, match=r"settings\.json is not valid JSON \(line \d+\)"):
        keys.put(text, SERVER, "settings.json")


@pytest.mark.parametrize("text", ["[]", "1", '{"mcpServers": []}', '{"mcpServers": "x"}'])
def test_a_file_that_means_something_else_there_is_refused(text: str) -> None:
    with pytest.raises(UserError, match="something else"):
        keys.put(text, SERVER, "settings.json")


def test_a_value_changed_by_hand_is_not_taken_and_one_that_has_gone_is_no_matter() -> None:
    after, trace = put("{}", SERVER)
    assert keys.take(after.replace("serve", "other"), SERVER, trace, "") is None
    assert keys.take('{"mcpServers": {}}', SERVER, trace, "") == '{"mcpServers": {}}'
    assert keys.take('{"x": 1}', HOOK, Trace(0), "") == '{"x": 1}'


def test_a_value_that_gave_way_comes_back() -> None:
    text = '{"mcpServers": {"meta": {"command": "old"  }}}'
    after, trace = put(text, SERVER)
    assert json.loads(after)["mcpServers"]["meta"] == SERVER.value
    assert keys.take(after, SERVER, trace, "") == text


CODEX = '# mine\nmodel = "o3"\nports = [0x1F, 1_000]\n\n[mcp_servers.theirs]\ncommand = "x" # why\n'
OURS = Own(("mcp_servers", "meta"), {"command": "meta", "args": ["serve"], "env": {"A b": "\x7f"}})


@pytest.mark.parametrize("text", ["", CODEX, CODEX.rstrip("\n"), CODEX.replace("\n", "\r\n"), "\ufeff" + CODEX])
@pytest.mark.parametrize("own", [OURS, Own(("notify",), ["meta", "hook"])])
def test_a_toml_value_stands_beside_every_byte_of_others(text: str, own: Own) -> None:
    after = keys.put_toml(text, own, "config.toml")
    assert after is not None
    assert tomllib.loads(after.removeprefix("\ufeff")) == added_toml(tomllib.loads(text.removeprefix("\ufeff")), own)
    assert is_subsequence(text, after)
    assert keys.put_toml(after, own, "config.toml") is None


def added_toml(values: dict[str, Any], own: Own) -> dict[str, Any]:
    place = values
    for key in own.path[:-1]:
        place = place.setdefault(key, {})
    place[own.path[-1]] = own.value
    return values


def test_a_toml_value_is_taken_from_a_file_that_was_written_anew_since() -> None:
    after = keys.put_toml(CODEX, OURS, "config.toml")
    assert after is not None
    written = (
        after.replace("[mcp_servers.meta]", "[later]\nx = 1\n\n[mcp_servers.meta]  # ours?") + "\n[last]\ny = 2 # two\n"
    )
    taken = keys.take_toml(written, OURS)
    assert taken is not None
    assert tomllib.loads(taken) == tomllib.loads(CODEX + "[later]\nx = 1\n[last]\ny = 2\n")
    assert taken.startswith(CODEX)
    assert keys.take_toml(CODEX, OURS) == CODEX
    assert keys.take_toml(written.replace('"serve"', '"other"'), OURS) is None


@pytest.mark.parametrize(
    ("text", "told"),
    [("a = = 1\n", "not valid TOML"), ('mcp_servers = {theirs = {command = "x"}}\n', "no room"),
     ("[mcp_servers.meta]\ncommand = 'y'\n", "somebody else's")],
)  # fmt: skip
def test_a_toml_file_that_cannot_take_it_is_refused_in_a_line(text: str, told: str) -> None:
    with pytest.raises(UserError, match=told):
        keys.put_toml(text, OURS, "config.toml")
