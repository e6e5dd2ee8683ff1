"""Show a proposed tool as its reviewer should see it: why, what was proved, the code, and four questions.

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


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("tool", nargs="?", metavar="TOOL", help="a proposed tool")
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
        desk.as_json({**asdict(review), "questions": list(QUESTIONS)})
        return 0
    _shown(review)
    if sys.stdin.isatty() and sys.stdout.isatty():
        _decided(settings, args.tool)
    return 0


def _listed(settings: Config, *, json: bool) -> int:
    proposed = [tool for tool in upkeep.tools(settings) if tool.state == "proposed" or tool.update]
    if json:
        desk.as_json([tool.name for tool in proposed])
    elif proposed:
        desk.table(("tool", "what it is for"), [(tool.name, tool.description) for tool in proposed])
        print("`meta review TOOL` shows one.")
    else:
        print("Nothing is proposed. `meta extract` proposes what is worth a tool.")
    return 0


def _shown(review: Review) -> None:
    if review.updated:
        desk.tell(review.summary, review.source)
    else:
        whole = f"{review.lines} lines that are its own, then the same in every tool"
        desk.tell(review.summary, f"--- generated_tools/{review.name}/tool.py: {whole}\n", review.source)
    desk.tell(f"Also on its branch: {', '.join(review.files)}\n\nBefore you accept it:")
    for number, question in enumerate(QUESTIONS, 1):
        print(f"  {number}. {question}")
    print(f"\n`meta accept {review.name}` or `meta reject {review.name} --reason …`")


def _decided(settings: Config, name: str) -> None:
    """Ask once; anything but a plain answer leaves it as it is."""
    answer = input("accept, reject, or later? ").strip().lower()
    if answer == "accept":
        desk.change(upkeep.accept(settings, name), json=False)
    elif answer == "reject":
        desk.change(upkeep.reject(settings, name, reason=input("why? ").strip()), json=False)
