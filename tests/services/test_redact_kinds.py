"""Secrets of many kinds are masked in many places, told by forms that the rules do not know; what only looks long stays."""

import json
import shlex
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchmarks import redaction, secret_kinds
from meta.redact import RULES, Redactor
from meta.redact.blocks import NO as NO_BLOCKS
from meta.redact.blocks import YES as BLOCKS
from meta.redact.names import PLACEHOLDER
from meta.redact.programs import PROGRAMS, Program
from meta.redact.rules import expand

REDACTOR = Redactor(b"key")
SECRET = expand("ghp_{w36}")[0]


def test_there_are_sixty_kinds_and_twelve_contexts() -> None:
    assert len(secret_kinds.VENDORS) >= 60
    assert len(secret_kinds.GENERIC) >= 10
    assert len(secret_kinds.BARE) == len(secret_kinds.NAMED) == 12


def test_nearly_all_kinds_are_masked_in_every_context_at_every_depth_of_json() -> None:
    for (vendor, depth), (masked, total, missed) in redaction.kinds().items():
        assert masked / total >= (0.99 if vendor else 0.95), (vendor, depth, missed)


def test_a_sample_that_is_not_masked_counts_as_a_leak() -> None:
    samples = list(secret_kinds.samples())
    assert all(secret_kinds.leaks(sample, sample.text) for sample in samples)


@pytest.mark.parametrize(
    "text",
    [
        "/home/me/projects/tokenizer/src/passwords/reset_password_test.py",
        "commit 9fceb02d0ae598e95dc970b74767f19372d61af8",
        "session 123e4567-e89b-12d3-a456-426614174000",
        "claude-sonnet-4-5-20250929", "gpt-5-codex-2026-01-15", "models/gemini-2.5-pro-preview-06-05",
        "export API_KEY=<your-key>", "curl -H 'Authorization: Bearer YOUR_TOKEN' https://h", "OPENAI_API_KEY=sk-...",
        "password: ${DB_PASSWORD}", "token: ${{ secrets.GITHUB_TOKEN }}", "psql postgres://user:password@localhost/db",
        "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        '"integrity": "sha512-W7s+uC5bikET2twEFgxTDJ6BJlpTlGmG8Cxj8l3WwZkbmdz3nBcgHcGRzCGZKdrRRUcFzWwVbWVbSSkKTGAkGw=="',
        "golang.org/x/mod v0.32.0/go.mod h1:SgipZ/3h2Ci89DlEtEXWUk/HteuRin+HHhN+WbNhguU=",
        "input_tokens: 12345, output_tokens=6789", "def login(user: str, password: str) -> Token:", "ssh -p 2222 host",
        "docker run -p 8080:80 -u 1000:1000 x", "mkdir -p build/out", "read -p 'Password: ' -s pw", "PASS tests/test_a.py",
        "the password is required", "toolu_01A09q90qw90lq917835lq9", "git clone git@github.com:me/repo.git",
        "Forgot password: click here", "key: value", "primary_key=True", "data:image/png;base64,iVBORw0KGgo=",
        "2026-03-01T10:00:00.000Z INFO request_id=9b2f1c3d4e5f60718293a4b5c6d7e8f9 ok",
    ],
)  # fmt: skip
def test_paths_hashes_ids_and_placeholders_of_documentation_stay(text: str) -> None:
    assert REDACTOR.text(text) == text
    assert REDACTOR.text(json.dumps({"output": text})) == json.dumps({"output": text})


PROGRAM_YES = [(program, sample) for program in PROGRAMS for sample in program.yes]
PROGRAM_NO = [sample for program in PROGRAMS for sample in program.no]


@pytest.mark.parametrize(("program", "sample"), PROGRAM_YES, ids=lambda value: value if isinstance(value, str) else "")
def test_the_option_of_a_program_is_masked_and_the_command_keeps_its_words(program: Program, sample: str) -> None:
    command, secrets = expand(sample)
    redacted = REDACTOR.text(command)
    assert not [secret for secret in secrets if secret in redacted]
    assert len(shlex.split(redacted)) == len(shlex.split(command))
    nested = json.dumps({"command": command})
    assert json.loads(REDACTOR.text(nested)) == {"command": redacted}


@pytest.mark.parametrize("sample", PROGRAM_NO)
def test_the_same_option_of_another_program_is_left(sample: str) -> None:
    assert REDACTOR.text(sample) == sample


