"""Mask secrets in text before anything is written: every kind, on decoded text, the same secret always the same way.

It does not decide what may be read or sent; who stores a session passes it through here first. A placeholder such as
`REDACTED_github-token_3fa9c1` is one bare shell word, so a redacted command still parses, and repeats still match.
"""

from __future__ import annotations

import functools
import hmac
import json
import os
import re
import secrets
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from meta import files
from meta.errors import UserError
from meta.model import Event, Session
from meta.redact.names import PLACEHOLDER, can_be_secret, is_password, is_secret
from meta.redact.places import PLACES
from meta.redact.rules import Found, Rule
from meta.redact.vendors import VENDORS

RULES = (*VENDORS, *PLACES)  # the first rule that covers a place names it
_ROUNDS = 8  # until a text must have settled
_DEPTH = 6  # of JSON within JSON
_SHORT = 9  # bytes of a JSON string that is too short for a name and a secret
_PRIVATE = re.compile(rb"(?i)<(/?)private>")


@dataclass(frozen=True, slots=True)
class _Span:
    start: int
    end: int
    kind: str


class _Compiled:
    """All rules for RE2, which is linear on any input; patterns work on bytes (Latin-1 to it), exact for UTF-8 since
    all that they name is ASCII.

    A filter by literals tells which rules may match. Rules of vendors in which it finds no literal go into one set
    automaton; those of places would make that automaton too large and are tried always.
    """

    def __init__(self) -> None:
        import re2  # heavy, and not needed by commands that read no session

        options = re2.Options()
        options.encoding = re2.Options.Encoding.LATIN1
        options.max_mem = 64 * 2**20
        options.log_errors = False  # where an automaton grows too large, RE2 says so and takes a slower way
        self.patterns = [re2.compile(rule.pattern.encode(), options) for rule in RULES]
        self.strings = re2.compile(rb'\\.|"(?:[^"\\\n]|\\.)*"', options)
        self._filter = re2.Filter()
        for rule in RULES:
            self._filter.Add(rule.pattern.encode(), options)
        self._filter.Compile()
        self._loose = [index for index in self._filter.Match(b"", True) if index < len(VENDORS)]
        self._set = re2.Set.SearchSet(options)
        for index in self._loose:
            self._set.Add(RULES[index].pattern.encode())
        self._set.Compile()

    def candidates(self, data: bytes) -> list[int]:
        """The places in `RULES` of those that may match, in order."""
        named = set(self._filter.Match(data, True)).difference(self._loose)
        return sorted(named.union(self._loose[index] for index in self._set.Match(data) or ()))


@functools.cache
def _compiled() -> _Compiled:
    return _Compiled()  # takes about 0.1 s, so once a process


class Redactor:
    """Masks with one key. The key makes placeholders stable for this user, and tells others nothing of the secret."""

    def __init__(self, key: bytes) -> None:
        self._key = key

    def text(self, text: str) -> str:
        """The text with its secrets masked. Masking it again changes nothing.

        What a replacement brings next to each other is looked at again, until nothing is found. A text that does not
        settle is masked as a whole.
        """
        data = text.encode(errors="surrogatepass")
        redacted = self._settled(data, _DEPTH)
        return text if redacted == data else redacted.decode(errors="surrogatepass")

    def session(self, session: Session) -> Session:
        """The session with prompts, commands, arguments and outputs masked. Names, ids and folders are left."""
        return replace(session, events=tuple(map(self._event, session.events)))

    def _event(self, event: Event) -> Event:
        arguments = {name: self.value(name, value) for name, value in event.arguments.items()}
        return replace(event, text=self.text(event.text), output=self.text(event.output), arguments=arguments)

    def value(self, name: str, value: str) -> str:
        """A value that has a name: masked as a whole where the name announces a secret, else as any text."""
        masked = self.text(value)
        if is_secret(name) and can_be_secret(masked, quoted=True, password=is_password(name)):
            return self._placeholder("secret", value.encode(errors="surrogatepass")).decode()
        return masked

    def _settled(self, data: bytes, depth: int) -> bytes:
        for _ in range(_ROUNDS):
            after = self._pass(data, depth)
            if after == data:
                return data
            data = after
        return self._placeholder("text", data)

    def _pass(self, data: bytes, depth: int) -> bytes:
        if depth and b"\\" in data and b'"' in data:
            data = self._strings(data, depth - 1)
        spans = _merged([*_private(data), *_found(data)])
        pieces, end = [], 0
        for span in spans:
            pieces += [data[end : span.start], self._placeholder(span.kind, data[span.start : span.end])]
            end = span.end
        return b"".join([*pieces, data[end:]]) if spans else data

    def _strings(self, data: bytes, depth: int) -> bytes:
        """The text with the secrets in its JSON strings masked where an escape may hide them; the rest byte by byte."""
        pieces, end = [], 0
        for match in _compiled().strings.finditer(data):
            start, stop = match.span()
            literal = data[start:stop]
            if len(literal) > _SHORT and b"\\" in literal and (masked := self._string(literal, depth)) is not None:
                pieces += [data[end:start], masked]
                end = stop
        return b"".join([*pieces, data[end:]]) if pieces else data

    def _string(self, literal: bytes, depth: int) -> bytes | None:
        try:
            decoded = json.loads(literal)
        except ValueError:
            return None
        inner = decoded.encode(errors="surrogatepass")
        masked = self._settled(inner, depth)
        if masked == inner:
            return None
        text = json.dumps(masked.decode(errors="surrogatepass"), ensure_ascii=literal.isascii())
        return text.encode(errors="surrogatepass")

    def _placeholder(self, kind: str, secret: bytes) -> bytes:
        return f"REDACTED_{kind}_{hmac.digest(self._key, secret, 'sha256').hex()[:6]}".encode()


