"""A box over SSH: every connection, command and transfer has a time limit, and the host key is pinned on first use.

What is done on the box is the supervisor's matter, when it is done the controller's.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import hashlib
import io
import json
import shlex
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path, PurePosixPath

import paramiko

from meta.gpu.box import Artefact, BoxError, Look, Plan, UnknownHostError
from meta.gpu.ledger import Attempt
from meta.gpu.nouns import Job

_FAULTS = (paramiko.SSHException, OSError, EOFError, ValueError, KeyError, TypeError)
_MOST = 2**24  # bytes of one answer


class _Pin(paramiko.MissingHostKeyPolicy):
    """Takes the key of a box that has shown none yet, and no other one."""

    def __init__(self, pinned: str) -> None:
        self.pinned = pinned

    def missing_host_key(self, client: paramiko.SSHClient, hostname: str, key: paramiko.PKey) -> None:
        if self.pinned and _told(key) != self.pinned:
            raise UnknownHostError(f"{hostname} shows another host key than at first")


def _told(key: paramiko.PKey) -> str:
    return f"{key.get_name()} {key.get_base64()}"


class Remote:
    """An open connection to a box as `user`."""

    def __init__(self, host: str, pinned: str, *, port: int, user: str, key: Path, answer: float, place: str) -> None:
        self._answer, self._place = answer, place
        self._client = paramiko.SSHClient()
        self._client.set_missing_host_key_policy(_Pin(pinned))
        with _asking(f"{host} port {port}"):
            try:
                self._client.connect(
                    host,
                    port,
                    user,
                    key_filename=str(key),
                    allow_agent=False,
                    look_for_keys=False,
                    timeout=answer,
                    banner_timeout=answer,
                    auth_timeout=answer,
                    channel_timeout=answer,
                )
                transport = self._client.get_transport()
                if transport is None:
                    raise paramiko.SSHException("the connection ended at once")
                self.host_key = _told(transport.get_remote_server_key())
            except BaseException:
                self._client.close()
                raise

    def close(self) -> None:
        self._client.close()

    def check(self) -> None:
        self._run("nvidia-smi -L")

    def start(self, job: Job, plan: Plan) -> None:
        """Put the job's files and the supervisor there and start it; what is started already is left alone."""
        self._run(f"mkdir -p {self._place}/work")
        with _asking("sending files"), self._sftp() as sftp:
            script = Path(__file__).with_name("supervisor.py").read_bytes()
            sftp.putfo(io.BytesIO(script), f"{self._place}/supervisor.py")
            for name in job.send:
                sftp.put(name, f"{self._place}/work/{Path(name).name}")
        self._supervisor("run", json.dumps(asdict(plan)))

    def look(self, offset: int) -> Look:
        with _asking("the supervisor"):
            told = json.loads(self._supervisor("peek", str(offset)))
            code = told["code"]
            return Look(
                None if code is None else int(code), str(told["reason"]), base64.b64decode(told["log"], validate=True)
            )

    def collect(self, job: Job, place: Path, seconds: float, beat: Callable[[], None]) -> list[Artefact]:
        """The files that came within the time, each checked by its sha256. Names that would leave `place` are passed over."""
        give_up = time.monotonic() + seconds
        found, renewed = [], time.monotonic()

        def renew() -> None:
            nonlocal renewed
            if time.monotonic() - renewed >= self._answer / 2:
                beat()
                self._supervisor("peek", str(_MOST))
                renewed = time.monotonic()

        with _asking("the supervisor"):
            listed = [
                (str(row["path"]), str(row["sha256"])) for row in json.loads(self._supervisor("digest", *job.get))
            ]
        with _asking("pulling results"), self._sftp() as sftp:
            for name, sha256 in listed:
                path = PurePosixPath(name)
                if path.is_absolute() or ".." in path.parts or "\0" in name:
                    continue
                whole = _pulled(sftp, f"{self._place}/work/{name}", place / path, sha256, give_up, renew)
                found.append(Artefact(name, sha256, whole))
        return found

    def _supervisor(self, *words: str) -> str:
        action, *rest = words
        return self._run(shlex.join(["python3", f"{self._place}/supervisor.py", action, self._place, *rest]))

    @contextlib.contextmanager
    def _sftp(self) -> Iterator[paramiko.SFTPClient]:
        with self._client.open_sftp() as sftp:
            channel = sftp.get_channel()
            if channel is not None:
                channel.settimeout(self._answer)
            yield sftp

    def _run(self, command: str) -> str:
        """What the command printed. It has `answer` seconds in all, however slowly it speaks."""
        give_up = time.monotonic() + self._answer
        with _asking(command.split()[0]):
            transport = self._client.get_transport()
            if transport is None or not transport.is_active():
                raise paramiko.SSHException("the connection is gone")
            with contextlib.closing(transport.open_session(timeout=self._answer)) as channel:
                channel.settimeout(self._answer)
                channel.exec_command(command)
                output = _read(channel.recv, give_up)
                error = _read(channel.recv_stderr, give_up)
                if not channel.status_event.wait(max(0.1, give_up - time.monotonic())):
                    raise TimeoutError
                if channel.exit_status != 0:
                    told = error.decode(errors="replace").strip().splitlines()[-1:] or [f"exit {channel.exit_status}"]
                    raise BoxError(f"{command.split()[0]}: {told[0]}")
                return output.decode(errors="replace")


def _read(receive: Callable[[int], bytes], give_up: float) -> bytes:
    data = bytearray()
    while chunk := receive(2**16):
        data += chunk
        if time.monotonic() >= give_up or len(data) > _MOST:
            raise TimeoutError
    return bytes(data)


@contextlib.contextmanager
def _asking(what: str) -> Iterator[None]:
    try:
        yield
    except BoxError:
        raise
    except binascii.Error as error:
        raise BoxError(f"{what}: no answer that can be read") from error
    except TimeoutError as error:
        raise BoxError(f"{what}: no answer in time") from error
    except _FAULTS as error:
        raise BoxError(f"{what}: {error}") from error


def _pulled(
    sftp: paramiko.SFTPClient, remote: str, path: Path, sha256: str, give_up: float, renew: Callable[[], None]
) -> bool:
    """Whether the file is here as it is there. What came of it in time is kept as `.partial`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    draft, hashed = path.with_name(f"{path.name}.partial"), hashlib.sha256()
    with sftp.open(remote, "rb") as source, draft.open("wb") as target:
        while time.monotonic() < give_up and (chunk := source.read(2**15)):
            target.write(chunk)
            renew()
            hashed.update(chunk)
    if hashed.hexdigest() != sha256:
        return False
    draft.replace(path)
    return True


def connector(*, port: int, user: str, key: Path, answer: float, folder: str) -> Callable[[Attempt], Remote]:
    """Opens boxes; each attempt has its own place in the folder there."""

    def connect(attempt: Attempt) -> Remote:
        place = f"{folder}/{attempt.token}-{attempt.number}"
        return Remote(attempt.ip, attempt.host_key, port=port, user=user, key=key, answer=answer, place=place)

    return connect
