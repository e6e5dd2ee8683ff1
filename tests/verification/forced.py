"""Which isolation there is on a machine, and what a verification does with it, as JSON. A program of its own."""

import json
import sys
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from meta.verification import EXECUTED, sandbox, verify
from meta.verification.sandbox import NoSandboxError
from tests.verification.sample import GATE, GATE_TOOL, LOOK, LOOK_TOOL, tool

if __name__ == "__main__":
    mark = Path(sys.argv[1])
    marking = f"import pathlib; pathlib.Path({str(mark)!r}).write_text('executed')\n"
    found = {}
    for effects, source, of in (("write-project", GATE_TOOL, GATE), ("read", LOOK_TOOL, LOOK)):
        mark.unlink(missing_ok=True)
        made = tool(source, of)
        files = {**made.files, "test_tool.py": marking + made.files["test_tool.py"]}
        verdict = verify(replace(made, effects=(effects,), files=files), of)
        checks = {check.name: check.passed for check in verdict.checks if check.name in EXECUTED}
        found[effects] = [verdict.isolation, verdict.state, checks, mark.exists()]
    mark.unlink(missing_ok=True)
    ran = None
    with sandbox.scratch() as scratch, suppress(NoSandboxError):
        ran = sandbox.run([sandbox.python(), "-c", marking], scratch).isolation
    rungs = [[rung.isolation, rung.works, rung.reason, rung.remedy] for rung in sandbox.rungs()]
    print(json.dumps({"rungs": rungs, "verdicts": found, "ran": ran, "executed": mark.exists()}))
