"""How well workflows planted in session files are found and lifted: `python -m benchmarks.planted_sessions [--seeds N]`.

Command lines of workflows are written into JSONL files of Claude Code among looking around, edits, loops and chance; the
whole corridor reads and mines them. No recorded session is read, and no tool is built.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shlex
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from benchmarks.planted import alike, common
from benchmarks.planted_lines import KINDS, WORKFLOWS, Line, Planted, origin, played
from meta import flow
from meta.config import Config
from meta.mining.shell import parse
from meta.model import Fixed, Group, Hole, Part, Rest, Workflow, WorkflowStep
from meta.rendering import commands, resolve

SHOWN = 30
SESSIONS = 60
RUNS = (8, 14)  # of each workflow
HOME = "/home/ada/shop"
LOOKS = (
    "ls -la {path}",
    "cat {path}",
    "rg -n {word} src",
    "sed -n 1,80p {path}",
    "head -50 {test}",
    "find . -name {word}",
)
COMMON = ("git status", "git diff", "git log --oneline -5", "make help", "python -V", "npm ls", "date", "uv sync")
LOOP = ("./try.sh {int}", "python check.py --n {int}")
TWICE = (
    "vercel link {word}\nvercel env pull {path}\nvercel build",
    "fly launch --name {word}\nfly secrets set A={int}\nfly deploy",
)


@dataclass
class Writer:
    """One session file in the making. Calls take seconds, prompts come minutes later."""

    path: Path
    r: random.Random
    now: datetime
    rows: list[dict[str, object]] = field(default_factory=list)

    def _row(self, kind: str, message: dict[str, object], **more: object) -> None:
        number = len(self.rows)
        self.now += timedelta(seconds=self.r.uniform(1, 9))
        self.rows.append(
            {
                "parentUuid": f"{self.path.stem}-{number - 1}" if number else None, "isSidechain": False,
                "sessionId": self.path.stem, "cwd": HOME, "type": kind, "message": message,
                "uuid": f"{self.path.stem}-{number}", "timestamp": self.now.isoformat().replace("+00:00", "Z"), **more,
            }
        )  # fmt: skip

    def prompt(self, text: str) -> None:
        self.now += timedelta(minutes=self.r.uniform(0.5, 4))
        self._row("user", {"role": "user", "content": text})

    def call(self, tool: str, given: dict[str, object], output: str) -> None:
        name = f"toolu_{self.path.stem}_{len(self.rows)}"
        usage = {"input_tokens": 5, "output_tokens": 60, "cache_read_input_tokens": 40_000}
        block: dict[str, object] = {"type": "tool_use", "id": name, "name": tool, "input": given}
        message: dict[str, object] = {
            "model": "claude-sonnet-4-5",
            "id": f"msg_{name}",
            "role": "assistant",
            "content": [block],
            "usage": usage,
        }
        self._row("assistant", message)
        result = {"type": "tool_result", "tool_use_id": name, "content": output, "is_error": False}
        self._row("user", {"role": "user", "content": [result]}, toolUseResult={"stdout": output, "interrupted": False})

    def shell(self, command: str, output: str) -> None:
        self.call("Bash", {"command": command, "description": "Run"}, output)

    def close(self) -> None:
        self.path.write_text("".join(json.dumps(row) + "\n" for row in self.rows))


@dataclass(frozen=True)
class Block:
    """What one prompt asks for: command lines in order."""

    lines: tuple[Line, ...]


def _filled(text: str, r: random.Random) -> str:
    return text.format(**{kind: shlex.quote(make(r)) for kind, make in KINDS.items()})


def _aside(writer: Writer) -> None:
    """Looking around or an edit, which belongs to nothing."""
    r = writer.r
    if r.random() < 0.3:
        writer.call("Edit", {"file_path": f"{HOME}/{KINDS['path'](r)}", "old_string": "a", "new_string": "b"}, "ok")
    elif r.random() < 0.3:
        writer.call("Read", {"file_path": f"{HOME}/{KINDS['path'](r)}"}, "text")
    else:
        writer.shell(_filled(r.choice(LOOKS), r), "text")


def _emit(writer: Writer, block: Block) -> None:
    """A block as calls: one a line or several joined by `&&`, at times with asides and a "continue" between."""
    r = writer.r
    writer.prompt(f"please see to the {r.choice(('shop', 'basket', 'ledger'))} {r.randrange(1000)}")
    waiting: list[Line] = []
    style = r.choice(("calls", "calls", "joined", "mixed"))
    disturbed = r.random() < 0.35
    for k, line in enumerate(block.lines):
        waiting.append(line)
        prints = "Created" in line.output
        last = k == len(block.lines) - 1
        if not last and not prints and (style == "joined" or (style == "mixed" and r.random() < 0.5)):
            continue
        command = " && ".join(one.text for one in waiting)
        if r.random() < 0.15:
            command = f"cd {HOME} && {command}"
        if r.random() < 0.25 and "\n" not in command:
            command += r.choice((" 2>&1 | tail -40", " 2>&1", " | head -20"))
        writer.shell(command, "\n".join(one.output for one in waiting))
        waiting = []
        if disturbed and not last and r.random() < 0.6:
            _aside(writer)
        if not last and r.random() < 0.04:
            writer.prompt(r.choice(("continue", "ok, go on", "yes please")))


def _noise(r: random.Random) -> Block:
    """Frequent commands in no order: what is common, and single steps out of workflows."""
    lines = [Line(tuple(_filled(r.choice(COMMON), r).split()), (), "text") for _ in range(r.randint(1, 4))]
    lines += [r.choice(played(r.choice(WORKFLOWS), r)) for _ in range(r.randint(0, 2))]
    return Block(tuple(r.sample(lines, len(lines))))


def _woven(first: Block, second: Block, r: random.Random) -> Block:
    turns = r.sample([0] * len(first.lines) + [1] * len(second.lines), len(first.lines) + len(second.lines))
    sides = (iter(first.lines), iter(second.lines))
    return Block(tuple(next(sides[turn]) for turn in turns))


def write(folder: Path, seed: int, *, ordered: bool = True) -> dict[str, list[tuple[Line, ...]]]:
    """Session files of one seed, and the runs that were planted in them; unordered, all lines stand anywhere."""
    r = random.Random(seed)
    truth = {w.name: [played(w, r) for _ in range(r.randint(*RUNS))] for w in WORKFLOWS}
    blocks = r.sample(all_ := [Block(run) for runs in truth.values() for run in runs], len(all_))
    paired = int(len(blocks) * 0.08) // 2 * 2
    blocks = [_woven(blocks[i], blocks[i + 1], r) for i in range(0, paired, 2)] + blocks[paired:]
    blocks += [_noise(r) for _ in range(len(blocks) // 2)]
    for k, text in enumerate(TWICE):
        blocks += [Block(played(Planted(f"twice{k}", tuple(text.splitlines())), r)) for _ in range(2)]
    if not ordered:
        lines = iter(r.sample(every := [line for block in blocks for line in block.lines], len(every)))
        blocks = [Block(tuple(next(lines) for _ in block.lines)) for block in blocks]
    r.shuffle(blocks)
    for number in range(SESSIONS):
        start = datetime(2026, 1, 5, 9, tzinfo=UTC) + timedelta(hours=9 * number)
        writer = Writer(folder / f"session-{number:03}.jsonl", r, start)
        for block in blocks[number::SESSIONS]:
            for _ in range(r.randint(0, 3)):
                _aside(writer)
            _emit(writer, block)
        if number == 7 and ordered:
            writer.prompt("try until it works")
            for _ in range(50):
                for text in LOOP:
                    writer.shell(_filled(text, r), "no")
        writer.close()
    return truth


# -- judging -----------------------------------------------------------------------------------------------------------


@dataclass
class Score:
    """Counts over one seed."""

    planted: int = 0
    found: int = 0
    spurious: int = 0
    runs: int = 0
    runs_found: int = 0
    slots: int = 0
    slots_found: int = 0
    parameters: int = 0
    parameters_right: int = 0
    edges: int = 0
    edges_wrong: int = 0
    edges_there: int = 0
    edges_right: int = 0
    occurrences: int = 0
    exact: int = 0
    refused: int = 0
    held_out: int = 0
    seconds: float = 0.0
    remarks: list[str] = field(default_factory=list)


def heads(workflow: Workflow) -> list[str]:
    """The heads of a workflow as they are in a line alone, without sub-commands that only the whole project tells."""
    return [_alone(step) for step in workflow.steps if step.kind == "command"]


def _alone(step: WorkflowStep) -> str:
    program, _, word = step.head.partition(" ")
    bare = parse(f"{program} {word}")[0].head == program
    return program if bare and " " not in word else step.head


def _labels(parts: Sequence[Part], values: dict[str, object]) -> Iterator[str]:
    """For each word of a rendered line the parameter that fills it, "" where it is fixed."""
    for part in parts:
        match part:
            case Fixed():
                yield ""
            case Hole(name):
                yield name
            case Group(name, inner):
                if values.get(name) or values.get(name) == "":
                    yield from _labels(inner, values)
            case Rest(name):
                items = values.get(name)
                yield from [name] * (len(items) if isinstance(items, list) else 1)


def _words(workflow: Workflow, run: int) -> Iterator[tuple[str, list[str]]]:
    """The command lines of a run, each with the parameter of every word."""
    occurrence = workflow.occurrences[run]
    values: dict[str, object] = dict(resolve(workflow.parameters, occurrence.bindings))
    lines = iter(occurrence.commands)
    for step in workflow.steps:
        if (
            step.kind != "command"
            or (step.switch and not values.get(step.switch))
            or (step.skip and values.get(step.skip))
        ):
            continue
        if (text := next(lines, None)) is not None:
            yield text, list(_labels(step.parts, values))


def _judge_slots(score: Score, workflow: Workflow, planted: Planted, lines: dict[str, Line]) -> None:
    """What the parameters of a workflow are in truth, word by word over all its runs."""
    roots = {p.name: p.derivation.source for p in workflow.parameters if p.source == "derived" and p.derivation}
    outputs = {p.name for p in workflow.parameters if p.source == "output"}
    seen: Counter[tuple[str, str]] = Counter()  # (slot, parameter)
    labelled: dict[tuple[int, str], set[str]] = {}
    values: dict[str, set[str]] = {}
    for run in range(workflow.support):
        for k, (text, names) in enumerate(_words(workflow, run)):
            line = lines.get(text)
            if line is None or len(names) != len(line.words):
                continue
            for word, slot, name in zip(line.words, line.slots, names, strict=True):
                if slot:
                    labelled.setdefault((k, slot), set()).add(name)
                    values.setdefault(slot, set()).add(word)
                if name:
                    seen[slot, name] += 1
    slots = {slot for slot in values if len(values[slot]) > 1}
    missed = {slot for (_, slot), names in labelled.items() if slot in slots and "" in names}
    score.slots += len(slots)
    score.slots_found += len(slots - missed)
    owners: dict[str, Counter[str]] = {}
    for (slot, name), count in seen.items():
        owners.setdefault(name, Counter())[slot] += count
    score.parameters += len(owners)
    wrong = {name for name, counts in owners.items() if counts.most_common(1)[0][0] == ""}
    score.parameters_right += len(owners) - len(wrong)
    if missed or wrong:
        score.remarks.append(f"{planted.name}: missed slots {sorted(missed)}, parameters of nothing {sorted(wrong)}")
    named = {name: roots.get(name, name) for name in owners}
    joined = {place: {named[name] for name in names - {""}} for place, names in sorted(labelled.items())}
    _judge_edges(score, planted, {place: names for place, names in joined.items() if set(place[1].split("+")) & slots
                                  or place[1] in slots}, outputs)  # fmt: skip


def _judge_edges(score: Score, planted: Planted, joined: dict[tuple[int, str], set[str]], outputs: set[str]) -> None:
    """An edge joins a place to an earlier one with the same parameter, or to the output that it is read from."""
    printed = dict(planted.printed)
    before: list[tuple[str, set[str]]] = []
    for (_, slot), names in joined.items():
        origins = set(map(origin, slot.split("+")))
        earlier = [other for other, known in before if known & names]
        wrong = [other for other in earlier if not origins & set(map(origin, other.split("+")))]
        there = any(origins & set(map(origin, other.split("+"))) for other, _ in before)
        score.edges_there += there
        score.edges_right += there and len(wrong) < len(earlier)
        if names & outputs and not earlier:
            score.edges_there += slot in printed
            score.edges_right += slot in printed
            wrong += ["an output"] * (slot not in printed)
            score.edges += 1
        score.edges += bool(earlier)
        score.edges_wrong += bool(wrong)
        if wrong:
            score.remarks.append(f"{planted.name}: {sorted(names)} joins {slot} with {wrong}")
        before.append((slot, names))


def judged(folder: Path, seed: int) -> Score:
    truth = write(folder, seed)
    start = time.perf_counter()
    survey = flow.survey(Config(), [folder])
    score = Score(planted=len(WORKFLOWS), seconds=time.perf_counter() - start)
    shown = [proposal.workflow for proposal in survey.proposals][:SHOWN]
    of = {w.name: [parse(line.text)[0].head for line in truth[w.name][0]] for w in WORKFLOWS}
    for workflow in shown:
        if not any(
            alike(heads(workflow), o) or common(heads(workflow), o) == len(heads(workflow)) for o in of.values()
        ):
            score.spurious += 1
            score.remarks.append(f"spurious: {' -> '.join(heads(workflow))} ({workflow.support} runs)")
        exact = [commands(workflow.steps, workflow.parameters, o.bindings) == o.commands for o in workflow.occurrences]
        score.occurrences += len(exact)
        score.exact += sum(exact)
        score.refused += len(workflow.refused)
        score.held_out += workflow.held_out
    for planted in WORKFLOWS:
        score.runs += len(truth[planted.name])
        alikes = [workflow for workflow in shown if alike(heads(workflow), of[planted.name])]
        if not alikes:
            score.remarks.append(f"not found: {planted.name}: {' -> '.join(of[planted.name])}")
            continue
        score.found += 1
        workflow = max(alikes, key=lambda one: common(heads(one), of[planted.name]))
        lines = {line.text: line for run in truth[planted.name] for line in run}
        recorded = {text for o in workflow.occurrences for text in o.commands}
        score.runs_found += sum(any(line.text in recorded for line in run) for run in truth[planted.name])
        _judge_slots(score, workflow, planted, lines)
    return score


def chance(folder: Path, seed: int) -> list[str]:
    """What is proposed where the same lines stand in no order."""
    write(folder, seed, ordered=False)
    return [" -> ".join(heads(proposal.workflow)) for proposal in flow.survey(Config(), [folder]).proposals]


def report(scores: Sequence[Score], proposals: Sequence[Sequence[str]]) -> None:
    def share(part: str, whole: str) -> str:
        return f"{sum(getattr(s, part) for s in scores) / max(sum(getattr(s, whole) for s in scores), 1):.4f}"

    print(f"{len(scores)} seeds, {len(WORKFLOWS)} workflows each, {sum(s.runs for s in scores)} runs in all")
    print("workflows found      ", share("found", "planted"), " spurious of 30, a seed:", [s.spurious for s in scores])
    print("runs found           ", share("runs_found", "runs"))
    print(
        "slots found          ",
        share("slots_found", "slots"),
        " parameters right:",
        share("parameters_right", "parameters"),
    )
    print("edges found          ", share("edges_right", "edges_there"), " wrong:", share("edges_wrong", "edges"))
    print("exact round trip     ", share("exact", "occurrences"), " refused:", sum(s.refused for s in scores))
    print("left out, explained  ", share("held_out", "occurrences"))
    print("seconds a seed       ", [round(s.seconds, 1) for s in scores])
    print("proposed of shuffled ", [len(found) for found in proposals])
    for remark, count in Counter(remark for s in scores for remark in s.remarks).most_common():
        print(f"  {count}x {remark}")
    for text, count in Counter(text for found in proposals for text in found).most_common():
        print(f"  {count}x in shuffled: {text}")


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--seeds", type=int, default=5)
    args = parser.parse_args(argv)
    scores, proposals = [], []
    with tempfile.TemporaryDirectory() as name:
        os.environ |= {"XDG_CACHE_HOME": f"{name}/cache", "XDG_STATE_HOME": f"{name}/state"}
        for seed in range(1, args.seeds + 1):
            for kind in ("planted", "shuffled"):
                folder = Path(name) / f"{kind}-{seed}"
                folder.mkdir()
                if kind == "planted":
                    scores.append(judged(folder, seed))
                else:
                    proposals.append(chance(folder, seed))
    report(scores, proposals)
    return 0


if __name__ == "__main__":
    sys.exit(main())
