"""Put the documents of knowledge/ to the test: each is found when needed, says what is needed, and its check holds.

A document's cases lie beside it in `<document>.cases.toml`. Ends with 1 where a rate fell below the one held for the
document, a check fails or cannot fail, a document cannot be read, or, of all documents, fewer than 97 % of the cases pass.
"""

from __future__ import annotations

import argparse
from dataclasses import asdict
from datetime import date
from typing import Any

from meta import examining
from meta.cli import desk
from meta.examining import Rate, Result
from meta.knowledge.evals import Judged


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("documents", nargs="*", metavar="DOCUMENT", help="such as packing/geometry (default: all)")
    parser.add_argument("--accept", action="store_true", help="hold the rates of now, also those that fell")
    desk.workspace_option(parser)
    desk.dry_run_option(parser)
    desk.json_option(parser)


def told(result: Result) -> dict[str, Any]:
    failures = [
        {"say": one.case.say, "needs": list(one.case.needs), "found": list(one.found), "missing": list(one.missing)}
        for one in result.judged
        if not one.passed
    ]
    return {
        "path": result.path,
        "version": result.version,
        "expires": result.expires,
        **asdict(result.rate),
        "held_out": asdict(result.held_out),
        "before": asdict(result.before) if result.before else None,
        "lowered": result.lowered,
        "check": asdict(result.proof),
        "failures": failures,
    }


def share(rate: Rate) -> str:
    return f"{rate.passed}/{rate.cases}"


def row(result: Result) -> tuple[str, ...]:
    before = share(result.before) if result.before else "-"
    check = ": ".join([result.proof.state, *result.proof.why.splitlines()[-1:]])
    if result.expires and result.expires < date.today().isoformat():
        check += f"; believed until {result.expires}, look its evidence up again"
    return result.path, share(result.rate), before + (" FELL" if result.lowered else ""), share(result.held_out), check


def failure(one: Judged) -> str:
    """Why a case failed."""
    lacks = f"it says nothing called {', '.join(one.missing)}" if one.missing else ""
    found = f"found instead: {', '.join(one.found) or 'nothing'}"
    return f'  "{one.case.say}": {lacks or found}'


def run(args: argparse.Namespace) -> int:
    settings = desk.settings(args.workspace)
    found = examining.examine(settings.workspace, args.documents, accept=args.accept, dry_run=args.dry_run)
    if args.json:
        errors = [{"path": error.path, "line": error.line, "text": error.text} for error in found.errors]
        desk.as_json({"documents": [told(result) for result in found.results], "errors": errors})
        return 0 if found.good else 1
    desk.table(("document", "passed", "held before", "held out", "check"), [row(result) for result in found.results])
    for result in found.results:
        failed = [failure(one) for one in result.judged if not one.passed]
        if failed:
            desk.tell(f"{result.path}:", *failed)
    for error in found.errors:
        desk.tell(str(error))
    wanted = f"; wanted are {found.wanted:.0%}" if found.wanted else ""
    print(f"{share(found.rate)} cases pass, {found.rate.share:.1%}{wanted}. Held out: {share(found.held_out)}.")
    return 0 if found.good else 1
