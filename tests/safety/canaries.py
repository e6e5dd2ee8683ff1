"""A thousand made-up secrets of every kind that a rule names, and the search for them in whatever was written.

They are made of the samples of the rules, filled anew; a kind without a rule is no canary here.
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from meta.redact import RULES
from meta.redact.rules import expand
from meta.redact.vendors import VENDORS

_MADE = re.compile(r"\{[aAwxdbp](\d+)\}")
_PIECE = re.compile(rb"[A-Za-z0-9]{8,}")
_ESCAPES = re.compile(rb"\\[nrt\"/]|%[0-9A-Fa-f]{2}")  # what writers put before a word


@dataclass(frozen=True, slots=True)
class Canary:
    """A secret with the text that makes it one, and the piece of it by which it is found again."""

    kind: str
    text: str
    piece: bytes


def canaries(*, tokens: bool) -> Iterator[Canary]:
    """Ever new ones, of all kinds in turn: tokens that are known by their form, or secrets known by their place."""
    rules = [rule for rule in RULES if (rule in VENDORS) == tokens]
    samples = [(rule.name, sample) for rule in rules for sample in rule.yes if _usable(sample)]
    for number in count():
        name, sample = samples[number % len(samples)]
        text, made = expand(f"{sample}\0{number}")
        text = text.partition("\0")[0]
        secrets = [secret.encode() for secret in made]
        pieces = [p for p in _PIECE.findall(text.encode()) if any(p in secret or secret in p for secret in secrets)]
        if pieces:
            yield Canary(name, text, max(pieces, key=len))


def _usable(sample: str) -> bool:
    """Whether what is made up in a sample is long enough to be found by."""
    return max((int(length) for length in _MADE.findall(sample)), default=0) >= 16 and "\n" not in sample


def found(texts: Mapping[str, bytes], planted: Iterable[Canary]) -> dict[str, list[str]]:
    """The kinds of the secrets in each text, by its name."""
    kinds = {canary.piece: canary.kind for canary in planted}
    hits: dict[str, list[str]] = {}
    for name, data in texts.items():
        pieces = set(_PIECE.findall(data)) | set(_PIECE.findall(_ESCAPES.sub(b" ", data)))
        if both := pieces & kinds.keys():
            hits[name] = sorted({kinds[piece] for piece in both})
    return hits


def files(folder: Path, but: Iterable[Path]) -> dict[str, bytes]:
    """Every file below a folder, and every name: databases, journals and what is left in their free pages too."""
    left = [path.resolve() for path in but]
    result: dict[str, bytes] = {}
    for path in folder.rglob("*"):
        if not any(path.resolve().is_relative_to(other) for other in left):
            result[str(path)] = path.read_bytes() if path.is_file() else b""
    return result | {"names": "\n".join(result).encode()}


def objects(repository: Path) -> set[str]:
    """The names of every object of a repository, reachable or not."""
    listed = ["git", "cat-file", "--batch-all-objects", "--batch-check=%(objectname)"]
    return set(subprocess.run(listed, cwd=repository, check=True, capture_output=True, text=True).stdout.split())


def contents(repository: Path, names: Iterable[str]) -> bytes:
    """What these objects hold."""
    asked = "".join(f"{name}\n" for name in names).encode()
    return subprocess.run(
        ["git", "cat-file", "--batch"], cwd=repository, input=asked, check=True, capture_output=True
    ).stdout