@pytest.mark.parametrize("sample", BLOCKS)
@pytest.mark.parametrize("depth", [0, 1, 2])
def test_a_private_key_is_masked_whole_or_cut(sample: str, depth: int) -> None:
    text, lines = expand(sample)
    for _ in range(depth):
        text = json.dumps({"content": text})
    redacted = REDACTOR.text(text)
    assert not [line for line in lines if line in redacted or line[:20] in redacted]
    if depth:
        json.loads(redacted)


@pytest.mark.parametrize("sample", NO_BLOCKS)
def test_words_about_keys_and_public_ones_are_left(sample: str) -> None:
    assert REDACTOR.text(sample) == sample


WORDS = st.sampled_from(
    [
        f"TOKEN={SECRET}", SECRET, "-H", f"'Authorization: Bearer {SECRET}'", "-u", "me:hunter", "'me:hun ter'", "curl",
        "--password", "hunter2", "'hunter two'", f'"a {SECRET} b"', "mysql", "-phunter", "-p'hun ter'", "export", "|",
        "git", "commit", "-m", "'the password is hunter2, ok'", "https://me:hunter@h.io/a?token=abc123def", "&&", "sshpass",
        "-p", "name=jane@acme.com", '"{\\"password\\": \\"hunter2\\"}"', "docker", "login", "'x\ny'", "a\\ b",
    ]
)  # fmt: skip


@given(st.lists(WORDS, max_size=8).map(" ".join))
def test_a_masked_command_has_as_many_words_as_before(command: str) -> None:
    assert len(shlex.split(REDACTOR.text(command))) == len(shlex.split(command))


PIECES = st.sampled_from(
    [expand(sample)[0] for rule in RULES for sample in rule.yes]
    + ['"', "\\", "'", "\n", "\t", " ", "é", "\u2028", "😀", "\x00", "=", "password", "n", "u0041", "@acme.com", ": "]
)


@given(st.lists(PIECES, max_size=6).map("".join), st.booleans(), st.integers(1, 3))
def test_masked_json_is_json_of_the_same_form(text: str, ascii_only: bool, depth: int) -> None:
    nested = text
    for _ in range(depth):
        nested = json.dumps({"output": nested, "n": 1}, ensure_ascii=ascii_only)
    redacted = REDACTOR.text(nested)
    if not PLACEHOLDER.fullmatch(redacted):
        for _ in range(depth):
            row = json.loads(redacted)
            assert row.keys() == {"output", "n"}
            redacted = row["output"]


@pytest.mark.parametrize(
    "escaped",
    [r"a\u0026token={}\u0026b", r"\u003ctoken\u003e{}\u003c/token\u003e", r"x:\/\/me:{}@h.io\/", r"p\tq\n{}\r\n"],
)
def test_a_secret_behind_escapes_is_masked_and_the_escapes_stay(escaped: str) -> None:
    text = escaped.format(SECRET)
    redacted = REDACTOR.text(text)
    assert PLACEHOLDER.sub(SECRET, redacted) == text
    assert SECRET not in redacted


def test_a_text_made_of_secrets_is_masked_as_a_whole_and_one_with_many_is_not() -> None:
    many = "".join(f"{number} {expand(f'ghp_{{w36}}{number}')[0]} {'x' * 400}\n" for number in range(300))
    assert len(PLACEHOLDER.findall(REDACTOR.text(many))) == 300
    dense = "".join(f"u{number}@acme.com " for number in range(20_000))
    assert PLACEHOLDER.fullmatch(REDACTOR.text(dense))


def test_a_large_text_is_masked_as_its_parts_are() -> None:
    line = f"x{' filler' * 40}\n"
    text = (line * 200 + f"{SECRET}\n" + line * 400 + f"a {SECRET}\n") * 2
    assert REDACTOR.text(text).count("REDACTED_github-token_") == 4
    assert PLACEHOLDER.sub(SECRET, REDACTOR.text(text)) == text


@pytest.mark.slow
def test_no_hostile_text_is_much_slower_than_ordinary_ones() -> None:
    texts = redaction.ordinary(Path(redaction.SAMPLE), 2_000_000)
    usual = redaction.rate(REDACTOR, texts)
    slow = {name: usual / redaction.rate(REDACTOR, [redaction.hostile(name, 300_000)]) for name in redaction.HOSTILE}
    assert not {name: times for name, times in slow.items() if times > 5}  # measured: 3; the rest is for a busy machine
