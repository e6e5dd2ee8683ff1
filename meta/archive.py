"""Keep sessions as ATIF trajectories: written whole, read back identical, legible to other tools.

Redaction comes before (`redact`); trajectories of other writers are read in `sources`. The form: a run of calls that
one model message issued is one agent step, any other event a step of its own. What ATIF has no field for stands in
`extra`, and only where it differs from what the reader would assume.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import MISSING, Field, fields
from datetime import UTC, datetime, timedelta
from itertools import groupby
from pathlib import Path
from typing import Any

from meta import files
from meta.model import Event, Session, Usage

_VERSION = "ATIF-v1.8"
_OURS = "meta"  # the key of the root's `extra` by which our own form is known
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_COMMAND = "command"  # the argument that holds a call's text
_RESULT = ("status", "exit_code", "seconds")  # these belong to the result of a call


def _default(field: Field[Any]) -> Any:
    return field.default if field.default is not MISSING else {} if field.default_factory is not MISSING else ""


_EVENT = {field.name: _default(field) for field in fields(Event)}
_SESSION = {field.name: _default(field) for field in fields(Session) if field.name != "events"}


def write(folder: Path, session: Session) -> Path:
    """Where the session now lies below `conversation-archive`. The same session gives the same bytes."""
    path = folder / name(session)
    files.write(path, dumps(session))
    return path


def name(session: Session) -> Path:
    """`<project>/<agent>-<day it started, UTC>-<session>.json`, every part fit for a file system."""
    started = _iso(session.started)
    day = started[:10] if started else "undated"
    return Path(_slug(session.project) or "unknown") / f"{_slug(session.agent)}-{day}-{_slug(session.id)}.json"


def _slug(text: str) -> str:
    """The text where it is fit for a name, else what is fit of it and a hash, so that two never meet."""
    slug = re.sub(r"[^A-Za-z0-9._-]+", "-", text)[:60].strip("-.")
    if slug == text:
        return slug
    digest = hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()[:8]
    return f"{slug}-{digest}".strip("-")


def dumps(session: Session) -> bytes:
    """The trajectory as JSON in UTF-8, one line a step."""
    document = trajectory(session)
    steps = ",\n".join(map(_json, document.pop("steps")))
    text = _json(document)[:-1] + ',"steps":[\n' + steps + "\n]}\n"
    return re.sub("[\ud800-\udfff]", lambda match: f"\\u{ord(match[0]):04x}", text).encode()


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))


def trajectory(session: Session) -> dict[str, Any]:
    """The session as an ATIF document of plain JSON values."""
    kept = {key: getattr(session, key) for key in _SESSION if key not in ("agent", "id")}
    models = [event.model for event in session.events if event.model]
    agent = {"name": session.agent, "version": "unknown"} | ({"model_name": models[0]} if models else {})
    return {
        "schema_version": _VERSION,
        "session_id": session.id,
        "agent": agent,
        "extra": {_OURS: _differing(kept, _SESSION)},
        "steps": [_step(number, events) for number, events in enumerate(_turns(session.events), 1)],
    }


def _turns(events: Iterable[Event]) -> Iterator[list[Event]]:
    """Events that make one step: calls of the same message, or one event."""
    for _, group in groupby(enumerate(events), key=_turn):
        yield [event for _, event in group]


def _turn(place: tuple[int, Event]) -> tuple[object, ...]:
    position, event = place
    together = event.kind == "call" and event.message
    return (event.message, event.model) if together else (position,)


def _differing(values: Mapping[str, Any], assumed: Mapping[str, Any]) -> dict[str, Any]:
    return {key: _plain(value) for key, value in values.items() if value != assumed[key]}


def _plain(value: Any) -> Any:
    """A value as JSON can hold it: mappings in one order, numbers that JSON lacks as text."""
    if isinstance(value, Mapping):
        return {key: value[key] for key in sorted(value)}
    if isinstance(value, Usage):
        return {field.name: getattr(value, field.name) for field in fields(Usage)}
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return value


def _iso(time: float | None) -> str | None:
    """ISO 8601 to the microsecond; None outside of the years that it can tell."""
    if time is None or not math.isfinite(time):
        return None
    try:
        return (_EPOCH + timedelta(seconds=time)).isoformat().replace("+00:00", "Z")
    except OverflowError:
        return None


def _seconds(timestamp: str | None) -> float | None:
    if timestamp is None:
        return None
    return (datetime.fromisoformat(timestamp) - _EPOCH).total_seconds()


def _step(number: int, events: list[Event]) -> dict[str, Any]:
    first = events[0]
    timestamp = _iso(first.time)
    agent = first.kind == "call" or (first.kind == "note" and bool(first.model or first.usage or first.message))
    step: dict[str, Any] = {"step_id": number} | ({"timestamp": timestamp} if timestamp else {})
    step |= {"source": "agent" if agent else "user" if first.kind == "prompt" else "system", "message": ""}
    assumed = _EVENT | {"time": _seconds(timestamp), "kind": first.kind, "message": first.message}
    if agent and first.model:
        step["model_name"] = assumed["model"] = first.model
    if agent and first.usage:
        step["metrics"] = _metrics(first.usage)
    extra = {"kind": first.kind} | ({"message": first.message} if first.message else {})
    if first.kind == "call":
        calls = [_call(event, assumed | ({"usage": first.usage} if event is first else {})) for event in events]
        step["tool_calls"] = [call for call, _ in calls]
        step["observation"] = {"results": [result for _, result in calls]}
    else:
        step["message"] = first.text
        extra |= _differing(_values(first), assumed | {"text": first.text, "usage": first.usage if agent else None})
    return step | {"extra": extra}


def _values(event: Event) -> dict[str, Any]:
    return {key: getattr(event, key) for key in _EVENT}


def _call(event: Event, assumed: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The call and its result. The text of a call is an argument, for that is where other readers look for it."""
    arguments = _plain(event.arguments)
    known = {"id": event.id, "tool": event.tool, "arguments": event.arguments, "output": event.output}
    if event.text and _COMMAND not in arguments:
        arguments = {_COMMAND: event.text} | arguments
        known["text"] = event.text
    extra = _differing(_values(event), {**assumed, **known})
    if _COMMAND in event.arguments:
        extra["text"] = event.text  # says that the argument is not the text
    about = {key: extra.pop(key) for key in _RESULT if key in extra}
    call = {"tool_call_id": event.id, "function_name": event.tool, "arguments": arguments}
    result = {"source_call_id": event.id, "content": event.output}
    return call | ({"extra": extra} if extra else {}), result | ({"extra": about} if about else {})


