"""How well planted workflows are lifted: slots, the flow between them, and runs that were left out.

Prints a table; it reads no recorded sessions. Run: python benchmarks/lifting.py [workflows]
"""

from __future__ import annotations

import random
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

from meta.mining.lifting import best, lift, workflow
from meta.mining.runs import Column, Run
from meta.model import Fixed, Hole, Step, Style, Word, Workflow
from meta.rendering import quote

_WORDS = [a + b for a in ("al", "be", "ca", "do", "ex", "fo", "ga", "hu") for b in ("pha", "ta", "mma", "rus", "lio")]
_FOLDERS = ("src", "lib", "tests")

Make = Callable[[random.Random], str]
Change = Callable[[str], str]

FREE: dict[str, Make] = {
    "int": lambda r: str(r.randrange(1000)),
    "digit": lambda r: str(r.randrange(5)),
    "word": lambda r: r.choice(_WORDS),
    "few": lambda r: r.choice(("dev", "prod", "staging")),
    "path": lambda r: f"{r.choice(_FOLDERS)}/{r.choice(_WORDS)}{r.randrange(30)}.{r.choice(('py', 'ts'))}",
    "hash": lambda r: f"{r.getrandbits(64):016x}",
    "float": lambda r: f"{r.random():.3f}",
    "text": lambda r: " ".join(r.choices(_WORDS, k=3)),
}
FOLLOWING: dict[str, tuple[tuple[str, ...], Change]] = {  # from which kinds, and how
    "copy": (tuple(FREE), lambda text: text),
    "basename": (("path",), lambda text: text.rsplit("/", 1)[-1]),
    "stem": (("path",), lambda text: text.rsplit("/", 1)[-1].split(".")[0]),
    "upper": (("word",), str.upper),
    "wrapped": (("word", "int", "hash"), lambda text: f"out/{text}.json"),
}


@dataclass(frozen=True)
class Argument:
    """A planted argument. `origin` is the argument that it follows from, `printed` the step in whose output it stood."""

    flag: str
    make: Make
    kind: str = ""
    origin: int | None = None
    change: Change = str
    printed: int | None = None


def planted(r: random.Random) -> list[list[Argument]]:
    """The arguments of each step of one workflow."""
    flat: list[Argument] = []
    steps: list[list[Argument]] = []
    for number in range(r.randint(3, 7)):
        steps.append([_argument(r, flat, number) for _ in range(r.randint(1, 3))])
        flat += steps[-1]
    return steps


def _argument(r: random.Random, flat: Sequence[Argument], step: int) -> Argument:
    flag = r.choice(("", f"--{r.choice(_WORDS)}"))
    sort = r.choices(("constant", "free", "following", "printed"), (2, 4, 4, 1))[0]
    sources, change = FOLLOWING[r.choice(list(FOLLOWING))]
    possible = [k for k, argument in enumerate(flat) if argument.kind in sources]
    if sort == "following" and possible:
        return Argument(flag, str, origin=r.choice(possible), change=change)
    if sort == "printed" and step:
        return Argument(flag, FREE[r.choice(("int", "hash"))], printed=r.randrange(step))
    if sort == "constant":
        text = r.choice(_WORDS)
        return Argument(flag, lambda _: text)
    kind = r.choice(list(FREE))
    return Argument(flag, FREE[kind], kind)


def _word(value: str) -> Word:
    style: Style = "bare" if quote(value, "bare") == value else "double"
    return Word(quote(value, style), value, style)


def played(r: random.Random, steps: Sequence[Sequence[Argument]], number: int) -> tuple[Run, list[str]]:
    """One run and the value of every argument."""
    values: list[str] = []
    outputs = [f"step {k}\nstarted in {r.randrange(900)} ms\n" for k in range(len(steps))]
    cells: list[Step] = []
    for k, arguments in enumerate(steps):
        words = [_word("tool"), _word(f"do{k}")]
        for argument in arguments:
            value = argument.make(r) if argument.origin is None else argument.change(values[argument.origin])
            if argument.printed is not None:
                outputs[argument.printed] += f"created object {len(values)}: {value} (ok)\n"
            values.append(value)
            words += [_word(argument.flag)] * bool(argument.flag) + [_word(value)]
        cells.append(Step(f"tool do{k}", "command", "work", tuple(words), event=f"e{k}", position=k, status="ok"))
    printed = tuple((replace(cell, output=output),) for cell, output in zip(cells, outputs, strict=True))
    return Run(f"s{number}", "agent", printed), values


