"""End the instances of ours that no living controller looks after, or that are past their deadline.

It knows the ledger and the provider's list, nothing else, and never touches an instance that is not tagged as ours.
"""

from __future__ import annotations

from dataclasses import dataclass

from meta.gpu.ending import Guard, end
from meta.gpu.ledger import Attempt
from meta.gpu.nouns import Instance
from meta.gpu.provider import ProviderError


@dataclass(frozen=True, slots=True)
class Reaped:
    """What one round did: names of attempts that are over now, of those that are left to their controllers, and of
    instances that could not be ended yet."""

    ended: tuple[str, ...] = ()
    kept: tuple[str, ...] = ()
    alive: tuple[str, ...] = ()


def due(guard: Guard, attempt: Attempt) -> str:
    """Why the attempt has to end now; "" where it has not."""
    if guard.clock.now().since(attempt.opened) >= attempt.deadline:
        return "past its deadline"
    if guard.watch(attempt.token).look().age >= guard.limits.orphan:
        return "its controller is gone"
    return ""


def reap(guard: Guard, *, dry_run: bool = False, patience: float | None = None) -> Reaped:
    """One round over what the ledger has open, and over what is tagged as ours and stands in no row."""
    patience = guard.limits.patience if patience is None else patience
    ended, kept, alive = [], [], []
    for attempt in guard.ledger.state().open:
        reason = due(guard, attempt)
        if not reason:
            kept.append(attempt.name)
        elif dry_run or end(guard, attempt, reason, patience):
            ended.append(attempt.name)
        else:
            alive.append(attempt.name)
    try:
        listed = guard.provider.list()
    except ProviderError as error:
        guard.tell(f"the provider does not list its instances: {error}")
        return Reaped(tuple(ended), tuple(kept), tuple(alive))
    for instance in listed:
        if stray(guard, instance):
            (ended if dry_run or _ended(guard, instance) else alive).append(instance.name)
    return Reaped(tuple(ended), tuple(kept), tuple(alive))


def stray(guard: Guard, instance: Instance) -> bool:
    """Whether it is tagged as ours and has no right to live: its attempt is over by the ledger, or no row of this
    machine knows it and its own deadline is long past."""
    if not (tag := instance.tag):
        return False
    attempt = guard.ledger.state().attempts.get((tag.token, tag.attempt))
    if attempt and attempt.tag == tag.deadline:
        return attempt.closed is not None
    return guard.clock.now().wall >= tag.deadline + guard.limits.stray


def _ended(guard: Guard, instance: Instance) -> bool:
    try:
        guard.provider.terminate(instance.id)
        return all(other.id != instance.id for other in guard.provider.list())
    except ProviderError as error:
        guard.tell(f"{instance.name} could not be ended yet: {error}")
        return False
