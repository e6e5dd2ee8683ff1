"""Render a template folder with Copier, and give Python files their last form with ruff.

What goes into the templates is decided by the caller; nothing is written outside of a temporary folder.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sysconfig
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path

import meta
from meta.errors import UserError

RULES = "E,F,W,B,UP,SIM,C4,RET,PIE,PERF"


def folder(templates: Path | None, name: str) -> Path:
    """The folder of a template: the given ones, else those of the package or of this repository."""
    package = Path(meta.__file__).parent
    for root in (templates, package / "data" / "templates", package.parent / "templates"):
        if root and (root / name / "copier.yml").is_file():
            return root / name
    raise UserError(f"there is no template {name!r}: look for it in {templates or package.parent / 'templates'}")


def version(template: Path) -> str:
    """The default of the question `version`."""
    found = re.search(
        r'^version:\n(?:  .*\n)*?  default: "?([\w.]+)', (template / "copier.yml").read_text(), re.MULTILINE
    )
    return found.group(1) if found else "0"


def render(layers: Iterable[Path], answers: Mapping[str, object]) -> dict[str, str]:
    """The files of a template by relative path, Python files formatted.

    A template may hold only what differs from another: the files of a later layer replace those of the earlier ones.
    """
    import copier  # takes a second to load, and only generation needs it
    from plumbum import ProcessExecutionError  # by which copier starts git

    with tempfile.TemporaryDirectory(prefix="meta-") as root:
        template, place = Path(root, "template"), Path(root, "place")
        for layer in layers:
            shutil.copytree(layer, template, dirs_exist_ok=True)
        try:
            copier.run_copy(str(template), place, data=dict(answers), defaults=True, overwrite=True, quiet=True)
        except ProcessExecutionError as error:
            said = (error.stderr or "").strip().splitlines()[-1:] or [f"it ended with {error.retcode}"]
            raise UserError(
                f"git could not work in {root}: {said[0]}. Make room or access, then run this again."
            ) from error
        files = {
            str(path.relative_to(place)): path.read_text() for path in sorted(Path(place).rglob("*")) if path.is_file()
        }
    return {path: formatted(text) if path.endswith(".py") else text for path, text in files.items()}


def formatted(source: str) -> str:
    """The source as ruff repairs and formats it, without regard to anybody's settings."""
    fixed = _ruff(source, "check", "--fix-only", "--select", "F401,I,RET", "--quiet")
    return _ruff(fixed, "format", "--quiet")


def findings(source: str) -> list[str]:
    """What ruff's chosen rules find in the source, one line each."""
    options = ("--select", RULES, "--output-format", "concise", "--exit-zero", "--quiet")
    return _ruff(source, "check", *options).splitlines()


def _ruff(source: str, command: str, *options: str) -> str:
    beside = Path(sysconfig.get_path("scripts"), "ruff")
    program = str(beside) if beside.exists() else shutil.which("ruff")
    if program is None:
        raise UserError("ruff is not installed: install it beside meta, `pip install ruff`")
    fixed = ("--isolated", "--no-cache", "--line-length", "120", "--target-version", "py311")
    arguments = [program, command, *fixed, *options, "--stdin-filename", "tool.py", "-"]
    done = subprocess.run(arguments, input=source, capture_output=True, text=True, check=False)
    if done.returncode:
        raise ValueError(f"ruff cannot read what was generated: {done.stderr.strip()}")
    return done.stdout
