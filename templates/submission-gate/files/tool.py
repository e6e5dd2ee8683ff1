#!/usr/bin/env -S uv run --script
# /// script
# requires-python = ">=3.11"
# dependencies = ["shapely>=2.1"]
# ///
"""Check a submission by the competition's official rules; put it in the place of the current one only if it is better.

The current one is DIR/submission.csv, and nothing worse or invalid ever replaces it.
"""

import argparse
import hashlib
import json
import math
import sys
import tomllib
from pathlib import Path

import tabular
from verdict import Verdict, write_whole


class Mistake(Exception):
    """Something the caller has to put right."""


def settings(folder: Path) -> dict:
    try:
        return tomllib.loads((folder / "competition.toml").read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise Mistake(f"{folder} holds no competition.toml: name the competition's folder") from None
    except tomllib.TOMLDecodeError as error:
        raise Mistake(f"{folder}/competition.toml: {error}") from None


def told_score(path: Path) -> float | None:
    """The score that metrics.json beside the file tells; none where it tells none, or that of other bytes."""
    try:
        told = json.loads((path.parent / "metrics.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    for record in (told, told.get("previous") or {}):
        score = record.get("score")
        if record.get("sha256", digest) == digest and isinstance(score, int | float) and math.isfinite(score):
            return float(score)
    return None


def better(score: float | None, best: float | None, direction: str) -> bool:
    """Whether the score is better than that of the current one; an unknown one is worse than any other."""
    if score is None or best is None:
        return score is not None
    return score > best if direction == "maximize" else score < best


def judge_table(path: Path, folder: Path, rules: dict) -> Verdict:
    files, target = rules.get("files", {}), rules.get("columns", {}).get("target", "")
    sample = folder / files.get("sample", "sample_submission.csv")
    if not sample.is_file():
        raise Mistake(f"{sample} is missing: name the sample under [files] in competition.toml")
    metric = rules.get("metric", "")
    target = target or tabular.table(sample)[0][1]
    train = folder / files.get("train", "train.csv")
    known = tabular.labels(train, target) if metric in tabular.LABELS else frozenset()
    return tabular.verdict(path, sample, metric, told_score(path), known)


def promote(data: bytes, current: Path, score: float | None, best: float | None) -> None:
    """Put the submission in the place of the current one. The scores of both are told first, each with its bytes."""
    told: dict = {"score": score, "sha256": hashlib.sha256(data).hexdigest()}
    if current.exists():
        told["previous"] = {"score": best, "sha256": hashlib.sha256(current.read_bytes()).hexdigest()}
    write_whole(current.parent / "metrics.json", (json.dumps(told, indent=1) + "\n").encode())
    write_whole(current, data)


def check(given: argparse.Namespace) -> dict:
    """The result of the gate."""
    rules = settings(given.competition)
    current = given.competition / "submission.csv"
    reference = given.best or (current if current.is_file() else None)
    for path in (given.submission, *([given.best] if given.best else [])):
        if not path.is_file():
            raise Mistake(f"{path} is missing: name the submission to check")
    mend = given.repair or given.merge
    data = given.submission.read_bytes()
    direction = rules.get("direction", "minimize" if rules.get("metric") == "santa2025" else "maximize")
    if rules.get("metric") == "santa2025":
        import santa2025

        groups, problems = santa2025.read(given.submission)
        others, wrong = santa2025.read(reference) if reference else ({}, [])
        if mend:
            groups = santa2025.repaired(groups, others) if given.repair else groups
            groups = santa2025.merged(groups, others) if given.merge else groups
            data = santa2025.written(groups)
            problems = [] if given.repair else problems
        verdict = santa2025.verdict(groups, problems)
        best = santa2025.verdict(others, wrong).score if reference else None
        kept = best
        if given.best and current.is_file():
            kept = santa2025.verdict(*santa2025.read(current)).score
    elif mend:
        raise Mistake("--repair and --merge are for packings: a table's rows have no score of their own")
    else:
        verdict = judge_table(given.submission, given.competition, rules)
        best = told_score(reference) if reference else None
        kept = told_score(current) if current.is_file() else None
    promoted = False
    writes = not verdict.problems and not given.dry_run
    if given.output and writes:
        write_whole(given.output, data)
    if given.promote and writes:
        if not current.is_file() or better(verdict.score, kept, direction):
            promote(data, current, verdict.score, kept)
            promoted = True
        else:
            verdict = Verdict(verdict.score, (), (*verdict.warnings, f"not promoted: the current one scores {kept}"))
    return {
        "ok": not verdict.problems,
        "score": verdict.score,
        "best": best,
        "problems": list(verdict.problems),
        "warnings": list(verdict.warnings),
        "promoted": promoted,
    }


def main(words: list[str]) -> int:
    parser = argparse.ArgumentParser(description=__doc__, allow_abbrev=False)
    parser.add_argument("--competition", type=Path, required=True, help="the competition's folder")
    parser.add_argument("--submission", type=Path, required=True, help="the file to check")
    parser.add_argument("--best", type=Path, help="a file to compare with and to take groups from (the current one)")
    parser.add_argument("--promote", action="store_true", help="let it replace the current one if it is better")
    parser.add_argument("--repair", action="store_true", help="mend invalid groups, or take them from the best file")
    parser.add_argument("--merge", action="store_true", help="take groups that are better from the best file")
    parser.add_argument("--output", type=Path, help="write what was checked, mended if asked for, if it is valid")
    parser.add_argument("--dry-run", action="store_true", help="judge, write nothing")
    parser.add_argument("--json", action="store_true", help="print the result as JSON")
    given = parser.parse_args(words)
    try:
        result = check(given)
    except Mistake as mistake:
        print(f"submission-gate: {mistake}", file=sys.stderr)
        return 1
    if given.json:
        print(json.dumps(result))
    else:
        print(f"score {result['score']}, best {result['best']}" + (", promoted" if result["promoted"] else ""))
        for line in (*result["problems"], *result["warnings"]):
            print(line, file=sys.stderr)
    return 0 if result["ok"] else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
