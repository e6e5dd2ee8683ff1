"""Secrets are masked wherever they stand, ordinary text is left, and masking again changes nothing."""

import json
import stat
import subprocess
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meta import redact
from meta.errors import UserError
from meta.model import Event, Session
from meta.redact import RULES, Redactor
from meta.redact.names import PLACEHOLDER, is_secret
from meta.redact.rules import Rule, expand
from meta.redact.vendors import VENDORS
from meta.rendering import quote

REDACTOR = Redactor(b"key")
YES = [pytest.param(rule, sample, id=f"{rule.name}: {sample[:50]}") for rule in RULES for sample in rule.yes]
NO = [pytest.param(sample, id=f"{rule.name}: {sample[:50]}") for rule in RULES for sample in rule.no]
CONTEXTS = (
    "{}", "export X={}", "x: {}", '{{"x": "{}"}}', "x = '{}'", "curl -H 'X: {}' h", "https://h/?x={}&y=1", "run --x {}",
    "the value is {}.", "<x>{}</x>", "a\n{}\nb", "[{}]",
)  # fmt: skip


NAMED = (
    'export {name}="{value}"', "{name}={value}", '{{"n": 1, "{name}": "{value}"}}', "a:\n  {name}: {value}\n", '{name} = "{value}"',
    "f(x=1, {name}='{value}')", "curl -H 'X-{name}: {value}' h", "curl -u admin:{value} h", "https://a:{value}@h.io/x",
    "https://h/x?{name}={value}&y=1", "run --{name} {value} x", "run --{name}={value} x", "<{name}>{value}</{name}>",
    "- name: {name}\n  value: {value}\n", "set('{name}', '{value}')",
)  # fmt: skip


def wrapped(text: str, depth: int) -> str:
    for _ in range(depth):
        text = json.dumps({"output": text, "n": 1})
    return text


def unwrapped(text: str, depth: int) -> str:
    for _ in range(depth):
        text = json.loads(text)["output"]
    return text


def test_there_are_rules_for_sixty_vendors_and_each_has_samples() -> None:
    assert len({rule.name for rule in VENDORS}) >= 60
    assert all(rule.yes for rule in RULES)


@pytest.mark.parametrize("depth", [0, 1, 2])
@pytest.mark.parametrize(("rule", "sample"), YES)
def test_a_sample_of_a_rule_is_masked_also_in_json_within_json(rule: Rule, sample: str, depth: int) -> None:
    text, secrets = expand(sample)
    redacted = REDACTOR.text(wrapped(text, depth))
    assert PLACEHOLDER.search(redacted)
    assert not [secret for secret in secrets if secret in redacted]
    assert isinstance(unwrapped(redacted, depth), str)


@pytest.mark.parametrize("sample", NO)
def test_a_counter_sample_of_a_rule_is_left(sample: str) -> None:
    assert REDACTOR.text(sample) == sample


@pytest.mark.parametrize("rule", [r for r in VENDORS if r.name != "private-key"], ids=lambda rule: rule.name)
@pytest.mark.parametrize("depth", [0, 1, 2])
def test_a_token_is_masked_in_every_context_and_in_json_within_json(rule: Rule, depth: int) -> None:
    secret = expand(rule.yes[0])[0].strip()
    for context in CONTEXTS:
        redacted = REDACTOR.text(wrapped(context.format(secret), depth))
        assert secret not in unwrapped(redacted, depth), context


@pytest.mark.parametrize("value", ["hunter2!x", expand("{w24}")[0], expand("{x32}")[0], "correct-horse7"])
@pytest.mark.parametrize("name", ["password", "api_key", "client-secret", "accessToken"])
@pytest.mark.parametrize("depth", [0, 1, 2])
def test_a_secret_without_a_form_is_masked_where_its_name_tells(name: str, value: str, depth: int) -> None:
    for context in NAMED:
        redacted = REDACTOR.text(wrapped(context.format(name=name, value=value), depth))
        assert value not in redacted, context


def test_a_placeholder_is_one_bare_word_of_a_shell() -> None:
    redacted = REDACTOR.text("gh auth login --with-token " + expand("ghp_{w36}")[0])
    word = redacted.split()[-1]
    assert PLACEHOLDER.fullmatch(word)
    assert quote(word, "bare") == word


def test_the_same_secret_has_the_same_placeholder_under_one_key_and_another_under_another() -> None:
    secret = expand("ghp_{w36}")[0]
    first, second = REDACTOR.text(f"a {secret}"), REDACTOR.text(f"TOKEN={secret} b")
    assert PLACEHOLDER.findall(first) == PLACEHOLDER.findall(second)
    assert PLACEHOLDER.findall(Redactor(b"other").text(secret)) != PLACEHOLDER.findall(first)


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("a <private>b</private> c", "a {} c"),
        ("<private>a<private>b</private>c</private> d", "{} d"),
        ("a <PRIVATE>\nb\n</Private>", "a {}"),
        ("a <private> b", "a <private> b"),
        ("a </private> b", "a </private> b"),
    ],
)
def test_private_spans_are_masked_whole_where_they_end(text: str, left: str) -> None:
    assert PLACEHOLDER.sub("{}", REDACTOR.text(text)) == left


