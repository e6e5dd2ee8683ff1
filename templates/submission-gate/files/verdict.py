"""What a kind of competition says of a submission, and the one way in which files are written.

Which rules a submission is held to is the matter of the module named like the competition's kind or metric.
"""

import os
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Verdict:
    """A submission is valid where there are no problems; warnings are for whoever reads them."""

    score: float | None
    problems: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


def write_whole(path: Path, data: bytes) -> None:
    """Write the file beside its place and rename it, so that no half of it is ever seen."""
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with beside.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)


def shown(items: list[str], most: int = 3) -> str:
    """The first of the items, and how many more there are."""
    return ", ".join(items[:most]) + (f" and {len(items) - most} more" if len(items) > most else "")
