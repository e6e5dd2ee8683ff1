"""End an attempt: terminate by the API until the provider's list lacks the instance, and only then say so.

When it has to end is decided by the controller and the reaper.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from meta.gpu.ledger import Attempt, Ledger, Watch
from meta.gpu.nouns import Clock, Limits
from meta.gpu.provider import Provider, ProviderError

_LACKING = 2  # looks in a row; a list that lags can lack what it has shown before


@dataclass(frozen=True, slots=True)
class Guard:
    """What both ends of the guard work with."""

    ledger: Ledger
    provider: Provider
    clock: Clock
    limits: Limits
    tell: Callable[[str], None]

    def watch(self, token: str) -> Watch:
        return Watch(self.ledger.folder, token, self.clock)


def end(guard: Guard, attempt: Attempt, reason: str, patience: float, watch: Watch | None = None) -> bool:
    """Whether the attempt is over: its instance is gone, or never was. What could not be confirmed stays open."""
    if not (attempt.noticed and attempt.noticed.boot == guard.clock.now().boot):
        attempt = guard.ledger.add(attempt, "terminating", reason=reason)
    start, lacking, pause, told = guard.clock.now(), 0, guard.limits.retry / 16, False
    while attempt.closed is None:
        if watch:
            watch.beat()
        living = _living(guard, attempt)
        lacking = lacking + 1 if living == [] else 0
        for instance in living or ([attempt.id] if attempt.id and living == [] and not attempt.seen else []):
            try:
                guard.provider.terminate(instance)
            except ProviderError as error:
                if not told and living:
                    guard.tell(f"{attempt.name} could not be ended yet ({error}); trying on")
                    told = True
        now = guard.clock.now()
        if lacking >= _LACKING and attempt.settled(now, guard.limits.settle):
            return guard.ledger.add(attempt, "gone", reason=reason).closed is not None
        if now.since(start) >= patience:
            return False
        guard.clock.sleep(pause)
        pause = min(2 * pause, guard.limits.retry)
    return True


def _living(guard: Guard, attempt: Attempt) -> list[str] | None:
    """The ids of its instances by the provider's list; None where the provider does not tell."""
    try:
        return [instance.id for instance in guard.provider.list() if attempt.owns(instance)]
    except ProviderError as error:
        if not error.passing:
            guard.tell(f"the provider does not list its instances: {error}")
        return None
