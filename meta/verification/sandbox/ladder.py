"""Which isolation works on this machine, why a stronger one does not, and the command that brings it.

Each rung is tried with a program that attempts what it must not get. Nothing of a tool is run here.
"""

from __future__ import annotations

import os
import platform
import shutil
import socket
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from meta.model import Isolation
from meta.verification.sandbox import folders, ways
from meta.verification.sandbox.ways import Limits

# Prints what it could do: be root, read a file outside, write it, reach a server outside.
_ATTEMPTS = """
import os, socket, sys
def tell(name, attempt):
    try:
        attempt()
    except OSError:
        return
    print(name)
if os.geteuid() == 0:
    print("be root")
tell("read outside", lambda: open(sys.argv[1]).close())
tell("write outside", lambda: open(sys.argv[1], "a").close())
tell("reach the network", lambda: socket.create_connection(("127.0.0.1", int(sys.argv[2])), 2).close())
open("done", "w").close()
"""
_PACKAGES = {
    "apt-get": "sudo apt-get install -y bubblewrap",
    "dnf": "sudo dnf install -y bubblewrap",
    "pacman": "sudo pacman -S --noconfirm bubblewrap",
    "apk": "sudo apk add bubblewrap setpriv",
    "zypper": "sudo zypper install -y bubblewrap",
}
_PROFILE = (
    r"printf 'abi <abi/4.0>,\ninclude <tunables/global>\nprofile bwrap /usr/bin/bwrap flags=(unconfined) {\n  userns,\n}\n'"
    " | sudo tee /etc/apparmor.d/bwrap >/dev/null && sudo apparmor_parser -r /etc/apparmor.d/bwrap"
)


@dataclass(frozen=True, slots=True)
class Rung:
    """One isolation and whether it works here; if not, why, and what to do ("" where nothing is known)."""

    isolation: Isolation
    works: bool
    reason: str = ""
    remedy: str = ""


@cache
def rungs() -> tuple[Rung, ...]:
    """The rungs from the strongest down to the first that works; all failed ones where none does."""
    folders.sweep()
    tried: list[Rung] = []
    if not sys.platform.startswith("linux"):
        return (Rung("bubblewrap", False, f"there is no sandbox for {platform.system()} yet"),)
    for attempt in (_bubblewrap, _landlock, _limits):
        tried.append(attempt())
        if tried[-1].works:
            break
    return tuple(tried)


def level() -> Isolation:
    """The strongest isolation that works here."""
    return next((rung.isolation for rung in rungs() if rung.works), "none")


def _bubblewrap() -> Rung:
    needed = ["bwrap", "prlimit", "timeout", *(["setpriv"] if os.geteuid() == 0 else [])]
    if missing := [program for program in needed if not shutil.which(program)]:
        remedy = next((command for manager, command in _PACKAGES.items() if shutil.which(manager)), "")
        return Rung("bubblewrap", False, f"{', '.join(missing)} is not installed", remedy)
    if reason := _tried("bubblewrap", allowed=()):
        cause, remedy = blocked(settings(Path("/proc")))
        return Rung("bubblewrap", False, f"{cause or 'it does not start'} ({reason})", remedy)
    return Rung("bubblewrap", True)


def _landlock() -> Rung:
    reason = _tried("landlock", allowed=())
    return Rung("landlock", not reason, reason, "boot a kernel of 6.2 or newer with `lsm=landlock,…`" if reason else "")


def _limits() -> Rung:
    reason = _tried("limits", allowed=("read outside", "write outside", "reach the network"))
    return Rung("limits", not reason, reason)


def _tried(isolation: Isolation, *, allowed: tuple[str, ...]) -> str:
    """Why the isolation does not hold; "" where it does."""
    with folders.place() as place, folders.scratch() as scratch, socket.create_server(("127.0.0.1", 0)) as server:
        outside = place / "outside"
        outside.write_text("x")
        outside.chmod(0o666)
        argv = [sys.executable, "-I", "-S", "-c", _ATTEMPTS, str(outside), str(server.getsockname()[1])]
        ran = ways.execute(isolation, argv, scratch, limits=Limits(wall=10))
        if ran.code != 0 or not (scratch / "done").exists():
            lines = ran.stderr.strip().splitlines()
            return lines[-1] if lines else "time was up" if ran.code is None else f"exit code {ran.code}"
    return ", ".join(f"a program in it could {what}" for what in ran.stdout.splitlines() if what not in allowed)


def settings(proc: Path) -> Mapping[str, str]:
    """What the kernel says about user namespaces; a setting that it does not have is absent."""
    names = {
        "apparmor": "sys/kernel/apparmor_restrict_unprivileged_userns",
        "allowed": "sys/kernel/unprivileged_userns_clone",
        "most": "sys/user/max_user_namespaces",
    }
    found = {name: (proc / path).read_text().strip() for name, path in names.items() if (proc / path).exists()}
    status = (proc / "self/status").read_text() if (proc / "self/status").exists() else ""
    words = [line.split()[1] for line in status.splitlines() if line.startswith("Seccomp:")]
    return found | ({"filtered": words[0]} if words else {})


def blocked(found: Mapping[str, str]) -> tuple[str, str]:
    """What keeps bubblewrap from working under these settings, and the command that changes it; "" where unknown."""
    if found.get("most") == "0":
        return "user namespaces are switched off", "sudo sysctl -w user.max_user_namespaces=10000"
    if found.get("allowed") == "0":
        return "user namespaces are for root only", "sudo sysctl -w kernel.unprivileged_userns_clone=1"
    if found.get("apparmor") == "1":
        return "AppArmor refuses user namespaces to it", _PROFILE
    if found.get("filtered") == "2":
        cause = "the call filter of this container refuses namespaces"
        return cause, "docker run --security-opt seccomp=unconfined …"
    return "", ""
