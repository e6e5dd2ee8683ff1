"""Bring a tool up to date without losing what a person changed in it.

A merge is three-way: the old render, the person's file, the new render. Where both changed the same lines the caller
gets the conflict to show; nothing is decided here.
"""

from __future__ import annotations

import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

import libcst as cst
import libcst.matchers as m

from meta.errors import UserError
from meta.rendering import option


@dataclass(frozen=True, slots=True)
class Merged:
    """The merged text; with conflicts it holds both sides between git's markers."""

    text: str
    conflicts: int


def merge(old_render: str, edited: str, new_render: str) -> Merged:
    """The person's edits and the new render's, both relative to the old render."""
    with tempfile.TemporaryDirectory(prefix="meta-") as place:
        sides = {"edited": edited, "generated before": old_render, "generated now": new_render}
        for name, text in sides.items():
            Path(place, name).write_text(text, newline="")
        code, text = _git_merge(place, list(sides))
    return Merged(text, code)


def _git_merge(place: str, names: list[str]) -> tuple[int, str]:
    """The number of conflicts and the merged text of three files, the middle one being the common ancestor."""
    labels = [word for name in names for word in ("-L", name)]
    done = subprocess.run(["git", "merge-file", "-p", *labels, *names], cwd=place, capture_output=True, check=False)
    if not 0 <= done.returncode < 128:
        raise UserError(f"git cannot merge the tool: {done.stderr.decode(errors='replace').strip()}")
    return done.returncode, done.stdout.decode()


def add_parameter(source: str, name: str, *, flag: bool, help: str) -> str:
    """The tool's source with one more option that reaches the workflow's function; the steps are left to the person.

    Raises `UserError` where the source has lost the shape of a generated tool.
    """
    adder = _Adder(name, flag=flag, help=help)
    changed = cst.parse_module(source).visit(adder)
    if adder.places != {"option", "parameter", "argument"}:
        raise UserError(
            f"the tool no longer has the table OPTIONS, a function of `run` and its call: add --{name} by hand"
        )
    return changed.code


class _Adder(m.MatcherDecoratableTransformer):
    """Adds to the table, to the signature, and to the call in `main`."""

    def __init__(self, name: str, *, flag: bool, help: str) -> None:
        super().__init__()
        self.name, self.flag = name, flag
        settings = {"action": "store_true", "help": help} if flag else {"help": help}
        self.row = cst.DictElement(cst.parse_expression(repr(option(name))), cst.parse_expression(repr(settings)))
        self.function = ""
        self.places: set[str] = set()

    @m.leave(m.Assign([m.AssignTarget(m.Name("OPTIONS"))], m.Dict()))
    def into_table(self, original_node: cst.Assign, updated_node: cst.Assign) -> cst.Assign:
        self.places.add("option")
        table = cst.ensure_type(updated_node.value, cst.Dict)
        newline = cst.ParenthesizedWhitespace(indent=True, last_line=cst.SimpleWhitespace("    "))
        row = self.row.with_changes(comma=cst.Comma(whitespace_after=newline))
        return updated_node.with_changes(value=table.with_changes(elements=[row, *table.elements]))

    @m.leave(m.FunctionDef(params=m.Parameters([m.Param(m.Name("run")), m.ZeroOrMore()])))
    def into_signature(self, original_node: cst.FunctionDef, updated_node: cst.FunctionDef) -> cst.FunctionDef:
        self.function = updated_node.name.value
        self.places.add("parameter")
        kind = cst.Annotation(cst.parse_expression("bool" if self.flag else "str | None"))
        added = cst.Param(cst.Name(self.name), kind, star="")
        parameters = updated_node.params
        star = parameters.star_arg if parameters.kwonly_params else cst.ParamStar()
        keywords = [*parameters.kwonly_params, added]
        return updated_node.with_changes(params=parameters.with_changes(star_arg=star, kwonly_params=keywords))

    @m.leave(m.Call(m.Name(), [m.Arg(m.Name("run")), m.ZeroOrMore()]))
    def into_call(self, original_node: cst.Call, updated_node: cst.Call) -> cst.Call:
        if not m.matches(updated_node.func, m.Name(self.function)):
            return updated_node
        self.places.add("argument")
        equal = cst.AssignEqual(cst.SimpleWhitespace(""), cst.SimpleWhitespace(""))
        value = cst.parse_expression(f"given.{self.name}")
        return updated_node.with_changes(args=[*updated_node.args, cst.Arg(value, cst.Name(self.name), equal)])
