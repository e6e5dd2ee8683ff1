"""The model that a run may ask on a user's request: with the user's key, at the day's prices, within the caps of the settings.

What it is asked, and what of its answers is taken, is told elsewhere.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from functools import cache, partial
from pathlib import Path

from meta import config, git, llm, prices
from meta.config import Config
from meta.errors import UserError
from meta.knowledge import advice, wording
from meta.knowledge.advice import Asking
from meta.knowledge.proposals import Place
from meta.learning import Improve
from meta.llm import Access, Answer, Caps, Purse, Question, UnusableError
from meta.llm.spend import today
from meta.model import Asked, Lesson, Segment, Session, Usage
from meta.store import Store

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

    purse = Purse(price, Caps(settings.run_usd, settings.day_usd), config.folders().state / LEDGER, today)
    reached = llm.access(environment, model, purse, option)
    price(Usage(input=1))  # said now, not in the middle
    return reached


def improver(
    access: Access, store: Store, workspace: Path | None, settled: set[str], *, batch: bool = False
) -> Improve:
    """What asks the model about the lessons of a project; what was answered before is not paid for again."""
    ask: Asking = partial(llm.ask_all, access) if batch else advice.one_by_one(partial(llm.ask, access))
    asking = _remembered(ask, store, access.model)
    place = _place(workspace)

    def improve(
        project: str, found: Sequence[Lesson], sessions: Sequence[Session], segments: Sequence[Segment]
    ) -> tuple[Sequence[Lesson], Asked]:
        before = access.purse.spent
        lessons, asked = advice.advised(project, found, sessions, segments, asking, place, access.model, settled)
        return lessons, replace(asked, usd=access.purse.spent - before)

    return improve


def _remembered(ask: Asking, store: Store, model: str) -> Asking:
    def key(question: Question) -> str:
        told = f"{model}\0{question.system}\0{question.told}"
        return f"answer {hashlib.sha256(told.encode(errors='replace')).hexdigest()}"

    def asked(questions: Sequence[Question]) -> Iterator[Answer]:
        kept = {key(question): text for question in questions if (text := store.cached(key(question))) is not None}
        answers = iter(ask([question for question in questions if key(question) not in kept]))
        for question in questions:
            if (text := kept.get(key(question))) is not None:
                yield json.loads(text)
                continue
            answer = next(answers)
            if not isinstance(answer, UnusableError):
                store.cache(key(question), json.dumps(answer))
            yield answer

    return asked


def _place(workspace: Path | None) -> Place:
    """What may be cited of a workspace; of no workspace nothing."""
    if workspace is None:
        return Place(lambda path: False, lambda commit: False)

    @cache
    def tree() -> frozenset[str]:
        return frozenset(git.files(workspace))

    return Place(lambda path: wording.is_path(path) and path in tree(), partial(git.holds, workspace))
