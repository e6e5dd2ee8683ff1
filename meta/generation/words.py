"""Write the words of a step as Python: a list whose items are plain words, typed words, or shell syntax.

What a step means is decided in `rendering`; here it only becomes code that prints and runs the same.
"""

from __future__ import annotations

import keyword
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import takewhile

import libcst as cst

from meta.errors import UserError
from meta.model import Fixed, Group, Hole, Parameter, Part, Rest, WorkflowStep
from meta.rendering import quote

_LOST = ". alias cd declare eval exec export popd pushd set shopt source umask unalias unset"
_SHELL_ONLY = "! [[ { ( case command for function if time type ulimit until wait while"
LOST, SHELL_ONLY = frozenset(_LOST.split()), frozenset(_SHELL_ONLY.split())
ASSIGNMENT = re.compile(r"[A-Za-z_]\w*=")
_PLAIN = re.compile(r"(?!~)[\w@%+=:,./^{}~-]*", re.ASCII)


class RefusedError(UserError):
    """The workflow cannot become a tool that does what was recorded; the text says why."""


@dataclass(frozen=True, slots=True)
class Names:
    """The Python names of a workflow's parameters, and which of them are lists, flags, or may be absent."""

    identifiers: Mapping[str, str]
    parameters: Mapping[str, Parameter]
    item: str

    def of(self, parameter: str) -> cst.Name:
        if parameter not in self.identifiers:
            raise RefusedError(f"the steps need the value {parameter!r}, which is no parameter of the workflow")
        return cst.Name(self.identifiers[parameter])

    def within(self, each: str) -> Names:
        """The names inside a step that is repeated for each item of the list `each`."""
        if not each:
            return self
        one = Parameter(each, "str", default="")
        return Names({**self.identifiers, each: self.item}, {**self.parameters, each: one}, self.item)


def names(parameters: Sequence[Parameter], reserved: Collection[str]) -> Names:
    """A Python identifier for each parameter; one that is taken or a keyword gets an underscore."""
    taken = set(reserved) | set(keyword.kwlist)
    identifiers: dict[str, str] = {}
    for name in [*(p.name for p in parameters), ""]:
        identifier = re.sub(r"\W|^(?=\d)", "_", name or "item", flags=re.ASCII)
        while identifier in taken:
            identifier += "_"
        taken.add(identifier)
        identifiers[name] = identifier
    return Names(identifiers, {p.name: p for p in parameters}, identifiers.pop(""))


def literal(value: object) -> cst.BaseExpression:
    return cst.parse_expression(repr(value))


def call(function: str, *arguments: cst.BaseExpression | cst.Arg, **keywords: object) -> cst.Call:
    """`function(*arguments, **keywords)`, keywords that are empty left out."""
    args = [a if isinstance(a, cst.Arg) else cst.Arg(a) for a in arguments]
    args += [cst.Arg(literal(value), cst.Name(name)) for name, value in keywords.items() if value != ""]
    return cst.Call(cst.Name(function), args)


def given(names: Names, parameter: str) -> cst.BaseExpression | None:
    """The condition under which a parameter's words are there; None if they always are."""
    name, known = names.of(parameter), names.parameters[parameter]
    if known.type in ("bool", "list"):
        return name
    if known.default is not None:
        return None
    return cst.Comparison(name, [cst.ComparisonTarget(cst.IsNot(), cst.Name("None"))])


def flat(parts: Iterable[Part]) -> Iterator[Fixed | Hole | Rest]:
    for part in parts:
        if isinstance(part, Group):
            yield from part.parts
        else:
            yield part


def _assigns(part: Fixed | Hole | Rest) -> bool:
    match part:
        case Fixed(word):
            return bool(ASSIGNMENT.match(word.text))
        case Hole():
            return bool(ASSIGNMENT.match(part.prefix))
    return False


def _program(step: WorkflowStep) -> str:
    first = next((part for part in flat(step.parts) if not _assigns(part)), None)
    return first.word.text if isinstance(first, Fixed) else ""


def needs_shell(step: WorkflowStep) -> bool:
    """Whether only a shell can run the step. Refuses what would be lost with its shell, or would paste a value."""
    parts = list(flat(step.parts))
    program = _program(step)
    if program in LOST or all(map(_assigns, parts)):
        raise RefusedError(f"the step {step.name!r} changes the shell itself, which ends with the step")
    for part in parts:
        if isinstance(part, Hole) and not (_PLAIN.fullmatch(part.prefix) and _PLAIN.fullmatch("x" + part.suffix)):
            raise RefusedError(f"in the step {step.name!r} a value stands inside shell syntax")
    return program in SHELL_ONLY or any(map(is_syntax, parts))


