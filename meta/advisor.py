"""The model that a run may ask on a user's request: with the user's key, at the day's prices, within the caps of the settings.

What it is asked, and what of its answers is taken, is told elsewhere.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

from meta import config, llm, prices
from meta.config import Config
from meta.errors import UserError
from meta.llm import Access, Caps, Purse
from meta.model import Usage

LEDGER = "spend.json"  # in the state folder, so that all workspaces share the day's cap


def access(settings: Config, environment: Mapping[str, str], model: str, option: str) -> Access:
    """The access to a model that `option` asked for. Raises `UserError` without a key, a package or a known price."""
    usd = prices.Prices({}, {}).usd

    def price(usage: Usage) -> float:
        told = usd(model, usage, None)
        if told is None:
            raise UserError(
                f'no price of the model "{model}" is known, so no cap could be kept. Name another in the settings.'
            )
        return told

    def today() -> str:
        return datetime.now(UTC).strftime("%Y-%m-%d")

    purse = Purse(price, Caps(settings.run_usd, settings.day_usd), config.folders().state / LEDGER, today)
    reached = llm.access(environment, model, purse, option)
    price(Usage(input=1))  # said now, not in the middle
    return reached
