"""Surveys as JSON text and back, for the store's cache of results.

It is not the printed contract (`contract`), and nothing else reads it.
"""

from __future__ import annotations

import json

from cattrs import Converter
from cattrs.strategies import configure_tagged_union

from meta.model import Binding, Part, Survey

_converter = Converter()
configure_tagged_union(Part, _converter, tag_name="part")
_converter.register_structure_hook(Binding, lambda value, _: value)
_converter.register_structure_hook(str | int | float | bool | None, lambda value, _: value)


def dump(survey: Survey) -> str:
    return json.dumps(_converter.unstructure(survey), separators=(",", ":"))


def load(text: str) -> Survey:
    return _converter.structure(json.loads(text), Survey)
