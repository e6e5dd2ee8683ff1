"""The user's settings of remote jobs (`gpu.toml` beside `config.toml`) and the guard that they make.

The key of the provider's API comes from the environment alone and is written nowhere.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any, TypeVar

from meta import config
from meta.errors import UserError, did_you_mean
from meta.gpu.ending import Guard
from meta.gpu.lambda_cloud import URL, Lambda, over_http
from meta.gpu.ledger import Ledger
from meta.gpu.nouns import Clock, Limits, SystemClock

KEYS = {"lambda": "LAMBDA_API_KEY"}  # a provider, and the variable of the environment that holds its key


Table = TypeVar("Table", "Settings", Limits)


@dataclass(frozen=True, slots=True)
class Settings:
    """USD, and how a box is reached. `switch` is the shell line by which a box that nobody looks after ends itself;
    {id} in it is its instance. `request_pause` and `launch_pause` are seconds between calls of the API."""

    provider: str = "lambda"
    url: str = URL
    cap_usd: float = 50.0
    max_rate: float = 5.0
    ask_above: float = 5.0
    ssh_key: str = "~/.ssh/id_ed25519"
    ssh_key_name: str = ""
    ssh_user: str = "ubuntu"
    ssh_port: int = 22
    ssh_folder: str = ".meta-gpu"
    switch: str = "sudo shutdown -h now"
    request_pause: float = 1.05
    launch_pause: float = 12.5
    limits: Limits = field(default_factory=Limits)


def load(path: Path) -> Settings:
    told = config.toml(path) or {}
    limits = told.pop("limits", {})
    settings = _filled(Settings(), told, str(path))
    if settings.provider not in KEYS:
        raise UserError(f'unknown provider "{settings.provider}" in {path}. Known are: {", ".join(KEYS)}.')
    return replace(settings, limits=_filled(replace(Limits(), active=Lambda.active), limits, f"{path} [limits]"))


def _filled(value: Table, told: Mapping[str, Any], where: str) -> Table:
    kinds: dict[str, Any] = {entry.name: type(getattr(value, entry.name)) for entry in fields(value)}
    for key, found in told.items():
        kind = kinds.get(key)
        if kind is None:
            raise UserError(f'unknown setting "{key}" in {where}.{did_you_mean(key, kinds)}')
        if kind in (int, float) and not (
            isinstance(found, (int, float)) and not isinstance(found, bool) and found >= 0
        ):
            raise UserError(f'"{key}" in {where} must be a number, not {found!r}.')
        if kind is str and not isinstance(found, str):
            raise UserError(f'"{key}" in {where} must be a text, not {found!r}.')
    return replace(value, **{key: kinds[key](found) for key, found in told.items()})


def guard(
    settings: Settings, environment: Mapping[str, str], folder: Path, tell: Callable[[str], None],
    clock: Clock | None = None,
) -> Guard:  # fmt: skip
    """The guard over this user's ledger. Without a key of the provider nothing can be ended, so nothing is begun."""
    clock = clock or SystemClock()
    variable = KEYS[settings.provider]
    key = environment.get(variable, "")
    if not key:
        raise UserError(f"no key for {settings.provider}: put it into the environment as {variable}.")
    cloud = Lambda(over_http(key, settings.url), clock, request=settings.request_pause, launching=settings.launch_pause)
    return Guard(Ledger(folder, clock), cloud, clock, settings.limits, tell)
