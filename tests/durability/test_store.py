"""The index outlives its disk: whatever fails, what was acknowledged is there, and a cursor never without its sessions."""

from __future__ import annotations

import contextlib
import sqlite3
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import apsw
import pytest

from meta.model import Event, Session
from meta.store import Cursor, Store
from tests.durability.disks import Disk, Fault

BIG = "x" * 3000


def cursor(path: str, size: int) -> Cursor:
    return Cursor(path, 1, 2, size, 0, "")


def sessions(path: str, size: int) -> list[Session]:
    """As many as the file has bytes, with texts that fill pages."""
    return [Session("a", f"{path}{n}", (Event(f"{n}", "prompt", text=f"{size}{BIG}"),), path=path) for n in range(size)]


def ingest(index: Store, told: Callable[[str, int], None]) -> None:
    """Three files, all of them growing, then one forgotten and a result kept; `told` hears what is acknowledged."""
    for size in range(1, 4):
        for path in "fgh":
            index.add(cursor(path, size), sessions(path, size))
            told(path, size)
    index.forget(Path("g"))
    told("g", 0)
    index.cache("k", BIG * 10)
    told("k", 1)


@dataclass
class Trial:
    """The steps that were acknowledged, in order, before the disk let the store down."""

    acknowledged: list[tuple[str, int]]

    @classmethod
    def on(cls, disk: Disk, place: Path, work: Callable[[Store, Callable[[str, int], None]], None] = ingest) -> Trial:
        told: list[tuple[str, int]] = []
        with contextlib.suppress(apsw.Error), disk.connection(str(place)) as database:
            work(Store(place, lambda _: database), lambda *step: told.append(step))
        return cls(told)


def steps() -> list[tuple[str, int]]:
    every: list[tuple[str, int]] = []
    with Store() as index:
        ingest(index, lambda *step: every.append(step))
    return every


def wrong(place: Path, trial: Trial) -> list[str]:
    """What is not as it must be: all that was acknowledged, or one step more, and nothing in between."""
    every = steps()
    done = len(trial.acknowledged)
    assert trial.acknowledged == every[:done]
    with sqlite3.connect(place) as database:
        if database.execute("PRAGMA integrity_check").fetchall() != [("ok",)]:
            return ["corrupt"]
        if database.execute("PRAGMA foreign_key_check").fetchall():
            return ["sessions without a cursor"]
    database.close()
    with Store(place) as index:
        found = state(index)
    return [] if found in (state_after(every[:done]), state_after(every[: done + 1])) else [f"lost: {found} of {done}"]


def state(index: Store) -> tuple[dict[str, list[str]], bool]:
    files: dict[str, list[str]] = {path: [] for path in index.paths()}
    for session in index.sessions():
        files[session.path].append(f"{session.id} {session.events[0].text[:1]}")
    return files, index.cached("k") is not None


def state_after(done: list[tuple[str, int]]) -> tuple[dict[str, list[str]], bool]:
    sizes = dict(done)
    kept = sizes.pop("k", 0)
    return {path: [f"{path}{n} {size}" for n in range(size)] for path, size in sorted(sizes.items()) if size}, bool(
        kept
    )


def tried(folder: Path, fault: Fault, at: int, seed: int = 0, work: Any = ingest) -> list[str]:
    place = folder / f"{fault}-{at}-{seed}.sqlite"
    disk = Disk(fault, at)
    trial = Trial.on(disk, place, work)
    if fault == "power":
        disk.lose_power(seed)
    found = wrong(place, trial)
    if not found:  # the next run begins anew and ends as if nothing had been
        with Store(place) as index:
            ingest(index, lambda path, size: None)
            found = [] if state(index) == state_after(steps()) else ["the next run got elsewhere"]
    for file in folder.glob(f"{place.name}*"):
        file.unlink()
    return found


def operations(folder: Path) -> int:
    disk = Disk()
    Trial.on(disk, folder / "whole.sqlite")
    return disk.operations


def test_the_disk_under_the_store_is_really_counted(tmp_path: Path) -> None:
    assert operations(tmp_path) > 100
    with Store(tmp_path / "whole.sqlite") as index:
        assert state(index) == state_after(steps())


@pytest.mark.parametrize("fault", ["killed", "full", "broken"])
def test_a_fault_at_any_operation_costs_nothing_acknowledged(tmp_path: Path, fault: Fault) -> None:
    every = range(1, operations(tmp_path) + 1)
    assert [(at, found) for at in every[:: max(1, len(every) // 5)] if (found := tried(tmp_path, fault, at))] == []


@pytest.mark.slow
@pytest.mark.parametrize("fault", ["killed", "full", "broken"])
def test_a_fault_at_every_operation_costs_nothing_acknowledged(tmp_path: Path, fault: Fault) -> None:
    every = range(1, operations(tmp_path) + 1)
    assert [(at, found) for at in every if (found := tried(tmp_path, fault, at))] == []
    print(f"{fault}: {len(every)} operations, 0 corrupt, 0 lost")


def test_a_loss_of_power_at_ten_moments_costs_nothing_acknowledged(tmp_path: Path) -> None:
    every = operations(tmp_path)
    trials = [(1 + seed * every // 10, seed) for seed in range(10)]
    assert [(trial, found) for trial in trials if (found := tried(tmp_path, "power", *trial))] == []


@pytest.mark.slow
def test_a_loss_of_power_at_a_thousand_moments_costs_nothing_acknowledged(tmp_path: Path) -> None:
    every = operations(tmp_path)
    trials = [(1 + seed * 7 % every, seed) for seed in range(1000)]
    found = Counter(what for trial in trials for what in tried(tmp_path, "power", *trial))
    assert not found
    print(f"power: {len(trials)} trials over {every} operations, 0 corrupt, 0 lost")


def test_the_same_disk_shows_what_a_lesser_sync_would_lose(tmp_path: Path) -> None:
    def hasty(index: Store, told: Callable[[str, int], None]) -> None:
        index._database.execute("PRAGMA synchronous = NORMAL")
        ingest(index, told)

    every = operations(tmp_path)
    trials = [(every * 2 // 3 + seed, seed) for seed in range(20)]
    assert any(tried(tmp_path, "power", *trial, hasty) for trial in trials), (
        "the model loses nothing, so it shows nothing"
    )
