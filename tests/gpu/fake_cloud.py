"""A cloud on loopback that speaks Lambda's documented JSON and goes wrong on demand.

It knows the truth (what lives, since when, what it costs) beside what it tells.
"""

from __future__ import annotations

import itertools
import json
import math
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

KEY, NARROW = "secret-key", "terminate-only"
PRICES = {"gpu_1x_a10": 75, "gpu_1x_h100_pcie": 249}  # cents an hour
Answer = tuple[int, dict[str, Any]]


@dataclass
class Machine:
    id: str
    name: str
    type: str
    born: float
    active: float  # when it becomes active; inf for never
    shown: float  # when the list shows it
    ip: str
    over: float = math.inf  # when it is really gone
    hidden: float = math.inf  # when the list no longer shows it

    def row(self, now: float) -> dict[str, Any]:
        status = "terminating" if self.over < math.inf else "active" if now >= self.active else "booting"
        kind = {"name": self.type, "price_cents_per_hour": PRICES[self.type], "specs": {"gpus": 1}}
        row = {
            "id": self.id,
            "name": self.name,
            "status": status,
            "instance_type": kind,
            "region": {"name": "us-east-1"},
        }
        return row | ({"ip": self.ip} if status == "active" else {})


@dataclass
class Faults:
    """Counts are used up, one a call; the others stay."""

    down: bool = False
    capacity: bool = True
    created_500: int = 0  # creates, and answers with an error
    lost_500: int = 0  # creates nothing, and answers with an error
    list_429: int = 0
    terminate_500: int = 0
    terminate_409: int = 0
    boot: float = 120.0
    lag: float = 0.0  # of the list
    dying: float = 5.0  # seconds from terminate to gone


@dataclass
class FakeCloud:
    now: Callable[[], float]
    faults: Faults = field(default_factory=Faults)
    machines: dict[str, Machine] = field(default_factory=dict)
    calls: list[tuple[float, str, str]] = field(default_factory=list)
    launched: Callable[[Machine], None] = lambda machine: None
    terminated: Callable[[Machine], None] = lambda machine: None
    page: int = 0
    port: int = 0
    _ids: Iterator[int] = field(default_factory=lambda: itertools.count(1))
    _lock: threading.RLock = field(default_factory=threading.RLock)

    def alive(self) -> list[Machine]:
        return [machine for machine in self.machines.values() if self.now() < machine.over]

    def create(self, name: str, type: str = "gpu_1x_a10") -> Machine:
        number, now = next(self._ids), self.now()
        boot, lag = self.faults.boot, self.faults.lag
        machine = Machine(f"i-{number}", name, type, now, now + boot, now + lag, f"127.0.1.{number % 250 + 1}")
        self.machines[machine.id] = machine
        self.launched(machine)
        return machine

    def end(self, machine: Machine) -> None:
        if machine.over == math.inf:
            machine.over = self.now() + self.faults.dying
            machine.hidden = machine.over + self.faults.lag
            self.terminated(machine)

    def answer(self, method: str, path: str, body: dict[str, Any], key: str) -> Answer:
        with self._lock:
            self.calls.append((self.now(), method, path))
            path, _, query = path.removeprefix("/api/v1").partition("?")
            if key not in (KEY, NARROW) or (key == NARROW and not path.endswith("/terminate")):
                return _error(401, "global/invalid-api-key")
            if self.faults.down:
                return _error(503, "provider/internal-unavailable")
            if path == "/instance-types":
                places = [{"name": "us-east-1", "description": "Virginia"}] if self.faults.capacity else []
                kinds = {name: {"name": name, "price_cents_per_hour": cents} for name, cents in PRICES.items()}
                offers = {
                    name: {"instance_type": kind, "regions_with_capacity_available": places}
                    for name, kind in kinds.items()
                }
                return 200, {"data": offers}
            if path == "/instances":
                return self._list(query)
            if path == "/instance-operations/launch":
                return self._launch(body)
            if path == "/instance-operations/terminate":
                return self._terminate(body)
            return _error(404, "global/object-does-not-exist")

    def send(self, method: str, path: str, body: bytes | None) -> tuple[int, bytes]:
        """The same without the sockets between."""
        status, told = self.answer(method, path, json.loads(body or b"{}"), KEY)
        return status, json.dumps(told).encode()

    def _used(self, fault: str) -> bool:
        left = getattr(self.faults, fault)
        setattr(self.faults, fault, max(0, left - 1))
        return bool(left)

    def _list(self, query: str) -> Answer:
        if self._used("list_429"):
            return _error(429, "global/quota-exceeded")
        now = self.now()
        rows = [m.row(now) for m in self.machines.values() if m.shown <= now < m.hidden]
        if self.page:
            start = int(query.partition("=")[2] or 0)
            more = start + self.page
            return 200, {"data": rows[start:more]} | ({"page_token": str(more)} if more < len(rows) else {})
        return 200, {"data": rows}

    def _launch(self, body: dict[str, Any]) -> Answer:
        if not self.faults.capacity:
            return _error(400, "instance-operations/launch/insufficient-capacity")
        if body["instance_type_name"] not in PRICES or not body["ssh_key_names"] or len(body["name"]) > 64:
            return _error(400, "global/invalid-parameters")
        if self._used("lost_500"):
            return _error(500, "global/internal-error")
        machine = self.create(body["name"], body["instance_type_name"])
        if self._used("created_500"):
            return _error(500, "global/internal-error")
        return 200, {"data": {"instance_ids": [machine.id]}}

    def _terminate(self, body: dict[str, Any]) -> Answer:
        if self._used("terminate_500"):
            return _error(500, "global/internal-error")
        if self._used("terminate_409"):
            return _error(409, "global/conflict")
        found = [self.machines[id] for id in body["instance_ids"] if id in self.machines]
        if not found or any(self.now() >= machine.over for machine in found):
            return _error(404, "global/object-does-not-exist")
        for machine in found:
            self.end(machine)
        return 200, {"data": {"terminated_instances": [machine.row(self.now()) for machine in found]}}


def _error(status: int, code: str) -> Answer:
    return status, {"error": {"code": code, "message": f"scripted: {code}"}}


@contextmanager
def served(cloud: FakeCloud) -> Iterator[str]:
    """The address of the cloud's API."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._reply({})

        def do_POST(self) -> None:
            self._reply(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))

        def _reply(self, body: dict[str, Any]) -> None:
            key = self.headers.get("Authorization", "").removeprefix("Bearer ")
            status, told = cloud.answer(self.command, self.path, body, key)
            raw = json.dumps(told).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(raw)))
            self.end_headers()
            self.wfile.write(raw)

        def log_message(self, format: str, *args: object) -> None:
            """Nothing is logged."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/api/v1"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
