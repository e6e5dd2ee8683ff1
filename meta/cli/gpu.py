"""Run a job on a rented GPU under a guard of its cost; list, end and account for what was rented.

`run` launches one instance, runs --command there, pulls what --get names into gpu-runs/NAME and ends the
instance, whatever happens. `list` shows what is alive, `reap` ends what no run looks after any more (every other
`meta` call starts it while something may be alive; put it into cron for a machine that is seldom used), `ledger` shows
all that was ever rented. Settings stand in gpu.toml beside config.toml: cap_usd (of 30 days), max_rate (an hour),
ask_above, ssh_key, ssh_key_name (as the provider knows it), switch, [limits]. The key of the API is taken from
LAMBDA_API_KEY. `run` ends with 3 while an instance of it is not confirmed to be gone.
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

from meta import config
from meta.cli import desk
from meta.errors import UserError
from meta.gpu.ending import Guard
from meta.gpu.nouns import Job, SystemClock, checked
from meta.gpu.settings import Settings, guard, load
from meta.vetting import visible

if TYPE_CHECKING:
    from meta.gpu.reaper import Reaped

ALIVE = 3
_ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class _Stopped(KeyboardInterrupt):
    """A signal that ends a run, and its instance first."""


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("action", choices=sorted(ACTIONS))
    parser.add_argument("--command", default="", metavar="LINE", help="run: the shell line that is the job")
    parser.add_argument("--name", default="", help="run: the job's name (default: the command's first word)")
    parser.add_argument("--type", default="", help="run: the provider's instance type")
    parser.add_argument("--region", default="", help="run: where (default: the first that has one)")
    parser.add_argument("--hours", type=float, default=1.0, help="run: the longest time the job may take (1)")
    parser.add_argument("--budget", type=float, default=0.0, metavar="USD", help="run: for all attempts of the job")
    parser.add_argument("--tries", type=int, default=1, help="run: attempts where booting fails (1)")
    parser.add_argument("--send", action="append", default=[], metavar="FILE", help="run: a file the job needs")
    parser.add_argument("--get", action="append", default=[], metavar="PATTERN", help="run: files that come back")
    parser.add_argument("--yes", action="store_true", help="run: agree to the worst case without being asked")
    parser.add_argument(
        "--watch", action="store_true", help="reap: go on until its caller has ended and nothing is open"
    )
    desk.dry_run_option(parser)
    desk.json_option(parser)


def run(args: argparse.Namespace) -> int:
    return ACTIONS[args.action](args)


def _tell(text: str) -> None:
    print(visible(f"meta gpu: {text}"), file=sys.stderr, flush=True)


def _folder() -> Path:
    return config.folders().state / "gpu"


def _opened() -> tuple[Settings, Guard]:
    settings = load(config.folders().config / "gpu.toml")
    return settings, guard(settings, os.environ, _folder(), _tell)


def _run(args: argparse.Namespace) -> int:
    from meta.gpu import controller

    if not args.type:
        raise UserError("name an instance type with --type; `meta gpu list` shows the prices of all.")
    job = checked(
        Job(
            args.name or (args.command.split() or ["job"])[0], args.command, args.type, args.hours, args.budget, os.getcwd(),
            args.region, tuple(args.send), tuple(args.get), max(1, args.tries),
        )
    )  # fmt: skip
    for name in job.send:
        if not Path(name).is_file():
            raise UserError(f"{name} is no file. Name one with --send.")
    settings, held = _opened()
    asked = controller.worst(held, job, settings.max_rate)
    price = f"{job.type} at ${asked.offer.price:.2f} an hour, {asked.deadline / 3600:.2f} hours at most: ${asked.usd:.2f} at worst"
    if args.dry_run:
        state, now = held.ledger.state(), held.clock.now()
        spent, committed = state.spent(now), state.committed(now)
        if args.json:
            desk.as_json(
                {"worst_usd": asked.usd, "spent_usd": spent, "committed_usd": committed, "cap_usd": settings.cap_usd}
            )
        else:
            print(
                f"{price}. Of the cap of ${settings.cap_usd:.2f}, ${spent:.2f} are spent and ${committed:.2f} committed."
            )
        return 0
    key = Path(settings.ssh_key).expanduser()
    if not key.is_file():
        raise UserError(
            f"there is no SSH key {key}: set ssh_key in gpu.toml, and ssh_key_name to its name at the provider."
        )
    if not settings.ssh_key_name:
        raise UserError("the provider knows your SSH key by a name: set ssh_key_name in gpu.toml.")
    try:
        from meta.gpu.remote import connector
    except ImportError as error:
        raise UserError("`meta gpu run` needs the extra `competition`: pip install 'metasmith[competition]'") from error
    if asked.usd > settings.ask_above and not args.yes and not _agreed(price):
        raise UserError(f"not agreed to ${asked.usd:.2f} at worst. Say --yes, or raise ask_above in gpu.toml.")
    connect = connector(
        port=settings.ssh_port,
        user=settings.ssh_user,
        key=key,
        answer=settings.limits.answer,
        folder=settings.ssh_folder,
    )
    place = Path("gpu-runs") / job.name
    for kind in _ENDING:
        signal.signal(kind, _stop)
    _start_watch()
    outcome = controller.Run(
        held, connect, job, asked, settings.cap_usd, settings.ssh_key_name, settings.switch, place
    ).run()
    if args.json:
        desk.as_json(asdict(outcome) | {"place": str(place)})
    else:
        print(f"{job.name}: {outcome.reason}; ${outcome.usd:.2f}; log and results: {place}")
    return ALIVE if outcome.alive else 0 if outcome.ok else 1


def _stop(number: int, frame: FrameType | None) -> None:
    for kind in _ENDING:  # the ending is not to be interrupted once more
        signal.signal(kind, lambda number, frame: _tell("the instance is being ended first"))
    raise _Stopped


def _start_watch() -> None:
    """A reaper of its own session, which outlives this process where that is killed."""
    nothing = subprocess.DEVNULL
    words = [sys.executable, "-m", "meta", "gpu", "reap", "--watch"]
    subprocess.Popen(words, stdin=nothing, stdout=nothing, stderr=nothing, start_new_session=True)


def _agreed(price: str) -> bool:
    if not sys.stdin.isatty():
        return False
    print(f"{price}. Go on? [y/N] ", end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip().lower() in {"y", "yes"}


def _list(args: argparse.Namespace) -> int:
    from meta.gpu.provider import ProviderError

    _, held = _opened()
    try:
        listed, offers = held.provider.list(), held.provider.offers()
    except ProviderError as error:
        raise UserError(f"{held.provider.name} does not answer ({error}). Try again later.") from error
    ours = [instance for instance in listed if instance.tag]
    now, state = held.clock.now(), held.ledger.state()
    if args.json:
        attempts = [asdict(row) | {"committed_usd": row.committed(now)} for row in state.open]
        desk.as_json(
            {
                "instances": [asdict(one) for one in ours],
                "open": attempts,
                "offers": [asdict(o) for o in offers.values()],
            }
        )
        return 0
    for row in state.open:
        print(f"open: {row.job} ({row.name}), {row.stage}, ${row.committed(now):.2f} committed")
    desk.table(
        ("id", "name", "status", "address", "$/h"), [(i.id, i.name, i.status, i.ip, f"{i.price:.2f}") for i in ours]
    )
    desk.table(
        ("type", "$/h", "regions with one now"),
        [(o.type, f"{o.price:.2f}", ", ".join(o.regions) or "-") for o in offers.values()],
    )
    return 0


def _reap(args: argparse.Namespace) -> int:
    from meta.gpu.reaper import due, reap

    settings, held = _opened()
    if args.dry_run:
        found = reap(held, dry_run=True)
    else:
        found = _round(held)
        parent = os.getppid()
        while args.watch and (os.getppid() == parent or held.ledger.state().open):
            held.clock.sleep(settings.limits.retry)
            if any(due(held, attempt) for attempt in held.ledger.state().open):
                found = _round(held)
    if args.json:
        desk.as_json(asdict(found))
    else:
        desk.tell(*[f"{mark}: {name}" for mark, names in asdict(found).items() for name in names] or ["nothing to end"])
    return ALIVE if found.alive else 0


def _round(held: Guard) -> Reaped:
    """One round of the reaper; nothing where another one is at work."""
    from meta.gpu.reaper import Reaped, reap

    with held.ledger.reaping() as mine:
        return reap(held) if mine else Reaped()


def _ledger(args: argparse.Namespace) -> int:
    from meta.gpu.ledger import Ledger

    ledger = Ledger(_folder(), SystemClock())
    now, state = ledger.clock.now(), ledger.state()
    if args.json:
        desk.as_json(
            {
                "rows": ledger.rows(),
                "bad": state.bad,
                "spent_usd": state.spent(now),
                "committed_usd": state.committed(now),
            }
        )
        return 0
    rows = [
        (
            row.job,
            row.name,
            row.type,
            row.stage,
            f"{row.cost:.2f}" if row.closed else f"<= {row.committed(now):.2f}",
            row.reason,
        )
        for row in state.attempts.values()
    ]
    desk.table(("job", "attempt", "type", "stage", "USD", "why it ended"), rows)
    print(f"${state.spent(now):.2f} spent in 30 days, ${state.committed(now):.2f} committed. {ledger.path}")
    desk.skipped({"unreadable lines": state.bad} if state.bad else {})
    return 0


ACTIONS = {"run": _run, "list": _list, "reap": _reap, "ledger": _ledger}
