"""The daemon as a service of the user's own session: a systemd unit or a launchd agent, within limits.

Starting and stopping is the business of `control`.
"""

from __future__ import annotations

import hashlib
import os
import plistlib
import re
import sys
from collections.abc import Sequence
from pathlib import Path

MEMORY = "512M"  # with the child that mines
CPU = "100%"  # of one processor, and of that only what others leave
TASKS = 64


def name(workspace: Path) -> str:
    """A name of its own for each workspace."""
    slug = re.sub(r"[^a-z0-9]+", "-", workspace.name.lower()).strip("-")[:30] or "workspace"
    return f"meta-{slug}-{hashlib.sha256(os.fsencode(workspace)).hexdigest()[:6]}"


def command(workspace: Path, log: Path) -> tuple[str, ...]:
    return (sys.executable, "-m", "meta", "watch", "--workspace", str(workspace), "--log", str(log))


def systemd(workspace: Path, argv: Sequence[str], writable: Sequence[Path]) -> str:
    """The unit (systemd.service(5), systemd.resource-control(5)). It may write only where it must, and call nobody."""
    paths = " ".join(_quoted(str(path)) for path in writable)
    return f"""\
[Unit]
Description=meta: watch agent sessions for {_escaped(workspace.name)}
StartLimitIntervalSec=600
StartLimitBurst=5

[Service]
Type=exec
ExecStart={" ".join(map(_quoted, argv))}
WorkingDirectory={_escaped(str(workspace))}
Restart=on-failure
RestartSec=1
Nice=10
CPUQuota={CPU}
CPUWeight=20
MemoryMax={MEMORY}
TasksMax={TASKS}
NoNewPrivileges=true
ProtectSystem=strict
ReadWritePaths={paths}
IPAddressDeny=any

[Install]
WantedBy=default.target
"""


def _escaped(text: str) -> str:
    """Text for a unit file, in which % begins a specifier."""
    return " ".join(text.replace("%", "%%").split())


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%").replace("$", "$$") + '"'


def launchd(label: str, argv: Sequence[str], log: Path) -> bytes:
    """The agent's property list (launchd.plist(5))."""
    return plistlib.dumps({
        "Label": label,
        "ProgramArguments": list(argv),
        "RunAtLoad": True,
        "KeepAlive": {"SuccessfulExit": False},
        "ProcessType": "Background",
        "LowPriorityIO": True,
        "StandardErrorPath": str(log),
    })  # fmt: skip
