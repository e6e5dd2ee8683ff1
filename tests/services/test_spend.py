"""The purse: whatever is asked, and however it ends, no cap is passed, and all runs of a day share one."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meta import advisor, llm
from meta.config import Config
from meta.errors import UserError
from meta.model import Usage
from tests.services.messages import price, purse

ONE = Usage(output=200_000)  # a dollar


@given(
    run=st.floats(0.1, 5), day=st.floats(0.1, 5),
    asked=st.lists(st.tuples(st.integers(0, 400_000), st.sampled_from(["used", "free", "unknown"])), max_size=30),
)  # fmt: skip
def test_neither_cap_is_passed_however_requests_end(run: float, day: float, asked: list[tuple[int, str]]) -> None:
    mine, paid = purse(run, day), 0.0
    for tokens, end in asked:
        most = Usage(output=tokens)
        try:
            held = mine.hold(most)
        except llm.SpentError:
            assert paid + price(most) > min(run, day) - 1e-6
            continue
        assert mine.spent <= min(run, day) + 1e-6
        used = Usage(output=tokens // 2)
        if end != "unknown":
            mine.settle(held, used if end == "used" else None)
        paid += {"used": price(used), "free": 0.0, "unknown": price(most)}[end]
        assert mine.spent == pytest.approx(paid, abs=1e-6)


def test_runs_of_a_day_share_its_cap_and_the_next_day_has_its_own(tmp_path: Path) -> None:
    ledger = tmp_path / "state" / "spend.json"
    ledger.parent.mkdir()
    purse(9, 1.5, ledger=ledger).hold(ONE)  # and then the run was killed: what it held stays paid
    with pytest.raises(llm.SpentError, match=r"\$1.5 a day"):
        purse(9, 1.5, ledger=ledger).hold(ONE)
    tomorrow = purse(9, 1.5, ledger=ledger, today=lambda: "2026-11-25")
    tomorrow.settle(tomorrow.hold(ONE), Usage(output=20_000))
    tomorrow.hold(ONE)


def test_what_was_not_used_may_be_spent_again(tmp_path: Path) -> None:
    mine = purse(1.45, 1.45, ledger=tmp_path / "spend.json")
    for _ in range(5):
        mine.settle(mine.hold(ONE), Usage(output=20_000))
    assert mine.spent == pytest.approx(0.5)
    with pytest.raises(llm.SpentError):
        mine.hold(ONE)


@pytest.mark.parametrize("text", ["{", "[]", '{"2026-11-24": "x"}', '{"2026-11-24": -1}', ""])
def test_nothing_is_spent_by_a_ledger_that_cannot_be_read(tmp_path: Path, text: str) -> None:
    ledger = tmp_path / "spend.json"
    ledger.write_text(text)
    with pytest.raises(UserError, match="damaged"):
        purse(ledger=ledger).hold(Usage(output=1))
    ledger.unlink()
    purse(ledger=ledger).hold(Usage(output=1))


def test_a_model_without_a_known_price_is_refused_in_one_line() -> None:
    pytest.importorskip("anthropic")
    environment = {"ANTHROPIC_API_KEY": "k"}
    with pytest.raises(UserError, match='no price of the model "nobodys-model" is known'):
        advisor.access(Config(), environment, "nobodys-model", "--model")
    assert advisor.access(Config(), environment, "claude-haiku-4-5", "--model").model == "claude-haiku-4-5"
