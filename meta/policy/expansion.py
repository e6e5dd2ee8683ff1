"""Read a word as a shell would: quotes, escapes, braces, variables and substitutions, as far as they can be told.

Nothing is run. What cannot be told becomes a mark (see `nouns`); what a substitution runs is told to the caller.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, MutableMapping
from dataclasses import dataclass, field
from itertools import islice, pairwise

from meta.policy.nouns import MARKS, UNKNOWN
from meta.policy.paths import HOME

MOST = 64  # words that braces make of one
_NAME = re.compile(r"[A-Za-z_]\w*|[0-9@*#?$!_-]")
_ALL = re.compile(r'"\$(?:\{?(@)\}?|\{([A-Za-z_]\w*)\[@\]\})"')
_HEREDOC = re.compile(r"<<-?\s*(['\"\\]?)(\w+)['\"]?")
_ANSI = {"n": "\n", "t": "\t", "r": "\r", "a": "\a", "b": "\b", "e": "\x1b", "E": "\x1b", "f": "\f", "v": "\v"}
_CODE = re.compile(r"x([0-9a-fA-F]{1,2})|u([0-9a-fA-F]{1,4})|U([0-9a-fA-F]{1,8})|([0-7]{1,3})|c(.)")
KNOWN = {
    "HOME": HOME, "IFS": " \t\n", "PWD": ".", "TMPDIR": "/tmp", "SHELL": "/bin/bash", "BASH": "/bin/bash", "0": "bash",
    "PATH": "/usr/local/bin:/usr/bin:/bin", "USER": "me", "LOGNAME": "me", "OLDPWD": ".", "$": "1", "?": "0", "#": "0",
    "BASH_VERSION": "5", "UID": "1000", "EUID": "1000", "-": "", "!": "1", "_": UNKNOWN,
}  # fmt: skip


@dataclass
class Names:
    """What is known where a word stands: variables, and how to run what stands inside of the word."""

    capture: Callable[[str], str]
    process: Callable[[str, bool], str]
    variables: MutableMapping[str, str] = field(default_factory=dict)

    def value(self, name: str) -> str | None:
        """The value of a variable, None where nothing tells it."""
        if name in self.variables:
            return self.variables[name]
        return KNOWN.get(name)


def words(text: str, names: Names) -> list[str]:
    """The words that one word of source becomes."""
    if match := _ALL.fullmatch(text):  # the one thing in quotes that becomes several words
        return (names.value(match[1] or match[2]) or UNKNOWN).split()
    return [word for part in _told(_braces(text)) for word in _split(part, names)]


def one(text: str, names: Names) -> str:
    """The value of a word where it is not split: of an assignment, a redirection, a here-string."""
    return "".join(piece for piece, _ in _pieces(text, names))


def _told(choices: Iterable[str]) -> list[str]:
    """The choices; of too many the first ones, and a mark that there are more."""
    told = list(islice(choices, MOST + 1))
    return told if len(told) <= MOST else [*told[:MOST], UNKNOWN]


def _braces(text: str) -> Iterator[str]:
    """The word with each choice of its first `{a,b}` or `{1..3}`, the rest likewise."""
    if text.count("{") > MOST:
        yield UNKNOWN
        return
    found = _first_brace(text) if "{" in text else None
    if found is None:
        yield text
        return
    start, end, choices = found
    for choice in choices:
        yield from _braces(text[:start] + choice + text[end:])


def _first_brace(text: str) -> tuple[int, int, list[str]] | None:
    for start in _unquoted(text):
        if text[start] != "{" or text[start - 1 : start] == "$":
            continue
        depth, commas, end = 0, [start], 0
        for at in _unquoted(text, start):
            if text[at] == "{":
                depth += 1
            elif text[at] == "}":
                depth -= 1
                if depth == 0:
                    end = at
                    break
            elif text[at] == "," and depth == 1:
                commas.append(at)
        if not end:
            continue
        if len(commas) > 1:
            places = [*commas, end]
            return start, end + 1, [text[a + 1 : b] for a, b in pairwise(places)]
        if match := re.fullmatch(r"(-?\w+)\.\.(-?\w+)(\.\.-?\d+)?", text[start + 1 : end]):
            return start, end + 1, _range(match[1], match[2])
    return None


def _range(first: str, last: str) -> list[str]:
    if first.lstrip("-").isdigit() and last.lstrip("-").isdigit() and len(first + last) < 12:
        low, high = int(first), int(last)
        step = 1 if high >= low else -1
        return _told(str(n) for n in range(low, high + step, step))
    if len(first) == len(last) == 1:
        low, high = ord(first), ord(last)
        step = 1 if high >= low else -1
        return _told(chr(n) for n in range(low, high + step, step))
    return [UNKNOWN]


def _unquoted(text: str, at: int = 0) -> Iterator[int]:
    """The places of the characters that stand outside of quotes, escapes, `${…}` and `$(…)`."""
    while at < len(text):
        char = text[at]
        if char == "\\":
            at += 2
        elif char in "'\"`":
            at = _closing(text, at)
        elif char == "$" and text[at + 1 : at + 2] in ("{", "("):
            at = _matching(text, at + 1)
        else:
            yield at
            at += 1


def _closing(text: str, at: int) -> int:
    """The place behind the quoted text that begins here."""
    quote, at = text[at], at + 1
    while at < len(text) and text[at] != quote:
        if text[at] == "\\" and quote != "'":
            at += 2
        elif quote == '"' and text[at] == "$" and text[at + 1 : at + 2] in ("{", "("):
            at = _matching(text, at + 1)
        else:
            at += 1
    return at + 1


def _matching(text: str, at: int) -> int:
    """The place behind the bracket that closes the one here."""
    opened, closed = text[at], {"(": ")", "{": "}"}[text[at]]
    depth = 0
    while at < len(text):
        char = text[at]
        if char == "\\":
            at += 1
        elif char in "'\"`":
            at = _closing(text, at) - 1
        elif char == "<" and opened == "(" and (document := _HEREDOC.match(text, at)):
            end = re.compile(rf"^\t*{re.escape(document[2])}$", re.MULTILINE).search(text, document.end())
            at = end.end() - 1 if end else document.end()
        elif char == opened:
            depth += 1
        elif char == closed:
            depth -= 1
            if not depth:
                return at + 1
        at += 1
    return len(text)


def _split(text: str, names: Names) -> list[str]:
    """One word of source as the words it becomes when what is expanded outside of quotes is split."""
    found: list[str] = []
    current: str | None = None
    for piece, quoted in _pieces(text, names):
        if quoted:
            current = (current or "") + piece
            continue
        parts = re.split(rf"[{re.escape(names.value('IFS') or ' ')}]+", piece)
        for number, part in enumerate(parts):
            if number:
                if current is not None:
                    found.append(current)
                current = None
            if part:
                current = (current or "") + part
    return found if current is None else [*found, current]


def _pieces(text: str, names: Names) -> Iterator[tuple[str, bool]]:
    """The value of a word in pieces, each with whether it is kept whole."""
    at = 0
    if text.startswith("~"):
        at = len(text.partition("/")[0])
        yield (HOME if at == 1 else f"/home/{text[1:at]}" if text[1:at].isalnum() else text[:at]), True
    plain: list[str] = []
    while at < len(text):
        char = text[at]
        if char not in "\\'\"$`<>":
            plain.append(char)
            at += 1
            continue
        if plain:
            yield "".join(plain), True
            plain = []
        if char == "\\":
            if text[at + 1 : at + 2] != "\n":
                yield text[at + 1 : at + 2], True
            at += 2
        elif char == "'":
            end = _closing(text, at)
            yield text[at + 1 : end - 1], True
            at = end
        elif char == '"':
            end = _closing(text, at)
            yield "", True
            yield double(text[at + 1 : end - 1], names), True
            at = end
        elif char in "<>":
            if text[at + 1 : at + 2] == "(":
                end = _matching(text, at + 1)
                yield names.process(text[at + 2 : end - 1], char == "<"), True
                at = end
            else:
                plain.append(char)
                at += 1
        elif char == "$" and text[at + 1 : at + 2] == "'":
            end = _closing_ansi(text, at + 1)
            yield ansi(text[at + 2 : end - 1]), True
            at = end
        elif char == "$" and text[at + 1 : at + 2] == '"':
            at += 1
        else:
            value, at = _expansion(text, at, names)
            yield value, False
    if plain:
        yield "".join(plain), True


def _closing_ansi(text: str, at: int) -> int:
    at += 1
    while at < len(text) and text[at] != "'":
        at += 2 if text[at] == "\\" else 1
    return at + 1


def ansi(text: str) -> str:
    """The text of `$'…'`, and of what `printf` and `echo -e` print."""
    found: list[str] = []
    at = 0
    while at < len(text):
        if text[at] != "\\" or at + 1 == len(text):
            found.append(text[at])
            at += 1
        elif match := _CODE.match(text, at + 1):
            code = match[1] or match[2] or match[3]
            number = int(code, 16) if code else int(match[4], 8) if match[4] else ord(match[5]) & 31
            found.append(chr(number) if number < 0xD800 else "?")
            at = match.end()
        else:
            found.append(_ANSI.get(text[at + 1], text[at + 1]))
            at += 2
    return "".join(found)


def double(text: str, names: Names) -> str:
    """The value of text within double quotes, or of a here-document that is expanded."""
    if not any(char in text for char in "\\$`"):
        return text
    found: list[str] = []
    at = 0
    while at < len(text):
        char = text[at]
        if char == "\\" and text[at + 1 : at + 2] in ("$", "`", '"', "\\", "\n"):
            found.append("" if text[at + 1] == "\n" else text[at + 1])
            at += 2
        elif char in "$`":
            value, at = _expansion(text, at, names)
            found.append(value)
        else:
            found.append(char)
            at += 1
    return "".join(found)


def _expansion(text: str, at: int, names: Names) -> tuple[str, int]:
    """The value of what begins with `$` or a backtick, and the place behind it."""
    if text[at] == "`":
        end = _closing(text, at)
        return names.capture(re.sub(r"\\([\\`$])", r"\1", text[at + 1 : end - 1])), end
    if text.startswith("$((", at) and text[:_matching(text, at + 1)].endswith("))"):  # fmt: skip
        end = _matching(text, at + 1)
        return _arithmetic(text[at + 3 : end - 2], names), end
    if text.startswith("$(", at):
        end = _matching(text, at + 1)
        return names.capture(text[at + 2 : end - 1]), end
    if text.startswith("${", at):
        end = _matching(text, at + 1)
        return _parameter(text[at + 2 : end - 1], names), end
    if match := _NAME.match(text, at + 1):
        value = names.value(match.group())
        return UNKNOWN if value is None else value, match.end()
    return "$", at + 1


def _arithmetic(text: str, names: Names) -> str:
    for inner in re.findall(r"\$\(([^()]*)\)|`([^`]*)`", text):
        names.capture(inner[0] or inner[1])
    return text.strip() if text.strip().isdigit() else UNKNOWN


def _parameter(text: str, names: Names) -> str:
    """The value of `${…}`."""
    if match := re.fullmatch(r"!([A-Za-z_]\w*)", text):
        value = names.value(names.value(match[1]) or "")
        return UNKNOWN if value is None else value
    match = re.match(r"([A-Za-z_]\w*|[0-9@*#?$!_-])(\[[^\]]*\])?", text)
    if match is None or text.startswith("#"):
        return UNKNOWN if text != "#" else "0"
    name, rest = match[1], text[match.end() :]
    value = names.value(name)
    if default := re.match(r":?([-=+?])", rest):
        other = double(_unquote(rest[default.end() :]), names)
        if default[1] in "-=":
            return (
                value
                if value
                else other + (UNKNOWN if value is None and name not in names.variables and not other else "")
            )
        return other if default[1] == "+" else value if value is not None else UNKNOWN
    if value is None or any(mark in value for mark in MARKS):
        for inner in re.findall(r"\$\([^()]*\)|`[^`]*`", rest):
            double(inner, names)
        return UNKNOWN if value is None else value
    if not rest:
        return value
    if cut := re.fullmatch(r":\s*(-?\d+)(?::(-?\d+))?", rest):
        start = int(cut[1])
        end = None if cut[2] is None else start + int(cut[2]) if int(cut[2]) >= 0 else int(cut[2])
        return value[start:end]
    if swap := re.fullmatch(r"(//?)([^/*?\[\\]+)(?:/(.*))?", rest, re.DOTALL):
        return value.replace(swap[2], double(swap[3] or "", names), -1 if swap[1] == "//" else 1)
    if rest in ("^^", ",,", "^", ","):
        return {"^^": value.upper(), ",,": value.lower(), "^": value[:1].upper() + value[1:], ",": value[:1].lower() + value[1:]}[rest]  # fmt: skip
    return UNKNOWN


def _unquote(text: str) -> str:
    return text[1:-1] if len(text) > 1 and text[0] == text[-1] and text[0] in "'\"" else text
