"""Build the part of a tool that is its own: constants, derivations, and one function that reads like the workflow.

The options and the few lines that every tool shares come from the template.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

import libcst as cst

from meta.generation import words
from meta.generation.words import Names, call, literal
from meta.model import Derivation, Fixed, Hole, Parameter, Workflow, WorkflowStep
from meta.policy.steps import openings

RESERVED = frozenset(
    ("given", "run", "output", "pause", "str", "list", "bool", "re", "typed", "Shell", "PurePosixPath", "text")
)
COMMON = frozenset(("OPTIONS", "LOG", "RESUME"))
FUNCTIONS = frozenset(("main", "parse", "execute", "argv", "line", "quote", "typed", "run", "output", "pause"))


@dataclass(frozen=True, slots=True)
class Body:
    """The code of one tool, and what the template must know about it.

    `call` is how `main` calls the function. `resume` names the steps at which a hybrid goes on. `required` are the
    parameters that every whole run needs.
    """

    code: str
    call: str
    names: Names
    resume: tuple[str, ...]
    required: frozenset[str]
    outputs: bool
    repairs: bool
    unchecked: bool


@dataclass(frozen=True, slots=True)
class _Item:
    """One statement and the conditions under which it runs, outermost first."""

    conditions: tuple[str, ...]
    statement: cst.BaseStatement


def reachable(steps: Iterable[WorkflowStep]) -> tuple[WorkflowStep, ...]:
    """The steps a tool has: commands whose guard can come true, and between them the judgements that mattered."""
    kept: list[WorkflowStep] = []
    for step in steps:
        commands = {s.name for s in kept if s.kind == "command"}
        judged = step.kind in ("judgement", "edit") and commands and (step.guard or step.presence >= 0.5)
        if (step.kind == "command" or judged) and (step.guard is None or step.guard.step in commands):
            kept.append(step)
    while kept and kept[-1].kind != "command":
        kept.pop()
    return tuple(kept)


def build(workflow: Workflow, name: str) -> Body:
    """The body of the tool called `name`. Raises `RefusedError` where a step cannot be run as it was."""
    steps = reachable(workflow.steps)
    if not steps:
        raise words.RefusedError("the workflow has no command to run")
    identifiers = words.names(workflow.parameters, {*RESERVED, *(_succeeded(step) for step in steps)})
    return _Builder(workflow, steps, identifiers, name.replace("-", "_") + "_steps" * (name in FUNCTIONS)).body()


def _succeeded(step: WorkflowStep) -> str:
    return re.sub(r"\W", "_", step.name) + "_ok"


def _repairs(step: WorkflowStep) -> str:
    return step.guard.step if step.guard and step.guard.outcome == "failed" else ""


def _constant_name(step: WorkflowStep, taken: Collection[str]) -> str:
    name = re.sub(r"\W|^(?=\d)", "_", step.name.upper(), flags=re.ASCII)
    while name in taken:
        name += "_"
    return name


def _source(statement: str) -> cst.BaseStatement:
    return cst.parse_statement(statement)


def _line(expression: cst.BaseExpression, target: str = "") -> cst.SimpleStatementLine:
    if not target:
        return cst.SimpleStatementLine([cst.Expr(expression)])
    return cst.SimpleStatementLine([cst.Assign([cst.AssignTarget(cst.Name(target))], expression)])


class _Builder:
    """Holds what every statement of one workflow function needs to know."""

    def __init__(self, workflow: Workflow, steps: Sequence[WorkflowStep], names: Names, function: str) -> None:
        self.parameters = workflow.parameters
        self.steps = steps
        self.names = names
        self.function = function
        self.by_name = {step.name: step for step in steps}
        self.tolerated = {s.guard.step for s in workflow.steps if s.guard and s.guard.outcome == "failed"}
        self.constants: dict[str, cst.List] = {}
        self.signs = openings(workflow)
        self.outputs = [p for p in self.parameters if p.source == "output" and p.derivation]
        self.resume = self._resume()

    def _resume(self) -> dict[str, list[str]]:
        """The steps at which a run can go on after a pause, each with the steps that had failed on the way to it."""
        resume: dict[str, list[str]] = {}
        for before, step in pairwise(self.steps):
            if before.kind != "command" and step.kind == "command":
                resume[step.name] = self._failed_before(step)
        return resume

    def _failed_before(self, step: WorkflowStep) -> list[str]:
        if step.guard is None:
            return []
        failed = [step.guard.step] if step.guard.outcome == "failed" else []
        return self._failed_before(self.by_name[step.guard.step]) + failed

    def body(self) -> Body:
        items = self._items()
        uses = Counter(name.removeprefix("not ") for item in items for name in item.conditions)
        statements = _nested(items, uses)
        code = [*self._constants(), *self._finders(), self._definition(statements)]
        passed = [f"{i}=given.{i}" for i in (self.names.identifiers[p.name] for p in self._options())]
        effects = ["run", *(["outputs.get"] if self.outputs else []), *(["pause"] if self.resume else [])]
        return Body(
            code=cst.Module([]).with_changes(body=code).code,
            call=f"{self.function}({', '.join(effects + passed)})",
            names=self.names,
            resume=tuple(self.resume),
            required=self._required(),
            outputs=bool(self.outputs),
            repairs=any(_repairs(step) for step in self.steps if step.kind == "command"),
            unchecked=bool(self.tolerated & self.by_name.keys()),
        )

    def _options(self) -> list[Parameter]:
        return [p for p in self.parameters if p.source in ("caller", "output")]

    def _known(self) -> set[str]:
        """The parameters that have their value before the first step, or may have."""
        sure = {step.name for step in self.steps if step.kind == "command" and not self._conditions(step)}
        later = {p.name for p in self.outputs if p.derivation and p.derivation.source in sure}
        return {p.name for p in self.parameters if p.source != "derived"} - later

    def _constants(self) -> list[cst.BaseStatement]:
        lines: list[cst.BaseStatement] = [_line(value, name) for name, value in self.constants.items()]
        if self.resume:
            comment = "# Where a run can go on after a pause, and which steps had failed on the way there."
            line = _line(literal(self.resume), "RESUME")
            lines.append(line.with_changes(leading_lines=[cst.EmptyLine(comment=cst.Comment(comment))]))
        return lines

    def _finders(self) -> list[cst.BaseStatement]:
        return [
            _finder(
                parameter,
                parameter.derivation,
                self.names.identifiers[parameter.name],
                self.signs.get(parameter.name, ""),
            )
            for parameter in self.parameters
            if parameter.derivation and parameter.source in ("derived", "output")
        ]

    def _definition(self, statements: Sequence[cst.BaseStatement]) -> cst.BaseStatement:
        keywords = ", ".join(self._signature())
        effects = ["run", *(["output"] if self.outputs else []), *(["pause"] if self.resume else [])]
        head = f"def {self.function}({', '.join(effects)}{', *, ' + keywords if keywords else ''}) -> None: pass"
        definition = cst.ensure_type(_source(head), cst.FunctionDef)
        doc = '"""`run` runs a step and tells whether it succeeded; a failure ends the tool'
        doc += ' unless `check` is False."""' if self.tolerated else '."""'
        return definition.with_changes(body=cst.IndentedBlock([_line(cst.SimpleString(doc)), *statements]))

    def _signature(self) -> list[str]:
        required, signature = self._required(), []
        for parameter in self.parameters:
            name, default = self.names.identifiers[parameter.name], parameter.default
            if parameter.source == "constant" and default is not None:
                value = default if isinstance(default, bool) else str(default)
                signature.append(f"{name}: {type(value).__name__} = {value!r}")
            elif parameter in self._options():
                certain = parameter.name in required or default is not None
                plain = "str" if certain else "str | None"
                signature.append(f"{name}: { ({'bool': 'bool', 'list': 'list[str]'}.get(parameter.type, plain)) }")
        return signature

    def _required(self) -> frozenset[str]:
        """The caller's values without which the steps that always run, up to the first pause, cannot be written."""
        needed: set[str] = set()
        for step in self.steps:
            if step.kind != "command":
                break
            if not self._conditions(step):
                needed |= {p.parameter for p in step.parts if isinstance(p, Hole) and p.parameter != step.each}
        sources = {p.name: p.derivation.source for p in self.parameters if p.source == "derived" and p.derivation}
        for name in [p.name for p in reversed(self.parameters)]:
            if name in needed and name in sources:
                needed.add(sources[name])
        asked = {p.name for p in self.parameters if p.source == "caller" and p.default is None}
        return frozenset(needed & asked - {p.name for p in self.parameters if p.type in ("bool", "list")})

    def _conditions(self, step: WorkflowStep) -> tuple[str, ...]:
        conditions: tuple[str, ...] = ()
        if step.guard:
            before = self.by_name[step.guard.step]
            conditions = self._conditions(before)
            if step.guard.outcome == "failed":
                conditions += (f"not {_succeeded(before)}",)
            elif before.name in self.tolerated:
                conditions += (_succeeded(before),)
        if step.switch:
            conditions += (self.names.of(step.switch).value,)
        if step.skip:
            conditions += (f"not {self.names.of(step.skip).value}",)
        return tuple(dict.fromkeys(conditions))

    def _items(self) -> list[_Item]:
        items = [_Item((), line) for line in self._derived(self._known())]
        asked = {c.removeprefix("not ") for step in self.steps for c in self._conditions(step)}
        pauses: dict[tuple[str, ...], list[WorkflowStep]] = {}
        for step in self.steps:
            conditions = self._conditions(step)
            if step.kind != "command":
                pauses.setdefault(conditions, []).append(step)
                continue
            items += [_Item(where or conditions, self._pause(judged, step)) for where, judged in pauses.items()]
            pauses = {}
            target = _succeeded(step) if _succeeded(step) in asked else ""
            items.append(_Item(conditions, _line(self._run(step), target)))
            items += [_Item(conditions, line) for p in self.outputs for line in self._found(p, step)]
        return items

    def _run(self, step: WorkflowStep) -> cst.Call:
        check: object = False if step.name in self.tolerated else ""
        return call("run", literal(step.name), *self._commands(step), check=check, repairs=_repairs(step),
                    directory=step.directory)  # fmt: skip

    def _commands(self, step: WorkflowStep) -> list[cst.Arg]:
        command = words.words(step, self.names)
        if step.each:
            every = words.generator(command, self.names.item, words.each(self.names, step.each))
            bracketed = every.with_changes(lpar=[cst.LeftParen()], rpar=[cst.RightParen()])
            return [cst.Arg(bracketed, star="*")]
        if not words.constant(step):
            return [cst.Arg(command)]
        name = next((n for n, known in self.constants.items() if known.deep_equals(command)), "")
        if not name:
            name = _constant_name(step, {*self.constants, *COMMON})
            self.constants[name] = command
        return [cst.Arg(cst.Name(name))]

    def _derived(self, sources: set[str]) -> list[cst.BaseStatement]:
        """The values that follow from these parameters, one after another."""
        lines: list[cst.BaseStatement] = []
        for parameter in self.parameters:
            derivation = parameter.derivation
            if parameter.source == "derived" and derivation and derivation.source in sources:
                name = self.names.identifiers[parameter.name]
                lines.append(_line(call(f"find_{name}", self.names.of(derivation.source)), name))
                sources.add(parameter.name)
        return lines

    def _found(self, parameter: Parameter, step: WorkflowStep) -> list[cst.BaseStatement]:
        """The value of an output parameter after its step, and what follows from it."""
        if parameter.derivation is None or parameter.derivation.source != step.name:
            return []
        name = self.names.identifiers[parameter.name]
        found = _source(f"if {name} is None:\n    {name} = find_{name}(output({step.name!r}))")
        return [found, *self._derived({parameter.name})]

    def _pause(self, judgements: Sequence[WorkflowStep], resume: WorkflowStep) -> cst.BaseStatement:
        what = " Then ".join(instruction(step) for step in judgements)
        known = ", ".join(f"{i}={i}" for i in (self.names.identifiers[p.name] for p in self.outputs))
        return _source(f"pause({what!r}, resume={resume.name!r}{', ' + known if known else ''})")


