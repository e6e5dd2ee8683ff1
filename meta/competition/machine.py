"""Drive a competition from its files to a submission: ingest, profile, baseline, rounds, blend, last gate.

Every command's end is on disk before the next begins, so a run that was killed anywhere goes on where it was. Which
move is next is decided by the function that is given (`policy`, or a model), not here.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from meta import files
from meta.competition import journal as journals
from meta.competition import policy, running, state, tools
from meta.competition.nouns import Budget, Choice, Choose, Competition, Experiment, Journal, Move, Outcome, number
from meta.competition.record import FOLDER, Recorder, stamp
from meta.competition.running import Ran
from meta.competition.state import Current, State
from meta.errors import UserError

SUBMISSION = "submission.csv"
RUNS = "runs"
BLEND = "blend"  # the move that is kept for the end
LOCK = f"{state.FOLDER}/lock"
IGNORED = (
    "# what experiments leave behind; each can be made again from its row in journal.jsonl",
    "/runs/*/*", "!/runs/*/row.json", "!/runs/*/metrics.json", "/.meta/", "__pycache__/", "last.log",
)  # fmt: skip
Tell = Callable[[str], None]


@dataclass(slots=True)
class Run:
    """One run of the machine over a competition. `commands` counts what it ran, `used` the generated tools among it."""

    competition: Competition
    choose: Choose
    tell: Tell
    recorder: Recorder
    state: State
    finder: tools.Finder
    commands: int = 0
    used: tuple[str, ...] = ()

    @property
    def folder(self) -> Path:
        return self.competition.folder

    @property
    def journal(self) -> Journal:
        return journals.read(self.folder, self.state.lost)

    def keep(self, **changes: Any) -> None:
        self.state = state.write(self.folder, replace(self.state, **changes))

    def now(self, **changes: Any) -> Current:
        """The experiment under way, changed and on disk."""
        assert self.state.current is not None
        self.keep(current=replace(self.state.current, **changes))
        assert self.state.current is not None
        return self.state.current


def compete(
    competition: Competition,
    choose: Choose,
    *,
    tell: Tell,
    origin: str = "policy",
) -> Outcome:
    """The outcome after as much as the budget allows. One of ours at a time works in a folder."""
    with files.locked(competition.folder / LOCK):
        began = state.charged(competition.folder, state.read(competition.folder))
        run = Run(
            competition, choose, tell, Recorder(competition.folder, origin), began, tools.Finder(competition.folder)
        )
        try:
            return _through(run)
        except KeyboardInterrupt:
            raise UserError(
                f"stopped; what was finished is kept. `meta compete {competition.folder}` goes on from there."
            ) from None


def _through(run: Run) -> Outcome:
    ingest(run)
    offered = [move for name in tools.solvers(run.competition) for move in tools.moves(run.competition, name)]
    if run.state.current is not None:
        _experiment(run)
    if not run.journal.rows:
        profile(run, offered)
        first = next((move for move in offered if not move.after), None)
        if first is None:
            raise UserError("no tool offers a move to begin with: each waits for another one. Mend their --moves.")
        seconds = min(run.competition.budget.cpu_seconds, max(policy.FEWEST, policy.ROOM * first.seconds))
        _begin(run, Choice(first, "the baseline", seconds, run.competition.seed))
    reason = _rounds(run, offered)
    _blend(run, offered)
    _last_gate(run)
    return _outcome(run, reason)


def ingest(run: Run) -> None:
    """Make the folder a repository with its tools in it, and commit what of that is new."""
    folder = run.folder
    if not (folder / ".git").exists():
        running.git(folder, "init", "-q")
    ignored = folder / ".gitignore"
    text = ignored.read_text() if ignored.exists() else ""
    wanted = [*IGNORED, *(f"/{name}" for name in sorted(set(run.competition.files.values())))]
    if lines := [line for line in wanted if line not in text.splitlines()]:
        files.write(ignored, "\n".join([text.rstrip("\n"), *lines] if text else lines) + "\n")
    if rendered := tools.render(run.competition):
        run.tell(f"rendered the tools {', '.join(rendered)}")
    ours = [".gitignore", "competition.toml", tools.FOLDER]
    if running.git(folder, "status", "--porcelain", "--", *ours):
        running.git(folder, "add", "--", *ours)
        running.git(folder, "commit", "-q", "-m", f"Prepare the competition {run.competition.name}")


def profile(run: Run, offered: Sequence[Move]) -> None:
    """Let each solver say what it makes of the data, before anything is spent."""
    run.recorder.begin(f"Look at the competition {run.competition.name}: what is there?", time.time())
    for name in dict.fromkeys(move.tool for move in offered):
        words = [
            *next(move.arguments for move in offered if move.tool == name and not move.after),
            "--dry-run",
            "--json",
        ]
        done = _solve(run, name, "profile", words, 60.0, f"see what {name} makes of the data")
        if done.code:
            raise UserError(f"{name} cannot work with this folder: {done.complaint}")


def _rounds(run: Run, offered: Sequence[Move]) -> str:
    """Why the rounds ended."""
    while True:
        if _late(run.competition.deadline, time.time()):
            return f"the deadline of {run.competition.deadline} has passed"
        held = _held_back(run, offered)
        choice = run.choose(run.journal, [move for move in offered if not _is_blend(move)], held)
        if choice.move is None:
            return choice.why
        if choice.seconds > run.competition.budget.cpu_seconds - run.journal.spent.cpu_seconds:
            return f"{choice.move.name} wants more than what is left"
        _begin(run, choice)


def _late(deadline: str, now: float) -> bool:
    return bool(deadline) and now >= datetime.fromisoformat(deadline).timestamp()


def _is_blend(move: Move) -> bool:
    return move.name == BLEND


def _held_back(run: Run, offered: Sequence[Move]) -> Budget:
    """The budget of the rounds: what a last blend takes is kept for it."""
    budget = run.competition.budget
    blend = next((move for move in offered if _is_blend(move)), None)
    if blend is None:
        return budget
    kept = min(blend.seconds * policy.ROOM, budget.cpu_seconds / 4)
    ready = blend in policy.available(run.journal, offered)
    return replace(budget, cpu_seconds=budget.cpu_seconds - kept, steps=budget.steps - ready)


def _blend(run: Run, offered: Sequence[Move]) -> None:
    """Once the rounds are over, what they brought becomes one."""
    journal = run.journal
    if "blend" in run.state.done or journal.spent.reached(run.competition.budget):
        return
    blend = next((move for move in policy.available(journal, offered) if _is_blend(move)), None)
    if blend is not None and journal.rows[-1].move != BLEND:
        left = run.competition.budget.cpu_seconds - journal.spent.cpu_seconds
        _begin(
            run,
            Choice(blend, "the rounds are over", left, run.competition.seed, policy.parents(journal, run.competition)),
        )
    run.keep(done=(*run.state.done, "blend"))


def _last_gate(run: Run) -> None:
    """What would be handed in is checked once more as it lies there."""
    if "gate" in run.state.done or not (run.folder / SUBMISSION).exists():
        return
    run.recorder.begin(f"Check what would be handed in to {run.competition.name}.", time.time())
    gate = ["python", tools.program(tools.GATE), "--competition", ".", "--submission", SUBMISSION, "--json"]
    done = _command(run, gate, "check what would be handed in")
    if done.code:
        raise UserError(f"{SUBMISSION} does not pass the gate: {done.complaint}")
    run.keep(done=(*run.state.done, "gate"))


def _begin(run: Run, choice: Choice) -> None:
    """Take a choice up as the experiment under way, and do it."""
    move = choice.move
    assert move is not None
    journal = run.journal
    number = len(journal.rows) + 1
    words = [*move.arguments, "--seconds", f"{choice.seconds:.1f}", "--seed", str(choice.seed)]
    if choice.parents:
        words += ["--from", *(f"{RUNS}/{parent}" for parent in choice.parents)]
    row = Experiment(
        f"{number:03}-{move.name}", move.tool, move.name, move.arguments, choice.parents, choice.seed,
        commit=running.git(run.folder, "rev-parse", "HEAD"), time=stamp(time.time()), why=choice.why,
        usd=choice.usd, tokens=choice.tokens, chosen_by=run.recorder.origin,
    )  # fmt: skip
    run.keep(current=Current(row.row(), choice.seconds, (*words, "--json")), done=())
    _experiment(run)


def _experiment(run: Run) -> None:
    """Do what is left of the experiment under way: solver, gate, log, commit."""
    current = run.state.current
    assert current is not None
    identity, aim = current.row["id"], f"{run.competition.direction} {run.competition.metric}"
    run.recorder.begin(
        f"Try {current.row['move']} on {run.competition.name} as experiment {identity} ({aim}).", time.time()
    )
    if "solver" not in current.done:
        run.now(running_since=time.time())
        done = _solve(run, current.row["tool"], identity, current.words, current.seconds, f"try {current.row['move']}")
        row = _judged(run.folder, dict(current.row), done)
        files.write(run.folder / RUNS / identity / "row.json", json.dumps(row, indent=1) + "\n")
        run.now(row=row, done=("solver",), running_since=0.0)
    current = run.now()
    run.recorder.say(f"Take {identity} over if it is valid and better, and log it.", time.time())
    todo = [(name, argv) for name, argv in _tail(current.row) if name not in current.done]
    while todo:
        name, argv = todo[0]
        helper = run.finder.whole([running.line(argv) for _, argv in todo]) if len(todo) > 1 else None
        if helper:
            done = _command(run, helper.argv, f"{helper.name}: {', '.join(name for name, _ in todo[: helper.covers])}")
            run.used = (*run.used, helper.name)
            if not done.code:
                run.now(done=(*run.now().done, *(name for name, _ in todo[: helper.covers])))
                todo = todo[helper.covers :]
                continue
        if not (name == "commit" and _is_committed(run.folder, identity)):
            done = _command(run, argv, f"{name} {identity}")
            if done.code and name != "gate":
                raise UserError(f"`{done.line}` failed in {run.folder}: {done.complaint}")
        run.now(done=(*run.now().done, name))
        todo = todo[1:]
    _report(run, identity)
    run.keep(current=None)


def _is_committed(folder: Path, identity: str) -> bool:
    """Whether the commit was made in the moment before we were stopped."""
    return f" {identity}:" in running.git(folder, "log", "-1", "--format=%s")


def _tail(row: Mapping[str, Any]) -> list[tuple[str, list[str]]]:
    """What follows every solver, each a command of its own: the gate where there is something to hand in, log, commit."""
    run = f"{RUNS}/{row['id']}"
    score = "no score" if row["score"] is None else f"{row['score']:.6g}"
    log = ["python", tools.program(tools.LOG), "--competition", ".", "--add", f"@{run}/row.json", "--json"]
    gate = [
        "python",
        tools.program(tools.GATE),
        "--competition",
        ".",
        "--submission",
        f"{run}/{SUBMISSION}",
        "--promote",
        "--json",
    ]
    steps = [("gate", gate)] if row["ok"] else []
    return [
        *steps,
        ("log", log),
        ("add", ["git", "add", "."]),
        ("commit", ["git", "commit", "-q", "-m", f"experiment {row['id']}: {score}"]),
    ]


def _solve(run: Run, tool: str, identity: str, words: Sequence[str], seconds: float, about: str) -> Ran:
    began = time.time()
    place = run.folder / RUNS / identity
    done = running.solver(run.folder, run.folder / tools.program(tool), place, words, seconds)
    _recorded(run, done, about, began)
    return done


def _command(run: Run, argv: Sequence[str], about: str) -> Ran:
    began = time.time()
    done = running.command(run.folder, argv)
    _recorded(run, done, about, began)
    run.keep(lost=run.state.lost + done.cpu_seconds + run.finder.seconds)
    run.finder.seconds = 0.0
    return done


def _recorded(run: Run, done: Ran, about: str, began: float) -> None:
    run.commands += 1
    run.recorder.command(done.line, about, done.output, done.code, (began, began + done.wall), done.cpu_seconds)


def _judged(folder: Path, row: dict[str, Any], done: Ran) -> dict[str, Any]:
    """The row with what the solver told. It is only as good as its gates."""
    row |= {"wall": round(done.wall, 2), "cpu_seconds": round(done.cpu_seconds, 2)}
    try:
        told = json.loads(done.last) if not done.code else {}
    except ValueError:
        told = {}
    if not isinstance(told, dict) or told.get("ok") is not True:
        return row | {"ok": False, "why": f"{row['why']}; failed: {done.complaint[:300]}"}
    score, spread, used = (number(told.get(key)) for key in ("score", "spread", "cpu_seconds"))
    gates = [gate for gate in told.get("gates") or () if isinstance(gate, dict)]
    shut = [str(gate.get("name")) for gate in gates if gate.get("ok") is False]
    handed_in = folder / RUNS / row["id"] / SUBMISSION
    why = f"{row['why']}; refused by {', '.join(shut)}" if shut else row["why"]
    if not handed_in.is_file():
        why += "; it left no submission"
    return row | {
        "ok": score is not None and not shut and handed_in.is_file(), "score": score, "spread": spread, "why": why,
        "gates": gates, "cpu_seconds": round(max(used or 0.0, done.cpu_seconds), 2),
        "submission": f"{RUNS}/{row['id']}/{SUBMISSION}",
    }  # fmt: skip


def _report(run: Run, identity: str) -> None:
    journal = run.journal
    row = next(one for one in journal.rows if one.id == identity)
    best = journal.best
    score = "no score" if row.score is None else f"{row.score:.6g}"
    told = "kept" if row.kept else "not kept" if row.ok else row.why
    spent = f"{journal.spent.cpu_seconds:.0f} of {run.competition.budget.cpu_seconds:g} CPU s"
    run.tell(f"{row.id}: {score} ({told}), {row.cpu_seconds:.1f} s; best {best.id if best else 'none'}; {spent}")


def _outcome(run: Run, reason: str) -> Outcome:
    journal = run.journal
    best, spent = journal.best, journal.spent
    return Outcome(
        run.competition.name, run.competition.metric, best.score if best else None, len(journal.rows),
        SUBMISSION if (run.folder / SUBMISSION).exists() else "", round(spent.cpu_seconds, 2), spent.usd, reason,
        run.commands, tuple(sorted(set(run.used))), journal.torn, FOLDER,
        {run.recorder.origin: run.commands},
    )  # fmt: skip
