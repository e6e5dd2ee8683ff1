"""Run a competition from its files to a submission, under a budget, every experiment a row and a commit.

DIR holds competition.toml. A run that was stopped goes on where it was; the budget is that of all runs together.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING

from meta.cli import desk
from meta.errors import UserError

if TYPE_CHECKING:
    from meta.competition.nouns import Choose, Competition


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", metavar="DIR", help="the folder with competition.toml")
    parser.add_argument(
        "--cpu", type=float, metavar="SECONDS", help="CPU seconds of all runs together, in place of the file's"
    )
    parser.add_argument("--resume", action="store_true", help="go on where the last run stopped, which is done anyway")
    parser.add_argument(
        "--page", action="store_true", help="write page.html with plots of what was done, and run nothing"
    )
    parser.add_argument(
        "--model", metavar="MAKER:NAME", help="let a model choose, such as anthropic:claude-sonnet-5; within model_usd"
    )
    desk.dry_run_option(parser)
    desk.json_option(parser)


def run(args: argparse.Namespace) -> int:
    from functools import partial

    from meta.competition import machine, policy, priors, settings

    folder = Path(args.folder)
    if not folder.is_dir():
        raise UserError(f"{folder} is no folder. Name the folder with competition.toml.")
    competition = settings.load(folder)
    if args.cpu is not None:
        if not 1 <= args.cpu < float("inf"):
            raise UserError(f"--cpu must be at least one second, not {args.cpu:g}.")
        competition = replace(competition, budget=replace(competition.budget, cpu_seconds=args.cpu))
    if args.page:
        from meta.competition import page

        print(page.write(competition))
        return 0
    if args.dry_run:
        return plan(competition, json=args.json)
    workspace(folder)
    choose = policy.policy(competition, partial(priors.of, competition=competition))
    if args.model:
        choose = _by_model(competition, args.model, choose)
    outcome = machine.compete(competition, choose, tell=tell, origin=args.model or "policy")
    if args.json:
        desk.as_json(asdict(outcome))
        return 0
    score = "no valid submission" if outcome.score is None else f"{outcome.metric} {outcome.score:.6g}"
    desk.tell(
        f"{outcome.competition}: {score} after {outcome.experiments} experiments, {outcome.cpu_seconds:.0f} CPU seconds"
    )
    desk.tell(
        f"Ended because {outcome.reason}.",
        f"`meta extract {folder}/{outcome.sessions} --workspace {folder}` looks for tools in what was done.",
    )
    return 0


def tell(text: str) -> None:
    print(f"meta: {text}", file=sys.stderr)


def _by_model(competition: Competition, name: str, otherwise: Choose) -> Choose:
    """A model in the place of the policy, with the folder's own tools beside it, but for those that are moves."""
    try:
        from meta.competition import agent, paid
    except ImportError as error:
        raise UserError(
            f"--model needs the extra `competition` ({error.name} is missing): pip install 'metasmith[competition]'"
        ) from None
    from functools import partial

    from meta.competition import priors, tools

    model = paid.Paid(paid.reached(name), paid.purse(competition.folder, name, competition.budget.model_usd))
    knowledge = partial(priors.told, competition=competition)
    own = agent.served(competition.folder, {*tools.SOLVERS.values(), tools.GATE, tools.LOG})
    return agent.chooser(competition, model, otherwise, knowledge=knowledge, tell=tell, toolsets=[own])


def workspace(folder: Path) -> None:
    """Make the folder a workspace, so that what is found in its sessions has a place."""
    from meta import config, upkeep
    from meta.competition import running

    if not (folder / ".git").exists():
        running.git(folder, "init", "-q")
    if config.workspace(folder.resolve()) != folder.resolve():
        upkeep.init(desk.settings(str(folder)), folder)


def plan(competition: Competition, *, json: bool) -> int:
    """What would be done, with the budget; nothing is written."""
    from meta.competition import journal, state, tools

    now = state.read(competition.folder)
    done = journal.read(competition.folder, now.lost)
    told = {
        "competition": competition.name,
        "budget": asdict(competition.budget),
        "spent": asdict(done.spent),
        "render": tools.missing(competition),
        "goes_on_with": now.current.row["id"] if now.current else "",
        "experiments": len(done.rows),
    }
    if json:
        desk.as_json(told)
        return 0
    if told["render"]:
        print(f"would render the tools {', '.join(tools.missing(competition))}")
    budget, spent = competition.budget, done.spent
    print(f"would go on after {len(done.rows)} experiments" if done.rows else "would begin with the baseline")
    print(
        f"CPU seconds: {spent.cpu_seconds:.0f} of {budget.cpu_seconds:g}; steps: {spent.steps} of {budget.steps}; USD: {spent.usd:g} of {budget.usd:g}"
    )
    return 0
