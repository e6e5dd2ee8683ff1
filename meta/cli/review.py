"""Show what is proposed as its reviewer should see it: why, what was proved, the code, and questions to answer.

On a terminal it then asks what to do; elsewhere it only shows. Without a name it lists what is proposed.
"""

from __future__ import annotations

import argparse
import sys
from dataclasses import asdict

from meta import upkeep
from meta.cli import desk
from meta.config import Config
from meta.model import Review

QUESTIONS = (
    "Could you explain to a colleague what each step does, and why in this order?",
    "Could you write its one function again without looking?",
    "What is the worst that a call with wrong values can do, and what stops it?",
    "What does it give up against doing the steps by hand, and is that worth it?",
)
OF_CHANGES = (
    "Is the shared code where a newcomer would look for it, under a name that says what it does?",
    "Will these places go on being the same, or do they only look alike today?",
    "What was not run, and what does that leave open?",
)


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("tool", nargs="?", metavar="TOOL", help="a proposed tool, or refactor-NAME")
    parser.add_argument(
        "--hand-over", action="store_true", help="write its branch as a patch and a bundle, for a review elsewhere"
    )
    desk.workspace_option(parser)
    desk.json_option(parser)


def run(args: argparse.Namespace) -> int:
    settings = desk.settings(args.workspace)
    if args.tool is None:
        return _listed(settings, json=args.json)
    if args.hand_over:
        desk.change(upkeep.hand_over(settings, args.tool), json=args.json)
        return 0
    review = upkeep.review(settings, args.tool)
    if args.json:
        desk.as_json({**asdict(review), "questions": list(_questions(review))})
        return 0
    _shown(review)
    if sys.stdin.isatty() and sys.stdout.isatty():
        _decided(settings, args.tool)
    return 0


def _listed(settings: Config, *, json: bool) -> int:
    tools = [tool for tool in upkeep.tools(settings) if tool.state == "proposed" or tool.update]
    proposed = {tool.name: tool.description for tool in tools} | upkeep.refactorings(settings)
    if json:
        desk.as_json(list(proposed))
    elif proposed:
        desk.table(("name", "what it is for"), list(proposed.items()))
        print("`meta review NAME` shows one.")
    else:
        print("Nothing is proposed. `meta extract` proposes what is worth a tool.")
    return 0


def _shown(review: Review) -> None:
    if review.updated or review.own:
        desk.tell(review.summary, review.source)
    else:
        whole = f"{review.lines} lines that are its own, then the same in every tool"
        desk.tell(review.summary, f"--- generated_tools/{review.name}/tool.py: {whole}\n", review.source)
    also = "Files" if review.own else "Also on its branch"
    desk.tell(f"{also}: {', '.join(review.files)}\n\nBefore you accept it:")
    for number, question in enumerate(_questions(review), 1):
        print(f"  {number}. {question}")
    print(f"\n`meta accept {review.name}` or `meta reject {review.name} --reason …`")


def _questions(review: Review) -> tuple[str, ...]:
    return OF_CHANGES if review.own else QUESTIONS


def _decided(settings: Config, name: str) -> None:
    """Ask once; anything but a plain answer leaves it as it is."""
    answer = input("accept, reject, or later? ").strip().lower()
    if answer == "accept":
        desk.change(upkeep.accept(settings, name), json=False)
    elif answer == "reject":
        desk.change(upkeep.reject(settings, name, reason=input("why? ").strip()), json=False)
