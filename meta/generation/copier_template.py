"""Write a family's patterns as a Copier template, whose delimiters occur nowhere in what it says.

What stands in it was learned before; hubs are not Copier's, which can edit no file.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from meta.errors import UserError
from meta.family import Blueprint, Each, Form, Free, Line, Named, Node, Option, Piece, Role, Slot, Text

FILL = "META_FILL"
MARK = "META:FILL"
WORDS = "words_of_"
NAME = "name"
WORD = "[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+[0-9]*|[A-Z]+[0-9]*|[0-9]+|[^\\W\\d_A-Za-z]+"
FORMS: Mapping[Form, str] = {  # in Jinja, of the words of a name
    "snake": "{} | join('_') | lower", "kebab": "{} | join('-') | lower", "flat": "{} | join | lower",
    "spaced": "{} | join(' ') | lower", "upper": "{} | join('_') | upper", "pascal": "{} | map('capitalize') | join",
    "title": "{} | map('capitalize') | join(' ')",
    "camel": "(({0}[:1] | map('lower') | list) + ({0}[1:] | map('capitalize') | list)) | join",
}  # fmt: skip
_CARRIAGE = "carriage_return"  # Jinja makes every line break the same: this one is written as a value
_TAKEN = frozenset([  # words of Jinja, of Copier, and of the tool
    "and", "as", "if", "in", "is", "not", "or", "do", "elif", "else", "endfor", "endif", "for", "from", "import",
    "set", "with", "true", "false", "none", "row", "range", "dict", "loop", "self", "context", "environment", "now",
    "make_secret", "like", "json", "dry_run", "member", "source", "help",
])  # fmt: skip
_COMMENTS = {
    "#": "py pyi toml yml yaml sh cfg ini rb po",
    "//": "js ts jsx tsx java go rs c cc cpp h kt swift php scss",
    "--": "sql lua hs",
}


@dataclass(frozen=True, slots=True)
class Signs:
    """The delimiters of values, statements and comments."""

    value: tuple[str, str]
    statement: tuple[str, str]
    comment: tuple[str, str]

    def of(self, name: str) -> str:
        return f"{self.value[0]} {name} {self.value[1]}"

    def say(self, text: str) -> str:
        return f"{self.statement[0]} {text} {self.statement[1]}"

    def note(self, text: str) -> str:
        return f"{self.comment[0]} {text} {self.comment[1]}"


SIGNS = tuple(
    Signs((a * 2, b * 2), (f"{a}%", f"%{b}"), (f"{a}#", f"#{b}")) for a, b in (("[", "]"), ("{", "}"), ("(", ")"))
) + tuple(Signs((a, b), (f"{a}%", f"%{b}"), (f"{a}#", f"#{b}")) for a, b in (("«", "»"), ("⟦", "⟧"), ("⦃", "⦄")))


@dataclass(frozen=True, slots=True)
class Template:
    """A template's files, `copier.yml` and `files/…`, and what else is needed to fill it without Copier.

    `defaults` are templates themselves. `forms` are the values that are another one in a form.
    """

    files: Mapping[str, str]
    signs: Signs
    names: Mapping[str, str]
    defaults: Mapping[str, str | bool | list[Any]]
    forms: Mapping[str, tuple[str, Form]]


def template(blueprint: Blueprint) -> Template:
    """The template of the blueprint. Raises `UserError` where its texts leave no delimiters."""
    names = _variables(blueprint)
    literals = list(_literals(blueprint))
    signs = next((signs for signs in SIGNS if not any(_collides(text, signs) for text in literals)), None)
    if signs is None:
        raise UserError(f"{blueprint.name} holds every kind of brackets that a template could use. Leave it as it is.")
    writer = _Writer(signs, names)
    files = {
        f"files/{writer.path(role)}.jinja": "".join(writer.nodes(role.pattern.nodes, rows=False))
        for role in blueprint.roles
    }
    defaults = _defaults(blueprint, writer)
    for line in (line for edit in blueprint.hubs for found in edit.insertions for line in found.lines):
        list(writer.pieces(line.pieces, rows=False))  # for the forms that it needs
    files["copier.yml"] = _questions(blueprint, writer, defaults)
    return Template(dict(sorted(files.items())), signs, names, defaults, dict(writer.forms))


def written(template: Template, pieces: Sequence[Piece]) -> str:
    """The pieces as a template's text."""
    return "".join(_Writer(template.signs, template.names).pieces(pieces, rows=False))


