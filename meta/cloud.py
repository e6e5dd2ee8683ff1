"""Keep the archive and the knowledge of a workspace in a place of your own too: a folder, S3, or whatever fsspec reaches.

What lies there is named by its content and never changed: a file whose sending was cut short is told by its length and sent
again. A list of files is written when all of them are there, one for each machine, so that no machine touches another's. With a
key everything is sealed before it leaves (AES-GCM, RFC 5116). No local file is overwritten.
"""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import json
import os
import secrets
import uuid
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from meta import files
from meta.errors import UserError
from meta.intake import Progress, quiet
from meta.redact import residue

KEPT = ("conversation-archive", "knowledge")
KEY = 32  # bytes
_NONCE = 12
_LIST = "lists"
_FOREIGN = (
    "botocore",
    "aiobotocore",
    "aiohttp",
    "gcsfs",
    "adlfs",
    "paramiko",
    "requests",
)  # whose errors are the place's


@dataclass(frozen=True, slots=True)
class Synced:
    """Files that were sent, fetched, and left alone: as `differing` here and there, or `refused` for what is in them or where
    they would lie."""

    sent: tuple[str, ...]
    fetched: tuple[str, ...]
    differing: tuple[str, ...]
    refused: tuple[str, ...]


def key(path: Path) -> bytes:
    """The key in this file, which is made where there is none. Raises `UserError` for one that is no key."""
    if not path.exists():
        files.write(path, secrets.token_hex(KEY) + "\n", mode=0o600)
    try:
        found = bytes.fromhex(path.read_text().strip())
    except (OSError, ValueError):
        found = b""
    if len(found) != KEY:
        raise UserError(f"{path} holds no key of {KEY} bytes in hexadecimal. Name the right file, or a new one.")
    return found


def machine(state: Path) -> str:
    """The name of this machine among those that keep their files in one place."""
    path = state / "machine"
    if not path.exists():
        files.write(path, uuid.uuid4().hex + "\n")
    return path.read_text().strip()


def sync(
    workspace: Path, url: str, owner: str, *, seal: bytes | None = None, dry_run: bool = False,
    progress: Progress = quiet,
) -> Synced:  # fmt: skip
    """Send what the place does not have of this workspace, then fetch what other machines keep there and we do not have."""
    with _explained(url):
        place = _Place(url, seal)
        own, refused = _own(workspace)
        sent = _send(place, own, owner, dry_run=dry_run, progress=progress)
        fetched, differing, odd = _fetch(place, workspace, own, owner, dry_run=dry_run)
    return Synced(sent, fetched, differing, (*refused, *odd))


class _Place:
    """Where things are kept: by the name of their content, sealed where there is a key."""

    def __init__(self, url: str, seal: bytes | None) -> None:
        import fsspec

        self.system, root = fsspec.core.url_to_fs(url)
        self.root = f"{root.rstrip('/')}/{'sealed' if seal else 'plain'}"
        self.other = f"{root.rstrip('/')}/{'plain' if seal else 'sealed'}"
        self.seal = seal

    def name(self, content: bytes) -> str:
        return hmac.new(self.seal, content, "sha256").hexdigest() if self.seal else hashlib.sha256(content).hexdigest()

    def closed(self, content: bytes) -> bytes:
        """The content as it is kept. The same content is sealed alike, so that it is kept once."""
        if not self.seal:
            return content
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        nonce = hmac.new(self.seal, b"nonce" + content, "sha256").digest()[:_NONCE]
        return nonce + AESGCM(self.seal).encrypt(nonce, content, None)

    def opened(self, kept: bytes, name: str) -> bytes | None:
        """What is kept under this name; None for what is cut short, or sealed with another key."""
        content = kept
        if self.seal:
            from cryptography.exceptions import InvalidTag
            from cryptography.hazmat.primitives.ciphers.aead import AESGCM

            try:
                content = AESGCM(self.seal).decrypt(kept[:_NONCE], kept[_NONCE:], None)
            except (InvalidTag, ValueError):
                return None
        return content if self.name(content) == name else None

    def listed(self, *folder: str) -> dict[str, int]:
        """The names in a folder with their lengths."""
        self.system.invalidate_cache()
        place = "/".join((self.root, *folder))
        try:
            rows = self.system.ls(place, detail=True)
        except FileNotFoundError:
            return {}
        return {PurePosixPath(row["name"]).name: int(row["size"] or 0) for row in rows if row["name"] != place}

    def put(self, content: bytes, *path: str) -> None:
        place = "/".join((self.root, *path))
        self.system.makedirs(place.rpartition("/")[0], exist_ok=True)
        self.system.pipe_file(place, content)

    def get(self, *path: str) -> bytes:
        content: bytes = self.system.cat_file("/".join((self.root, *path)))
        return content

    def remove(self, *path: str) -> None:
        self.system.rm_file("/".join((self.root, *path)))


