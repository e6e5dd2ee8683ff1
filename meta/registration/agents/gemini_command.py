"""Gemini CLI: a command file whose prompt passes what the user typed to the model, not to a shell."""

from __future__ import annotations

import json

from meta.registration.card import Card, Example, Option, OwnFile, Piece, Registrar, advice, option_line


def pieces(card: Card) -> tuple[Piece, ...]:
    return (OwnFile(f".gemini/commands/{card.name}.toml", _text(card)),)


def _text(card: Card) -> str:
    prompt = [f"Run `{card.program}` from the project's folder with the shell tool."]
    if card.options:
        prompt += ["Take the values of its options from what was asked, each as one quoted argument.", ""]
        prompt += [*(option_line(option) for option in card.options), ""]
    prompt += [*advice(card), "", "Asked: {{args}}", ""]
    description = json.dumps(card.description, ensure_ascii=False)
    return "\n".join([f"description = {description}", "prompt = '''", *prompt, "'''", ""])


registrar = Registrar(
    "gemini-command",
    pieces,
    examples=(
        Example(
            Card("gate", "Test.", "wf:1", "1", options=(Option("types", "bool"),), consent=("--allow-spend",)),
            (
                OwnFile(
                    ".gemini/commands/gate.toml",
                    """description = "Test."
prompt = '''
Run `python3 generated_tools/gate/tool.py` from the project's folder with the shell tool.
Take the values of its options from what was asked, each as one quoted argument.

- `--types`

It stops at the first step that fails, shows the last lines, and names the log with the whole output.
Ask the user before you add `--allow-spend`.
On failure read the log and fix the cause; do not run the steps one by one.

Asked: {{args}}

'''
""",
                ),
            ),
        ),
    ),
)
