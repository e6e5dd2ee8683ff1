"""That something may have changed below some folders. Hints only: events are lost in a burst and past the limit."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterable
from pathlib import Path

from watchdog.events import FileSystemEvent, FileSystemEventHandler
from watchdog.observers import Observer


class _Handler(FileSystemEventHandler):
    def __init__(self, changed: threading.Event) -> None:
        self._changed = changed

    def on_any_event(self, event: FileSystemEvent) -> None:
        if event.event_type not in ("opened", "closed_no_write"):  # our own reading is none
            self._changed.set()


class Hints:
    """That something may have changed in the places that are watched."""

    def __init__(self) -> None:
        self._changed = threading.Event()
        self._observer = Observer()
        self._followed: set[Path] = set()

    def __enter__(self) -> Hints:
        self._observer.start()
        return self

    def __exit__(self, *error: object) -> None:
        self._observer.stop()
        self._observer.join(5)

    def follow(self, places: Iterable[Path]) -> int:
        """Watch these places too, as far as the system lets us; what it does not is found by looking."""
        for place in places:
            if place not in self._followed:
                with contextlib.suppress(OSError):  # no watches left, or gone again
                    self._observer.schedule(_Handler(self._changed), str(place), recursive=True)
                    self._followed.add(place)
        return len(self._followed)

    def wait(self, seconds: float, stop: threading.Event) -> bool:
        """Whether there was a hint within that time. Looks up now and then for `stop`."""
        end = time.monotonic() + seconds
        while not stop.is_set() and (left := end - time.monotonic()) > 0:
            if self._changed.wait(min(left, 0.5)):
                return True
        return False

    def settle(self, quiet: float, longest: float, stop: threading.Event) -> None:
        """Wait until no more hints come."""
        end = time.monotonic() + longest
        while not stop.is_set() and time.monotonic() < end:
            self._changed.clear()
            if not self._changed.wait(quiet):
                break
        self._changed.clear()
