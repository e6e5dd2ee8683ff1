"""One question to a model and its answer, by the Messages protocol: streamed, or many at once as a batch.

An answer is the input of the one tool that the model must call, read as JSON. What it says is judged by who asked.
"""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from meta.errors import UserError
from meta.llm.spend import BATCH, PASSES, UNSEEN, Held, Purse, SpentError, UnusableError, unpaid
from meta.model import Usage

if TYPE_CHECKING:
    import anthropic
    from anthropic.types import ToolParam
    from anthropic.types.messages.batch_create_params import Request

TIMEOUT = 20.0  # seconds of silence
LONGEST = 120.0  # seconds for one answer
RETRIES = 1  # after what may pass: 429, 5xx, a lost connection
PATIENCE = 30.0  # seconds that are waited for the next try, at the most
WIDE = 16  # characters of an answer for a token of its limit, from which it is no answer
BATCH_TIMEOUT = 3600.0  # seconds for a batch


@dataclass(frozen=True, slots=True)
class Access:
    """How the model is reached and what that may cost. The base URL is the SDK's own: `ANTHROPIC_BASE_URL`."""

    key: str
    model: str
    purse: Purse
    timeout: float = TIMEOUT
    retries: int = RETRIES
    pause: float = 5.0  # seconds between two looks at a batch
    batch_timeout: float = BATCH_TIMEOUT


@dataclass(frozen=True, slots=True)
class Question:
    """`system` and `context` are the same for many questions, so the service keeps them; `told` is data.

    `most` are the tokens of an answer, which bound what it can cost.
    """

    system: str
    told: str
    tool: str
    description: str
    schema: Mapping[str, Any]
    most: int
    context: str = ""


Answer = object | UnusableError


def access(environment: Mapping[str, str], model: str, purse: Purse, option: str) -> Access:
    """The access that the environment gives. Raises `UserError` where there is none; `option` is what asked for it."""
    try:
        import anthropic  # noqa: F401  # only whether it is there
    except ImportError:
        raise UserError(f"{option} needs the extra `model`: pip install 'metasmith[model]'") from None
    key = environment.get("ANTHROPIC_API_KEY", "")
    if not key:
        raise UserError(f"{option} needs a key: set ANTHROPIC_API_KEY, or leave the option out.")
    return Access(key, model, purse)


def ask(access: Access, question: Question) -> object:
    """The answer to one question, None where the model said nothing. Raises `UnusableError`."""
    body = _body(access, question)
    with _client(access) as client:
        for left in range(access.retries, -1, -1):
            held = access.purse.hold(_most(body, question))
            try:
                return _streamed(client, body, access.purse, held)
            except _PassingError as error:
                if not left or error.wait > PATIENCE:
                    raise UnusableError(str(error)) from None
                time.sleep(error.wait)
    raise AssertionError  # the last try returns or raises


def ask_all(access: Access, questions: Sequence[Question]) -> Iterator[Answer]:
    """The answers to many questions, in order, at half the price: by one batch, which may take long."""
    bodies: dict[str, Mapping[str, Any]] = {}
    held: dict[str, Held] = {}
    answers: dict[str, Answer] = {}
    for at, question in enumerate(questions):
        bodies[name := f"q{at}"] = body = _body(access, question)
        try:
            held[name] = access.purse.hold(_most(body, question))
        except SpentError as error:
            answers[name] = error
    if held:
        answers |= _batched(access, [(name, bodies[name]) for name in held], held)
    yield from (answers[name] for name in bodies)


def _body(access: Access, question: Question) -> dict[str, Any]:
    system = [{"type": "text", "text": text} for text in (question.system, question.context) if text]
    system[-1]["cache_control"] = {"type": "ephemeral"}  # type: ignore[assignment]  # of a block of text
    tool: ToolParam = {
        "name": question.tool, "description": question.description, "input_schema": dict(question.schema), "strict": True,
    }  # fmt: skip
    return {
        "model": access.model, "max_tokens": question.most, "system": system, "tools": [tool],
        "tool_choice": {"type": "tool", "name": question.tool}, "messages": [{"role": "user", "content": question.told}],
    }  # fmt: skip


def _most(body: Mapping[str, Any], question: Question) -> Usage:
    """What a request uses at the most: a token is a byte or more, and all of it may be written to the cache."""
    return Usage(output=question.most, cache_write=len(json.dumps(body)) + UNSEEN)


def _client(access: Access) -> anthropic.Anthropic:
    import anthropic

    return anthropic.Anthropic(api_key=access.key, timeout=access.timeout, max_retries=0)  # each try is paid for apart


class _PassingError(Exception):
    """It may pass another time, after so many seconds."""

    def __init__(self, text: str, wait: float) -> None:
        super().__init__(text)
        self.wait = wait


def _streamed(client: anthropic.Anthropic, body: Mapping[str, Any], purse: Purse, held: Held) -> object:
    import anthropic

    said = _Said(WIDE * body["max_tokens"], time.monotonic() + LONGEST)
    try:
        with client.messages.create(**body, stream=True) as stream:
            for event in stream:
                said.hear(_told(event))
    except UnusableError:
        raise
    except anthropic.APIStatusError as error:
        raise _refused(error, purse, [held]) from None
    except anthropic.APITimeoutError:
        raise _PassingError("no answer in time", 0.0) from None
    except Exception:  # while an answer comes the SDK lets through the errors of its HTTP library, whichever that is
        raise _PassingError("the answer could not be read", 0.0) from None
    return said.answer(purse, held)


