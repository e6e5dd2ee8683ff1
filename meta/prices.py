"""What tokens cost in US dollars at the price of the day they were used, from the tables of `genai-prices`.

It knows public list prices only; subscriptions and discounts are not seen.
"""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache

from meta.model import Usage


@lru_cache(maxsize=65536)
def usd(model: str, usage: Usage, day: int | None) -> float | None:
    """The price of one message, None for a model without a public price. `day` counts from the epoch (UTC)."""
    from genai_prices import Usage as PricedUsage  # 0.4 s to import
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
