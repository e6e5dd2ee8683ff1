"""Make the parameters of a workflow from its holes and their flow, and put their names into the parts.

Which holes are one parameter was decided in `mining.dataflow`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from meta.mining.dataflow import Flow, Slot
from meta.mining.drafts import Draft, flags
from meta.mining.naming import RESERVED, Hint, hints, kind_name, majority, plural, slug, type_of, unique
from meta.model import Derivation, Fixed, Group, Hole, Parameter, Part, Rest
from meta.rendering import quote

_EXAMPLES = 3
_UNNAMED = 9  # rank of a name that says no more than where the value stands


@dataclass(frozen=True, slots=True)
class Named:
    """The parameters, the name of each provisional hole's parameter, and the text that goes around its value."""

    parameters: tuple[Parameter, ...]
    names: Mapping[str, str]
    around: Mapping[str, tuple[str, str]]


def _all_holes(parts: Sequence[Part]) -> Iterator[Hole]:
    for part in parts:
        if isinstance(part, Hole):
            yield part
        elif isinstance(part, Group):
            yield from _all_holes(part.parts)


def _around(flow: Flow, holes: Mapping[str, Hole], slots: Sequence[Slot]) -> dict[str, tuple[str, str]]:
    """Derived classes that only wrap their source in bare text, with that text: the hole can do it without a parameter."""
    found: dict[str, tuple[str, str]] = {}
    for name, derivation in flow.derived.items():
        ends = {operation[0]: operation[-1] for operation in derivation.program}
        members = [slot for slot in slots if flow.same[slot.name] == name]
        values = [value for slot in members for value in slot.values if isinstance(value, str)]
        if (
            set(ends) <= {"prepend", "append"}
            and all(slot.name in holes and holes[slot.name].style == "bare" for slot in members)
            and all(quote(value, "bare") == value for value in values)
        ):
            found[name] = ends.get("prepend", ""), ends.get("append", "")
    return found


def _texts(slots: Sequence[Slot]) -> list[str]:
    """The values of a class, one for each run that has it; the items of lists."""
    runs = zip(*(slot.values for slot in slots), strict=True)
    found = [next((value for value in run if value is not None), None) for run in runs]
    return [text for value in found if value is not None for text in (value if isinstance(value, tuple) else (value,))]


def _listed(slots: Sequence[Slot]) -> bool:
    return any(isinstance(value, tuple) for slot in slots for value in slot.values)


def _examples(texts: Sequence[str]) -> tuple[str, ...]:
    return tuple(text for text, _ in Counter(texts).most_common(_EXAMPLES))


def _typed(name: str, slots: Sequence[Slot]) -> Parameter:
    """The caller's parameter for one class of slots."""
    texts = _texts(slots)
    kind = type_of(texts) if texts else "str"
    if kind == "secret":
        return Parameter(name, kind)
    if _listed(slots):
        return Parameter(name, "list", examples=_examples(texts))
    usual = None if any(slot.optional for slot in slots) else majority(texts)
    default = int(usual) if usual is not None and kind == "int" else usual
    choices = tuple(text for text, _ in Counter(texts).most_common()) if kind == "choice" else ()
    return Parameter(name, kind, default=default, choices=choices, examples=_examples(texts))


def _proposal(members: Sequence[Slot], proposed: Sequence[Mapping[str, Hint]], steps: Sequence[str]) -> Hint:
    """The best name for a class: what stands before one of its holes, else the kind of its values, else its place."""
    found = [proposed[slot.column][slot.name] for slot in members if slot.name in proposed[slot.column]]
    if found:
        return min(found, key=lambda hint: hint.rank)
    texts = _texts(members)
    kind = kind_name(texts) if texts else ""
    if _listed(members):
        return Hint(_UNNAMED, plural(kind) if kind else f"{slug(steps[members[0].column])}_args")
    return Hint(_UNNAMED, kind or f"{slug(steps[members[0].column])}_arg")


def _with_source(parameter: Parameter, derivation: Derivation | None, names: Mapping[str, str]) -> Parameter:
    if derivation is None:
        return parameter
    derivation = replace(derivation, source=names[derivation.source])
    kind = "str" if parameter.type == "choice" else parameter.type
    return replace(parameter, type=kind, source="derived", default=None, choices=(), derivation=derivation)


def _from_output(parameter: Parameter, derivation: Derivation | None, steps: Sequence[str]) -> Parameter:
    if derivation is None:
        return parameter
    derivation = replace(derivation, source=steps[int(derivation.source)])
    return replace(parameter, source="output", default=None, derivation=derivation)


def parameters(
    drafted: Sequence[Draft], steps: Sequence[str], slots: Sequence[Slot], flow: Flow, toggles: Sequence[str]
) -> Named:
    """The parameters in order of their place, with names of their own; `toggles` are names already given away."""
    proposed = [hints(draft.column.head, draft.parts) for draft in drafted]
    around = _around(flow, {hole.parameter: hole for draft in drafted for hole in _all_holes(draft.parts)}, slots)
    classes: dict[str, list[Slot]] = {}
    for slot in slots:
        classes.setdefault(flow.same[slot.name], []).append(slot)
    own = {name: members for name, members in classes.items() if name not in around}
    places = {flag: k for k, draft in enumerate(drafted) for flag in flags(draft.parts)}
    wanted = [(_proposal(members, proposed, steps), name, members[0].column) for name, members in own.items()]
    wanted += [
        (proposed[k].get(flag, Hint(_UNNAMED, "option")), flag, k)
        for flag, k in places.items()
        if flow.same[flag] == flag
    ]
    names: dict[str, str] = {}
    taken = {*RESERVED, *toggles}
    for hint, name, column in sorted(wanted, key=lambda one: one[0].rank):
        names[name] = unique(slug(hint.name), taken, slug(steps[column]))
        taken.add(names[name])
    made = [
        _from_output(
            _with_source(_typed(names[name], members), flow.derived.get(name), names), flow.outputs.get(name), steps
        )
        for name, members in own.items()
    ]
    made += [Parameter(names[flag], "bool", default=False) for flag in places if flow.same[flag] == flag]
    names |= {name: names[flow.derived[name].source] for name in around}
    return Named(
        tuple(made),
        {slot.name: names[flow.same[slot.name]] for slot in slots} | {flag: names[flow.same[flag]] for flag in places},
        {slot.name: around[flow.same[slot.name]] for slot in slots if flow.same[slot.name] in around},
    )


def renamed(parts: Sequence[Part], named: Named) -> tuple[Part, ...]:
    """The parts with the parameters' names, and with the text that a wrapped value needs."""
    return tuple(_renamed(part, named) for part in parts)


def _renamed(part: Part, named: Named) -> Part:
    match part:
        case Hole(name, prefix=prefix, suffix=suffix):
            before, after = named.around.get(name, ("", ""))
            return replace(part, parameter=named.names[name], prefix=prefix + before, suffix=after + suffix)
        case Group(name, inner):
            within = tuple(p for each in inner if isinstance(p := _renamed(each, named), Fixed | Hole))
            return Group(named.names[name], within)
        case Rest(name):
            return replace(part, parameter=named.names[name])
        case Fixed():
            return part
