"""What an agent is told about a tool, and the form in which each agent wants to be told.

Nothing is written here; `lifecycle` puts the pieces into a branch or a work tree.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass

from meta import rendering
from meta.model import Estimate, Parameter, Tool, Workflow
from meta.vetting import is_name, visible

_CONSENT = re.compile(r'^ *"(--allow-[a-z-]+)": \{"action"', re.MULTILINE)  # a row of the tool's table of options


@dataclass(frozen=True, slots=True)
class Option:
    """One long option. `kind` is what its value looks like, `choices` where there are few."""

    name: str
    kind: str
    required: bool = False
    choices: tuple[str, ...] = ()

    @property
    def flag(self) -> str:
        return rendering.option(self.name)

    @property
    def takes_value(self) -> bool:
        return self.kind != "bool"


@dataclass(frozen=True, slots=True)
class Card:
    """A tool as an agent meets it: no text of a transcript, only vetted names and words."""

    name: str
    description: str
    workflow: str
    version: str
    steps: tuple[str, ...] = ()
    options: tuple[Option, ...] = ()
    consent: tuple[str, ...] = ()
    pauses: bool = False
    makes: bool = False  # files, instead of running recorded steps
    payback_weeks: float = math.inf

    @property
    def program(self) -> str:
        return f"python3 generated_tools/{self.name}/tool.py"

    @property
    def usage(self) -> str:
        """The call with its required options, as a model should write it."""
        needed = [f"{o.flag} {o.name.upper()}" for o in self.options if o.required]
        return " ".join([self.program, *needed])


@dataclass(frozen=True, slots=True)
class OwnFile:
    """A file that is ours as a whole. `path` is relative to the workspace."""

    path: str
    text: str


@dataclass(frozen=True, slots=True)
class Link:
    """A symbolic link of ours; `target` is relative to the link."""

    path: str
    target: str


Piece = OwnFile | Link


@dataclass(frozen=True, slots=True)
class Example:
    """A card and what a registrar makes of it."""

    card: Card
    pieces: tuple[Piece, ...]


@dataclass(frozen=True, slots=True)
class Registrar:
    """How one kind of agent learns of a tool. The pieces depend on the card alone, so they can be found again."""

    name: str
    pieces: Callable[[Card], tuple[Piece, ...]]
    examples: tuple[Example, ...]


def card(tool: Tool, workflow: Workflow, estimate: Estimate) -> Card:
    """The card of a tool that was just generated from a workflow."""
    source = tool.files.get("tool.py", "")
    return Card(
        name=tool.name,
        description=plain(tool.description),
        workflow=workflow.id,
        version=tool.version,
        steps=tuple(step.name for step in workflow.steps if step.kind == "command"),
        options=tuple(_option(p, workflow) for p in workflow.parameters if p.source in ("caller", "output")),
        consent=consent(tool),
        makes=tool.template == "code-generator",
        pauses='"--from": {"dest": "start"' in source,
        payback_weeks=estimate.payback_weeks,
    )


def consent(tool: Tool) -> tuple[str, ...]:
    """The options by which the caller agrees to what cannot be undone."""
    return tuple(sorted(set(_CONSENT.findall(tool.files.get("tool.py", "")))))


def _option(parameter: Parameter, workflow: Workflow) -> Option:
    # clients read a file where `@` stands before its name
    plain_words = all(is_name(choice) and "@" not in choice for choice in parameter.choices)
    choices = parameter.choices if plain_words else ()
    return Option(parameter.name, parameter.type, rendering.required(parameter, workflow), choices)


def plain(text: str) -> str:
    """One line without angle brackets, which clients take for tags, and short enough for every client's list."""
    return " ".join(re.sub(r"[<>]", "", visible(text)).split())[:1000]


def option_line(option: Option, value: str = "") -> str:
    """One option for a list: what to write, and when it may be left out."""
    text = f"`{option.flag}`" if not option.takes_value else f"`{option.flag} {option.name.upper()}`"
    notes = [f"one of {', '.join(option.choices)}"] if option.choices else []
    notes += ["may be repeated"] if option.kind == "list" else []
    notes += ["required"] if option.required else []
    return f"- {text}" + (f": {value}" if value else "") + (f" ({'; '.join(notes)})" if notes else "")


def advice(card: Card) -> list[str]:
    """What to know before and after a call, one sentence each."""
    if card.makes:
        return [
            "It overwrites nothing. It says what it made and edited, and which places are left for you to fill: fill them."
        ]
    lines = ["It stops at the first step that fails, shows the last lines, and names the log with the whole output."]
    if card.pauses:
        lines.append("Where your judgement is needed it stops and says how to go on (`--from STEP`).")
    if card.consent:
        lines.append(f"Ask the user before you add {' or '.join(f'`{flag}`' for flag in card.consent)}.")
    lines.append("On failure read the log and fix the cause; do not run the steps one by one.")
    return lines
