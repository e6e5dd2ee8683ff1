"""Lambda Cloud's REST API: list, launch, terminate, prices. It decides nothing about money.

Lambda has no tags: an instance's name carries them. Launching is not idempotent, so the guard looks for the name.
"""

from __future__ import annotations

import http.client
import json
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable
from typing import Any

from meta.gpu.nouns import Clock, Instance, Moment, Offer
from meta.gpu.provider import ProviderError

URL = "https://cloud.lambda.ai/api/v1"
GONE = {"terminated", "preempted"}
_TIMEOUT = 20.0  # seconds of one call; well below the time in which a launch settles
_MOST = 2**24  # bytes of an answer
_PAGES = 1000
Send = Callable[[str, str, bytes | None], tuple[int, bytes]]  # method, path, body -> status, body
# What a code means for a launch: certain that nothing was created, and whether waiting may help. Any other is unknown.
REFUSALS = {
    "global/invalid-api-key": False, "global/account-inactive": False, "global/invalid-address": False,
    "global/invalid-parameters": False, "global/object-does-not-exist": False, "global/quota-exceeded": False,
    "global/forbidden": False, "instance-operations/launch/insufficient-capacity": True,
    "instance-operations/launch/file-system-in-wrong-region": False,
}  # fmt: skip


def over_http(key: str, url: str = URL) -> Send:
    """Sends to the API at this address with this key."""

    def send(method: str, path: str, body: bytes | None) -> tuple[int, bytes]:
        headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
        request = urllib.request.Request(url.rstrip("/") + path, method=method, data=body, headers=headers)
        try:
            with urllib.request.urlopen(request, timeout=_TIMEOUT) as answer:
                return answer.status, answer.read(_MOST)
        except urllib.error.HTTPError as error:
            return error.code, error.read(_MOST)

    return send


class Lambda:
    """An account. `request` and `launching` are the pauses that its rate limits ask for, in seconds."""

    name = "lambda"
    active = 1800.0

    def __init__(self, send: Send, clock: Clock, *, request: float = 1.05, launching: float = 12.5) -> None:
        self._send, self._clock = send, clock
        self._pauses = {"any": request, "launch": launching}
        self._last: dict[str, Moment] = {}

    def offers(self) -> dict[str, Offer]:
        found = {}
        for name, row in dict(self._call("GET", "/instance-types")["data"]).items():
            regions = tuple(str(region["name"]) for region in row.get("regions_with_capacity_available", ()))
            found[name] = Offer(name, row["instance_type"]["price_cents_per_hour"] / 100, regions)
        return found

    def list(self) -> list[Instance]:
        found: list[Instance] = []
        token = ""
        for _ in range(_PAGES):
            answer = self._call(
                "GET", "/instances" + (f"?{urllib.parse.urlencode({'page_token': token})}" if token else "")
            )
            for row in answer["data"]:
                price = (row.get("instance_type") or {}).get("price_cents_per_hour", 0) / 100
                found.append(Instance(row["id"], row.get("name") or "", row["status"], row.get("ip") or "", price))
            token = answer.get("page_token") or ""
            if not token:
                return [instance for instance in found if instance.status not in GONE]
        raise ProviderError("list", "the list of instances has no end")

    def launch(self, name: str, offer: Offer, region: str, ssh_key: str) -> str:
        body = {"region_name": region, "instance_type_name": offer.type, "ssh_key_names": [ssh_key], "name": name}
        ids = self._call("POST", "/instance-operations/launch", body, kind="launch")["data"]["instance_ids"]
        return str(ids[0])

    def terminate(self, id: str) -> None:
        self._call("POST", "/instance-operations/terminate", {"instance_ids": [id]})

    def _call(self, method: str, path: str, body: object = None, kind: str = "any") -> Any:
        self._wait(kind)
        try:
            status, raw = self._send(method, path, None if body is None else json.dumps(body).encode())
        except (OSError, http.client.HTTPException) as error:
            raise ProviderError("network", str(getattr(error, "reason", error))) from error
        finally:
            self._last["any"] = self._last[kind] = self._clock.now()
        if status >= 300:
            raise _refusal(status, raw)
        return _shaped(raw)

    def _wait(self, kind: str) -> None:
        for which in {"any", kind}:
            if last := self._last.get(which):
                left = self._pauses[which] - self._clock.now().since(last)
                if left > 0:
                    self._clock.sleep(left)


def _shaped(raw: bytes) -> Any:
    try:
        answer = json.loads(raw)
        answer["data"]
    except (ValueError, KeyError, TypeError) as error:
        raise ProviderError("shape", "the answer is not what the API documents") from error
    return answer


def _refusal(status: int, raw: bytes) -> ProviderError:
    try:
        told = json.loads(raw)["error"]
        code, message = str(told["code"]), str(told.get("message", ""))
    except (ValueError, KeyError, TypeError):
        code, message = f"http/{status}", "an answer without an error code"
    if status == 429:  # turned away before anything was looked at
        return ProviderError(code, message, refused=True)
    known = code in REFUSALS and status < 500
    return ProviderError(code, message, refused=known, passing=REFUSALS.get(code, True))
