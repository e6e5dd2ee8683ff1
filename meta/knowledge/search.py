"""Find the documents that fit a situation: words in common, the rarer the better, by BM25 over SQLite's full text index.

No model is asked and nothing is kept on disk. Which documents there are, is told in `guides`.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass

from meta.knowledge.guides import Guide

WEIGHTS = {"title": 6.0, "triggers": 4.0, "claims": 2.0, "body": 1.0}
LONGEST = 200  # words of a situation that are looked for
_HUMP = re.compile(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_MIXED = re.compile(r"[A-Za-z]*(?:[a-z][A-Z]|[A-Z]{2}[a-z])[A-Za-z]*")
_STOP = frozenset(
    re.findall(
        r"\w+",
        (
            "a about after again all also am an and any anyone are as at be because been before being between both but by "
            "can cannot could did do does doing done down each every few for from further get gets getting give go goes "
            "going got had has have having he her here him his how i if in into is it its just keep know let like look "
            "make makes me more most much my need no nor not now of off on once one only or other our out over own please "
            "same see she should so some still such than that the their them then there these they this those through to "
            "too try trying under until up us very want was we well were what when where which while who whom why will "
            "with won would yes yet you your don doesn didn isn aren wasn weren hasn haven hadn wouldn shouldn couldn ll "
            "re ve "
        ),
    )
)


@dataclass(frozen=True, slots=True)
class Entry:
    """What is looked through of a document."""

    name: str
    title: str
    triggers: str
    claims: str
    body: str

    @classmethod
    def of(cls, guide: Guide) -> Entry:
        return cls(
            guide.name, guide.title, f"{guide.when} {guide.scope}", " ".join(c.text for c in guide.claims), guide.body
        )


@dataclass(frozen=True, slots=True)
class Hit:
    name: str
    score: float


def spelled(text: str) -> str:
    """The text with identifiers told in their parts too: `LightGBM` is also `Light GBM`; `_` and `-` part words anyway."""
    return _MIXED.sub(lambda word: f"{word[0]} {_HUMP.sub(' ', word[0])}", text)


def terms(situation: str) -> list[str]:
    """The words of a situation that tell something, each once."""
    words = re.findall(r"[^\W_]+", spelled(situation).lower())
    return list(dict.fromkeys(w for w in words if w not in _STOP and len(w) > 1))[:LONGEST]


class Index:
    """Documents made ready to be searched, in memory."""

    def __init__(self, entries: Iterable[Entry]) -> None:
        self._database = sqlite3.connect(":memory:")
        columns = ", ".join(WEIGHTS)
        self._database.execute(
            f"CREATE VIRTUAL TABLE documents USING fts5(name UNINDEXED, {columns}, tokenize='porter unicode61')"
        )
        rows = ((one.name, *(spelled(getattr(one, column)) for column in WEIGHTS)) for one in entries)
        self._database.executemany(f"INSERT INTO documents VALUES (?{', ?' * len(WEIGHTS)})", rows)

    def search(self, situation: str, top: int = 3) -> list[Hit]:
        """The documents that fit best, best first; the same for the same documents in whatever order."""
        words = " OR ".join(f'"{word}"' for word in terms(situation))
        if not words:
            return []
        weights = ", ".join(map(str, WEIGHTS.values()))
        rank = f"-bm25(documents, 0, {weights})"
        query = f"SELECT name, {rank} FROM documents WHERE documents MATCH ? ORDER BY {rank} DESC, name LIMIT ?"
        return [Hit(name, score) for name, score in self._database.execute(query, (words, top))]
