"""Sessions made by Hypothesis, as odd as a transcript can be."""

import json
from collections.abc import Mapping
from typing import Any, get_args

from hypothesis import strategies as st

from meta.model import Event, Origin, Session, Status, ToolKind, Usage

_NUMBERS = st.one_of(st.none(), st.floats(allow_nan=False), st.integers(0, 2_000_000_000).map(float))


def texts(*, surrogates: bool = True) -> st.SearchStrategy[str]:
    """Any text that JSON can tell: NUL, line breaks and lone surrogates, but not a pair of surrogates as two."""
    some = st.sampled_from(["", "a", "a\nb", "\x00", "é\u2028", '{"a": "b"}', "command"])
    if not surrogates:
        return some | st.text(st.characters(codec="utf-8"), max_size=8)
    wild = st.text(st.characters(), max_size=8).filter(lambda text: json.loads(json.dumps(text)) == text)
    return some | wild | st.just("\udc80x\ud800")


def _mappings(text: st.SearchStrategy[str]) -> st.SearchStrategy[Mapping[str, str]]:
    return st.dictionaries(text, text, max_size=3)


def events(text: st.SearchStrategy[str] | None = None) -> st.SearchStrategy[Event]:
    text = texts() if text is None else text
    counts = st.integers(min_value=0) | st.just(10**40)
    return st.builds(
        Event,
        id=text, kind=st.sampled_from(["prompt", "call", "call", "note"]), time=_NUMBERS, text=text, tool=text,
        tool_kind=st.sampled_from(get_args(ToolKind)), arguments=_mappings(text),
        status=st.sampled_from(get_args(Status)), exit_code=st.none() | st.integers(), seconds=_NUMBERS, output=text,
        message=st.sampled_from(["", "m1", "m2"]), usage=st.none() | st.builds(Usage, counts, counts, counts, counts),
        model=st.sampled_from(["", "x", "y"]), cwd=text,
    )  # fmt: skip


def sessions(text: st.SearchStrategy[str] | None = None, **fixed: st.SearchStrategy[Any]) -> st.SearchStrategy[Session]:
    text = texts() if text is None else text
    parts: dict[str, st.SearchStrategy[Any]] = {
        "agent": text, "id": text, "events": st.lists(events(text), max_size=4).map(tuple), "project": text,
        "cwd": text, "parent": text, "origin": st.sampled_from(get_args(Origin)),
        "skipped": st.dictionaries(text, st.integers(0), max_size=2), "path": text,
    }  # fmt: skip
    return st.builds(Session, **(parts | fixed))
