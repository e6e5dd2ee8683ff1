"""The tool calls that a script of an agent makes, as far as they can be read off without running it.

Strings, templates, concatenation, `JSON.stringify`, `[...].join` and names bound once are evaluated; nothing else is,
and nothing is executed. A value that is not plainly known is unknown, never guessed.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice

_TOKEN = re.compile(
    r"""(?P<space>\s+|//[^\n]*|/\*.*?(?:\*/|\Z))
    |(?P<string>"(?:[^"\\\n]|\\.)*+\\?(?:"|(?=\n)|\Z)|'(?:[^'\\\n]|\\.)*+\\?(?:'|(?=\n)|\Z))
    |(?P<number>\d[\w.]*)
    |(?P<name>[^\W\d][\w$]*|\$[\w$]*)
    |(?P<sign>=>|[=!]==?|\+\+|\+=|\?\.|\?\?|&&|\|\||.)""",
    re.DOTALL | re.VERBOSE,
)
_REGEX = re.compile(r"/(?:[^/\\\[\n]|\\.|\[(?:[^\]\\\n]|\\.){0,200}+\]){1,500}+/[a-z]*")
_BEFORE_REGEX = frozenset("(,=:[!&|?{};+") | {"=>", "&&", "||", "??", "==", "===", "!=", "!==", "return", ""}
_ESCAPE = re.compile(r"\\(?:u\{([0-9a-fA-F]+)\}|u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2})|(\r\n|.))", re.DOTALL)
_ESCAPED = {"n": "\n", "t": "\t", "r": "\r", "b": "\b", "f": "\f", "v": "\v", "0": "\0", "\n": "", "\r\n": ""}
_OPENING = {"(": ")", "[": "]", "{": "}"}

# A script may be written to cost much; what is beyond these is not known.
_DEEPEST = 40  # nested templates and brackets
_LONGEST = 2**16  # characters of a script, and of a value
_MOST = 100  # calls
_WIDEST = 200  # tokens of a parameter list


@dataclass(frozen=True, slots=True)
class Call:
    """One call `tools.NAME(...)` in a script: the arguments that are known; a single text argument is called "input"."""

    tool: str
    arguments: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str  # string, template, number, name, sign or regex
    text: str
    parts: tuple[str | tuple[_Token, ...], ...] = ()  # of a template: raw texts and substitutions in turn


def calls(script: str) -> tuple[Call, ...]:
    """The calls in the order they are written. Loops and branches are not followed."""
    if len(script) > _LONGEST:
        return ()
    tokens, _ = _tokens(script, 0, 0)
    return tuple(islice(_calls(tokens, _Scope(tokens)), _MOST))


def _calls(tokens: Sequence[_Token], scope: _Scope) -> Iterator[Call]:
    texts = [token.text if token.kind in ("name", "sign") else "" for token in tokens]
    for at, token in enumerate(tokens):
        if texts[at : at + 2] == ["tools", "."] and texts[at + 3 : at + 4] == ["("] and tokens[at + 2].kind == "name":
            yield Call(tokens[at + 2].text, scope.arguments(tokens, at + 4))
        for part in token.parts:
            if not isinstance(part, str):
                yield from _calls(part, scope)


class _Scope:
    """The names of a script whose value is known wherever they stand: declared once, with a value, bound nowhere else."""

    def __init__(self, tokens: Sequence[_Token]) -> None:
        self._values: dict[str, str] = {}
        bindings = Counter(_bound(tokens))
        for at, token in enumerate(tokens):
            if token.kind == "name" and token.text in ("const", "let", "var"):
                self._declare(tokens, at + 1, bindings)

    def _declare(self, tokens: Sequence[_Token], at: int, bindings: Mapping[str, int]) -> None:
        while at < len(tokens) and tokens[at].kind == "name" and _is(tokens, at + 1, "="):
            value, end = self._expression(tokens, at + 2)
            ended = end >= len(tokens) or _ends_statement(tokens[end])
            if value is not None and ended and bindings[tokens[at].text] == 1:
                self._values[tokens[at].text] = value
            if not _is(tokens, end, ","):
                return
            at = end + 1

    def arguments(self, tokens: Sequence[_Token], at: int) -> dict[str, str]:
        """The known arguments of the call whose opening parenthesis stands before `at`."""
        if at < len(tokens) and tokens[at].text == "{" and tokens[at].kind == "sign":
            return dict(self._properties(tokens, at + 1))
        value, end = self._expression(tokens, at)
        return {"input": value} if value is not None and _is(tokens, end, ")") else {}

    def _properties(self, tokens: Sequence[_Token], at: int) -> Iterator[tuple[str, str]]:
        while at < len(tokens) and not any(_is(tokens, at, closing) for closing in "}])"):
            key = _decoded(tokens[at].text[1:-1]) if tokens[at].kind == "string" else tokens[at].text
            start = at + 2 if _is(tokens, at + 1, ":") else at  # `{cmd}` is short for `{cmd: cmd}`
            value, end = self._expression(tokens, start)
            if value is not None and (_is(tokens, end, ",") or _is(tokens, end, "}")):
                yield key, value
            at = _end_of_item(tokens, start) + 1

    def _expression(self, tokens: Sequence[_Token], at: int, depth: int = 0) -> tuple[str | None, int]:
        """The text of a sum of known parts and where it ends; None where a part is unknown."""
        value, at = self._term(tokens, at, depth)
        while value is not None and _is(tokens, at, "+"):
            addend, at = self._term(tokens, at + 1, depth)
            value = None if addend is None else _bounded(value + addend)
        return value, at

    def _term(self, tokens: Sequence[_Token], at: int, depth: int) -> tuple[str | None, int]:
        if at >= len(tokens) or depth > _DEEPEST:
            return None, at
        token = tokens[at]
        spelled = "".join(token.text for token in tokens[at : at + 4] if token.kind in ("name", "sign"))
        if token.kind == "string" and token.text[1:].endswith(token.text[0]):
            return _decoded(token.text[1:-1]), at + 1
        if token.kind == "template":
            return self._template(token, depth, raw=False), at + 1
        if spelled.startswith("String.raw") and at + 3 < len(tokens) and tokens[at + 3].kind == "template":
            return self._template(tokens[at + 3], depth, raw=True), at + 4
        if spelled == "JSON.stringify(":
            value, end = self._expression(tokens, at + 4, depth + 1)
            quoted = None if value is None else json.dumps(value, ensure_ascii=False)
            return (quoted, end + 1) if _is(tokens, end, ")") else (None, end)
        if _is(tokens, at, "("):
            value, end = self._expression(tokens, at + 1, depth + 1)
            return (value, end + 1) if _is(tokens, end, ")") else (None, end)
        if _is(tokens, at, "["):
            return self._joined(tokens, at + 1, depth + 1)
        return (self._values.get(token.text) if token.kind == "name" else None), at + 1

    def _template(self, token: _Token, depth: int, *, raw: bool) -> str | None:
        texts: list[str] = []
        for part in token.parts:
            if isinstance(part, str):
                texts.append(part if raw else _decoded(part))
                continue
            value, end = self._expression(part, 0, depth + 1)
            if value is None or end < len(part):
                return None
            texts.append(value)
        return _bounded("".join(texts))

    def _joined(self, tokens: Sequence[_Token], at: int, depth: int) -> tuple[str | None, int]:
        """`[a, b].join(c)`, the way scripts write several lines."""
        values: list[str] = []
        while not _is(tokens, at, "]"):
            value, at = self._expression(tokens, at, depth)
            if value is None or not (_is(tokens, at, ",") or _is(tokens, at, "]")):
                return None, at
            values.append(value)
            at += _is(tokens, at, ",")
        if [token.text for token in tokens[at + 1 : at + 4]] != [".", "join", "("]:
            return None, at
        separator, end = self._expression(tokens, at + 4, depth)
        return (
            (None, end)
            if separator is None or not _is(tokens, end, ")")
            else (_bounded(separator.join(values)), end + 1)
        )


def _bounded(value: str) -> str | None:
    return value if len(value) <= _LONGEST else None


def _is(tokens: Sequence[_Token], at: int, sign: str) -> bool:
    return at < len(tokens) and tokens[at].kind == "sign" and tokens[at].text == sign


def _ends_statement(token: _Token) -> bool:
    """Whether a value ends before `token`: a sign that goes on with it (`.`, `?`, `*`, ...) would change the value."""
    return token.text in (";", ",", "}", ")") if token.kind == "sign" else token.kind == "name"


def _end_of_item(tokens: Sequence[_Token], at: int) -> int:
    """Where the comma or bracket stands that ends the item beginning at `at`, brackets inside it balanced."""
    closing: list[str] = []
    for place in range(at, len(tokens)):
        token = tokens[place]
        if token.kind != "sign":
            continue
        if not closing and token.text in (",", "}", ")", "]"):
            return place if token.text == "," else place - 1
        if token.text in _OPENING:
            closing.append(_OPENING[token.text])
        elif closing and token.text == closing[-1]:
            closing.pop()
    return len(tokens)


def _bound(tokens: Sequence[_Token]) -> Iterator[str]:
    """Every name as often as it is given a value: declarations, assignments, parameters, destructured names."""
    for at, token in enumerate(tokens):
        for part in token.parts:
            if not isinstance(part, str):
                yield from _bound(part)
        if token.kind == "name":
            following = tokens[at + 1].text if at + 1 < len(tokens) else ""
            if following in ("=", "=>", "+=", "++", "of", "in"):
                yield token.text
        elif token.text in (")", "]", "}") and at + 1 < len(tokens) and tokens[at + 1].text in ("=>", "=", "{", "of"):
            yield from _names_in_brackets(tokens, at)


def _names_in_brackets(tokens: Sequence[_Token], end: int) -> Iterator[str]:
    depth = 0
    for at in range(end, max(-1, end - _WIDEST), -1):
        token = tokens[at]
        if token.kind == "sign":
            depth += (token.text in _OPENING.values()) - (token.text in _OPENING)
        elif token.kind == "name":
            yield token.text
        if depth == 0:
            return


def _decoded(raw: str) -> str:
    """The text of a string or template literal between its quotes."""

    def character(match: re.Match[str]) -> str:
        code = match[1] or match[2] or match[3]
        if not code:
            return _ESCAPED.get(match[4], match[4])
        return chr(int(code, 16)) if int(code, 16) <= 0x10FFFF else match[0]

    text = _ESCAPE.sub(character, raw) if "\\" in raw else raw
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _tokens(script: str, at: int, depth: int) -> tuple[tuple[_Token, ...], int]:
    """The tokens from `at` on, and where they end: at the brace that closes a substitution, or with the script."""
    tokens: list[_Token] = []
    braces = 0
    before = ""
    while at < len(script):
        match = _TOKEN.match(script, at)
        if script[at] == "`":
            token, at = _template(script, at + 1, depth)
        elif script[at] == "/" and before in _BEFORE_REGEX and (regex := _REGEX.match(script, at)):
            token, at = _Token("regex", regex[0]), regex.end()
        elif match is None or (match[0] == "}" and depth and not braces):
            break
        else:
            at = match.end()
            braces += (match[0] == "{") - (match[0] == "}")
            if match.lastgroup == "space":
                continue
            token = _Token(match.lastgroup or "sign", match[0])
        before = token.text if token.kind in ("sign", "name") else "x"
        tokens.append(token)
    return tuple(tokens), at


def _template(script: str, at: int, depth: int) -> tuple[_Token, int]:
    """The template literal that begins at `at`, and where the script goes on; one without an end takes all."""
    parts: list[str | tuple[_Token, ...]] = []
    start = at
    while at < len(script) and script[at] != "`":
        if script.startswith("${", at) and depth < _DEEPEST:
            substitution, end = _tokens(script, at + 2, depth + 1)
            parts += [script[start:at], substitution]
            at = start = end + 1
        else:
            at += 2 if script[at] == "\\" else 1
    return _Token("template", "", (*parts, script[start:at])), at + 1
