"""The git hook that ties commits to sessions: put into a repository where it has none of that name, and taken out again.

What the hook does is told in `meta.trailers`.
"""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path

from meta import edits, git
from meta.errors import UserError
from meta.registration import actions
from meta.registration.actions import Action

NAME = "prepare-commit-msg"
_SCRIPT = """\
#!/bin/sh
# Written by `meta init --trailers`: ties the commits of a live session to it. `meta uninstall` takes it out.
# Whatever happens here, the commit goes on.
{call} "$1" >/dev/null 2>&1 </dev/null || :
exit 0
"""


def call(workspace: Path, words: Sequence[str]) -> str:
    """The line of the hook; `words` start meta."""
    return shlex.join([*words, "hook", "commit", str(workspace)])


def place(workspace: Path) -> Path:
    """Where git looks for the hook. Raises `UserError` for a folder that other repositories look into as well."""
    folder = git.hooks(workspace)
    common = git.common(workspace)
    if not any(folder.is_relative_to(home) for home in (common, workspace.resolve())):
        raise UserError(
            f"the hooks of this repository are in {folder}, which others share. Call `meta hook commit` from there yourself."
        )
    return folder / NAME


def install(workspace: Path, words: Sequence[str]) -> tuple[str, ...]:
    """The file that had to be written. Raises `UserError` where there is a hook that is not ours."""
    path, line = place(workspace), call(workspace, words)
    text = _SCRIPT.format(call=line)
    if path.exists() or path.is_symlink():
        if path.is_file() and path.read_text("utf-8", "replace") == text:
            return ()
        raise UserError(f'{path} is there already and stays. Add this line to it: {line} "$1" || :')
    with actions.doing(workspace, Action("init", "trailers")) as log:
        log.write(path, text, 0o755)
    return (str(path),)


def remove(workspace: Path) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The files that were taken out, and what was kept and why."""
    log = actions.journal(workspace)
    own = [entry for entry in log.entries() if entry.kind == "file" and Path(entry.path).name == NAME]
    if not own:
        return (), ()
    kept = edits.undo(log, lambda entry: entry in own)
    return tuple(entry.path for entry in own), tuple(kept)
