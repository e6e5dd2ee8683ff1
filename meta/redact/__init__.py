"""Mask secrets in text before anything is written: every kind, on decoded text, the same secret always the same way.

It does not decide what may be read or sent; who stores a session passes it through here first. A placeholder such as
`REDACTED_github-token_3fa9c1` is one bare shell word, so a redacted command still parses, and repeats still match.
"""

from __future__ import annotations

import hmac
import re
import secrets
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar

from meta import files
from meta.errors import UserError
from meta.model import Event, Session
from meta.redact.finding import RULES, DenseError, find
from meta.redact.names import can_be_secret, is_password, is_secret

__all__ = ["RULES", "Redactor", "key"]

_ROUNDS = 4  # until a text must have settled


class Redactor:
    """Masks with one key. The key makes placeholders stable for this user, and tells others nothing of the secret."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def text(self, text: str) -> str:
        """The text with its secrets masked. Masking it again changes nothing.

        What a replacement brings next to each other is looked at again, until nothing is found. A text that does not
        settle, or that is made of secrets, is masked as a whole.
        """
        data = text.encode(errors="surrogatepass")
        redacted = self._settled(data)
        return text if redacted == data else redacted.decode(errors="surrogatepass")

    def session(self, session: Session) -> Session:
        """The session with all its words masked, those of its names, ids and folders too."""
        masked = replace(session, events=tuple(map(self._event, session.events)))
        names = dict.fromkeys([*_names(masked), *(name for event in masked.events for name in _names(event))])
        together = "\n".join(names)
        if self.text(together) == together:  # nearly always, and one look is quicker than thousands
            return masked
        known = {name: self.text(name) for name in names}
        events = tuple(_renamed(event, known) for event in masked.events)
        return _renamed(replace(masked, events=events), known)

    def _event(self, event: Event) -> Event:
        arguments = {name: self.value(name, value) for name, value in event.arguments.items()}
        return replace(event, text=self.text(event.text), output=self.text(event.output), arguments=arguments)

    def value(self, name: str, value: str) -> str:
        """A value that has a name: masked as a whole where the name announces a secret, else as any text."""
        masked = self.text(value)
        if is_secret(name) and can_be_secret(masked, quoted=True, password=is_password(name)):
            return self.placeholder("secret", value.encode(errors="surrogatepass")).decode()
        return masked

    def _settled(self, data: bytes) -> bytes:
        for _ in range(_ROUNDS):
            try:
                spans = find(data)
            except DenseError:
                break
            if not spans:
                return data
            pieces, end = [], 0
            for span in spans:
                pieces += [data[end : span.start], self.placeholder(span.kind, data[span.start : span.end])]
                end = span.end
            data = b"".join([*pieces, data[end:]])
        return self.placeholder("text", data)

    def placeholder(self, kind: str, secret: bytes) -> bytes:
        """What stands for a secret, one bare word of a shell and of JSON."""
        return f"REDACTED_{kind}_{hmac.digest(self._key, secret, 'sha256').hex()[:6]}".encode()


_NAMES = {
    Session: ("agent", "id", "project", "cwd", "parent", "path"),
    Event: ("id", "tool", "message", "model", "cwd"),
}
_KEYS = {Session: "skipped", Event: "arguments"}  # mappings by name
_Noun = TypeVar("_Noun", Session, Event)


def _names(noun: Session | Event) -> Iterator[str]:
    yield from (getattr(noun, field) for field in _NAMES[type(noun)])
    yield from getattr(noun, _KEYS[type(noun)])


def _renamed(noun: _Noun, known: Mapping[str, str]) -> _Noun:
    """The noun with what is known of its names in their place."""
    changed: dict[str, Any] = {field: known[getattr(noun, field)] for field in _NAMES[type(noun)]}
    field = _KEYS[type(noun)]
    changed[field] = {known[name]: value for name, value in getattr(noun, field).items()}
    return replace(noun, **changed)


def key(state: Path) -> bytes:
    """This user's key from the state folder, made at first use, readable by nobody else.

    Raises `UserError` where the file does not hold one, or the machine refuses.
    """
    path = state / "redaction-key"
    try:
        state.mkdir(parents=True, exist_ok=True, mode=0o700)
        files.sweep([state])
        if not path.exists():  # of several that start at once one puts it, and all use what is there
            files.swap(path, None, secrets.token_hex(32).encode(), mode=0o600)
        text = path.read_text(encoding="ascii", errors="replace").strip()
    except OSError as error:
        raise UserError(f"cannot keep a key in {state}: {error.strerror}. Make room or access there.") from error
    if not re.fullmatch(r"[0-9a-f]{64}", text):
        raise UserError(f"{path} does not hold a key. Delete it; secrets then get new placeholders.")
    return bytes.fromhex(text)