def test_json_keeps_its_form_around_what_is_masked() -> None:
    text = '{ "a":1,  "b": "x\\u00e9\\/y", "c": "password=hunter2\\nok" }'
    redacted = REDACTOR.text(text)
    assert PLACEHOLDER.sub("hunter2", redacted) == text


def test_a_session_is_masked_in_its_words_and_ordinary_names_are_left() -> None:
    event = Event(
        "1", "call", text="curl -u me:hunter2 x", arguments={"password": "hunter", "a": "b"}, output="ok", cwd="/p"
    )
    session = REDACTOR.session(Session("agent", "id", (event,), project="p", cwd="/p", path="/p/s.jsonl"))
    (masked,) = session.events
    assert (session.agent, session.id, session.project, masked.cwd, masked.output) == ("agent", "id", "p", "/p", "ok")
    assert session.path == "/p/s.jsonl"
    assert masked.arguments["a"] == "b"
    assert "hunter" not in masked.text + masked.arguments["password"]


def test_no_name_id_folder_or_reason_of_a_session_keeps_a_secret() -> None:
    secret = expand("ghp_{w36}")[0]
    names: dict[str, Any] = dict.fromkeys(("id", "tool", "message", "model", "cwd"), f"x {secret}")
    event = Event(kind="call", arguments={f"a {secret}": "b"}, **names)
    about: dict[str, Any] = dict.fromkeys(("agent", "id", "project", "cwd", "parent", "path"), f"/p/{secret}")
    session = REDACTOR.session(Session(events=(event,), skipped={f"unknown {secret}": 1}, **about))
    assert secret not in repr(session)
    assert list(session.skipped.values()) == [1]
    assert list(session.events[0].arguments.values()) == ["b"]
    assert REDACTOR.session(session) == session


@pytest.mark.parametrize(
    "name", ["DB_PASSWORD", "apiKey", "API-KEY", "client_secret", "TOKEN_PROD_2", "PGPASSWORD", "accessToken"]
)
def test_these_names_announce_a_secret(name: str) -> None:
    assert is_secret(name)


@pytest.mark.parametrize(
    "name", ["max_tokens", "token_count", "PASSWORD_FILE", "tokenizer", "key", "primary_key", "passed", ""]
)
def test_these_names_do_not(name: str) -> None:
    assert not is_secret(name)


FRAGMENTS = st.sampled_from(
    [expand(sample)[0] for rule in RULES for sample in rule.yes + rule.no]
    + [
        '"',
        "\\",
        '\\"',
        "'",
        " ",
        "\n",
        "=",
        ": ",
        "password",
        "TOKEN=",
        "<private>",
        "</private>",
        "é",
        "\ud800",
        "\x00",
    ]
    + ["REDACTED_email_00ffaa", "REDACTED_", "://a:", "@b.com", "{", "}", "x", "9"]
)


@given(st.lists(FRAGMENTS, max_size=6).map("".join) | st.text())
def test_masking_twice_is_masking_once(text: str) -> None:
    once = REDACTOR.text(text)
    assert REDACTOR.text(once) == once


@given(st.dictionaries(st.sampled_from(["password", "api_key", "file_path"]), FRAGMENTS), FRAGMENTS)
def test_masking_a_session_twice_is_masking_it_once(arguments: dict[str, str], text: str) -> None:
    session = Session("a", "s", (Event("1", "call", text=text, output=text, arguments=arguments),))
    once = REDACTOR.session(session)
    assert REDACTOR.session(once) == once


def test_the_key_is_made_once_for_this_user_alone(tmp_path: Path) -> None:
    first = redact.key(tmp_path / "state")
    path = tmp_path / "state" / "redaction-key"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert redact.key(tmp_path / "state") == first
    assert len(first) == 32
    assert len(list(path.parent.iterdir())) == 1
    assert redact.key(tmp_path / "other") != first


def test_what_a_killed_process_left_of_making_a_key_is_swept(tmp_path: Path) -> None:
    dead = subprocess.Popen(["true"])
    dead.wait()
    (tmp_path / f".{dead.pid}.0a1b2c3d.meta-tmp").write_text("half")
    assert len(redact.key(tmp_path)) == 32
    assert [path.name for path in tmp_path.iterdir()] == ["redaction-key"]


def test_a_file_without_a_key_is_named(tmp_path: Path) -> None:
    (tmp_path / "redaction-key").write_text("x")
    with pytest.raises(UserError, match="does not hold a key"):
        redact.key(tmp_path)
