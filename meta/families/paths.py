"""Path templates: what a path looks like when one name in it is open, and what that costs in bits.

Which of them belong together is found in `filesets`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

HOLE = "{X}"
_WORD = re.compile(r"[A-Z]+(?![a-z])[0-9]*|[A-Z][a-z0-9]*|[^\W_A-Z]+")
_EDGE = 3  # words that may stand fixed on either side of the open ones in one segment of a path
_WORDS = 12  # a longer name is no name
_BITS = 4.0  # of a character of a path


@dataclass(frozen=True, slots=True)
class Kept:
    """Files that no family is made of, with a path that is and a path that is not one of them."""

    why: str
    pattern: re.Pattern[str]
    example: str
    other: str


LEFT_OUT = (
    Kept(
        "a migration is made by a generator already",
        re.compile(r"(?:^|/)(?:migrations?|migrate|alembic|revisions)/"),
        "shop/migrations/0002_price.py", "shop/migration_notes.py",
    ),
    Kept(
        "a lock file is made by a package manager",
        re.compile(r"(?:^|[/.])lock$|[.-]lock\.(?:json|ya?ml|hcl)$|(?:^|/)(?:go\.sum|npm-shrinkwrap\.json|lockfile)$", re.I),
        "web/package-lock.json", "web/bin/unlock",
    ),
    Kept(
        "a binary has no lines",
        re.compile(
            r"\.(?:png|jpe?g|gif|ico|bmp|tiff?|webp|avif|psd|pdf|zip|gz|tgz|bz2|xz|zst|7z|tar|jar|war|whl|egg|so|dll|dylib"
            r"|exe|bin|o|a|class|pyc|pyo|woff2?|ttf|otf|eot|mp[34]|wav|ogg|flac|avi|mov|webm|mo|db|sqlite3?|parquet|feather"
            r"|npy|npz|pkl|pickle|h5|hdf5|onnx|pt|pth|docx?|xlsx?|pptx?)$",
            re.I,
        ),
        "docs/logo.png", "docs/png.md",
    ),
    Kept(
        "what was vendored or built is another's",
        re.compile(r"(?:^|/)(?:node_modules|vendor|vendored|third_party|site-packages|\.venv|venv|__pycache__|dist)/"),
        "web/node_modules/left-pad/index.js", "web/vendors.js",
    ),
    Kept(
        "a name that is not UTF-8 cannot be told", re.compile("\N{REPLACEMENT CHARACTER}"),
        "app/caf\N{REPLACEMENT CHARACTER}.py", "app/café.py",
    ),
)  # fmt: skip


_BESIDE = re.compile(
    r"(?:^|/)(?:[\w-]*[_-])?(?:tests?|specs?|docs?|examples?|samples?|fixtures?|snapshots?|testdata|locales?|__tests__)/"
    r"|(?:^|/)test_[^/]*$|_test\.\w+$|\.(?:test|spec)\.\w+$"
    r"|\.(?:md|rst|txt|adoc|html?|json|ya?ml|toml|ini|cfg|csv|tsv|xml|svg|pot?)$"
    r"|(?:^|/)(?:\.[^/]+|LICEN[CS]E|COPYING|NOTICE)$",
    re.IGNORECASE,
)


def beside(path: str) -> bool:
    """Whether the file goes with another one rather than being the thing itself: its test, page, example, data or settings."""
    return bool(_BESIDE.search(path))


def left_out(path: str) -> str:
    """Why no family is made of this file, "" where one may be."""
    return next((kind.why for kind in LEFT_OUT if kind.pattern.search(path)), "")


def words(name: str) -> list[str]:
    """The words of a name as they are written: `Tik` and `Tok` of `TikTok`, `tik` and `tok` of `tik-tok`."""
    return _WORD.findall(name)


def key(name: str) -> str:
    """What the spellings of one name share: `TikTok`, `tik_tok` and `tik-tok` are `tiktok`."""
    return "".join(words(name)).lower()


def opened(path: str) -> dict[str, str]:
    """The templates of a path, by the key of the name that is open in them, wherever and however it is written."""
    return {name: _template(path, places) for name, places in _places(path).items()}


def _places(path: str) -> dict[str, list[tuple[int, int]]]:
    """Where each name stands in the path, places that touch or overlap left out."""
    spans: dict[str, list[tuple[int, int]]] = {}
    start = 0
    for segment in path.split("/") if HOLE not in path else ():
        end = start + len(segment)
        stem = segment.rfind(".") if end == len(path) else -1
        if not segment.startswith("__"):  # `__init__` is no name
            _open(path, start, start + stem if stem > 0 else end, spans)
        start = end + 1
    return spans


def _open(path: str, start: int, end: int, spans: dict[str, list[tuple[int, int]]]) -> None:
    found = [(match.start(), match.end(), match[0].lower()) for match in _WORD.finditer(path, start, end)]
    count = len(found)
    if count > _WORDS:
        return
    for first in range(min(count, _EDGE + 1)):
        for last in range(max(first, count - 1 - _EDGE), count):
            name = "".join([word[2] for word in found[first : last + 1]])
            known = spans.setdefault(name, [])
            if not known or found[first][0] > known[-1][1]:
                known.append((found[first][0], found[last][1]))


def _template(path: str, places: list[tuple[int, int]]) -> str:
    pieces: list[str] = []
    done = 0
    for start, end in places:
        pieces += path[done:start], HOLE
        done = end
    return "".join(pieces) + path[done:]


def values(template: str, path: str) -> tuple[str, ...] | None:
    """What the holes of the template stand for in the path, one for each; None where the path is not of the template."""
    for places in _places(path).values():
        if _template(path, places) == template:
            return tuple(path[start:end] for start, end in places)
    return None


def render(template: str, spellings: tuple[str, ...]) -> str:
    """The path with the holes filled, from left to right."""
    first, *rest = template.split(HOLE)
    return first + "".join(spelling + text for spelling, text in zip(spellings, rest, strict=True))


def bits(text: str) -> float:
    """What it takes to write a piece of a path."""
    return _BITS * len(text)
