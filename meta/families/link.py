"""Make parameters of the open places of lines: those that members fill alike are one, also across files.

Which lines there are is decided in `columns`.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from meta.families.names import forms, in_form, words
from meta.families.reading import NAME
from meta.families.unify import Shape
from meta.family import Form, Line, Named, Piece, Slot, Text, Value

_SHARED = 0.5  # share of the members of the smaller of two places that must fill both for them to be compared
_USUAL = 0.5  # share of the members that must have a value for it to be the default
_WORD = re.compile(r"[^\W\d]\w*")

Filled = Mapping[str, tuple[str, ...]]


class Names:
    """Parameter names that are all different, made from a word."""

    def __init__(self) -> None:
        self._taken: Counter[str] = Counter({NAME: 1})

    def new(self, word: str) -> str:
        name = "_".join(words(word)).lower() or "value"
        name = name if name.isidentifier() and name.isascii() else "value"
        while True:
            self._taken[name] += 1
            unique = name if self._taken[name] == 1 else f"{name}_{self._taken[name]}"
            if unique == name or not self._taken[unique]:
                self._taken[unique] += unique != name
                return unique


@dataclass(slots=True)
class _Parameter:
    name: str
    values: dict[str, str]
    named: bool


@dataclass(slots=True)
class Links:
    """The parameters so far. With `linked` off every place is a parameter of its own."""

    names: Names
    linked: bool = True
    defaults: dict[str, Value | Named] = field(default_factory=dict)
    shares: dict[str, float] = field(default_factory=dict)  # of an option, how many of the members have its lines
    _parameters: list[_Parameter] = field(default_factory=list)

    def line(self, shape: Shape, filled: Filled) -> Line:
        """The line with its open places made parameters, given by member what fills them."""
        pieces: list[Piece] = []
        place = 0
        before = ""
        for part in shape.parts:
            if isinstance(part, str):
                pieces.append(Text(part))
                before += part
            else:
                values = {member: those[place] for member, those in filled.items()}
                pieces.append(self._piece(values, part.named, before))
                place += 1
        return Line(tuple(pieces))

    def _piece(self, values: dict[str, str], named: bool, before: str) -> Piece:
        form = _common_form(values) if named else None
        if form is not None:
            return Named(NAME, form)
        if self.linked:
            for parameter in self._parameters:
                found = _same(parameter, values, named)
                if found is not None:
                    return found
        said = _WORD.findall(before)
        name = self.names.new("stem" if named else said[-1] if said else "value")
        self._parameters.append(_Parameter(name, dict(values), named))
        return Slot(name)

    def settle(self) -> None:
        """The defaults: the name in its most frequent form, or the value that most members have."""
        for parameter in self._parameters:
            if parameter.named:
                form = _usual_form(parameter.values)
                self.defaults[parameter.name] = Named(NAME, form)
                continue
            value, count = Counter(parameter.values.values()).most_common(1)[0]
            if count > 1 and count > _USUAL * len(parameter.values):
                self.defaults[parameter.name] = value


def _common_form(values: Mapping[str, str]) -> Form | None:
    """The form in which every member's name is its value."""
    possible: list[Form] = list(forms(""))
    for member, value in values.items():
        written = forms(member)
        possible = [form for form in possible if written[form] == value]
    return possible[0] if possible else None


def _usual_form(values: Mapping[str, str]) -> Form:
    counted: Counter[Form] = Counter()
    for member, value in values.items():
        counted.update(form for form, text in forms(member).items() if text == value)
    return counted.most_common(1)[0][0] if counted else "pascal"


def _same(parameter: _Parameter, values: Mapping[str, str], named: bool) -> Piece | None:
    """The piece by which the parameter says these values, too."""
    shared = parameter.values.keys() & values.keys()
    if len(shared) < max(2, _SHARED * min(len(parameter.values), len(values))):
        return None
    if len({values[member] for member in shared}) < 2:
        return None
    if all(parameter.values[member] == values[member] for member in shared):
        for member, value in values.items():
            parameter.values.setdefault(member, value)
        return Slot(parameter.name)
    if named and parameter.named and len(shared) == len(values):
        for form in forms(""):
            if all(in_form(parameter.values[member], form) == values[member] for member in shared):
                return Named(parameter.name, form)
    return None
