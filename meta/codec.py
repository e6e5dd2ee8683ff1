"""Surveys and workflows as JSON text and back, for the store's cache of results.

It is not the printed contract (`contract`), and nothing else reads it.
"""

from __future__ import annotations

import json
from typing import TypeVar

from cattrs import Converter
from cattrs.strategies import configure_tagged_union

from meta.model import Binding, Part, Survey, Workflow

_converter = Converter()
configure_tagged_union(Part, _converter, tag_name="part")
_converter.register_structure_hook(Binding, lambda value, _: value)
_converter.register_structure_hook(str | int | float | bool | None, lambda value, _: value)


Kept = TypeVar("Kept", Survey, Workflow)


def dump(value: Survey | Workflow) -> str:
    return json.dumps(_converter.unstructure(value), separators=(",", ":"))


def load(text: str, kind: type[Kept]) -> Kept:
    return _converter.structure(json.loads(text), kind)
