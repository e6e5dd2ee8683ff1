"""What the hook has to know of the registered tools, in one small file, and what it says of them.

The file is written by `tools`. What the hook finds in it, it does not trust: a name that is none is left out.
"""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass
from pathlib import Path

PLACE = ".meta/nudge"
INDEX = f"{PLACE}/tools.json"
BUDGET = 2000  # characters that an agent is told when its session starts
LARGEST = 2**20  # bytes of the file
NAME = re.compile(r"[a-z][a-z0-9-]{0,48}")


@dataclass(frozen=True, slots=True)
class Row:
    """A tool. `steps` are the heads of the first two different things it does, () where it does but one; `served` is
    what `meta serve` calls it."""

    name: str
    served: str
    steps: tuple[str, ...] = ()

    @property
    def program(self) -> str:
        return f"generated_tools/{self.name}/tool.py"

    @property
    def told(self) -> str:
        """What an agent is told that has begun its steps: words of ours alone."""
        return f"`{self.name}` does these steps in one call: python3 {self.program} --help"


@dataclass(frozen=True, slots=True)
class Index:
    """The tools, best payback first, the list of them for an agent, and this user's folder of settings."""

    rows: tuple[Row, ...]
    listing: str
    settings: str


def dumps(index: Index) -> str:
    return json.dumps(asdict(index), indent=1) + "\n"


def read(workspace: Path) -> Index | None:
    """The index of a workspace, None where there is none that can be used: then nobody is told anything."""
    try:
        with open(workspace / INDEX, "rb") as file:
            index = json.loads(file.read(LARGEST))
        rows = tuple(Row(row["name"], row["served"], tuple(map(str, row["steps"]))) for row in index["rows"])
        listing, settings = index["listing"][:BUDGET], Path(index["settings"])
    except (OSError, ValueError, LookupError, TypeError, RecursionError):
        return None
    return Index(tuple(row for row in rows if _is_one(row, workspace)), listing, str(settings))


def _is_one(row: Row, workspace: Path) -> bool:
    """Whether the row names a tool that is still there."""
    names = (row.name, row.served)
    return (
        all(isinstance(name, str) for name in names)
        and bool(NAME.fullmatch(row.name))
        and (workspace / row.program).exists()
    )