def instruction(step: WorkflowStep) -> str:
    """What the agent should do at a judgement, in fixed words and the class of files only."""
    about = " ".join(re.findall(r"[\w*./-]+", step.head, flags=re.ASCII))[:60]
    return f"Your part now: {about or 'look at the result and decide'}."


def _nested(items: Sequence[_Item], uses: Mapping[str, int]) -> list[cst.BaseStatement]:
    """The statements, neighbours under the same condition in one `if`."""
    statements: list[cst.BaseStatement] = []
    index = 0
    while index < len(items):
        if not items[index].conditions:
            statements.append(items[index].statement)
            index += 1
            continue
        condition = items[index].conditions[0]
        inner = []
        while index < len(items) and items[index].conditions[:1] == (condition,):
            inner.append(_Item(items[index].conditions[1:], items[index].statement))
            index += 1
        block = _nested(inner, uses)
        test = cst.parse_expression(condition)
        if (
            statements
            and uses[condition.removeprefix("not ")] == len(inner)
            and (value := _assigned(statements[-1], condition))
        ):
            statements.pop()
            test = cst.UnaryOperation(cst.Not(), value) if condition.startswith("not ") else value
        if len(block) == 1 and isinstance(block[0], cst.If):
            test = cst.BooleanOperation(test, cst.And(), block[0].test)
            block = list(cst.ensure_type(block[0].body, cst.IndentedBlock).body)
        statements.append(cst.If(test, cst.IndentedBlock(block)))
    return statements


