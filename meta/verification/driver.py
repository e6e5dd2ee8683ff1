"""Try a generated tool with many argument lists in one process, inside the sandbox.

Its source is handed to Python as text, so it imports nothing of this project. Input and output are JSON. The programs
that the tool would run are replaced by recorders that write down how they were called; the same is done with a shell
that reads the lines of the dry run.
"""

import contextlib
import importlib.util
import io
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

RECORDER = """#!/bin/sh
printf '%s\\0' "$(($# + 1))" "${0##*/}" "$@" >> "$META_CALLS"
n=0; while [ -e "$META_CALLS.$n" ]; do n=$((n + 1)); done; : > "$META_CALLS.$n"
[ "$n" != "${META_FAIL:--1}" ]
"""
# Three programs also serve a tool itself: a shell given as text runs a pipeline, `env` sets what stood before the
# program, and a bare `cat` is the inside of a quoted heredoc.
OWN = {
    "bash": '[ "$1" = -c ] && exec /bin/bash "$@"',
    "env": 'case "$1" in *=*) exec /usr/bin/env "$@";; esac',
    "cat": "[ $# = 0 ] && exec /bin/cat",
}


def prepare(folder: Path, programs: list[str], directories: list[str]) -> None:
    """Recorders for the programs, and the folders the steps run in; `PATH` then finds nothing else."""
    (folder / "bin").mkdir()
    for name in {*programs, *OWN, "touch"}:
        place = folder / "work" / name if "/" in name else folder / "bin" / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(RECORDER.replace("\n", f"\n{OWN[name]}\n", 1) if name in OWN else RECORDER)
        place.chmod(0o755)
    for name in ("", *directories):
        (folder / "work" / name).mkdir(parents=True, exist_ok=True)
    (folder / "no-builtins").write_text("enable -n echo printf test '[' pwd true false kill\n")
    os.environ["BASH_ENV"] = str(folder / "no-builtins")  # what is a program too is recorded as one
    os.environ["PATH"] = str(folder / "bin")
    os.environ["META_CALLS"] = str(folder / "calls")
    os.chdir(folder / "work")


def load(path: str) -> Callable[[list[str]], Any]:
    """The tool's `main`."""
    spec = importlib.util.spec_from_file_location("tool", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["tool"] = module
    spec.loader.exec_module(module)
    main: Callable[[list[str]], Any] = module.main
    return main


def call(main: Callable[[list[str]], Any], argv: list[str]) -> tuple[int, str, str]:
    """The tool's exit code, stdout and stderr."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        try:
            code = main(argv)
        except SystemExit as stop:
            code = stop.code
        except Exception as error:  # whatever the tool raises is its result, and the next argument list is tried
            code, _ = 1, err.write(f"{type(error).__name__}: {error}")
    return (code if isinstance(code, int) else int(bool(code))), out.getvalue(), err.getvalue()


def calls() -> list[list[str]]:
    """How the recorders were called since the last time, in order."""
    path = Path(os.environ["META_CALLS"])
    if not path.exists():
        return []
    for count in path.parent.glob("calls.*"):
        count.unlink()
    words = path.read_bytes().decode("utf-8", "surrogateescape").split("\0")
    path.unlink()
    found: list[list[str]] = []
    while len(words) > 1:
        size = int(words.pop(0))
        found.append(words[:size])
        del words[:size]
    return found


def attempt(
    main: Callable[[list[str]], Any], argv: list[str], rehearse: bool, fails: int, allowed: list[str]
) -> dict[str, Any]:
    """`fails` is the place of the one program call that fails, -1 for none."""
    code, out, err = call(main, ["--dry-run", *argv])
    result: dict[str, Any] = {"code": code, "stdout": out, "stderr": err[-400:], "early": calls()}
    if rehearse and code == 0:
        subprocess.run(["/bin/bash", "-c", out], stdin=subprocess.DEVNULL, check=False)
        result["shell"] = calls()
        os.environ["META_FAIL"] = str(fails)
        result["run_code"] = call(main, [*allowed, *(word for word in argv if not word.startswith("--failed="))])[0]
        result["run"] = calls()
        os.environ["META_FAIL"] = "-1"
    return result


def work(request: dict[str, Any]) -> list[dict[str, Any]]:
    main = load(str(Path("tool/tool.py").resolve()))
    prepare(Path.cwd(), request["programs"], request["directories"])
    allowed = request["allowed"]
    return [attempt(main, argv, rehearse, fails, allowed) for argv, rehearse, fails in request["cases"]]


if __name__ == "__main__":
    answer = os.fdopen(os.dup(1), "w")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # what recorded programs would print is not the answer
    json.dump(work(json.load(sys.stdin)), answer)
    answer.close()