def _metrics(usage: Usage) -> dict[str, Any]:
    return {
        "prompt_tokens": usage.input + usage.cache_read + usage.cache_write,
        "completion_tokens": usage.output,
        "cached_tokens": usage.cache_read,
        "extra": {"cache_write": usage.cache_write},
    }


def ours(data: object) -> bool:
    """Whether a JSON document is in the form that `write` makes."""
    extra = data.get("extra") if isinstance(data, dict) else None
    return isinstance(extra, dict) and isinstance(extra.get(_OURS), dict)


def session(data: Mapping[str, Any]) -> Session:
    """The session that `write` was given. Raises `ValueError` where the document is not in that form."""
    if not ours(data):
        raise ValueError("not written by meta")
    try:
        events = tuple(event for step in data["steps"] for event in _events(step))
        kept = {key: data["extra"][_OURS][key] for key in _SESSION if key in data["extra"][_OURS]}
        return Session(agent=data["agent"]["name"], id=data["session_id"], events=events, **kept)
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"damaged: {error!r}") from error


def _events(step: Mapping[str, Any]) -> Iterator[Event]:
    extra = step["extra"]
    shared = {"kind": extra["kind"], "time": _seconds(step.get("timestamp"))}
    shared |= {"message": extra.get("message", ""), "model": step.get("model_name", "")}
    usage = _usage(step.get("metrics"))
    if extra["kind"] != "call":
        yield _event({"text": step["message"], "usage": usage, **shared}, extra)
        return
    for call, result in zip(step["tool_calls"], step["observation"]["results"], strict=True):
        arguments = dict(call["arguments"])
        own = {**call.get("extra", {}), **result.get("extra", {})}
        text = arguments.pop(_COMMAND, "") if "text" not in own else own["text"]
        carried = {"id": call["tool_call_id"], "tool": call["function_name"], "arguments": arguments, "text": text}
        yield _event({**carried, "output": result["content"], "usage": usage, **shared}, own)
        usage = None


def _event(carried: Mapping[str, Any], extra: Mapping[str, Any]) -> Event:
    values = {**carried, **extra}
    if isinstance(values.get("usage"), dict):
        values["usage"] = Usage(**values["usage"])
    for key in ("time", "seconds"):
        if isinstance(values.get(key), str):
            values[key] = float(values[key])
    values.setdefault("id", "")
    return Event(**values)


def _usage(metrics: Mapping[str, Any] | None) -> Usage | None:
    if metrics is None:
        return None
    read, written = metrics["cached_tokens"], metrics["extra"]["cache_write"]
    return Usage(metrics["prompt_tokens"] - read - written, metrics["completion_tokens"], read, written)
