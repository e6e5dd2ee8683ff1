"""Install, start, stop and ask the daemon of a workspace: by the user's service manager, or without one by ourselves.

What the daemon does is told in `loop`.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from meta import config, files, process
from meta.config import Config
from meta.daemon import reach, units
from meta.errors import UserError
from meta.intake import workspace_of

PATIENCE = 10.0  # seconds for a start or a stop
TAIL = 50  # lines of the log


@dataclass(frozen=True, slots=True)
class Report:
    """What was done, or how the daemon is; `running` tells whether it answers."""

    text: str
    running: bool


def log_file(workspace: Path) -> Path:
    return config.folders().state / "logs" / f"{units.name(workspace)}.log"


def unit_file(workspace: Path) -> Path:
    if sys.platform == "darwin":
        return Path.home() / "Library" / "LaunchAgents" / f"{units.name(workspace)}.plist"
    folder = Path(os.environ.get("XDG_CONFIG_HOME") or Path.home() / ".config")
    return folder / "systemd" / "user" / f"{units.name(workspace)}.service"


def _unit(workspace: Path) -> bytes:
    log, folders = log_file(workspace), config.folders()
    argv = units.command(workspace, log)
    if sys.platform == "darwin":
        return units.launchd(units.name(workspace), argv, log)
    return units.systemd(workspace, argv, (workspace, folders.state, folders.cache)).encode()


def _manager(*arguments: str) -> bool:
    """Whether the user's service manager did that; there is none in most containers."""
    if not shutil.which("systemctl"):
        return False
    return process.run(["systemctl", "--user", *arguments], timeout=PATIENCE).ok


def _launchctl(verb: str, workspace: Path) -> bool:
    domain = f"gui/{os.getuid()}"
    target = [domain, str(unit_file(workspace))] if verb == "bootstrap" else [f"{domain}/{units.name(workspace)}"]
    return process.run(["launchctl", verb, *target], timeout=PATIENCE).ok


def install(settings: Config, *, dry_run: bool = False) -> Report:
    """Put the service where the manager finds it, and start it if there is a manager."""
    workspace = workspace_of(settings)
    path = unit_file(workspace)
    if dry_run:
        return Report(f"would write {path}:\n{_unit(workspace).decode()}", reach.ask(workspace) is not None)
    for folder in (log_file(workspace).parent, config.folders().cache):
        folder.mkdir(parents=True, exist_ok=True)
    files.write(path, _unit(workspace))
    if sys.platform == "darwin":
        started = _launchctl("bootstrap", workspace)
    else:
        started = _manager("daemon-reload") and _manager("enable", "--now", path.name)
    if not started:
        return Report(f"{path} is written, but no service manager answers. `meta daemon start` runs it without.", False)
    return Report(f"{path} is installed and started.", True)


def uninstall(settings: Config, *, dry_run: bool = False) -> Report:
    workspace = workspace_of(settings)
    path = unit_file(workspace)
    if dry_run:
        return Report(f"would stop the daemon and remove {path}", reach.ask(workspace) is not None)
    if path.exists():
        if sys.platform == "darwin":
            _launchctl("bootout", workspace)
        else:
            _manager("disable", "--now", path.name)
        path.unlink()
        _manager("daemon-reload")
    stop(settings)
    return Report("the daemon is stopped and not installed.", False)


def start(settings: Config, *, wait: Callable[[float], None] = time.sleep) -> Report:
    """Start the daemon and wait until it answers. One that runs already is left alone."""
    workspace = workspace_of(settings)
    if reach.ask(workspace):
        return Report("the daemon runs already.", True)
    log = log_file(workspace)
    log.parent.mkdir(parents=True, exist_ok=True)
    if not (unit_file(workspace).exists() and _manager("start", unit_file(workspace).name)):
        with open(log, "ab") as output:
            subprocess.Popen(
                units.command(workspace, log), stdin=subprocess.DEVNULL, stdout=output, stderr=output, cwd=workspace,
                start_new_session=True,
            )  # fmt: skip
    for _ in range(int(PATIENCE / 0.1)):
        if reach.ask(workspace):
            return Report(f"the daemon watches for {workspace}.", True)
        wait(0.1)
    raise UserError(f"the daemon did not start; {log} tells why. Mend that, then run this again.")


def stop(settings: Config, *, wait: Callable[[float], None] = time.sleep) -> Report:
    """Stop the daemon and wait until it is gone."""
    workspace = workspace_of(settings)
    told = reach.ask(workspace)
    if told is None:
        return Report("no daemon runs here.", False)
    if not (unit_file(workspace).exists() and _manager("stop", unit_file(workspace).name)):
        os.kill(int(told["pid"]), signal.SIGTERM)
    for _ in range(int(PATIENCE / 0.1)):
        if reach.ask(workspace) is None:
            return Report("the daemon is stopped.", False)
        wait(0.1)
    raise UserError(f"the daemon (process {told['pid']}) does not end. Kill it, then run this again.")


def status(settings: Config) -> Report:
    """How the daemon is by its own word; one that lives but does not answer is not well."""
    workspace = workspace_of(settings)
    told = reach.ask(workspace)
    if told is None:
        try:
            with files.locked(workspace / ".meta" / "daemon.lock"):
                return Report("no daemon runs here. `meta daemon start` starts it.", False)
        except UserError as holder:
            return Report(f"a daemon lives but does not answer ({holder}) `meta daemon stop`, or kill it.", False)
    since = time.strftime("%Y-%m-%d %H:%M", time.localtime(told["started"]))
    last = told["reconciled"]
    seen = f"last look {max(0, round(time.time() - last))} s ago" if last else "no look done yet"
    problem = f"; {told['failures']} failed, the last: {told['problem']}" if told["problem"] else ""
    text = f"process {told['pid']} since {since}, {told['watched']} places, {told['runs']} looks, {seen}{problem}"
    return Report(text, True)


def logs(settings: Config) -> Report:
    """The last lines of the daemon's log."""
    path = log_file(workspace_of(settings))
    try:
        lines = path.read_text(errors="replace").splitlines()
    except FileNotFoundError:
        return Report(f"there is no log yet; it will be {path}", False)
    return Report("\n".join(lines[-TAIL:]), reach.ask(workspace_of(settings)) is not None)