def _refused(error: anthropic.APIStatusError, purse: Purse, held: Iterable[Held]) -> Exception:
    """The error for what a service answered instead; what was certainly not worked on is not paid."""
    status = error.status_code
    if unpaid(status):
        for each in held:
            purse.settle(each, None)
    if status < 400:  # told in the middle of an answer
        return _PassingError("the answer broke off", 1.0)
    text = f"the service answered {status}"
    return _PassingError(text, _wait(error.response.headers)) if status in PASSES else UnusableError(text)


def _wait(headers: Mapping[str, str]) -> float:
    """The seconds for which a service wants to be left alone."""
    for name, unit in (("retry-after-ms", 0.001), ("retry-after", 1.0)):
        told = headers.get(name, "")
        if told.replace(".", "", 1).isdecimal():
            return float(told) * unit
    return 1.0


def _told(noun: object) -> Any:
    """What the service told, as plain values: the SDK does not check that it is what it should be."""
    return noun.model_dump(warnings=False) if hasattr(noun, "model_dump") else noun


def _at(told: object, *names: str) -> Any:
    for name in names:
        told = told.get(name) if isinstance(told, dict) else None
    return told


class _Said:
    """An answer as it comes in, of at most `limit` characters and until `deadline`."""

    def __init__(self, limit: int, deadline: float) -> None:
        self._left, self._deadline = limit, deadline
        self._inputs: dict[object, str] = {}
        self._used: dict[str, object] = {}
        self._stop: object = None
        self._over = False

    def hear(self, event: object) -> None:
        if time.monotonic() > self._deadline:
            raise UnusableError("no answer in time")
        match _at(event, "type"):
            case "message_start":
                self._use(_at(event, "message", "usage"))
            case "content_block_start" if _at(event, "content_block", "type") == "tool_use":
                self._inputs[str(_at(event, "index"))] = ""
            case "content_block_delta":
                text = str(_at(event, "delta", "partial_json") or _at(event, "delta", "text") or "")
                self._left -= len(text)
                if self._left < 0:
                    raise UnusableError("the answer is longer than its limit")
                if (at := str(_at(event, "index"))) in self._inputs:
                    self._inputs[at] += text
            case "message_delta":
                self._use(_at(event, "usage"))
                self._stop = _at(event, "delta", "stop_reason")
            case "message_stop":
                self._over = True

    def _use(self, usage: object) -> None:
        if isinstance(usage, dict):
            self._used |= {name: count for name, count in usage.items() if count is not None}

    def answer(self, purse: Purse, held: Held) -> object:
        if not (self._over and self._stop):
            raise UnusableError("the answer broke off")
        _pay(purse, held, self._used)
        _ended(self._stop)
        try:
            return next((json.loads(text) for text in self._inputs.values()), None)
        except (ValueError, RecursionError):
            raise UnusableError("the answer is no JSON") from None


def _pay(purse: Purse, held: Held, used: object, share: float = 1.0) -> None:
    """Settle a request by what was used; where the answer does not say that, it stays paid in full."""
    names = ("input_tokens", "output_tokens", "cache_read_input_tokens", "cache_creation_input_tokens")
    counts = [_at(used, name) for name in names]
    counts[2:] = [count or 0 for count in counts[2:]]
    if all(isinstance(count, int) and count >= 0 for count in counts):
        purse.settle(held, Usage(*counts), share)


def _ended(stop: object) -> None:
    if stop == "refusal":
        raise UnusableError("the model refused")
    if stop == "max_tokens":
        raise UnusableError("the answer was cut at its limit")


def _batched(
    access: Access, requests: Sequence[tuple[str, Mapping[str, Any]]], held: Mapping[str, Held]
) -> dict[str, Answer]:
    import anthropic

    asked = [cast("Request", {"custom_id": name, "params": body}) for name, body in requests]
    with _client(access) as client:
        try:
            batch = client.messages.batches.create(requests=asked).id
        except anthropic.APIStatusError as error:
            return dict.fromkeys(held, UnusableError(str(_refused(error, access.purse, held.values()))))
        except anthropic.APIError:
            return dict.fromkeys(held, UnusableError("the answer could not be read"))
        results = _results(access, client, batch)
    answers: dict[str, Answer] = dict.fromkeys(held, UnusableError("the batch holds no answer"))
    for name in held:
        if result := next((_at(told, "result") for told in results if _at(told, "custom_id") == name), None):
            answers[name] = _resulted(result, access.purse, held[name])
    return answers


def _results(access: Access, client: anthropic.Anthropic, batch: str) -> list[object]:
    """What came of a batch, nothing where it did not come to its end in time; then it is given up."""
    import anthropic

    end = time.monotonic() + access.batch_timeout
    while time.monotonic() < end:
        with contextlib.suppress(anthropic.APIError, ValueError):  # what may pass; it is looked at again
            if client.messages.batches.retrieve(batch).processing_status == "ended":
                return [_told(result) for result in client.messages.batches.results(batch)]
        time.sleep(access.pause)
    with contextlib.suppress(anthropic.APIError):
        client.messages.batches.cancel(batch)
    return []


def _resulted(result: object, purse: Purse, held: Held) -> Answer:
    kind, message = _at(result, "type"), _at(result, "message")
    if kind != "succeeded":
        purse.settle(held, None)  # only what succeeded is charged
        return UnusableError(
            f"the request {kind}" if kind in ("errored", "canceled", "expired") else "the batch holds no answer"
        )
    _pay(purse, held, _at(message, "usage"), BATCH)
    try:
        _ended(_at(message, "stop_reason"))
    except UnusableError as error:
        return error
    content = _at(message, "content")
    blocks = content if isinstance(content, list) else []
    return next((_at(block, "input") for block in blocks if _at(block, "type") == "tool_use"), None)
