"""A scripted model on loopback that speaks the protocols of Anthropic, OpenAI and Google, and a client run against it.

It runs as a program of its own, on the standard library, so that it can live in a network of its own beside its client:

    python models.py SCRIPT LOG -- CLIENT ARGUMENT…

`{model}` in an argument or in the environment becomes the address. SCRIPT is a JSON list of turns, each
`{"say": …, "calls": [{"name": …, "input": {…}}]}`; the turn is chosen by the calls that the conversation already holds.
LOG gets one line a request. What is asked, and whether the client did it, is for the tests to say.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar
from uuid import uuid4

Json = dict[str, Any]
WAIT = 0.3  # seconds that the model thinks
LOCK = threading.Lock()


def _id(kind: str) -> str:
    """An id that no other session has: what has the same one is the same event to a reader of many files."""
    return f"{kind}_{uuid4().hex}"


class Model(BaseHTTPRequestHandler):
    """One request. The conversation comes whole with each, so nothing is remembered between them."""

    protocol_version = "HTTP/1.1"
    script: ClassVar[Sequence[Json]] = ()
    log: ClassVar[Path]

    def log_message(self, format: str, *arguments: object) -> None:
        """Nothing: stderr is the client's."""

    def do_HEAD(self) -> None:
        self._json({})

    def do_GET(self) -> None:
        self._json({"object": "list", "data": [], "models": []})

    def do_POST(self) -> None:
        raw = self.rfile.read(int(self.headers.get("content-length") or 0))
        body = json.loads(raw or b"{}")
        path = self.path.partition("?")[0]
        with LOCK, self.log.open("a") as log:
            log.write(json.dumps({"path": path, "body": body}) + "\n")
        size = len(raw) // 4
        if path.endswith("/count_tokens"):
            self._json({"input_tokens": size})
        elif ":countTokens" in path:
            self._json({"totalTokens": size})
        elif path.endswith("/messages"):
            self._stream(_anthropic(body, self._turn(body.get("tools"), _said_anthropic(body)), size), named=True)
        elif path.endswith("/responses"):
            self._stream(_openai(body, self._turn(body.get("tools"), _said_openai(body)), size), named=True)
        elif ":streamGenerateContent" in path:
            self._stream([_google(self._turn(body.get("tools"), _said_google(body)), size)], named=False)
        elif ":generateContent" in path:
            self._json(_google(self._turn(body.get("tools"), _said_google(body)), size))
        else:
            self._json({"error": {"message": "not scripted"}}, 404)

    def _turn(self, tools: object, calls: int) -> Json:
        """What the model says now. Without tools the client asks for a title or the like."""
        if not tools:
            return {"say": '{"title": "Scripted", "next_speaker": "user", "reasoning": "scripted"}'}
        time.sleep(WAIT)
        return self.script[calls] if calls < len(self.script) else {"say": "Done."}

    def _json(self, value: Json, code: int = 200) -> None:
        content = json.dumps(value).encode()
        self.send_response(code)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def _stream(self, events: Sequence[Json] | Iterator[Json], *, named: bool) -> None:
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.send_header("connection", "close")
        self.end_headers()
        for event in events:
            name = f"event: {event['type']}\n" if named else ""
            self.wfile.write(f"{name}data: {json.dumps(event)}\n\n".encode())
        self.close_connection = True


def _said_anthropic(body: Json) -> int:
    contents = [m["content"] for m in body["messages"] if m["role"] == "assistant" and isinstance(m["content"], list)]
    return sum(block["type"] == "tool_use" for content in contents for block in content)


def _anthropic(body: Json, turn: Json, size: int) -> Iterator[Json]:
    calls = turn.get("calls", [])
    usage = {"input_tokens": size, "output_tokens": 20}
    message = {"id": _id("msg"), "type": "message", "role": "assistant", "model": body["model"], "content": []}
    yield {"type": "message_start", "message": {**message, "stop_reason": None, "stop_sequence": None, "usage": usage}}
    for index, call in enumerate([None, *calls]):
        if call is None:
            block: Json = {"type": "text", "text": ""}
            delta: Json = {"type": "text_delta", "text": turn["say"]}
        else:
            block = {"type": "tool_use", "id": _id("toolu"), "name": call["name"], "input": {}}
            delta = {"type": "input_json_delta", "partial_json": json.dumps(call["input"])}
        yield {"type": "content_block_start", "index": index, "content_block": block}
        yield {"type": "content_block_delta", "index": index, "delta": delta}
        yield {"type": "content_block_stop", "index": index}
    reason = "tool_use" if calls else "end_turn"
    yield {"type": "message_delta", "delta": {"stop_reason": reason, "stop_sequence": None}, "usage": usage}
    yield {"type": "message_stop"}


def _said_openai(body: Json) -> int:
    return sum(str(item.get("type")).endswith("_call") for item in body["input"])


def _openai(body: Json, turn: Json, size: int) -> Iterator[Json]:
    """A call with a `type` of its own (`tool_search_call`) is sent as that item, its input as an object."""
    said = [{"type": "output_text", "text": turn["say"], "annotations": []}]
    items: list[Json] = [{"type": "message", "role": "assistant", "id": _id("msg"), "content": said}]
    for call in turn.get("calls", []):
        about = {key: value for key, value in call.items() if key != "input"}
        arguments = call["input"] if "type" in call else json.dumps(call["input"])
        items.append({"type": "function_call", "id": _id("fc"), "call_id": _id("call"), "status": "completed",
                      "arguments": arguments, **about})  # fmt: skip
    usage = {"input_tokens": size, "output_tokens": 20, "total_tokens": size + 20}
    response = {"id": _id("resp"), "object": "response", "created_at": int(time.time()), "model": body["model"]}
    yield {"type": "response.created", "response": {**response, "status": "in_progress", "output": []}}
    for index, item in enumerate(items):
        yield {"type": "response.output_item.added", "output_index": index, "item": item}
        yield {"type": "response.output_item.done", "output_index": index, "item": item}
    yield {"type": "response.completed",
           "response": {**response, "status": "completed", "output": items, "usage": usage}}  # fmt: skip


def _said_google(body: Json) -> int:
    return sum("functionCall" in part for content in body["contents"] for part in content.get("parts", []))


def _google(turn: Json, size: int) -> Json:
    calls = [{"id": _id("call"), "name": call["name"], "args": call["input"]} for call in turn.get("calls", [])]
    content = {"role": "model", "parts": [{"text": turn["say"]}, *({"functionCall": call} for call in calls)]}
    usage = {"promptTokenCount": size, "candidatesTokenCount": 20, "totalTokenCount": size + 20}
    return {"candidates": [{"index": 0, "content": content, "finishReason": "STOP"}], "usageMetadata": usage}


def main(script: str, log: str, _: str, *words: str) -> int:
    """The client's own exit code."""
    Model.script, Model.log = json.loads(Path(script).read_text()), Path(log)
    server = ThreadingHTTPServer(("127.0.0.1", 0), Model)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    address = f"http://127.0.0.1:{server.server_port}"
    environment = {name: value.replace("{model}", address) for name, value in os.environ.items()}
    return subprocess.run([word.replace("{model}", address) for word in words], env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
