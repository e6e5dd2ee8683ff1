"""What is masked from a beginning to an end over many lines: private keys, and what the user marked `<private>`.

Secrets that stand on one line are in `vendors`, `places` and `programs`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

# Where none of this occurs, nothing is looked for.
HINT = r"(?i)<private>|PRIVATE KEY|Private-Lines:"

# Python's engine takes these, so none of them may go back over what it has taken: quantifiers are possessive.
_PRIVATE = re.compile(rb"<(/?)private>", re.IGNORECASE)
_FRAME = re.compile(rb"-{4,5} ?(BEGIN|END) [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)? ?-{4,5}")
_HEADERS = rb"(?:[\s\"'+]*+(?:Proc-Type|DEK-Info|Version|Comment): [^\n]{0,200}+)*+"
_LINES = re.compile(_HEADERS + rb"(?:[\s\"'+,.;>|*#]*+[A-Za-z0-9+/=]{16,}+)++")
_LINE = re.compile(rb"[\s\"'+,]*+[A-Za-z0-9+/=]{16,}+[\s\"'+,]*+")
_TAIL = re.compile(rb"[A-Za-z0-9+/=]{16,}+[\s\"'+,]*+\Z")
_PUTTY = re.compile(rb"Private-Lines: \d{1,4}((?:\s{1,4}+[A-Za-z0-9+/=]{4,}+(?![A-Za-z0-9+/=:-]))++)")
_LONGEST = 1 << 15  # bytes of a key that lacks its beginning or its end

YES = (
    "-----BEGIN RSA PRIVATE KEY-----\n{p64}\n{p64}\n{p20}==\n-----END RSA PRIVATE KEY-----",
    r"-----BEGIN PRIVATE KEY-----\n{p64}\n{p64}",
    "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00FF\n\n{p64}\n{p64}\n",
    "{p64}\n{p64}\n{p30}==\n-----END OPENSSH PRIVATE KEY-----\n",
    "-----BEGIN PGP PRIVATE KEY BLOCK-----\n\n{p64}\n-----END PGP PRIVATE KEY BLOCK-----",
    '("-----BEGIN EC PRIVATE KEY-----\\n"\n "{p64}\\n"\n "{p30}==\\n"\n "-----END EC PRIVATE KEY-----\\n")',
    "Private-Lines: 2\n{p64}\n{p64}\nPrivate-MAC: 00",
)
NO = (
    "if '-----BEGIN PRIVATE KEY-----' in text:",
    "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----",
    "from -----BEGIN PRIVATE KEY----- to -----END PRIVATE KEY-----",
    "Public-Lines: 2\nAAAA",
)


def spans(data: bytes) -> Iterator[tuple[int, int, str]]:
    """Beginning, end and kind of each block."""
    yield from _marked(data)
    yield from _keys(data)
    for match in _PUTTY.finditer(data):
        yield (*match.span(1), "private-key")


def _marked(data: bytes) -> Iterator[tuple[int, int, str]]:
    """What stands between `<private>` and its `</private>`, the tags included."""
    depth, start = 0, 0
    for match in _PRIVATE.finditer(data):
        if not match[1]:
            start = start if depth else match.start()
            depth += 1
        elif depth:
            depth -= 1
            if not depth:
                yield start, match.end(), "private"


def _keys(data: bytes) -> Iterator[tuple[int, int, str]]:
    """Keys within their frame, and those that lost one side of it."""
    frames = list(_FRAME.finditer(data))
    done = 0
    for number, frame in enumerate(frames):
        start, end = frame.span()
        if start < done:
            continue
        span = None
        if frame[1] == b"END":
            first = _first_line(data, max(done, start - _LONGEST), start)
            span = (first, end) if first < start else None
        elif number + 1 < len(frames) and frames[number + 1][1] == b"END":
            if re.search(rb"[A-Za-z0-9+/=]{16,}+", data[end : min(frames[number + 1].start(), end + _LONGEST)]):
                span = start, frames[number + 1].end()
        elif lines := _LINES.match(data, end, end + _LONGEST):
            span = start, lines.end()
        if span:
            yield (*span, "private-key")
        done = span[1] if span else end


def _first_line(data: bytes, least: int, end: int) -> int:
    """Where the lines of a key begin that end here."""
    first, stop = end, end
    while stop > least:
        begin = max(data.rfind(b"\n", least, stop), least - 1) + 1
        if not _LINE.fullmatch(data, begin, stop) and data[begin:stop].strip(b"\r\n \"'"):
            tail = _TAIL.search(data, begin, stop)  # the key began within a line
            return tail.start() if tail else first
        if data[begin:stop].strip():
            first = begin
        stop = begin - 1
    return first
