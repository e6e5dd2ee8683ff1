"""What tokens cost in US dollars at the price of the day they were used, from the tables of `genai-prices`.

It knows public list prices only; subscriptions and discounts are not seen.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path

from meta.model import Usage


def tables() -> str:
    """Which tables are installed, as a text that changes with them; they are not loaded for that."""
    found = find_spec("genai_prices")
    place = Path(found.origin).parent if found and found.origin else None
    return str(max((path.stat().st_mtime_ns for path in place.glob("*.py")), default=0) if place else 0)


class Prices:
    """Prices of messages, with those at hand that were looked up before: loading the tables takes 0.2 s.

    `known` are the dollars by model, day and tokens, None for a model without a public price; what is asked for goes
    into `used`.
    """

    def __init__(self, known: Mapping[str, float | None], used: dict[str, float | None]) -> None:
        self._known, self._used = known, used

    def usd(self, model: str, usage: Usage, day: int | None) -> float | None:
        """The price of one message, None for a model without a public price. `day` counts from the epoch (UTC)."""
        key = f"{model} {day} {usage.input} {usage.output} {usage.cache_read} {usage.cache_write}"
        if key not in self._used:
            self._used[key] = self._known[key] if key in self._known else _usd(model, usage, day)
        return self._used[key]


def _usd(model: str, usage: Usage, day: int | None) -> float | None:
    from genai_prices import Usage as PricedUsage
    from genai_prices import calc_price

    when = datetime.fromtimestamp(day * 86400, UTC) if day is not None else None
    tokens = PricedUsage(
        input_tokens=usage.input
        + usage.cache_read
        + usage.cache_write,  # the tables count the cached part as input too
        cache_read_tokens=usage.cache_read,
        cache_write_tokens=usage.cache_write,
        output_tokens=usage.output,
    )
    try:
        return float(calc_price(tokens, model_ref=model, genai_request_timestamp=when).total_price)
    except LookupError:
        return None
