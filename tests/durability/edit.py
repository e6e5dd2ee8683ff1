"""What a command that registers something in a user's settings does: three values, journalled, or all taken back."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from meta.edits import Journal, undo
from meta.errors import UserError
from meta.keys import Own

JSON = (
    Own(("mcpServers", "meta"), {"command": "meta", "args": ["serve"]}),
    Own(("hooks", "SessionStart"), {"hooks": [{"type": "command", "command": "meta hook"}]}, item=True),
    Own(("hooks", "Stop"), {"hooks": [{"type": "command", "command": "meta hook"}]}, item=True),
)
TOML = (
    Own(("mcp_servers", "meta"), {"command": "meta", "args": ["serve"]}),
    Own(("notify",), ["meta", "hook"]),
)


def main(arguments: Sequence[str]) -> int:
    verb, place, *paths = arguments
    journal = Journal(Path(place))
    try:
        if verb == "undo":
            print(*undo(journal), sep="\n")
        for path in map(Path, paths):
            for own in TOML if path.suffix == ".toml" else JSON:
                journal.key(path, own)
    except UserError as error:
        print(f"meta: {error}", file=sys.stderr)
        return 1
    return 0
