"""Claude Code: a slash command whose named arguments go to the model, which calls the script with them.

No placeholder stands inside !`...`: there a value would be pasted into a shell as it is.
"""

from __future__ import annotations

import json
import re

from meta.registration.card import Card, Example, Option, OwnFile, Piece, Registrar, advice, option_line


def pieces(card: Card) -> tuple[Piece, ...]:
    return (OwnFile(f".claude/commands/{card.name}.md", _text(card)),)


def _text(card: Card) -> str:
    named = [option for option in card.options if option.takes_value and re.fullmatch(r"[a-z]\w*", option.name)]
    named.sort(key=lambda option: not option.required)
    head = ["---", f"description: {json.dumps(card.description, ensure_ascii=False)}"]
    if named:
        hint = " ".join(f"[{option.name}]" for option in named)
        head += [f"arguments: [{', '.join(option.name for option in named)}]", f"argument-hint: {json.dumps(hint)}"]
    # A tool that can do harm asks each time: a rule for its program would cover the flag that agrees to the harm.
    head += [] if card.consent else [f"allowed-tools: Bash({card.program} *)"]
    head += ["---"]
    body = [f"Run `{card.program}` from the project's folder with the Bash tool."]
    if named:
        body += ["Give each value below as one quoted argument; leave out an option whose value is missing.", ""]
        body += [option_line(option, f"${option.name}") for option in named]
        body += [""]
    flags = [option for option in card.options if not option.takes_value]
    if flags:
        body += ["Add these only when they are asked for:", "", *(option_line(option) for option in flags), ""]
    return "\n".join([*head, "", *body, *advice(card), ""])


registrar = Registrar(
    "claude-command",
    pieces,
    examples=(
        Example(
            Card("gate", "Test.", "wf:1", "1", options=(Option("types", "bool"), Option("suite", "str", True))),
            (
                OwnFile(
                    ".claude/commands/gate.md",
                    """---
description: "Test."
arguments: [suite]
argument-hint: "[suite]"
allowed-tools: Bash(python3 generated_tools/gate/tool.py *)
---

Run `python3 generated_tools/gate/tool.py` from the project's folder with the Bash tool.
Give each value below as one quoted argument; leave out an option whose value is missing.

- `--suite SUITE`: $suite (required)

Add these only when they are asked for:

- `--types`

It stops at the first step that fails, shows the last lines, and names the log with the whole output.
On failure read the log and fix the cause; do not run the steps one by one.
""",
                ),
            ),
        ),
    ),
)