def _variables(blueprint: Blueprint) -> dict[str, str]:
    """What each parameter is called in the template."""
    found: dict[str, str] = {}
    parameters = [NAME, *blueprint.defaults, *(p for of in blueprint.answers.values() for p in of)]
    parameters += [role.present for role in blueprint.roles if role.present]
    parameters += [p.parameter for role in blueprint.roles for p in role.path if not isinstance(p, Text)]
    for node in (node for role in blueprint.roles for node in role.pattern.nodes):
        parameters += _parameters(node)
    parameters += [
        p.parameter
        for edit in blueprint.hubs
        for i in edit.insertions
        for line in i.lines
        for p in line.pieces
        if not isinstance(p, Text)
    ]
    for parameter in dict.fromkeys(parameters):
        name = re.sub(r"\W+", "_", parameter)
        while name in _TAKEN or name.startswith(("_", WORDS)) or name in found.values():
            name = f"{name.strip('_').removeprefix(WORDS)}_x"
        found[parameter] = name
    return found


def _parameters(node: Node) -> Iterator[str]:
    match node:
        case Line():
            yield from (piece.parameter for piece in node.pieces if not isinstance(piece, Text))
        case Option():
            yield node.parameter
            for line in node.nodes:
                yield from _parameters(line)
        case Each():
            yield node.parameter
            yield from (p.parameter for line in node.lines for p in line.pieces if isinstance(p, Named))
        case Free():
            yield node.parameter


def _literals(blueprint: Blueprint) -> Iterator[str]:
    """Every text of the template, and every default, which Copier reads as a template."""
    for role in blueprint.roles:
        yield from (piece.text for piece in role.path if isinstance(piece, Text))
        lines = _lines(role.pattern.nodes, rows=True)
        yield from (piece.text for line in lines for piece in line.pieces if isinstance(piece, Text))
    for edit in blueprint.hubs:
        for found in edit.insertions:
            yield from (piece.text for line in found.lines for piece in line.pieces if isinstance(piece, Text))
            yield from (p.text for pieces in found.defaults.values() for p in pieces if isinstance(p, Text))
    yield from (value for value in blueprint.defaults.values() if isinstance(value, str))


def _collides(text: str, signs: Signs) -> bool:
    opening, closing = signs.value[0][0], signs.value[1][-1]
    pairs = (*signs.value, *signs.statement, *signs.comment)
    return any(sign in text for sign in pairs) or text.endswith(opening) or text.startswith(closing)


