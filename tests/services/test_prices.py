"""A message costs what its tokens cost on its day, and a model's tables are asked once."""

import genai_prices
import pytest
from hypothesis import given
from hypothesis import strategies as st

from meta.model import Usage
from meta.prices import Known, Prices, tables

DAY = 20_400  # 2025-11-08
MODEL = "claude-sonnet-4-5"
count = st.integers(0, 400_000)


def test_cached_tokens_are_cheaper_than_fresh_ones_and_an_unknown_model_has_no_price() -> None:
    usd = Prices({}, {}).usd
    fresh, cached = (usd(MODEL, usage, DAY) for usage in (Usage(input=10**5), Usage(cache_read=10**5)))
    assert fresh is not None
    assert cached is not None
    assert 0 < cached < fresh
    assert usd("no-such-model", Usage(input=10), DAY) is None


@given(
    model=st.sampled_from([MODEL, "gpt-5-codex", "gemini-2.5-pro", "gpt-4o"]),
    usage=st.builds(Usage, count, count, count, count),
)
def test_a_message_costs_what_the_tables_say_in_every_tier(model: str, usage: Usage) -> None:
    tokens = genai_prices.Usage(
        input_tokens=usage.input + usage.cache_read + usage.cache_write, output_tokens=usage.output,
        cache_read_tokens=usage.cache_read, cache_write_tokens=usage.cache_write,
    )  # fmt: skip
    told = genai_prices.calc_price(tokens, model_ref=model).total_price
    assert Prices({}, {}).usd(model, usage, None) == pytest.approx(float(told), rel=1e-9)


def test_a_price_that_was_looked_up_is_taken_from_there_and_one_that_is_not_asked_for_goes() -> None:
    used: dict[str, Known] = {}
    Prices({}, used).usd(MODEL, Usage(input=7), DAY)
    (key,) = used
    later: dict[str, Known] = {}
    usd = Prices({key: [2.0, 3.0, 5.0, 7.0, 10], "other": None}, later).usd
    assert usd(MODEL, Usage(1, 1, 1, 1), DAY) == 17.0
    assert usd(MODEL, Usage(input=11), DAY) != 22.0  # beyond what these hold for
    assert usd(MODEL, Usage(input=1), DAY + 1) != 2.0
    assert "other" not in later


def test_the_tables_are_told_apart_without_loading_them() -> None:
    assert int(tables()) > 0
