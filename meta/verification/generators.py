"""Whether a tool that makes the next member of a family may be trusted: it has no recorded runs, its members are its proof.

Its own test makes every one of them again; what it was generated from was held against the members before that.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from meta.model import Check, Tool, Verdict
from meta.verification import own_tests, sandbox, static, trials

FORMATTERS = ("ruff", "black")


def verify(tool: Tool) -> Verdict:
    """The checks "parses", "lint", "policy" and "own tests". Without a sandbox the last is not run."""
    parsed = static.parses(tool)
    if not parsed.passed:
        return Verdict((parsed,), "none")
    known = (parsed, static.lint(tool), _policy(tool))
    level = sandbox.level()
    if level in ("none", "limits"):
        reason = "not run: there is no sandbox on this machine that is enough for it"
        return Verdict((*known, Check("own tests", None, reason)), "none")
    with sandbox.place() as place:
        return Verdict((*known, own_tests.check(trials.write(tool, place / tool.name))), level)


def _policy(tool: Tool) -> Check:
    """It opens no connection, loads no code, and starts no program but a formatter."""
    source = tool.files["tool.py"]
    tree = ast.parse(source)
    findings = [*static.reaches(source), *_programs(tree)]
    return Check(
        "policy", not findings, "; ".join(findings) or f"runs only {' or '.join(_formatters(tree)) or 'nothing'}"
    )


def _formatters(tree: ast.Module) -> list[str]:
    """The first word of each list that is called FORMATTER."""
    return [
        str(first.value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Assign) and [ast.unparse(target) for target in node.targets] == ["FORMATTER"]
        for first in (node.value.elts[:1] if isinstance(node.value, ast.List) else [])
        if isinstance(first, ast.Constant)
    ]


def _programs(tree: ast.Module) -> Iterator[str]:
    for program in _formatters(tree):
        if program not in FORMATTERS:
            yield f"runs {program}, which is no formatter known here"
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func).startswith("subprocess."):
            first = ast.unparse(node.args[0]) if node.args else ""
            if ast.unparse(node.func) != "subprocess.run" or not first.startswith("[*FORMATTER, "):
                yield f"line {node.lineno}: runs a program that is not the formatter"
