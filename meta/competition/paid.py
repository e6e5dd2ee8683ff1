"""A model whose every request is paid for beforehand, whichever maker's it is: so that its cap holds.

What is asked of it is not known here.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from pydantic_ai.exceptions import ModelAPIError, ModelHTTPError
from pydantic_ai.messages import ModelMessage, ModelMessagesTypeAdapter, ModelResponse
from pydantic_ai.models import Model, ModelRequestParameters, infer_model
from pydantic_ai.models.wrapper import WrapperModel
from pydantic_ai.providers import Provider, infer_provider
from pydantic_ai.settings import ModelSettings

from meta.errors import UserError
from meta.llm import Caps, Purse
from meta.llm.spend import PASSES, UNSEEN, today, unpaid
from meta.model import Usage
from meta.prices import Prices

LEDGER = ".meta/compete/model.json"  # dollars by day; budgets outlive a run
MOST = 8000  # tokens of an answer
TRIES = 3
_DAY = 86400


class Paid(WrapperModel):
    """A model that is asked only what its purse can pay. `tokens` are all that it used."""

    def __init__(self, wrapped: Model, purse: Purse, pause: Callable[[int], float] = lambda tries: 2.0**tries) -> None:
        super().__init__(wrapped)
        self.purse, self._pause = purse, pause
        self.tokens = 0

    async def request(
        self,
        messages: list[ModelMessage],
        model_settings: ModelSettings | None,
        model_request_parameters: ModelRequestParameters,
    ) -> ModelResponse:
        """The answer. Raises `SpentError` before the cap would be passed; a try of unknown end stays paid in full."""
        settings = ModelSettings(**{**(model_settings or {}), "max_tokens": MOST})
        size = len(ModelMessagesTypeAdapter.dump_json(messages)) + len(_written(model_request_parameters))
        most = Usage(output=MOST, cache_write=size + UNSEEN)  # a token is a byte or more
        for tried in range(1, TRIES + 1):
            held = self.purse.hold(most)
            try:
                response = await super().request(messages, settings, model_request_parameters)
            except ModelHTTPError as error:
                if unpaid(error.status_code):
                    self.purse.settle(held, None)
                if tried == TRIES or error.status_code not in PASSES:
                    raise
            except ModelAPIError:
                if tried == TRIES:
                    raise
            else:
                used = response.usage
                cached = used.cache_read_tokens + used.cache_write_tokens
                self.purse.settle(
                    held,
                    Usage(
                        max(0, used.input_tokens - cached),
                        used.output_tokens,
                        used.cache_read_tokens,
                        used.cache_write_tokens,
                    )
                    if used.has_values()
                    else most,
                )
                self.tokens += used.input_tokens + used.output_tokens
                return response
            await asyncio.sleep(self._pause(tried))
        raise AssertionError  # the last try returns or raises


def _written(parameters: ModelRequestParameters) -> str:
    return json.dumps(asdict(parameters), default=str)


def purse(folder: Path, name: str, usd: float) -> Purse:
    """The purse of a competition: what is left of `usd` after all runs before. Raises `UserError` without a price."""
    prices, model = Prices({}, {}), name.partition(":")[2]
    day = int(time.time() // _DAY)
    if prices.usd(model, Usage(input=1), day) is None:
        raise UserError(f"the price of {model} is not known, so its cap could not be kept. Choose another model.")

    def price(usage: Usage) -> float:
        return prices.usd(model, usage, day) or 0.0

    ledger = folder / LEDGER
    left = usd - spent(folder)
    if left <= 0:
        raise UserError(f"the budget of ${usd:g} for the model is used up. Raise model_usd, or leave --model out.")
    ledger.parent.mkdir(parents=True, exist_ok=True)
    return Purse(price, Caps(left, float("inf")), ledger, today)


def spent(folder: Path) -> float:
    """The dollars that models cost in this competition so far."""
    try:
        days: dict[str, float] = json.loads((folder / LEDGER).read_text("utf-8"))
    except FileNotFoundError:
        return 0.0
    return sum(days.values())


def reached(name: str) -> Model:
    """The model by `maker:name`, as its maker's SDK finds key and address in the environment. Raises `UserError`."""
    try:
        return infer_model(name, _unretried)
    except Exception as error:  # each maker's SDK complains in its own type
        told = str(error).splitlines()[0] if str(error) else type(error).__name__
        raise UserError(f"{name} cannot be used: {told}") from error


def _unretried(maker: str) -> Provider[Any]:
    """The SDK's access without retries of its own, which nobody would pay for."""
    provider = infer_provider(maker)
    if hasattr(provider.client, "max_retries"):
        provider.client.max_retries = 0
    return provider
