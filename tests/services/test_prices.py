"""A message costs what its tokens cost on its day, and is looked up once."""

from meta.model import Usage
from meta.prices import Prices, tables

DAY = 20_400  # 2025-11-08


def test_cached_tokens_are_cheaper_than_fresh_ones_and_an_unknown_model_has_no_price() -> None:
    usd = Prices({}, {}).usd
    fresh, cached = (usd("claude-sonnet-4-5", usage, DAY) for usage in (Usage(input=10**6), Usage(cache_read=10**6)))
    assert fresh is not None
    assert cached is not None
    assert 0 < cached < fresh
    assert usd("no-such-model", Usage(input=10), DAY) is None


def test_a_price_that_was_looked_up_is_taken_from_there_and_one_that_is_not_asked_for_goes() -> None:
    used: dict[str, float | None] = {}
    Prices({}, used).usd("claude-sonnet-4-5", Usage(input=7), DAY)
    (key,) = used
    later: dict[str, float | None] = {}
    usd = Prices({key: 42.0, "other": 1.0}, later).usd
    assert usd("claude-sonnet-4-5", Usage(input=7), DAY) == 42.0
    assert usd("claude-sonnet-4-5", Usage(input=8), DAY) != 42.0
    assert "other" not in later
    assert len(later) == 2


def test_the_tables_are_told_apart_without_loading_them() -> None:
    assert int(tables()) > 0
