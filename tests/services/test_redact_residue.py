"""What leaves is looked at once more: a secret in it is told by its kind, and what is masked or ordinary is not."""

import pytest

from meta.redact import Redactor, residue
from meta.redact.rules import expand

SECRET = expand("ghp_{w36}")[0]
REDACTOR = Redactor(b"key")


@pytest.mark.parametrize(
    ("texts", "kinds"),
    [
        pytest.param([f"GITHUB={SECRET}"], ("github-token",), id="a token"),
        pytest.param(["a", f'run(["x", "{SECRET}"])', SECRET], ("github-token",), id="each kind once"),
        pytest.param(["curl -u me:hunter https://h.io"], ("password",), id="an option"),
        pytest.param(["<private>a</private>"], ("private",), id="what is private"),
        pytest.param(["mail jane@acme.com", "PASSWORD=hunter"], ("email", "secret"), id="two kinds in order"),
        pytest.param(["".join(f"u{n}@acme.com " for n in range(9000))], ("text",), id="more than is looked at"),
    ],
)
def test_a_secret_that_is_left_is_told_by_its_kind(texts: list[str], kinds: tuple[str, ...]) -> None:
    assert residue.kinds(texts) == kinds


@pytest.mark.parametrize(
    "text", ["", "ruff check src && pytest -q", "parser.add_argument('--token', required=True)", f"x {'y' * 99}"]
)
def test_of_ordinary_texts_nothing_is_told(text: str) -> None:
    assert residue.kinds([text]) == ()


def test_nothing_is_left_in_what_was_masked() -> None:
    text = f"curl -u me:hunter -H 'X: {SECRET}' https://a:b1c2d3@h.io; mail jane@acme.com"
    assert residue.kinds([REDACTOR.text(text)]) == ()