def _own(workspace: Path) -> tuple[dict[str, bytes], list[str]]:
    """The files that are kept, by path, and those that hold what looks like a secret."""
    found: dict[str, bytes] = {}
    refused: list[str] = []
    for folder in KEPT:
        for path in sorted((workspace / folder).rglob("*")):
            name = path.relative_to(workspace).as_posix()
            if path.is_symlink() or not path.is_file() or not _safe(workspace, name):
                continue
            content = path.read_bytes()
            if residue.secrets([name, content.decode(errors="replace")]):
                refused.append(name)
            else:
                found[name] = content
    return found, refused


def _safe(workspace: Path, name: str) -> bool:
    """Whether a path leads to where such files lie, and through no link to elsewhere."""
    parts = PurePosixPath(name).parts
    plain = (
        "\\" not in name and "\0" not in name and ".." not in parts and not any(part.startswith(".") for part in parts)
    )
    if not plain or parts[:1] not in [(folder,) for folder in KEPT] or len(parts) < 2:
        return False
    return os.path.realpath(workspace / name) == os.path.join(os.path.realpath(workspace), *parts)


def _send(place: _Place, own: Mapping[str, bytes], owner: str, *, dry_run: bool, progress: Progress) -> tuple[str, ...]:
    """Send what is not there, and then the list."""
    if not place.listed(_LIST) and place.system.exists(place.other):
        kind = "sealed: give its key" if not place.seal else "kept open: leave the key out"
        raise UserError(f"what lies there is {kind}, or name another place.")
    names = {path: place.name(content) for path, content in own.items()}
    there = place.listed("content")
    sent = []
    for number, (path, content) in enumerate(own.items(), 1):
        kept = place.closed(content)
        if there.get(names[path]) != len(kept):
            sent.append(path)
            if not dry_run:
                place.put(kept, "content", names[path])
                there[names[path]] = len(kept)
        progress(number, len(own))
    text = json.dumps({"format": 1, "files": names}, sort_keys=True).encode()
    listing = place.listed(_LIST, owner)
    before = _latest(place, owner, listing)
    if not dry_run and (before is None or before != names):
        newest = max((int(name.partition("-")[0]) for name in listing if name.partition("-")[0].isdecimal()), default=0)
        place.put(place.closed(text), _LIST, owner, f"{newest + 1:08d}-{place.name(text)}")
        for old in listing:
            place.remove(_LIST, owner, old)
    return tuple(sent)


def _latest(place: _Place, owner: str, listing: Mapping[str, int]) -> dict[str, str] | None:
    """The newest list of a machine that is whole; None where there is none."""
    for name in sorted(listing, reverse=True):
        content = place.opened(place.get(_LIST, owner, name), name.partition("-")[2])
        if content is not None:
            told: dict[str, str] = json.loads(content)["files"]
            return told
    if listing and place.seal:
        raise UserError("what lies there was sealed with another key. Name the right one.")
    return None


def _fetch(
    place: _Place, workspace: Path, own: Mapping[str, bytes], owner: str, *, dry_run: bool
) -> tuple[tuple[str, ...], tuple[str, ...], list[str]]:
    """Write what others keep and we do not have."""
    fetched, differing, refused = [], [], []
    for other in sorted(place.listed(_LIST)):
        told = (_latest(place, other, place.listed(_LIST, other)) or {}) if other != owner else {}
        for path, name in sorted(told.items()):
            if not _safe(workspace, path):
                refused.append(path)
            elif path in own or (workspace / path).exists():
                if path not in own or place.name(own[path]) != name:
                    differing.append(path)
            else:
                content = place.opened(place.get("content", name), name)
                if content is None:
                    refused.append(path)
                    continue
                fetched.append(path)
                if not dry_run:
                    files.write(workspace / path, content)
    return tuple(dict.fromkeys(fetched)), tuple(dict.fromkeys(differing)), refused


@contextlib.contextmanager
def _explained(url: str) -> Iterator[None]:
    """What the place or the way to it refuses is a person's to settle."""
    try:
        yield
    except UserError as error:
        raise UserError(f"{_shown(url)}: {error}") from error
    except ImportError as error:
        raise UserError(
            f"{_shown(url)} needs a package that is not installed: {error.name or error}. Install `metasmith[sync]`."
        ) from error
    except Exception as error:
        known: Any = type(error).__module__.partition(".")[0]
        if isinstance(error, OSError | ValueError) or known in _FOREIGN:
            raise UserError(
                f"{_shown(url)} cannot be used: {str(error).splitlines()[0] if str(error) else error!r}."
            ) from error
        raise


def _shown(url: str) -> str:
    """The address without what may be a password in it."""
    scheme, found, rest = url.partition("://")
    return f"{scheme}://{rest.rpartition('@')[2]}" if found else url
