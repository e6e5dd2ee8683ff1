"""What asking a model may cost: put aside before each request, settled by what was used, never above a cap.

A request of which nobody knows how it ended stays paid in full. Prices are told by the caller.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from meta import files
from meta.errors import UserError
from meta.model import Usage

Price = Callable[[Usage], float]
"""The dollars that a message costs."""

UNSEEN = 1000  # tokens that a service adds to a request with tools
PASSES = frozenset([408, 409, 429, 500, 502, 503, 504, 529])  # answers of HTTP that may be others another time
_UNPAID = frozenset([429, 529])  # beside what was wrong with the request itself
BATCH = 0.5  # of the price of a message in a batch
DAYS = 31  # that the ledger tells of


def unpaid(status: int) -> bool:
    """Whether a request that was answered so was certainly not worked on."""
    return 400 <= status < 500 or status in _UNPAID


def today() -> str:
    """The day by which the ledger counts."""
    return datetime.now(UTC).date().isoformat()


class UnusableError(Exception):
    """The model's words are not taken; the text says why, in words of this package only."""


class SpentError(UnusableError):
    """What is left under a cap is less than the request may cost."""


@dataclass(frozen=True, slots=True)
class Caps:
    """Dollars that one run, and all runs of a day, may cost at the most."""

    run: float
    day: float


@dataclass(frozen=True, slots=True)
class Held:
    """Dollars that are put aside for one request, on its day."""

    day: str
    usd: float


class Purse:
    """What is left under the caps. All runs of this user share the day's by one `ledger`, a file with the dollars by day.

    `today` gives the day (ISO).
    """

    def __init__(self, price: Price, caps: Caps, ledger: Path | None, today: Callable[[], str]) -> None:
        self._price, self._caps, self._ledger, self._today = price, caps, ledger, today
        self._days: dict[str, float] = {}
        self.spent = 0.0

    def hold(self, most: Usage) -> Held:
        """Put aside what a request costs at the most. Raises `SpentError` where that is more than what is left."""
        held = Held(self._today(), self._price(most))
        if self.spent + held.usd > self._caps.run:
            raise SpentError(f"the cap of ${self._caps.run:g} a run is reached")
        self._book(held.day, held.usd, self._caps.day)
        self.spent += held.usd
        return held

    def settle(self, held: Held, used: Usage | None, share: float = 1.0) -> None:
        """Pay what was `used`, at this share of its price, instead of what was put aside; None is nothing at all."""
        difference = (self._price(used) * share if used else 0.0) - held.usd
        self._book(held.day, difference)
        self.spent = max(0.0, self.spent + difference)

    def _book(self, day: str, usd: float, cap: float | None = None) -> None:
        if self._ledger is None:
            self._days = _booked(self._days, day, usd, cap)
            return
        with files.turn(self._ledger):
            files.write(
                self._ledger, json.dumps(_booked(_read(self._ledger), day, usd, cap), indent=1) + "\n", mode=0o600
            )


def _booked(days: dict[str, float], day: str, usd: float, cap: float | None) -> dict[str, float]:
    total = max(0.0, days.get(day, 0.0) + usd)
    if cap is not None and total > cap:
        raise SpentError(f"the cap of ${cap:g} a day is reached")
    return dict(sorted((days | {day: round(total, 9)}).items())[-DAYS:])


def _read(ledger: Path) -> dict[str, float]:
    try:
        days = json.loads(ledger.read_text("utf-8"))
        if not all(isinstance(usd, float | int) and usd >= 0 for usd in days.values()):
            raise ValueError
    except FileNotFoundError:
        return {}
    except (ValueError, AttributeError):  # what was spent is not known, so nothing is
        raise UserError(f"{ledger} is damaged. Delete it; what was spent today is then forgotten.") from None
    return dict(days)