class _Writer:
    """Writes nodes with one kind of signs, and notes which forms of which parameters are needed."""

    def __init__(self, signs: Signs, names: Mapping[str, str]) -> None:
        self.signs = signs
        self.names = names
        self.forms: dict[str, tuple[str, Form]] = {}
        self.carriage = False

    def path(self, role: Role) -> str:
        text = "".join(self.pieces(role.path, rows=False))
        if not role.present:
            return text
        folder, slash, file = text.rpartition("/")
        return f"{folder}{slash}{self.signs.say('if ' + self.names[role.present])}{file}{self.signs.say('endif')}"

    def nodes(self, nodes: Sequence[Node], *, rows: bool) -> Iterator[str]:
        for node in nodes:
            match node:
                case Line():
                    yield from self.pieces(node.pieces, rows=rows)
                case Option():
                    yield self.signs.say(f"if {self.names[node.parameter]}") + "\n"
                    yield from self.nodes(node.nodes, rows=False)
                    yield self.signs.say("endif") + "\n"
                case Each():
                    yield self.signs.say(f"for row in {self.names[node.parameter]}") + "\n"
                    yield from self.nodes(node.lines, rows=True)
                    yield self.signs.say("endfor") + "\n"
                case Free():
                    note = self.signs.note(
                        f"{MARK} here most have lines of their own"
                        if node.fill
                        else "some have lines of their own here"
                    )
                    yield f"{self.signs.of(self.names[node.parameter])}{note}\n"

    def pieces(self, pieces: Iterable[Piece], *, rows: bool) -> Iterator[str]:
        for piece in pieces:
            match piece:
                case Text():
                    self.carriage |= "\r" in piece.text
                    yield piece.text.replace("\r", self.signs.of(_CARRIAGE))
                case Named():
                    yield self.signs.of(self.form(piece))
                case Slot():
                    yield self.signs.of(f"row.{piece.parameter}" if rows else self.names[piece.parameter])

    def form(self, piece: Named) -> str:
        base = self.names[piece.parameter]
        if piece.form == "as-is":
            return base
        name = f"{base}_{piece.form}"
        while name in self.names.values():
            name += "_x"
        self.forms[name] = (base, piece.form)
        return name


def _defaults(blueprint: Blueprint, writer: _Writer) -> dict[str, str | bool | list[Any]]:
    """By variable what stands there unless it is given; of the name nothing, of what nobody can know a mark."""
    found: dict[str, str | bool | list[Any]] = {}
    for role in blueprint.roles:
        for at, node in enumerate(role.pattern.nodes):
            for parameter in _parameters(node):
                found.setdefault(writer.names[parameter], FILL)
            match node:
                case Option():
                    found[writer.names[node.parameter]] = False
                case Each():
                    found[writer.names[node.parameter]] = []
                case Free():
                    found[writer.names[node.parameter]] = _mark(role, at) if node.fill else ""
        if role.present:
            found[writer.names[role.present]] = True
    for edit in blueprint.hubs:
        for insertion in edit.insertions:
            for piece in (piece for line in insertion.lines for piece in line.pieces if not isinstance(piece, Text)):
                found.setdefault(writer.names[piece.parameter], FILL)
            for parameter, pieces in insertion.defaults.items():
                found[writer.names[parameter]] = "".join(writer.pieces(pieces, rows=False))
    for parameter, value in blueprint.defaults.items():
        if isinstance(value, Named):
            found[writer.names[parameter]] = writer.signs.of(writer.form(value))
        elif isinstance(value, tuple):
            found[writer.names[parameter]] = [dict(row) for row in value]
        elif writer.names[parameter] not in found or found[writer.names[parameter]] in (FILL, False, True):
            found[writer.names[parameter]] = value
    found.pop(NAME, None)
    return found


def _mark(role: Role, at: int) -> str:
    """A line that says that something is to be written there, as a comment where the file knows comments."""
    before = next((node for node in reversed(role.pattern.nodes[:at]) if isinstance(node, Line)), None)
    after = next((node for node in role.pattern.nodes[at + 1 :] if isinstance(node, Line)), None)
    said = "".join(piece.text for piece in before.pieces if isinstance(piece, Text)) if before else ""
    ahead = "".join(piece.text for piece in after.pieces if isinstance(piece, Text)) if after else ""
    last = role.path[-1]
    kind = last.text.rpartition(".")[2] if isinstance(last, Text) else ""
    sign = next((sign for sign, kinds in _COMMENTS.items() if kind in kinds.split()), "")
    margin = max((_margin(text) for text in (said, ahead) if text.strip()), key=len, default="")
    if kind == "py" and said.rstrip().endswith(":"):
        return f"{_margin(said)}    ...  # {MARK}\n"
    return f"{margin}{sign}{' ' if sign else ''}{MARK}\n"


def _margin(text: str) -> str:
    """The spaces and tabs at the start."""
    return text[: len(text) - len(text.lstrip(" \t"))]


