"""The tools of a competition's folder: rendered from templates where missing, asked for their moves, and found again
where `meta extract` made one of steps that are about to be run.

What is in the folder already, edited by a person or not, stays as it is.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from meta import files
from meta.competition import running
from meta.competition.nouns import Competition, Move
from meta.errors import UserError
from meta.verification import sandbox
from meta.verification.sandbox import Limits

FOLDER = "generated_tools"
SOLVERS = {"tabular": "tabular-cv", "packing": "packing-2d"}
GATE, LOG = "submission-gate", "experiment-log"
_MARK = "value{}q"  # stands for a value while a tool is asked what it would print


@dataclass(frozen=True, slots=True)
class Whole:
    """A generated tool that does several commands in one, with the argv that does just these."""

    name: str
    argv: tuple[str, ...]
    covers: int  # commands, from the first on


def program(name: str) -> str:
    """Where a tool's program stands in the folder; one that a model wrote is its own path."""
    return name if name.endswith(".py") else f"{FOLDER}/{name}/tool.py"


def missing(competition: Competition) -> list[str]:
    """The tools that the folder still lacks."""
    wanted = (SOLVERS[competition.kind], GATE, LOG)
    return [name for name in wanted if not (competition.folder / program(name)).is_file()]


def render(competition: Competition) -> list[str]:
    """The names of the tools that were rendered into the folder."""
    from meta.generation import render as templates

    done = []
    for name in missing(competition):
        template = templates.folder(competition.folder / "templates", name)
        about = {"name": name, "version": templates.version(template)}
        made = templates.render([template], about)
        made.setdefault("tool.toml", _manifest(competition, template, name, about["version"]))
        for path, text in sorted(
            made.items(), key=lambda item: item[0] == "tool.py"
        ):  # by tool.py it is known to be there
            files.write(competition.folder / FOLDER / name / path, text, 0o755 if text.startswith("#!") else None)
        done.append(name)
    return done


def _manifest(competition: Competition, template: Path, name: str, version: str) -> str:
    """What `meta tools` and the machine know of a rendered tool."""
    import tomlkit

    found = re.search(
        r"^description:\n(?:  .*\n)*?  default: (.+)$", (template / "copier.yml").read_text(), re.MULTILINE
    )
    document: dict[str, Any] = {
        "name": name,
        "description": found[1].strip('"') if found else name,
        "effects": ["write"],
    }
    if name in SOLVERS.values():
        document["competition"] = {"kind": competition.kind}
    document["provenance"] = {"template": name, "version": version}
    return tomlkit.dumps(document)


def solvers(competition: Competition) -> list[str]:
    """The tools that offer moves for this kind of competition, the usual one first."""
    usual = SOLVERS[competition.kind]
    own = [
        path.parent.name
        for path in sorted((competition.folder / FOLDER).glob("[a-z]*/tool.toml"))
        if _manifest_of(path).get("competition", {}).get("kind") == competition.kind
    ]
    return [usual, *(name for name in own if name != usual)]


def _manifest_of(path: Path) -> Mapping[str, Any]:
    try:
        return tomllib.loads(path.read_text())
    except (OSError, tomllib.TOMLDecodeError):
        return {}


def moves(competition: Competition, name: str) -> list[Move]:
    """What a solver offers. Raises `UserError` where it cannot tell."""
    tool = competition.folder / program(name)
    with sandbox.scratch() as scratch:
        words = [sandbox.python(), str(tool), "--moves", "--competition", str(competition.folder), "--json"]
        done = sandbox.run(
            words, scratch, read_only=[competition.folder], limits=Limits(wall=300, cpu=120, memory=running.MEMORY)
        )
    try:
        told = json.loads(done.stdout.strip().splitlines()[-1]) if done.code == 0 else None
        return [
            Move(
                name, str(one["name"]), tuple(map(str, one.get("arguments", ()))), tuple(map(str, one.get("after", ()))),
                one.get("repeat") is True, float(one.get("seconds", 30)), str(one.get("why", "")),
            )
            for one in told or ()
        ] or _no_moves(name, done.stderr)  # fmt: skip
    except (ValueError, KeyError, TypeError, IndexError, AttributeError):
        return _no_moves(name, done.stderr)


def _no_moves(name: str, said: str) -> list[Move]:
    last = next((line for line in reversed(said.splitlines()) if line.strip()), "it printed no list")
    raise UserError(
        f"{program(name)} --moves tells no moves: {last.strip()[:200]}. Mend the tool, or delete its folder to render it anew."
    )


def whole(folder: Path, lines: Sequence[str]) -> Whole | None:
    """The accepted tool that does the most of these command lines, from the first on, and prints exactly them when asked."""
    found: Whole | None = None
    for path in sorted((folder / FOLDER).glob("[a-z]*/tool.toml")):
        about = _manifest_of(path)
        if not (path.parent / "tool.py").is_file() or len(about.get("steps") or ()) < 2:
            continue
        one = _fitting(folder, path.parent.name, about, lines)
        if one and (found is None or one.covers > found.covers):
            found = one
    return found


def _fitting(folder: Path, name: str, about: Mapping[str, Any], lines: Sequence[str]) -> Whole | None:
    """The tool with the values that make it print the lines: it is asked with marks, then with what stands in their place."""
    given = [p for p in about.get("parameters") or () if p.get("option") and p.get("type") not in ("bool", "list")]
    marks = {one["option"]: _MARK.format(place) for place, one in enumerate(given)}
    printed = _printed(folder, name, [word for pair in marks.items() for word in pair])
    if not 1 < len(printed) <= len(lines):
        return None
    values: dict[str, str] = {}
    for told, line in zip(printed, lines, strict=False):
        pattern = re.escape(told)
        for option, mark in marks.items():
            pattern = pattern.replace(mark, f"(?P<{_group(option)}>.+?)", 1).replace(mark, f"(?P={_group(option)})")
        match = re.fullmatch(pattern, line)
        if match is None or any(values.get(key, text) != text for key, text in match.groupdict().items()):
            return None
        values |= match.groupdict()
    words = [word for option in marks if _group(option) in values for word in (option, _plain(values[_group(option)]))]
    if _printed(folder, name, words) != list(lines[: len(printed)]):
        return None
    allow = [f"--allow-{effect}" for effect in about.get("effects") or () if _takes(folder, name, f"--allow-{effect}")]
    return Whole(name, ("python", program(name), *words, *allow, "--json"), len(printed))


def _group(option: str) -> str:
    return option.strip("-").replace("-", "_")


def _plain(text: str) -> str:
    """The value of a word as it is typed in double quotes or bare."""
    return re.sub(r'\\([\\$"`])', r"\1", text[1:-1] if len(text) > 1 and text[0] == text[-1] == '"' else text)


def _printed(folder: Path, name: str, words: Sequence[str]) -> list[str]:
    done = running.command(folder, ["python", program(name), *words, "--dry-run"], wall=60)
    return done.stdout.splitlines() if done.code == 0 else []


def _takes(folder: Path, name: str, option: str) -> bool:
    return option in running.command(folder, ["python", program(name), "--help"], wall=60).stdout
