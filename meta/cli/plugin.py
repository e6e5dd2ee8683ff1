"""Write a folder that Claude Code, Codex or Gemini CLI installs for all your projects: hook, server, tools.

The tools are those that are registered in the workspace; outside of one the plugin has the hook and the server alone.
"""

from __future__ import annotations

import argparse
import contextlib
from pathlib import Path

from meta.cli import desk
from meta.intake import alone, workspace_of
from meta.registration import plugins
from meta.upkeep import Change


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("client", choices=sorted(plugins.FORMS), help="the agent that it is for")
    parser.add_argument("folder", metavar="DIR", type=Path, help="the folder to make")
    desk.workspace_option(parser)
    desk.dry_run_option(parser)
    desk.json_option(parser)


def run(args: argparse.Namespace) -> int:
    settings = desk.settings(args.workspace)
    workspace = workspace_of(settings) if args.workspace else settings.workspace
    with alone(workspace, dry_run=args.dry_run) if workspace else contextlib.nullcontext():
        tools = plugins.packed(workspace)
        texts = plugins.texts(args.client, tools)
        plugins.put(args.folder, texts, dry_run=args.dry_run)
    done = f"{args.folder}, a plugin with {len(tools)} tools. Its README.md says how to install it."
    verb = "would write" if args.dry_run else "wrote"
    desk.change(Change(f"{verb} {done}", tuple(sorted(texts)), args.dry_run), json=args.json)
    return 0
