"""Two workflows and the tools for them, written by hand: a gate with a repair, and a commit with a message."""

from meta import rendering
from meta.model import (
    Binding,
    Fixed,
    Group,
    Guard,
    Hole,
    Occurrence,
    Parameter,
    Rest,
    Tool,
    Word,
    Workflow,
    WorkflowStep,
)


def fixed(text: str) -> tuple[Fixed, ...]:
    return tuple(Fixed(Word(word, word)) for word in text.split())


def workflow(
    name: str, steps: tuple[WorkflowStep, ...], parameters: tuple[Parameter, ...], runs: list[dict[str, Binding]]
) -> Workflow:
    occurrences = tuple(
        Occurrence(f"session-{n}", "claude-code", (f"e{n}",), bindings, rendering.commands(steps, parameters, bindings))
        for n, bindings in enumerate(runs)
    )
    return Workflow(
        f"wf:{name}", name, "shop", steps, parameters, occurrences, held_out=len(runs), triggers=("commit",)
    )


GATE = workflow(
    "gate",
    (
        WorkflowStep("test", "command", "bun run test", 1.0, fixed("bun run test")),
        WorkflowStep("lint", "command", "bun run lint", 1.0, fixed("bun run lint")),
        WorkflowStep("fix", "command", "bun run fix", 0.4, fixed("bun run fix"), guard=Guard("lint", "failed")),
        WorkflowStep("types", "command", "bun run types", 0.3, fixed("bun run types"), switch="types"),
    ),
    (Parameter("types", "bool", default=False),),
    [{}, {"types": True}, {"failed": ["lint"]}, {"failed": ["test"]}, {}],
)

LOOK = workflow(  # the same, and it only reads
    "look",
    (
        WorkflowStep("status", "command", "git status", 1.0, fixed("git status")),
        WorkflowStep("diff", "command", "git diff", 1.0, fixed("git diff")),
        WorkflowStep("log", "command", "git log", 0.3, fixed("git log"), switch="types"),
    ),
    (Parameter("types", "bool", default=False),),
    [{}, {"types": True}, {"failed": ["status"]}, {}],
)

SAVE = workflow(
    "save-work",
    (
        WorkflowStep("add", "command", "git add", 1.0, (*fixed("git add"), Rest("paths"))),
        WorkflowStep(
            "commit",
            "command",
            "git commit",
            1.0,
            (
                *fixed("git commit -m"),
                Hole("message", "double", "heredoc"),
                Group("trailer", (*fixed("--trailer"), Hole("trailer", prefix="By="))),
            ),
        ),
    ),
    (Parameter("paths", "list"), Parameter("message", "str"), Parameter("trailer", "str")),
    [
        {"paths": ["a.py"], "message": "make it so"},
        {"paths": ["b.py", "c d.py"], "message": 'say "when"\n\nand $5', "trailer": "Ann"},
        {"paths": ["."], "message": "third"},
    ],
)

HEAD = '''"""Do what was recorded."""
import argparse
import re
import subprocess
import sys


def quote(text, style="bare"):
    if style == "bare" and re.fullmatch(r"[\\w@%+=:,./^{}~-]*[\\w@%+=:,./^{}-]", text, re.ASCII) and text[0] != "~":
        return text
    if style == "heredoc" and "EOF" not in text.split("\\n"):
        return f"\\"$(cat <<'EOF'\\n{text}\\nEOF\\n)\\""
    return '"' + re.sub(r'\\\\(?=[\\\\$"`\\n]|$)|[$"`]', r"\\\\\\g<0>", text) + '"'


def line(command):
    return " ".join(word if isinstance(word, str) else word[1] for word in command)


def argv(command):
    return [word if isinstance(word, str) else word[0] for word in command]


def word(text, style="bare", long="", before=""):
    return before + text, before + quote(text, long if long and "\\n" in text else style)


def plain(text):
    if text.startswith("-"):
        raise argparse.ArgumentTypeError("no option")
    return text


def main(words=None):
    parser = argparse.ArgumentParser()
    parser.add_argument("--dry-run", action="store_true")
    parser.add_argument("--failed", action="append", default=[])
    options(parser)
    given = parser.parse_args(words)

    def run(name, command):
        if given.dry_run:
            print(line(command))
            return name not in given.failed
        return subprocess.run(argv(command)).returncode == 0

    return 0 if work(run, given) or given.dry_run else 1
'''
TAIL = '\n\nif __name__ == "__main__":\n    sys.exit(main())\n'

GATE_TOOL = (
    HEAD
    + """

def options(parser):
    parser.add_argument("--types", action="store_true")


def work(run, given):
    if not run("test", ["bun", "run", "test"]):
        return False
    if not run("lint", ["bun", "run", "lint"]) and not run("fix", ["bun", "run", "fix"]):
        return False
    return run("types", ["bun", "run", "types"]) if given.types else True
"""
    + TAIL
)

LOOK_TOOL = (
    HEAD
    + """

def options(parser):
    parser.add_argument("--types", action="store_true")


def work(run, given):
    if not run("status", ["git", "status"]) or not run("diff", ["git", "diff"]):
        return False
    return run("log", ["git", "log"]) if given.types else True
"""
    + TAIL
)

SAVE_TOOL = (
    HEAD
    + """

def options(parser):
    parser.add_argument("--paths", action="append", default=[], type=plain)
    parser.add_argument("--message", required=True)
    parser.add_argument("--trailer")


def work(run, given):
    if not run("add", ["git", "add", *[word(path) for path in given.paths]]):
        return False
    trailer = [] if given.trailer is None else ["--trailer", word(given.trailer, before="By=")]
    return run("commit", ["git", "commit", "-m", word(given.message, "double", "heredoc"), *trailer])
"""
    + TAIL
)

TEST = """import unittest

import tool


class Runs(unittest.TestCase):
    def test_it_prints_its_lines(self):
        self.assertEqual(tool.line(["a", "b"]), "a b")


if __name__ == "__main__":
    unittest.main()
"""


def tool(source: str, of: Workflow, test: str = TEST) -> Tool:
    return Tool(
        of.name,
        of.id,
        "python-script",
        "1",
        {"tool.py": source, "test_tool.py": test, "tool.toml": f'name = "{of.name}"\n'},
        f"Do the {of.name} of this project in one call. Use before committing.",
        ("write-project",),
    )
