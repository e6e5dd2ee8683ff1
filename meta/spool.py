"""Jobs that session hooks leave in a workspace, each a small file, until a worker has done them.

Only the standard library is imported, because a hook holds up its agent for as long as it runs. What a job asks for is
done elsewhere. A job names a session's file and nothing that was said in it.
"""

from __future__ import annotations

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

PLACE = ".meta/spool"
TRIES = 3  # of a job; then it is put aside, for a person to look at


@dataclass(frozen=True, slots=True)
class Job:
    """A session that has ended. `transcript` is its file; `tries` have failed so far."""

    session: str
    transcript: str
    tries: int = 0


def put(workspace: Path, job: Job) -> Path:
    """The file of the job, which is there whole or not at all. The same session's older job is replaced."""
    folder = workspace / PLACE
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{fit(job.session)}.json"
    draft = folder / f".{os.getpid()}.draft"
    with open(draft, "w", encoding="ascii") as file:
        json.dump(asdict(job), file)
        file.flush()
        os.fsync(file.fileno())
    os.replace(draft, path)
    return path


def fit(session: str) -> str:
    """The session's id where it is fit for a file name, else what is fit of it and a hash."""
    fit = "".join(c for c in session if c.isascii() and (c.isalnum() or c in "-_"))[:80]
    if fit and fit == session:
        return fit
    import hashlib

    return f"{fit}-{hashlib.sha256(session.encode(errors='surrogatepass')).hexdigest()[:12]}"


def jobs(workspace: Path) -> list[tuple[Path, Job]]:
    """What is to be done, oldest first. A file that holds no job was none of ours, and is put aside."""
    found = []
    for path in sorted((workspace / PLACE).glob("*.json"), key=_age):
        try:
            row = json.loads(path.read_text(encoding="ascii"))
            found.append((path, Job(str(row["session"]), str(row["transcript"]), int(row["tries"]))))
        except (ValueError, TypeError, KeyError):
            aside(path)
        except OSError:  # done by another worker meanwhile
            continue
    return found


def _age(path: Path) -> tuple[float, str]:
    try:
        return path.stat().st_mtime, path.name
    except OSError:
        return 0.0, path.name


def done(path: Path) -> None:
    """Forget a job."""
    path.unlink(missing_ok=True)


def aside(path: Path) -> None:
    """Put a job where nobody works it off, for a person to look at."""
    folder = path.parent / "failed"
    folder.mkdir(exist_ok=True)
    os.replace(path, folder / path.name)


def counts(workspace: Path) -> tuple[int, int]:
    """How many jobs wait, and how many were put aside."""
    folder = workspace / PLACE
    return sum(1 for _ in folder.glob("*.json")), sum(1 for _ in (folder / "failed").glob("*.json"))
