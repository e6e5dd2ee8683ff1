"""A registered tool as a function that a model may call: its JSON Schema, and the form each vendor wants.

Read from the tool's own manifest (tool.toml), which a person may have edited. Nothing is called here.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from meta import rendering
from meta.model import Binding, Tool
from meta.registration import card, inventory

Json = dict[str, Any]
LONGEST = 48  # characters of a name, so that with a client's prefix it stays below the 64 that OpenAI allows
_TYPES: Mapping[str, Json] = {
    "int": {"type": "integer"},
    "float": {"type": "number"},
    "bool": {"type": "boolean"},
    "list": {"type": "array", "items": {"type": "string"}},
}
# What `tool.py --json` prints.
OUTPUT: Json = {
    "type": "object",
    "properties": {
        "ok": {"type": "boolean"},
        "exit_code": {"type": "integer"},
        "steps": {"type": "object", "additionalProperties": {"type": "integer"}},
        "log": {"type": "string"},
        "tail": {"type": "array", "items": {"type": "string"}},
    },
    "required": ["ok", "exit_code"],
}


@dataclass(frozen=True, slots=True)
class Function:
    """One function. `options` maps the name of each property to the tool's long option."""

    name: str
    tool: str
    description: str
    schema: Json
    options: Mapping[str, str]
    effects: frozenset[str] = frozenset()
    payback_weeks: float = field(default=float("inf"))

    @property
    def annotations(self) -> Json:
        """What a client may tell its user before a call (MCP tool annotations); who declares nothing may do anything."""
        reads = self.effects == {"read"}
        return {
            "title": self.tool,
            "readOnlyHint": reads,
            "destructiveHint": not self.effects or bool(self.effects & {"destroy", "spend", "unknown"}),
            "idempotentHint": reads,
            "openWorldHint": bool(self.effects & {"network", "spend"}),
        }


def function(tool: Tool) -> Function:
    """The function of a tool. What the manifest does not tell is left out; a broken one makes a function without options."""
    about = inventory.manifest(tool)
    properties: Json = {}
    options: dict[str, str] = {}
    required: list[str] = []
    for row in _rows(about.get("parameters")):
        name, option = str(row.get("name", "")), str(row.get("option", ""))
        if name and option.startswith("--"):
            properties[name] = _property(row)
            options[name] = option
            required += [name] if row.get("required") is True else []
    for flag in card.consent(tool):
        name = flag.removeprefix("--").replace("-", "_")
        properties[name] = {"type": "boolean", "description": "ask the user before you set this"}
        options[name] = flag
    schema = {"type": "object", "properties": properties, "additionalProperties": False}
    return Function(
        name=name_of(tool.name),
        tool=tool.name,
        description=card.plain(tool.description),
        schema=schema | ({"required": required} if required else {}),
        options=options,
        effects=frozenset(tool.effects),
        payback_weeks=_number(about.get("estimate", {})),
    )


def name_of(tool: str) -> str:
    """The name by which models call a tool: letters, digits and low lines, which all of them allow."""
    return re.sub(r"[^a-z0-9]+", "_", tool.lower()).strip("_")[:LONGEST]


def _rows(value: object) -> list[Mapping[str, Any]]:
    return [row for row in value if isinstance(row, Mapping)] if isinstance(value, list) else []


def _number(estimate: object) -> float:
    value = estimate.get("payback_weeks") if isinstance(estimate, Mapping) else None
    return float(value) if isinstance(value, (int, float)) else float("inf")


def _property(row: Mapping[str, Any]) -> Json:
    schema = dict(_TYPES.get(str(row.get("type", "")), {"type": "string"}))
    choices = row.get("choices")
    if schema["type"] == "string" and isinstance(choices, list) and choices and row.get("type") == "choice":
        schema["enum"] = [str(choice) for choice in choices]
    default = row.get("default")
    if row.get("type") != "secret" and schema["type"] != "array" and isinstance(default, (str, int, float)):
        schema["default"] = default
    return schema


def arguments(function: Function, values: Mapping[str, Any]) -> tuple[str, ...]:
    """The options of a call. Raises `ValueError` that says what is wrong with the values."""
    properties = function.schema["properties"]
    unknown = sorted(values.keys() - properties.keys())
    missing = [name for name in function.schema.get("required", []) if name not in values]
    if unknown or missing:
        raise ValueError(
            "; ".join([f"there is no {name}" for name in unknown] + [f"{name} is missing" for name in missing])
        )
    given: dict[str, Binding] = {}
    for name, value in values.items():
        wanted = properties[name]
        if not _fits(value, wanted):
            raise ValueError(f"{name} must be {wanted.get('enum') or wanted['type']}, not {value!r}")
        given[function.options[name].removeprefix("--")] = value if isinstance(value, (bool, list)) else str(value)
    return rendering.arguments(given)


def _fits(value: object, schema: Json) -> bool:
    if "enum" in schema:
        return value in schema["enum"]
    kinds: Mapping[str, Callable[[object], bool]] = {
        "boolean": lambda v: isinstance(v, bool),
        "integer": lambda v: isinstance(v, int) and not isinstance(v, bool),
        "number": lambda v: isinstance(v, (int, float)) and not isinstance(v, bool),
        "string": lambda v: isinstance(v, str) and "\0" not in v,
        "array": lambda v: isinstance(v, list) and all(isinstance(item, str) and "\0" not in item for item in v),
    }
    return kinds[str(schema["type"])](value)


def anthropic(functions: Sequence[Function]) -> list[Json]:
    """For the Messages API's `tools`."""
    return [{"name": f.name, "description": f.description, "input_schema": f.schema} for f in functions]


def openai(functions: Sequence[Function]) -> list[Json]:
    """For the Responses API's `tools`. Not strict: that asks for every option on every call."""
    return [
        {"type": "function", "name": f.name, "description": f.description, "parameters": f.schema, "strict": False}
        for f in functions
    ]


def gemini(functions: Sequence[Function]) -> list[Json]:
    """For `tools` of generateContent."""
    declared = [{"name": f.name, "description": f.description, "parametersJsonSchema": f.schema} for f in functions]
    return [{"functionDeclarations": declared}] if declared else []


VENDORS: Mapping[str, Callable[[Sequence[Function]], list[Json]]] = {
    "anthropic": anthropic, "openai": openai, "gemini": gemini,
}  # fmt: skip
