"""The evals of a workspace's knowledge: what lies there is read, judged, and held against the rates of before.

What makes a case pass is decided in `knowledge.evals`; checks run in the sandbox and nowhere else.
"""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Collection, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from meta import files
from meta.errors import UserError
from meta.knowledge import evals, guides
from meta.knowledge.evals import Judged, Proof, Run
from meta.knowledge.guides import Guide, GuideError
from meta.knowledge.search import Entry, Index

RATES = ".meta/evals.json"
TARGET = 0.97  # of all cases
_SAID = 300  # characters of what a failed check said


@dataclass(frozen=True, slots=True)
class Rate:
    """How many cases passed; a check that was run is one of them."""

    cases: int
    passed: int

    @property
    def share(self) -> float:
        return self.passed / self.cases if self.cases else 1.0


@dataclass(frozen=True, slots=True)
class Result:
    """What came of a document. `before` is the rate that is held, None where there is none yet."""

    path: str
    version: str
    expires: str
    judged: tuple[Judged, ...]
    proof: Proof
    before: Rate | None = None

    @property
    def rate(self) -> Rate:
        run = self.proof.state in ("passed", "failed", "cannot fail")
        passed = sum(case.passed for case in self.judged) + (self.proof.state == "passed")
        return Rate(len(self.judged) + run, passed)

    @property
    def held_out(self) -> Rate:
        chosen = [case for case in self.judged if case.case.held_out]
        return Rate(len(chosen), sum(case.passed for case in chosen))

    @property
    def lowered(self) -> bool:
        return self.before is not None and self.rate.share < self.before.share


@dataclass(frozen=True, slots=True)
class Examined:
    """The documents that were asked for, and what is wrong with those that cannot be read."""

    results: tuple[Result, ...]
    errors: tuple[GuideError, ...]
    wanted: float  # share of the cases; 0 where single documents were asked for, which have too few for one

    @property
    def rate(self) -> Rate:
        return _together(result.rate for result in self.results)

    @property
    def held_out(self) -> Rate:
        return _together(result.held_out for result in self.results)

    @property
    def good(self) -> bool:
        """Whether nothing fell, every check that ran holds, all can be read, and enough cases pass."""
        broken = any(result.lowered or result.proof.state in ("failed", "cannot fail") for result in self.results)
        return not broken and not self.errors and self.rate.share >= self.wanted


def _together(rates: Iterable[Rate]) -> Rate:
    cases, passed = 0, 0
    for rate in rates:
        cases, passed = cases + rate.cases, passed + rate.passed
    return Rate(cases, passed)


def examine(
    workspace: Path | None, named: Collection[str] = (), *, accept: bool = False, dry_run: bool = False
) -> Examined:
    """The evals of the documents, or of those named, by path below `knowledge/`. Rates are kept in a workspace.

    A rate that fell is not kept unless it is accepted, so that it is told until it is mended.
    """
    places = guides.places(workspace)
    chosen = _chosen(places, named)
    known, errors = _read(places)
    index = Index(map(Entry.of, known.values()))
    results = []
    for name in sorted(chosen & set(known)):
        try:
            results.append(_examined(known[name], places[name], index))
        except GuideError as error:
            errors[name] = error
    with ThreadPoolExecutor(os.cpu_count()) as pool:  # they wait for other programs
        proofs = pool.map(lambda one: evals.prove(known[one.path].check, in_sandbox), results)
        results = [replace(one, proof=proof) for one, proof in zip(results, proofs, strict=True)]
    told = tuple(errors[name] for name in sorted(chosen & set(errors)))
    wanted = 0.0 if named else TARGET
    if workspace is None:
        return Examined(tuple(results), told, wanted)
    with files.turn(workspace / RATES):
        kept = _rates(workspace)
        compared = tuple(replace(result, before=_held(kept, result.path)) for result in results)
        if not dry_run:
            _keep(workspace, kept, compared, accept)
    return Examined(compared, told, wanted)


def _read(places: Mapping[str, Path]) -> tuple[dict[str, Guide], dict[str, GuideError]]:
    known, errors = {}, {}
    for name, path in places.items():
        try:
            known[name] = guides.parse(path.read_text(encoding="utf-8", errors="replace"), name)
        except GuideError as error:
            errors[name] = error
    return known, errors


def _chosen(places: Mapping[str, Path], named: Collection[str]) -> set[str]:
    """The names of what is meant: of what is learned from sessions only a lesson that has cases."""
    written = {name for name, path in places.items() if _has_evals(name, path)}
    chosen = set()
    for one in named:
        short = one.rpartition("knowledge/")[2].removesuffix(".md") + ".md"
        if short not in written:
            raise UserError(f'there is no document "{one}" in knowledge/. `meta eval` lists them all.')
        chosen.add(short)
    return chosen or written


def _has_evals(name: str, path: Path) -> bool:
    folder, beside = name.partition("/")[0], path.with_suffix(".cases.toml")
    return folder not in guides.LEARNED or (folder == "lessons" and beside.is_file() and beside.stat().st_size > 0)


def _examined(guide: Guide, path: Path, index: Index) -> Result:
    beside = path.with_suffix(".cases.toml")
    text = beside.read_text(encoding="utf-8", errors="replace") if beside.is_file() else ""
    asked = evals.cases(text, guide.name.removesuffix(".md") + ".cases.toml")
    judged = evals.judge(guide, asked, lambda say: [hit.name for hit in index.search(say, evals.TOP)])
    return Result(guide.name, evals.version(guide, text), guide.expires, judged, Proof("none"))


def in_sandbox(language: str, code: str) -> Run:
    """How a check ended, run where it can reach nothing."""
    from meta.verification import sandbox

    if language == "shell" and shutil.which("bash") is None:
        return Run(False, skipped="bash is not installed")
    argv = [sandbox.python(), "-I", "check"] if language == "python" else ["bash", "check"]
    with sandbox.scratch() as scratch:
        (scratch / "check").write_text(code, encoding="utf-8")
        sandbox.give(scratch)
        try:
            ran = sandbox.run(argv, scratch)
        except sandbox.NoSandboxError as error:
            return Run(False, skipped=str(error))
    said = (ran.stderr or ran.stdout).strip() or "it said nothing"
    return Run(ran.code == 0, "time was up" if ran.code is None else said[-_SAID:])


Rates = dict[str, Any]
"""By path the version whose rate is held, and of each version that was examined cases and passed."""


def _rates(workspace: Path) -> Rates:
    place = workspace / RATES
    try:
        rates = json.loads(place.read_text("utf-8"))
        for told in rates.values():
            tuple(Rate(*told["versions"][version]) for version in (told["held"], *told["versions"]))
    except FileNotFoundError:
        return {}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise UserError(f"{place} is damaged. Delete it; `meta eval` then holds the rates of that day.") from error
    return dict(rates)


def _held(rates: Rates, path: str) -> Rate | None:
    told = rates.get(path)
    return Rate(*told["versions"][told["held"]]) if told else None


def _keep(workspace: Path, rates: Rates, results: Sequence[Result], accept: bool) -> None:
    for result in results:
        told = rates.setdefault(result.path, {"held": result.version, "versions": {}})
        if accept or not result.lowered:
            told["held"] = result.version
        elif told["held"] == result.version:
            continue  # the same text, found no more because of others: what it reached stays
        told["versions"][result.version] = [result.rate.cases, result.rate.passed]
    files.write(workspace / RATES, json.dumps(rates, indent=1, sort_keys=True) + "\n")