def lifted(workflow: Workflow, steps: Sequence[Sequence[Argument]]) -> Iterator[str | None]:
    """For each planted argument the parameter at its origin in the workflow, None where it is constant."""
    parents = {p.name: p.derivation.source for p in workflow.parameters if p.source == "derived" and p.derivation}
    for step, arguments in zip(workflow.steps, steps, strict=True):
        rest = iter(step.parts[2:])
        for argument in arguments:
            if argument.flag:
                next(rest, None)
            part = next(rest, None)
            if part is None or isinstance(part, Fixed):
                yield None
            else:
                name = part.parameter if isinstance(part, Hole) else "?"
                yield parents.get(name, name)


@dataclass
class Score:
    """Counts over all workflows of one size."""

    found: int = 0
    right: int = 0
    there: int = 0
    edges_found: int = 0
    edges_right: int = 0
    edges: int = 0
    runs: int = 0
    explained: int = 0
    held_out: int = 0
    clean: int = 0
    milliseconds: float = 0.0
    milliseconds_left_out: float = 0.0


def judge(
    score: Score, workflow: Workflow, steps: Sequence[Sequence[Argument]], truth: Sequence[Sequence[str]]
) -> None:
    """Adds one workflow: an edge joins an argument to the first one, or to the output, that it follows from."""
    flat = [argument for step in steps for argument in step]
    varying = [len({values[k] for values in truth}) > 1 for k in range(len(flat))]
    names = list(lifted(workflow, steps))
    score.there += sum(varying)
    score.found += sum(name is not None for name in names)
    score.right += sum(name is not None and varies for name, varies in zip(names, varying, strict=True))
    read = {p.name: p.derivation.source for p in workflow.parameters if p.source == "output" and p.derivation}
    wrong = 0
    for k, name in enumerate(names):
        origin = _origin(k, flat)
        truly = next((j for j in range(k) if varying[k] and _origin(j, flat) == origin), None)
        joined = next((j for j in range(k) if name is not None and names[j] == name), None)
        printed = flat[origin].printed if truly is None and varying[k] else None
        source = read.get(name or "") if joined is None else None
        right = (joined is not None and _origin(joined, flat) == origin) or (
            source is not None and printed is not None and workflow.steps[printed].name == source
        )
        score.edges += truly is not None or printed is not None
        score.edges_found += joined is not None or source is not None
        score.edges_right += right
        wrong += (joined is not None or source is not None) and not right
    score.clean += not wrong


def _origin(k: int, flat: Sequence[Argument]) -> int:
    origin = flat[k].origin
    return k if origin is None else _origin(origin, flat)


def measured(size: int, workflows: int) -> Score:
    score = Score()
    for seed in range(workflows):
        r = random.Random(f"{size} {seed}")
        steps = planted(r)
        recorded = [played(r, steps, number) for number in range(size)]
        runs = [run for run, _ in recorded]
        columns = [Column(f"tool do{k}") for k in range(len(steps))]
        begun = time.process_time()
        workflow("planted", "p", runs, best(columns, runs))
        score.milliseconds += 1000 * (time.process_time() - begun) / workflows
        begun = time.process_time()
        found = lift("planted", "p", columns, runs)
        score.milliseconds_left_out += 1000 * (time.process_time() - begun) / workflows
        score.runs += size
        score.explained += found.support
        score.held_out += found.held_out
        judge(score, found, steps, [values for _, values in recorded])
    return score


def main(workflows: int = 200) -> None:
    print("runs  slots P / R    flow P / R     wrong   clean  explained  left out  ms    ms with left out")
    for size in (3, 5, 20):
        s = measured(size, workflows)
        print(
            f"{size:4}  {s.right / s.found:.3f} / {s.right / s.there:.3f}  "
            f"{s.edges_right / s.edges_found:.4f} / {s.edges_right / s.edges:.3f}  "
            f"{1 - s.edges_right / s.edges_found:6.2%}  {s.clean / workflows:.3f}  {s.explained / s.runs:.3f}      "
            f"{s.held_out / s.runs:.3f}     {s.milliseconds:.1f}   {s.milliseconds_left_out:.1f}"
        )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 200)
