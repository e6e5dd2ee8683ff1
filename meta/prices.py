"""What tokens cost in US dollars at the price of the day they were used, from the tables of `genai-prices`.

It knows public list prices only; subscriptions and discounts are not seen.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from meta.model import Usage

if TYPE_CHECKING:
    from genai_prices.types import PriceCalculation


def tables() -> str:
    """Which tables are installed, as a text that changes with them; they are not loaded for that."""
    found = find_spec("genai_prices")
    place = Path(found.origin).parent if found and found.origin else None
    return str(max((path.stat().st_mtime_ns for path in place.glob("*.py")), default=0) if place else 0)


Known = Sequence[float] | float | None
SAMPLE = 1000  # tokens, far below any tier


class Prices:
    """Prices of messages, with those at hand that were looked up before: loading the tables takes 0.2 s.

    `known` are, by model and day, the dollars per token of each kind and the number of input tokens up to which they
    hold; beyond it, by model, day and tokens, the dollars of a message. None is a model without a public price. What is
    asked for goes into `used`.
    """

    def __init__(self, known: Mapping[str, Known], used: dict[str, Known]) -> None:
        self._known, self._used = known, used

    def usd(self, model: str, usage: Usage, day: int | None) -> float | None:
        """The price of one message, None for a model without a public price. `day` counts from the epoch (UTC)."""
        when = f"{model} {day}"
        rates = self._kept(when, lambda: _rates(model, day))
        if rates is None:
            return None
        *each, limit = rates
        counts = (usage.input, usage.output, usage.cache_read, usage.cache_write)
        if usage.input + usage.cache_read + usage.cache_write <= limit:
            return float(sum(rate * count for rate, count in zip(each, counts, strict=True)))
        dollars: float | None = self._kept(f"{when} {counts}", lambda: _usd(model, usage, day))
        return dollars

    def _kept(self, key: str, look_up: Callable[[], Known]) -> Any:
        if key not in self._used:
            self._used[key] = self._known[key] if key in self._known else look_up()
        return self._used[key]


def _rates(model: str, day: int | None) -> tuple[float, ...] | None:
    """Dollars per token: input, output, read from a cache, written to it; then the input up to which they hold."""
    from genai_prices.types import TieredPrices

    priced = _priced(model, Usage(input=SAMPLE), day)
    if priced is None:
        return None
    tiers = [tier.start for price in vars(priced.model_price).values() if isinstance(price, TieredPrices)
             for tier in price.tiers]  # fmt: skip
    kinds = ("input", "output", "cache_read", "cache_write")
    return (
        *((_usd(model, Usage(**{kind: SAMPLE}), day) or 0.0) / SAMPLE for kind in kinds),
        min(tiers, default=math.inf),
    )


def _usd(model: str, usage: Usage, day: int | None) -> float | None:
    priced = _priced(model, usage, day)
    return float(priced.total_price) if priced else None


def _priced(model: str, usage: Usage, day: int | None) -> PriceCalculation | None:
    from genai_prices import Usage as PricedUsage
    from genai_prices import calc_price

    when = datetime.fromtimestamp(day * 86400, UTC) if day is not None else None
    cached = usage.cache_read + usage.cache_write  # the tables count the cached part as input too
    tokens = PricedUsage(
        input_tokens=usage.input + cached,
        cache_read_tokens=usage.cache_read,
        cache_write_tokens=usage.cache_write,
        output_tokens=usage.output,
    )
    try:
        return calc_price(tokens, model_ref=model, genai_request_timestamp=when)
    except LookupError:
        return None
