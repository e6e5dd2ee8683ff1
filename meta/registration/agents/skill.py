"""Agent Skills: one folder with keys of the open specification only, linked to where Claude Code looks."""

from __future__ import annotations

import json
import math

from meta.registration.card import Card, Example, Link, Option, OwnFile, Piece, Registrar, advice, option_line


def pieces(card: Card) -> tuple[Piece, ...]:
    return (
        OwnFile(f".agents/skills/{card.name}/SKILL.md", _text(card)),
        Link(f".claude/skills/{card.name}", f"../../.agents/skills/{card.name}"),
    )


def _text(card: Card) -> str:
    payback = "never" if math.isinf(card.payback_weeks) else f"{card.payback_weeks:.2f}"
    head = [
        "---",
        f"name: {card.name}",
        f"description: {json.dumps(card.description, ensure_ascii=False)}",
        "metadata:",
        f'  meta-workflow: "{card.workflow}"',
        f'  meta-template-version: "{card.version}"',
        f'  meta-payback-weeks: "{payback}"',
        "---",
    ]
    body = ["", f"# {card.name}", "", "Run this in the project's folder:", "", "```bash", card.usage, "```", ""]
    body += [f"It does {' -> '.join(card.steps)}."] if card.steps else []
    body += advice(card)
    if card.options:
        body += ["", "Options:", "", *(option_line(option) for option in card.options)]
    return "\n".join([*head, *body, ""])


registrar = Registrar(
    "skill",
    pieces,
    examples=(
        Example(
            Card("gate", 'Test, then "lint". Use before committing.', "wf:1", "1", ("test", "lint"),
                 (Option("types", "bool"), Option("suite", "choice", True, ("fast", "all"))), payback_weeks=0.5),
            (
                OwnFile(
                    ".agents/skills/gate/SKILL.md",
                    """---
name: gate
description: "Test, then \\"lint\\". Use before committing."
metadata:
  meta-workflow: "wf:1"
  meta-template-version: "1"
  meta-payback-weeks: "0.50"
---

# gate

Run this in the project's folder:

```bash
python3 generated_tools/gate/tool.py --suite SUITE
```

It does test -> lint.
It stops at the first step that fails, shows the last lines, and names the log with the whole output.
On failure read the log and fix the cause; do not run the steps one by one.

Options:

- `--types`
- `--suite SUITE` (one of fast, all; required)
""",
                ),
                Link(".claude/skills/gate", "../../.agents/skills/gate"),
            ),
        ),
    ),
)  # fmt: skip
