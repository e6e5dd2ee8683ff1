"""Find the documents that fit a situation: words in common, the rarer the better, by BM25 over SQLite's full text index.

No model is asked and nothing is kept on disk. Which documents there are, is told in `guides`.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterable
from dataclasses import dataclass

from meta.knowledge.guides import Guide

WEIGHTS = {"title": 2.0, "triggers": 4.0, "claims": 2.0, "body": 0.3}
LONGEST = 200  # words of a situation that are looked for
_HUMP = re.compile(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_MIXED = re.compile(r"\b[A-Za-z][a-z]*[A-Z][A-Za-z]*")
_STOP = frozenset(
    re.findall(
        r"\w+",
        (
            "a able about actually after again all almost already also always am an and another any anybody anyone "
            "anything are aren as at be because been before being between both bring brings brought but by can cannot "
            "come comes could couldn did didn differently do does doesn doing don done down each ever every everything "
            "few fine for from further get gets getting give go goes going got had hadn happen happens has hasn have "
            "haven having he help helps her here hey hi him his how i if im in instead into is isn it its ive just keep "
            "know let lets like ll look make makes may maybe me might more most much must my need needs never no nor not "
            "nothing now of off often oh ok okay on once one only or other our out over own please put re really said "
            "same say says see seem seems shall she should shouldn simply since so some somebody someone something "
            "sometimes still such sure take taken takes tell than thanks that the their them then there these they thing "
            "things think this those through to told too try trying under until up upon us use used user users uses using "
            "ve very want wants was wasn way we well were weren what when where which while who whom why will with within "
            "without won wonder wondering work works would wouldn yes yet you your "
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
        """Sources and programs are left out: their words are about everything."""
        evidence = " ".join(one.text.partition("Source:")[0] for one in (*guide.evidence, *guide.counter))
        own = (claim for claim in guide.claims if claim.text != guide.title)  # a lesson is called by its claim
        claims = " ".join(f"{claim.id} {claim.text}" for claim in own)
        return cls(guide.name, guide.title, f"{guide.when} {guide.scope}", claims, f"{guide.prose} {evidence}")


@dataclass(frozen=True, slots=True)
class Hit:
    name: str
    score: float


def spelled(text: str) -> str:
    """The text with identifiers told in their parts too: `LightGBM` is also `Light GBM`; `_` and `-` part words anyway."""
    return _MIXED.sub(_parted, text)


def _parted(word: re.Match[str]) -> str:
    parts = _HUMP.sub(" ", word[0])
    return word[0] if parts == word[0] else f"{word[0]} {parts}"


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