def _found(data: bytes) -> Iterator[_Span]:
    compiled = _compiled()
    for index in compiled.candidates(data):
        for match in compiled.patterns[index].finditer(data):
            if span := _span(RULES[index], match, data):
                yield span


def _span(rule: Rule, match: Any, data: bytes) -> _Span | None:
    """Where the secret of a match stands, None where the rule does not accept it or it is masked already."""
    groups = match.groups()
    last = max(number for number, group in enumerate(groups, 1) if group is not None)
    start, end = match.span(last)
    while end < len(data) and data[end] & 0xC0 == 0x80:  # a pattern's limit may fall within a character
        end += 1
    value = _decoded(data[start:end])
    taken = tuple(_decoded(group) for group in groups if group is not None)
    found = Found(taken, value, _decoded(data[start - 1 : start]) if start else "", _decoded(data[end : end + 1]))
    return _Span(start, end, rule.name) if not PLACEHOLDER.fullmatch(value) and rule.accept(found) else None


def _decoded(data: bytes) -> str:
    return data.decode(errors="replace")


def _private(data: bytes) -> Iterator[_Span]:
    """What stands between `<private>` and its `</private>`, the tags included."""
    depth, start = 0, 0
    for match in _PRIVATE.finditer(data):
        if not match[1]:
            start = start if depth else match.start()
            depth += 1
        elif depth:
            depth -= 1
            if not depth:
                yield _Span(start, match.end(), "private")


def _merged(spans: list[_Span]) -> list[_Span]:
    """The spans in order, overlapping ones as one under the name of the first rule."""
    merged: list[tuple[int, _Span]] = []
    for rank, span in sorted(enumerate(spans), key=lambda item: (item[1].start, item[1].end)):
        if merged and span.start < merged[-1][1].end:
            before, known = merged.pop()
            kind = known.kind if before < rank else span.kind
            rank, span = min(before, rank), _Span(known.start, max(known.end, span.end), kind)
        merged.append((rank, span))
    return [span for _, span in merged]


def key(state: Path) -> bytes:
    """This user's key from the state folder, made at first use, readable by nobody else.

    Raises `UserError` where the file does not hold one, or the machine refuses.
    """
    path = state / "redaction-key"
    try:
        if not path.exists():
            _make_key(path)
        text = path.read_text(encoding="ascii", errors="replace").strip()
    except OSError as error:
        raise UserError(f"cannot keep a key in {state}: {error.strerror}. Make room or access there.") from error
    if not re.fullmatch(r"[0-9a-f]{64}", text):
        raise UserError(f"{path} does not hold a key. Delete it; secrets then get new placeholders.")
    return bytes.fromhex(text)


def _make_key(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = path.with_name(f".redaction-key-{os.getpid()}")
    files.write(draft, secrets.token_hex(32), mode=0o600)
    try:
        os.link(draft, path)  # of several that start at once, one wins and all use its key
    except FileExistsError:
        pass
    finally:
        draft.unlink()