def _assigned(statement: cst.BaseStatement, condition: str) -> cst.BaseExpression | None:
    """The value of `x = value` where the condition is `x` or `not x`."""
    match statement:
        case cst.SimpleStatementLine(body=[cst.Assign(targets=[cst.AssignTarget(target=cst.Name(name))], value=value)]):
            return value if name == condition.removeprefix("not ") else None
    return None


_OPERATIONS = {
    "basename": "PurePosixPath(text).name",
    "dirname": "str(PurePosixPath(text).parent)",
    "stem": "PurePosixPath(text).stem",
    "extension": "PurePosixPath(text).suffix",
    "lower": "text.lower()",
    "upper": "text.upper()",
    "strip": "text.strip()",
    "replace": "text.replace({0!r}, {1!r})",
    "prepend": "{0!r} + text",
    "append": "text + {0!r}",
}


def _raw(pattern: str) -> str:
    """The pattern as Python, without doubled backslashes where that can be."""
    simple = pattern.isprintable() and '"' not in pattern and not pattern.endswith("\\")
    return f'r"{pattern}"' if simple and "\\" in pattern else repr(pattern)


def _finder(parameter: Parameter, derivation: Derivation, name: str, signs: str) -> cst.BaseStatement:
    """A function from the source's text to the parameter's value, None where the rule does not apply or it begins so."""
    lines = ["if text is None:", "    return None"]
    for operation, *arguments in derivation.program:
        if operation == "regex":
            lines += [
                f"found = re.findall({_raw(arguments[0])}, text)",
                "if not found:",
                "    return None",
                "text = found[-1]",
            ]
        elif operation == "field":
            separator, place = arguments[0], int(arguments[1])
            lines += [f"fields = text.split({separator!r})", f"if not -len(fields) <= {place} < len(fields):",
                      "    return None", f"text = fields[{place}]"]  # fmt: skip
        else:
            lines.append(f"text = {_OPERATIONS[operation].format(*arguments)}")
    last = lines.pop()
    if signs:
        begins = repr(signs) if len(signs) == 1 else repr(tuple(signs))
        lines += [last, f"return None if text.startswith({begins}) else text"]
    else:
        lines.append(
            last.replace("text = ", "return ", 1) if last.startswith("text = ") else f"{last}\n    return text"
        )
    of = "the output of " if parameter.source == "output" else ""
    doc = f'"""`{parameter.name}`, as it follows from {of}`{derivation.source}`."""'
    return _source("\n    ".join([f"def find_{name}(text: str | None) -> str | None:", doc, *lines]))


def fixed_line(step: WorkflowStep) -> str:
    """The recorded line of a step of fixed words."""
    return " ".join(part.word.text for part in step.parts if isinstance(part, Fixed))
