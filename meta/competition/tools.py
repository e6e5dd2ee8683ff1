"""The tools of a competition's folder: rendered from templates where missing, asked for their moves, and found again
where `meta extract` made one of steps that are about to be run.

What is in the folder already, edited by a person or not, stays as it is.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from meta import files
from meta.competition import running
from meta.competition.nouns import Competition, Move
from meta.errors import UserError
from meta.rendering import quote
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


class Finder:
    """Finds the accepted tool that does commands which are about to be run. What a tool prints is asked once a run."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.seconds = 0.0  # of CPU that the asking took
        self._printed: dict[tuple[str, ...], list[str]] = {}
        self._proved: set[tuple[str, str]] = set()

    def whole(self, lines: Sequence[str]) -> Whole | None:
        """The tool that does the most of these command lines, from the first on, and prints exactly them when asked."""
        found = [
            one
            for path in sorted((self.folder / FOLDER).glob("[a-z]*/tool.toml"))
            if (path.parent / "tool.py").is_file() and len((about := _manifest_of(path)).get("steps") or ()) > 1
            for one in self._fitting(path.parent.name, about, lines)
        ]
        return max(found, key=lambda one: one.covers, default=None)

    def _fitting(self, name: str, about: Mapping[str, Any], lines: Sequence[str]) -> Iterator[Whole]:
        """The tool with values that make it print the lines; each of its switches is tried too."""
        asked = [one for one in about.get("parameters") or () if one.get("option")]
        marks = {
            one["option"]: _MARK.format(n) for n, one in enumerate(asked) if one.get("type") not in ("bool", "list")
        }
        switches = [one["option"] for one in asked if one.get("type") == "bool"]
        for more in ([], *([switch] for switch in switches)):
            printed = self.printed(name, *more, *(word for pair in marks.items() for word in pair))
            values = _values(printed, marks, lines)
            if values is None:
                continue
            words = [*more, *(word for option, value in values.items() for word in (option, value))]
            key = (name, " ".join(more))
            if key not in self._proved and self.printed(name, *words) != list(lines[: len(printed)]):
                continue
            self._proved.add(key)
            effects = [f"--allow-{effect}" for effect in about.get("effects") or ()]
            allow = [option for option in effects if option in "\n".join(self.printed(name, "--help"))]
            yield Whole(name, ("python", program(name), *words, *allow, "--json"), len(printed))

    def printed(self, name: str, *words: str) -> list[str]:
        """What the tool prints that it would run, nothing where it refuses the words."""
        if (name, *words) not in self._printed:
            done = running.command(self.folder, ["python", program(name), *words, "--dry-run"], wall=60)
            self.seconds += done.cpu_seconds
            self._printed[name, *words] = done.stdout.splitlines() if done.code == 0 else []
        return self._printed[name, *words]


def _values(printed: Sequence[str], marks: Mapping[str, str], lines: Sequence[str]) -> dict[str, str] | None:
    """By option what stands in the lines where the tool printed its mark; None where they differ in more."""
    if not 1 < len(printed) <= len(lines):
        return None
    names = {option: f"v{n}" for n, option in enumerate(marks)}
    pattern = re.escape("\n".join(printed))
    for option, mark in marks.items():
        pattern = pattern.replace(mark, f"(?P<{names[option]}>.+?)", 1).replace(mark, f"(?P={names[option]})")
    match = re.fullmatch(pattern, "\n".join(lines[: len(printed)]))
    if match is None:
        return None
    found = {
        option: _plain(text) for option, name in names.items() if (text := match.groupdict().get(name)) is not None
    }
    known = {option: value for option, value in found.items() if value is not None}
    return known if len(known) == len(found) else None


def _plain(text: str) -> str | None:
    """The value of a word that is typed bare or in double quotes, None where it is typed otherwise."""
    quoted = len(text) > 1 and text[0] == text[-1] == '"'
    value = re.sub(r'\\([\\$"`])', r"\1", text[1:-1]) if quoted else text
    return value if quote(value, "double" if quoted else "bare") == text else None