def is_syntax(part: Part) -> bool:
    return isinstance(part, Fixed) and part.word.style == "shell"


def sets_environment(step: WorkflowStep) -> bool:
    """Whether the line begins with `NAME=value`."""
    return _assigns(next(flat(step.parts)))


def constant(step: WorkflowStep) -> bool:
    return all(isinstance(part, Fixed) for part in step.parts)


def is_pair(part: Part) -> bool:
    """Whether a fixed word is typed otherwise than its value would be by default."""
    return isinstance(part, Fixed) and quote(part.word.value, "bare") != part.word.text


def _typed(hole: Hole, value: cst.BaseExpression) -> cst.BaseExpression:
    long = "" if hole.long_style == hole.style else hole.long_style
    like_bare = hole.style == "bare" and long in ("", "double")
    if like_bare and not hole.prefix and not hole.suffix:
        return value
    style = literal(hole.style)
    return call("typed", value, style, long="" if like_bare else long, before=hole.prefix, after=hole.suffix)


def _elements(part: Part, names: Names, *, shell: bool) -> list[cst.BaseElement]:
    match part:
        case Fixed(word) if shell:
            return [cst.Element(call("Shell", literal(word.text)))]
        case Fixed(word):
            return [cst.Element(literal((word.value, word.text) if is_pair(part) else word.value))]
        case Hole(parameter):
            if parameter in names.parameters and names.parameters[parameter].type in ("bool", "list"):
                raise RefusedError(f"the parameter {parameter!r} is no text, yet stands as a word")
            return [cst.Element(_typed(part, names.of(parameter)))]
        case Rest(parameter, style):
            return [cst.StarredElement(_items(names, parameter, style))]
        case Group(parameter, inner):
            elements = [element for p in inner for element in _elements(p, names, shell=shell)]
            condition = given(names, parameter)
            if condition is None:
                return elements
            there = cst.IfExp(condition, cst.List(_merged(elements)), cst.List([]))
            return [cst.StarredElement(there.with_changes(lpar=[cst.LeftParen()], rpar=[cst.RightParen()]))]


def each(names: Names, parameter: str) -> cst.BaseExpression:
    """The items of a list parameter; a single value is a list of one."""
    name = names.of(parameter)
    if names.parameters[parameter].type == "list":
        return name
    condition, one = given(names, parameter), cst.List([cst.Element(name)])
    if condition is None:
        return one
    return cst.IfExp(condition, one, cst.List([]), lpar=[cst.LeftParen()], rpar=[cst.RightParen()])


def _items(names: Names, parameter: str, style: str) -> cst.BaseExpression:
    items = each(names, parameter)
    if style == "bare":
        return items
    return generator(call("typed", cst.Name(names.item), literal(style)), names.item, items)


def generator(element: cst.BaseExpression, item: str, items: cst.BaseExpression) -> cst.GeneratorExp:
    return cst.GeneratorExp(element, cst.CompFor(cst.Name(item), items))


def _merged(elements: Sequence[cst.BaseElement]) -> list[cst.BaseElement]:
    """The elements, neighbours that are both shell syntax joined."""
    merged: list[cst.BaseElement] = []
    for element in elements:
        before = _syntax(merged[-1]) if merged else None
        here = _syntax(element)
        if before is not None and here is not None:
            merged[-1] = cst.Element(call("Shell", literal(f"{before} {here}")))
        else:
            merged.append(element)
    return merged


def _syntax(element: cst.BaseElement) -> str | None:
    match element.value:
        case cst.Call(func=cst.Name("Shell"), args=[cst.Arg(cst.SimpleString() as text)]):
            return str(text.evaluated_value)
    return None


def words(step: WorkflowStep, names: Names) -> cst.List:
    """The list of the step's words: plain up to the first shell syntax, from where fixed words are part of it."""
    inside = names.within(step.each)
    plain = list(takewhile(lambda part: not any(map(is_syntax, flat((part,)))), step.parts))
    if needs_shell(step) and _program(step) in SHELL_ONLY:
        plain = []
    before = [element for part in plain for element in _elements(part, inside, shell=False)]
    after = [element for part in step.parts[len(plain) :] for element in _elements(part, inside, shell=True)]
    return cst.List([*before, *_merged(after)])
