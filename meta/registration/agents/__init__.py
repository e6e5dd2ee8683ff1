"""The agents that are told about a tool: each module beside this one holds one `registrar`, the folder is the list."""

from __future__ import annotations

from functools import cache
from importlib import import_module
from pkgutil import iter_modules

from meta.registration.card import Registrar


@cache
def registrars() -> tuple[Registrar, ...]:
    """Every registrar, in the order of the file names."""
    modules = [import_module(f"{__name__}.{found.name}") for found in iter_modules(__path__)]
    return tuple(module.registrar for module in modules)