def _questions(blueprint: Blueprint, writer: _Writer, defaults: Mapping[str, str | bool | list[Any]]) -> str:
    """The text of copier.yml: what is asked, then what follows from it."""
    signs = writer.signs
    envops = {
        "variable_start_string": signs.value[0], "variable_end_string": signs.value[1],
        "block_start_string": signs.statement[0], "block_end_string": signs.statement[1],
        "comment_start_string": signs.comment[0], "comment_end_string": signs.comment[1],
        "trim_blocks": True, "keep_trailing_newline": True,
    }  # fmt: skip
    asked = [writer.names[parameter] for parameter in blueprint.asked]
    rows: dict[str, dict[str, object]] = {NAME: {"type": "str", "help": "The name of the next member, as in its path"}}
    bases = {base for base, _ in writer.forms.values()}

    by_variable = {variable: parameter for parameter, variable in writer.names.items()}

    def forms(base: str) -> None:
        if base in bases:
            words = f"{WORDS}{base}"
            rows[words] = {
                "type": "yaml",
                "when": False,
                "default": signs.of(f"{base} | regex_findall({WORD!r}) | to_json"),
            }
            for name, (source, form) in writer.forms.items():
                if source == base:
                    rows[name] = {"type": "str", "when": False, "default": signs.of(FORMS[form].format(words))}

    forms(NAME)
    for name in sorted(defaults, key=lambda name: (name not in asked, asked.index(name) if name in asked else 0)):
        default = defaults[name]
        kind = "bool" if isinstance(default, bool) else "yaml" if isinstance(default, list) else "str"
        more = {"help": _help(blueprint, by_variable[name])} if name in asked else {"when": False}
        rows[name] = {"type": kind, "default": default, **more}
        forms(name)
    if writer.carriage:
        rows[_CARRIAGE] = {"type": "str", "when": False, "default": signs.of(r"'\r'")}
    head = {"_subdirectory": "files", "_templates_suffix": ".jinja", "_envops": envops}
    lines = [f"# Makes the next of {blueprint.name}; in the project's folder: copier copy <the folder of this file> ."]
    lines += [f"{name}: {_yaml(value)}" for name, value in (head | rows).items()]
    return "\n".join(lines) + "\n"


def _help(blueprint: Blueprint, parameter: str) -> str:
    """The line in which a parameter stands first, and what the latest member has there."""
    nodes = [node for role in blueprint.roles for node in role.pattern.nodes]
    option = next((n.nodes for n in nodes if isinstance(n, Option) and n.parameter == parameter), ())
    if option:
        texts = ("".join(p.text if isinstance(p, Text) else ".." for p in line.pieces) for line in option)
        return f"whether there is: {' '.join(next(filter(str.strip, texts), '').split())[:80]}"
    lines = [line for role in blueprint.roles for line in _lines(role.pattern.nodes, rows=False)]
    lines += [line for edit in blueprint.hubs for found in edit.insertions for line in found.lines]
    pieces = next((line.pieces for line in lines if Slot(parameter) in line.pieces), ())
    shown = "".join(
        piece.text if isinstance(piece, Text) else "<>" if piece == Slot(parameter) else ".." for piece in pieces
    )
    value = next((of[parameter] for of in reversed(list(blueprint.answers.values())) if parameter in of), "")
    return f"<> in: {' '.join(shown.split())[:80]} (the latest has {str(value)[:40]!r})"


def _lines(nodes: Sequence[Node], *, rows: bool) -> Iterator[Line]:
    for node in nodes:
        match node:
            case Line():
                yield node
            case Option():
                yield from node.nodes
            case Each() if rows:
                yield from node.lines


def _yaml(value: object) -> str:
    """The value as JSON, which is YAML where every character is printable."""
    text = json.dumps(value, ensure_ascii=False)
    return "".join(c if c.isprintable() else f"\\u{ord(c):04x}" for c in text)
