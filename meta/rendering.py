"""Turn a workflow and its bindings into the exact command lines that were recorded.

This is the meaning of a `Workflow`: mining uses it to accept an occurrence, verification compares a generated tool with
it. Generated tools do not import it; they carry the few lines of it that they need.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from pathlib import PurePosixPath

from meta.model import Binding, Derivation, Fixed, Group, Hole, Parameter, Part, Rest, Style, Workflow, WorkflowStep

_BARE = re.compile(r"[A-Za-z0-9_@%+=:,./^{}~-]*[A-Za-z0-9_@%+=:,./^{}-]")
_HOME = re.compile(r"^~|[=:]~")
_ESCAPED = re.compile(r'\\(?=[\\$"`\n]|$)|[$"`]')

Value = str | bool | list[str]


class UnboundError(Exception):
    """A value that the command lines need is not in the bindings; the text is its name."""


def _expands(value: str) -> bool:
    """Whether bash reads more into a bare word than its characters: a list in braces, or a home folder."""
    braces = value.partition("{")[2].rpartition("}")[0]
    return "," in braces or ".." in braces or _HOME.search(value) is not None


@lru_cache(maxsize=2**14)  # the same words are tried again and again while a workflow is fitted
def quote(value: str, style: Style) -> str:
    """`value` as shell text in the given style; a bare style falls back to quotes where the value needs them.

    A shell reads the result back as exactly `value` for every style but "shell", which passes the text through.
    """
    if style == "shell":
        return value
    if style == "bare" and _BARE.fullmatch(value) and not _expands(value):
        return value
    if style == "single":
        return "'" + value.replace("'", "'\\''") + "'"
    if style == "heredoc" and not value.endswith("\n") and not re.search(r"^EOF", value, re.MULTILINE):
        return f"\"$(cat <<'EOF'\n{value}\nEOF\n)\""
    return '"' + _ESCAPED.sub(lambda match: "\\" + match.group(), value) + '"'


def required(parameter: Parameter, workflow: Workflow) -> bool:
    """Whether every run needs a value from the caller."""
    asked = parameter.source == "caller" and parameter.default is None and parameter.type not in ("bool", "list")
    return asked and all(
        parameter.name in run.bindings for run in workflow.occurrences if not run.bindings.get("failed")
    )


def option(name: str) -> str:
    """The long option of a parameter: `pr_number` -> `--pr-number`."""
    return "--" + name.replace("_", "-")


def arguments(bindings: Mapping[str, Binding]) -> tuple[str, ...]:
    """Bindings as long options: true is a bare flag, false is left out, a list repeats the option."""
    given: list[str] = []
    for name, value in bindings.items():
        if isinstance(value, bool):
            given += [option(name)] if value else []
        else:
            # One word, so that a value with a leading dash is not taken for an option.
            given += [f"{option(name)}={item}" for item in ([value] if isinstance(value, str) else value)]
    return tuple(given)


def derive(text: str, program: Iterable[tuple[str, ...]]) -> str | None:
    """`text` after the operations of a derivation program, None where one does not apply.

    Operations: basename, dirname, stem, extension, lower, upper, strip, ("replace", old, new), ("prepend", s),
    ("append", s), ("pad", width) with zeros, ("field", separator, index), ("regex", pattern): the last match's first group.
    """
    for operation, *arguments in program:
        match operation:
            case "basename":
                text = PurePosixPath(text).name
            case "dirname":
                text = str(PurePosixPath(text).parent)
            case "stem":
                text = PurePosixPath(text).stem
            case "extension":
                text = PurePosixPath(text).suffix
            case "lower":
                text = text.lower()
            case "upper":
                text = text.upper()
            case "strip":
                text = text.strip()
            case "replace":
                text = text.replace(arguments[0], arguments[1])
            case "prepend":
                text = arguments[0] + text
            case "append":
                text = text + arguments[0]
            case "pad":
                text = text.zfill(int(arguments[0]))
            case "field":
                fields = text.split(arguments[0])
                index = int(arguments[1])
                if not -len(fields) <= index < len(fields):
                    return None
                text = fields[index]
            case "regex":
                matches = re.findall(arguments[0], text)
                if not matches:
                    return None
                text = matches[-1]
            case _:
                raise ValueError(f"unknown operation {operation!r}")
    return text


def resolve(parameters: Iterable[Parameter], bindings: Mapping[str, Binding]) -> dict[str, Value]:
    """Every parameter's value: as bound, else its default, else derived from another parameter's value."""
    values: dict[str, Value] = {}
    waiting: list[tuple[str, Derivation]] = []
    for parameter in parameters:
        if parameter.name in bindings:
            values[parameter.name] = bindings[parameter.name]
        elif parameter.source == "derived" and parameter.derivation is not None:
            waiting.append((parameter.name, parameter.derivation))
        elif parameter.default is not None:
            default = parameter.default
            values[parameter.name] = default if isinstance(default, bool) else str(default)
    for name, derivation in waiting:
        source = values.get(derivation.source)
        derived = derive(source, derivation.program) if isinstance(source, str) else None
        if derived is not None:
            values[name] = derived
    return values


def _hole(hole: Hole, value: Value) -> str:
    text = value if isinstance(value, str) else str(value)
    return hole.prefix + quote(text, hole.long_style if "\n" in text else hole.style) + hole.suffix


def _texts(parts: Sequence[Part], values: Mapping[str, Value]) -> list[str]:
    texts: list[str] = []
    for part in parts:
        match part:
            case Fixed(word):
                texts.append(word.text)
            case Hole(parameter):
                if parameter not in values:
                    raise UnboundError(parameter)
                texts.append(_hole(part, values[parameter]))
            case Group(parameter, inner):
                if values.get(parameter) or values.get(parameter) == "":  # given, be it empty
                    texts.extend(_texts(inner, values))
            case Rest(parameter, style):
                items = values.get(parameter, [])
                texts.extend(quote(item, style) for item in (items if isinstance(items, list) else [str(items)]))
    return texts


def line(step: WorkflowStep, values: Mapping[str, Value]) -> str:
    """The command line of one run of a step."""
    return " ".join(_texts(step.parts, values))


def template(step: WorkflowStep) -> str:
    """The step for a reader, holes in braces, optional words in brackets: `git commit -m {message}`."""

    def show(part: Part) -> str:
        match part:
            case Fixed(word):
                return word.text
            case Hole(parameter, _, _, prefix, suffix):
                return f"{prefix}{{{parameter}}}{suffix}"
            case Group(_, inner):
                return "[" + " ".join(show(p) for p in inner) + "]"
            case Rest(parameter, _):
                return f"{{{parameter}...}}"

    return " ".join(show(part) for part in step.parts) or step.head


def commands(
    steps: Iterable[WorkflowStep], parameters: Iterable[Parameter], bindings: Mapping[str, Binding]
) -> tuple[str, ...]:
    """The command lines that the workflow runs with these bindings, in order.

    `bindings["failed"]` lists the names of the steps that failed. A failed step ends the run unless a later step is
    guarded on its failure. Raises `UnboundError` where a needed value is missing.
    """
    steps = tuple(steps)
    values = resolve(parameters, bindings)
    failed = bindings.get("failed", [])
    repaired = {step.guard.step for step in steps if step.guard and step.guard.outcome == "failed"}
    outcome: dict[str, str] = {}
    lines: list[str] = []
    for step in steps:
        if step.kind != "command":
            continue
        if step.guard and outcome.get(step.guard.step) != step.guard.outcome:
            continue
        if (step.switch and not values.get(step.switch)) or (step.skip and values.get(step.skip)):
            continue
        if step.each:
            items = values.get(step.each, [])
            items = items if isinstance(items, list) else [str(items)]
            lines.extend(line(step, {**values, step.each: item}) for item in items)
        else:
            lines.append(line(step, values))
        outcome[step.name] = "failed" if isinstance(failed, list) and step.name in failed else "ok"
        if outcome[step.name] == "failed" and step.name not in repaired:
            break
    return tuple(lines)
