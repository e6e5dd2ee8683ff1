"""Names and types that a person understands for steps and parameters.

What a parameter's values are and where they come from was decided before.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Container, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import PurePosixPath
from typing import Literal

from meta.mining.alignment import takes_value
from meta.mining.holes import SECRET
from meta.model import Fixed, Group, Hole, Part, Rest
from meta.vetting import is_name

Type = Literal["str", "int", "float", "bool", "path", "choice", "list", "secret"]

RESERVED = frozenset(  # options that every tool has
    {"help", "dry_run", "json", "failed", "tail", "from", "allow_destroy", "allow_spend"}
)
_LONGEST = 31
_CHOICES = 5  # distinct values up to which a choice is offered
_SEEN = 3  # times as many runs as choices it takes to believe that there are no others

_RUNNERS = frozenset(
    {"run", "exec", "python", "python3", "node", "bash", "sh", "npx", "uv", "uvx", "poetry", "-m", "x"}
)
_SHORT = {  # (program and sub-command or "", short flag): name; the first that fits
    ("git commit", "-m"): "message", ("git commit", "-am"): "message", ("git tag", "-m"): "message",
    ("git checkout", "-b"): "branch", ("git switch", "-c"): "branch", ("pytest", "-k"): "filter",
    ("pytest", "-n"): "workers", ("docker", "-t"): "tag", ("docker", "-f"): "file", ("docker", "-p"): "port",
    ("gh", "-t"): "title", ("gh", "-b"): "body", ("gh", "-R"): "repo", ("curl", "-X"): "method", ("curl", "-d"): "data",
    ("curl", "-H"): "header", ("kubectl", "-n"): "namespace", ("", "-m"): "message", ("", "-o"): "output",
    ("", "-f"): "file", ("", "-n"): "number", ("", "-b"): "branch", ("", "-c"): "config", ("", "-t"): "tag",
    ("", "-p"): "port", ("", "-u"): "user", ("", "-d"): "directory", ("", "-v"): "verbose", ("", "-q"): "quiet",
    ("", "-r"): "recursive", ("", "-j"): "jobs", ("", "-a"): "all", ("", "-A"): "all", ("", "-i"): "input",
    ("", "-e"): "expression", ("", "-x"): "exit_first", ("", "-w"): "workers", ("", "-s"): "size",
    ("", "-C"): "directory",
}  # fmt: skip
_SWITCHES = frozenset({"verbose", "quiet", "recursive", "all", "exit_first"})  # names of flags without a value
_EVERYWHERE = frozenset({"src", "lib", "out", "output", "build", "dist", "tmp", "home", "app", "bin"})  # folders
_POSITIONAL = {  # program and sub-command: what its plain words are
    "git checkout": "branch", "git switch": "branch", "git merge": "branch", "git rebase": "branch", "git push": "branch",
    "git pull": "branch", "git tag": "tag", "git clone": "url", "git show": "commit", "git cherry-pick": "commit",
    "git revert": "commit", "gh pr": "pr", "gh issue": "issue", "gh run": "run", "pip install": "package",
    "npm install": "package", "cargo add": "package", "uv add": "package", "kubectl apply": "manifest", "echo": "text",
    "sleep": "seconds", "docker build": "context", "ssh": "host", "curl": "url", "mkdir": "directory",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Hint:
    """A proposed name; the lower the rank the better the reason."""

    rank: int
    name: str


def slug(text: str, joint: str = "_") -> str:
    """The text as lower-case words with a joint between, "" where it has none."""
    words = joint.join(re.findall(r"[a-z0-9]+", text.lower()))
    return re.sub(r"^[0-9_-]+", "", words)[:_LONGEST].strip(joint)


def unique(name: str, taken: Container[str], owner: str) -> str:
    """The name, or one with its owner before it or a number behind it, that is not taken; "value" where it is none."""
    name = _vetted(name) or "value"
    own = f"{owner}_{name}"[:_LONGEST]
    for candidate in (name, own if not name.startswith(f"{owner}_") else name):
        if candidate not in taken:
            return candidate
    return next(c for k in range(2, 1000) if (c := f"{name[: _LONGEST - 4]}_{k}") not in taken)


def _vetted(name: str) -> str:
    return name if is_name(name) else ""


@cache
def step_names(heads: tuple[str, ...]) -> tuple[str, ...]:
    """A short unique slug for each step: `bun run lint:fix` -> `lint-fix`; the second `lint` is `lint-again`."""
    names: list[str] = []
    for at, head in enumerate(heads):
        words = [PurePosixPath(word).stem if "/" in word or word.endswith(".py") else word for word in head.split()]
        slugs = [slug(word, "-") for word in words if word not in _RUNNERS]
        telling = [name for name in slugs if name and is_name(name)]
        name = telling[-1] if telling else _vetted(slug(head, "-")) or "step"
        longer = _vetted(slug(" ".join(telling[-2:]), "-")) or name
        numbered = (f"{name}-{k}" for k in range(3, 1000))
        other = [longer] if head not in heads[:at] else []
        names.append(next(n for n in (name, *other, f"{name}-again", *numbered) if n not in names))
    return tuple(names)


def _flag_name(head: str, flag: str) -> Hint | None:
    if flag.startswith("--"):
        return Hint(0, slug(flag)) if slug(flag) else None
    for (program, short), name in _SHORT.items():
        if short == flag and f"{head} ".startswith(f"{program} " if program else ""):
            return Hint(1, name)
    return Hint(1, slug(flag)) if len(slug(flag)) > 3 else None  # `-name` tells more than `-rf`


def _prefix_name(head: str, prefix: str) -> Hint | None:
    """From what stands before the value in its word: `--file=`, `NAME=`, `experiments/`, `issue-`."""
    before, equals, rest = prefix.partition("=")
    if equals and not rest and slug(before):
        return _flag_name(head, before) if before.startswith("-") else Hint(0, slug(before))
    path = re.sub(r"^.*://[^/]*", "", prefix)  # a host is no name for what stands behind it
    segment = path.rstrip("/").rpartition("/")[2]
    pieces = [piece for piece in re.split(r"[/=:.@_-]", path) if slug(piece)]
    if not pieces or pieces[-1].lower() in _EVERYWHERE or not (pieces[-1].isalpha() and is_name(segment)):
        return None
    name = slug(pieces[-1])
    return Hint(2, name[:-1] if name.endswith("s") and not name.endswith("ss") and len(name) > 3 else name)


def plural(name: str) -> str:
    """Several of what the name says."""
    return name + ("es" if re.search(r"(s|x|ch|sh)$", name) else "s")


def _position_name(head: str) -> Hint | None:
    return next((Hint(3, name) for start, name in _POSITIONAL.items() if f"{head} ".startswith(f"{start} ")), None)


def _switch_name(head: str, words: Sequence[str]) -> Hint:
    """The name of a boolean for optional words: short flags have a known name or are named as what they are."""
    flag = words[0].partition("=")[0]
    named = _flag_name(head, flag)
    if named and (flag.startswith("--") or len(words) > 1 or named.name in _SWITCHES):
        return named
    return Hint(1, f"flag_{slug(flag)}" if flag.startswith("-") else slug(" ".join(words)) or "option")


def hints(head: str, parts: Sequence[Part]) -> dict[str, Hint]:
    """The best name that the parts of one step propose for each of their parameters."""
    found: dict[str, Hint] = {}
    for k, part in enumerate(parts):
        before = parts[k - 1] if k else None
        flag = before.word.text if isinstance(before, Fixed) and takes_value(before.word.text) else ""
        behind = _flag_name(head, flag) if flag.startswith("-") else None
        if behind and behind.name in _SWITCHES:  # the word behind it is not its value
            behind = None
        match part:
            case Hole(parameter, prefix=prefix):
                count = Hint(2, "count") if prefix == "-" else None
                hint = count or (_prefix_name(head, prefix) if prefix else None) or behind or _position_name(head)
            case Group(parameter, inner):
                names = hints(head, inner)
                words = [p.word.text for p in inner if isinstance(p, Fixed)]
                hint = names.get(parameter) or (_switch_name(head, words) if words else None)
            case Rest(parameter):
                position = _position_name(head)
                hint = Hint(3, plural(position.name)) if position else None
            case Fixed():
                continue
        if hint and (parameter not in found or hint.rank < found[parameter].rank):
            found[parameter] = hint
    return found


def _is_path(value: str) -> bool:
    return "://" not in value and " " not in value and bool(re.search(r"/|\w\.[a-z]\w{0,4}$", value))


def _is_int(value: str) -> bool:
    return bool(re.fullmatch(r"0|-?[1-9]\d{0,17}", value))


def type_of(values: Sequence[str]) -> Type:
    """The type of a parameter by the values of all runs. An integer is one only if its text comes back from it."""
    distinct = set(values)
    if any(SECRET.search(value) for value in distinct):
        return "secret"
    if all(map(_is_int, distinct)):
        return "int"
    if all(re.fullmatch(r"-?\d+(\.\d+)?(e[+-]?\d+)?", value) for value in distinct):
        return "float"
    seen = Counter(values)
    often = len(values) >= _SEEN * len(seen) and min(seen.values()) >= 2
    if len(seen) <= _CHOICES and often and all(len(value) < 40 for value in seen):
        return "choice"
    return "path" if all(map(_is_path, distinct)) else "str"


def kind_name(values: Sequence[str]) -> str:
    """What to call values that nothing around them names, "" where they do not tell."""
    if all("://" in value for value in values):
        return "url"
    if all(re.fullmatch(r"-?\d+(\.\d+)?", value) for value in values):
        return "number"
    if all(re.fullmatch(r"[0-9a-f]{7,40}", value) for value in values):
        return "commit"
    return "path" if all(map(_is_path, values)) else ""


def majority(values: Sequence[str], share: float = 0.6) -> str | None:
    """The value that most runs have, None where none is that usual."""
    if len(values) < 2:
        return None
    value, count = Counter(values).most_common(1)[0]
    return value if count >= share * len(values) else None
