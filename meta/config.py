"""What is configured: flag over environment over project over user, and where this user's own folders are.

State (declines, journal, store) is not configuration and is not read here.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from meta.errors import UserError


@dataclass(frozen=True, slots=True)
class Config:
    """The settings in force. `workspace` is None outside of one.

    `weeks` is the longest payback that is worth building. A workflow needs `min_support` occurrences in
    `min_sessions` sessions. `polish_model` words tools and `lesson_model` lessons, only on request; what that costs is at
    the most `run_usd` a run and `day_usd` a day. With `nudge` an agent is told of the tools when its session starts, and
    once a session of one whose steps it begins by hand.
    """

    workspace: Path | None = None
    weeks: float = 2.0
    min_support: int = 3
    min_sessions: int = 3
    polish_model: str = "claude-haiku-4-5"
    lesson_model: str = "claude-haiku-4-5"
    run_usd: float = 0.5
    day_usd: float = 2.0
    nudge: bool = False


@dataclass(frozen=True, slots=True)
class Folders:
    """This user's folders; none is made by asking."""

    config: Path
    state: Path
    cache: Path


Value = int | float | str  # a bool is an int
_KINDS: dict[str, type[int] | type[float] | type[str]] = {
    field.name: next(kind for kind in (str, float, bool, int) if isinstance(field.default, kind))
    for field in fields(Config)[1:]
}
_SWITCHES = {"true": True, "1": True, "false": False, "0": False}  # as the environment words them
_WORD = re.compile(r"[\w.:@/-]+")


def folders() -> Folders:
    """Where the platform puts them, `XDG_*` honoured."""
    import platformdirs  # not needed by the session hook, so not loaded with the module

    places = platformdirs.PlatformDirs("meta", appauthor=False)
    return Folders(places.user_config_path, places.user_state_path, places.user_cache_path)


def workspace(start: Path) -> Path | None:
    """The git repository around `start` if it is set up for meta (`meta.toml` or `[tool.meta]`), else None."""
    root = next((folder for folder in (start, *start.parents) if (folder / ".git").exists()), None)
    return root if root and _project(root) is not None else None


def load(
    start: Path, environment: Mapping[str, str], user: Path | None = None, flags: Mapping[str, Any] | None = None
) -> Config:
    """The settings for work in `start`. `user` is the user's configuration folder; flags that are None do not count.

    Raises `UserError` naming the key and the file for what is unknown, of the wrong type or out of range.
    """
    settings: dict[str, Value] = {}
    root = workspace(start.resolve())
    if user:
        settings |= _checked(toml(user / "config.toml") or {}, str(user / "config.toml"))
    if root:
        settings |= _checked(_project(root) or {}, _where(root))
    settings |= dict(_from_environment(environment))
    settings |= _checked({key: value for key, value in (flags or {}).items() if value is not None}, "the options")
    return Config(root, **settings)  # type: ignore[arg-type]  # checked against the fields above


def toml(path: Path) -> dict[str, Any] | None:
    """A file's settings, None where it is not there. Raises `UserError` for one that cannot be read."""
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        return None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise UserError(f"{path} is not valid TOML: {error}. Mend that line.") from error
    except OSError as error:
        raise UserError(f"cannot read {path}: {error.strerror}. Give access to it.") from error


def _project(root: Path) -> dict[str, Any] | None:
    """The project's settings, None where the project has none; `meta.toml` goes before `pyproject.toml`."""
    own = toml(root / "meta.toml")
    if own is not None:
        return own
    try:
        tool = (toml(root / "pyproject.toml") or {}).get("tool", {})
    except UserError:  # someone else's broken file is no reason to refuse work outside of a workspace
        return None
    table = tool.get("meta") if isinstance(tool, dict) else None
    return table if isinstance(table, dict) else None


def _where(root: Path) -> str:
    return str(root / "meta.toml") if (root / "meta.toml").exists() else f"[tool.meta] of {root / 'pyproject.toml'}"


def _checked(settings: Mapping[str, Any], where: str) -> dict[str, Value]:
    for key, value in settings.items():
        kind = _KINDS.get(key)
        if kind is None:
            raise UserError(f'unknown setting "{key}" in {where}. Known are: {", ".join(sorted(_KINDS))}.')
        if kind is str:
            if not (isinstance(value, str) and _WORD.fullmatch(value)):
                raise UserError(f'"{key}" in {where} must be a name, not {value!r}.')
            continue
        if kind is bool:
            if not isinstance(value, bool):
                raise UserError(f'"{key}" in {where} must be true or false, not {value!r}.')
            continue
        right = isinstance(value, int) or (kind is float and isinstance(value, float))
        if not right or isinstance(value, bool):
            raise UserError(f'"{key}" in {where} must be {_name(kind)}, not {value!r}.')
        if not 0 < value < float("inf"):
            raise UserError(f'"{key}" in {where} must be above zero, not {value!r}.')
    return {key: _KINDS[key](value) for key, value in settings.items()}


def _name(kind: type[Value]) -> str:
    return {bool: "true or false", int: "a whole number"}.get(kind, "a number")


def _from_environment(environment: Mapping[str, str]) -> Iterator[tuple[str, Value]]:
    for key, kind in _KINDS.items():
        name = f"META_{key.upper()}"
        if text := environment.get(name):
            try:
                value = _SWITCHES[text.lower()] if kind is bool else kind(text)
            except (ValueError, KeyError):
                raise UserError(f"{name} in the environment must be {_name(kind)}, not {text!r}.") from None
            yield from _checked({key: value}, f"the environment ({name})").items()
