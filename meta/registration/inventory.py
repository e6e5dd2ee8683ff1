"""What is known of a workspace's tools from their own files, on a branch or in the work tree.

Nothing is changed here; that is `lifecycle`.
"""

from __future__ import annotations

import json
import math
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from meta import files
from meta.errors import UserError
from meta.model import Shadow, Tool
from meta.registration import actions, branch, lifecycle
from meta.registration.pieces import TOOLS

SHADOWS = ".meta/shadows.json"
JUDGED = ".meta/judged.json"


def tool(workspace: Path, name: str) -> Tool:
    """The tool as its files are now, edits of a person included. Raises `UserError` for a name that is not known."""
    known = {each.name: each.state for each in lifecycle.tools(workspace)}
    if name not in known:
        raise lifecycle.unknown(workspace, name, ("proposed", "accepted", "registered", "retired"))
    if known[name] == "proposed":
        return proposed(workspace, name)
    return read(workspace / (lifecycle.RETIRED if known[name] == "retired" else TOOLS) / name)


def read(place: Path) -> Tool:
    """The tool whose files lie in this folder of the work tree."""
    files = {str(p.relative_to(place)): p.read_text(errors="replace") for p in place.rglob("*") if _ours(p)}
    return described(place.name, files)


def proposed(workspace: Path, name: str, among: str = "") -> Tool:
    """The tool as it is on its review branch, or on the one where it is updated `among` others."""
    blobs = branch.tree(workspace, branch.commit_of(workspace, branch.ref(among or name)), f"{TOOLS}/{name}")
    return described(name, {path.removeprefix(f"{TOOLS}/{name}/"): blob.content for path, blob in blobs.items()})


def _ours(path: Path) -> bool:
    return path.is_file() and not {"__pycache__", ".suspended"}.intersection(path.parts)


def described(name: str, files: Mapping[str, str]) -> Tool:
    """The tool of these files. Raises `UserError` where its manifest cannot be read."""
    try:
        about = tomllib.loads(files.get("tool.toml", ""))
    except tomllib.TOMLDecodeError as error:
        raise UserError(f"tool.toml of {name} is not valid TOML: {error}. Mend that line.") from error
    origin, effects = about.get("provenance"), about.get("effects")
    origin = origin if isinstance(origin, dict) else {}
    return Tool(
        name=name,
        workflow=str(origin.get("workflow", "")),
        template=str(origin.get("template", "")),
        version=str(origin.get("version", "")),
        files=files,
        description=str(about.get("description", "")),
        effects=tuple(map(str, effects)) if isinstance(effects, list) else (),
    )


def manifest(tool: Tool) -> dict[str, Any]:
    """What tool.toml says; nothing where it cannot be read. A person may have edited it, so any of it may be missing."""
    try:
        return tomllib.loads(tool.files.get("tool.toml", ""))
    except tomllib.TOMLDecodeError:
        return {}


def saving(tool: Tool) -> tuple[float | None, float | None]:
    """The minutes that a run of the tool and that a week of runs were expected to save; None where it does not say."""
    try:
        about = manifest(tool)["estimate"]
        a_run = float(about["minutes_per_run"]) * float(about["automation"])
        return a_run, a_run * float(about["runs_per_week"])
    except (ValueError, LookupError, TypeError):
        return None, None


def work(tool: Tool) -> tuple[str, ...]:
    """What the tool does, as `vetting.shown_work` tells it; () where its manifest does not say."""
    try:
        told = manifest(tool)["provenance"]["work"]
    except (LookupError, TypeError):
        return ()
    return tuple(map(str, told)) if isinstance(told, list) else ()


def steps(tool: Tool) -> list[dict[str, Any]]:
    """The commands that the tool runs, as its manifest tells them, in order."""
    told = manifest(tool).get("steps")
    rows = told if isinstance(told, list) else []
    return [row for row in rows if isinstance(row, dict) and row.get("kind") == "command"]


def rendered(tool: Tool) -> str:
    """The fingerprint of its program as it was generated, "" where its manifest does not say."""
    try:
        return str(manifest(tool)["provenance"]["rendered"])
    except (LookupError, TypeError):
        return ""


def learned(tool: Tool) -> set[tuple[str, str]]:
    """The session and the id of every event that the tool was learned from, as its manifest tells them."""
    return {(str(run["session"]), str(event)) for run in _runs(tool) for event in run["events"]}


def runs(tool: Tool) -> int:
    """How many runs it was learned from."""
    return len(_runs(tool))


def _runs(tool: Tool) -> list[dict[str, Any]]:
    try:
        rows = manifest(tool)["evidence"]["runs"]
        return [row for row in rows if row["session"] and list(row["events"])]
    except (LookupError, TypeError):
        return []


def options(tool: Tool) -> set[str]:
    """The parameters that the tool takes from its caller, and `failed`, which every tool has."""
    try:
        return {"failed", *(str(row["name"]) for row in manifest(tool)["parameters"] if row.get("option"))}
    except (LookupError, TypeError, AttributeError):
        return {"failed"}


def shadows(workspace: Path) -> dict[str, Shadow]:
    """What the last look found of each tool."""
    try:
        rows = json.loads((workspace / SHADOWS).read_text())
        return {str(name): Shadow(int(row["matched"]), int(row["seen"])) for name, row in rows.items()}
    except (OSError, ValueError, LookupError, TypeError, AttributeError):  # none yet; what is damaged is made anew
        return {}


def keep_shadows(workspace: Path, found: Mapping[str, Shadow]) -> None:
    rows = {name: {"matched": one.matched, "seen": one.seen} for name, one in sorted(found.items())}
    files.write(workspace / SHADOWS, json.dumps(rows, indent=1))


def since(workspace: Path, name: str) -> float:
    """When the tool came into the work tree, in seconds since the epoch: by its first commit, else by its file."""
    path = f"{TOOLS}/{name}/tool.py"
    if times := branch.history(workspace, path, "%ct"):
        return float(times[0])
    try:
        return (workspace / path).stat().st_mtime
    except OSError:
        return math.inf


def judged(workspace: Path) -> dict[str, float]:
    """The time of the last use for which each tool was suspended; what was before does not count against it again."""
    try:
        return {str(name): float(time) for name, time in json.loads((workspace / JUDGED).read_text()).items()}
    except (OSError, ValueError, TypeError, AttributeError):  # none yet; what is damaged is made anew
        return {}


def judge(workspace: Path, name: str, time: float) -> None:
    files.write(workspace / JUDGED, json.dumps(judged(workspace) | {name: time}, indent=1))


def decided(workspace: Path) -> tuple[set[str], list[tuple[str, ...]]]:
    """The workflows that have a tool, whatever its state, or were declined: their ids, and what they do."""
    known = [tool(workspace, known.name) for known in lifecycle.tools(workspace)]
    ids = {each.workflow for each in known} | set(lifecycle.declined(workspace))
    return ids, [*filter(None, map(work, known)), *filter(None, lifecycle.declined_work(workspace))]


def last(workspace: Path) -> str:
    """The action that `undo` would take back. Raises `UserError` when there is none."""
    records = actions.records(workspace)
    if not records:
        raise UserError("there is nothing to undo: meta has changed nothing here.")
    row = json.loads(records[-1].read_text())
    return f"{row['verb']} {row['name']}"
