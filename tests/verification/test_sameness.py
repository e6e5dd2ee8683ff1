"""Whether a changed project does the same: what its tests and its loading can tell, and when they tell nothing."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from meta.model import Check, Verdict
from meta.verification import sameness, sandbox
from meta.verification.sameness import Changed, Ground, Loaded
from tests.verification import machines

needs_sandbox = pytest.mark.skipif(sandbox.level() not in ("bubblewrap", "landlock"), reason="there is no sandbox")
CODE = "def double(x):\n    return x + x\n\n\ndef triple(x):\n    return 3 * x\n"
OTHER = CODE.replace("x + x", "2 * x")
TEST = "from code_of import double\n\n\ndef test_double():\n    assert double('a') == 'aa'\n"
WRONG = OTHER.replace("2 * x", "x")
BROKEN = "def test_it(no_such_fixture):\n    pass\n"


def project(folder: Path, test: str = "", code: str = CODE) -> Path:
    (folder / "code_of.py").write_text(code)
    if test:
        (folder / "test_code.py").write_text(test)
    return folder


def compared(folder: Path, after: str, tests: tuple[str, ...] = (), replaced: tuple[str, ...] = ("double",)) -> Verdict:
    there = Loaded("code_of.py", "", "")
    places = frozenset(("code_of.py", name) for name in replaced)
    return sameness.compare(folder, Changed({"code_of.py": after}, [there], replaced=places), Ground(tests=tests))


def told(verdict: Verdict) -> Check:
    return next(check for check in verdict.checks if check.name == "project's tests")


@needs_sandbox
def test_tests_that_end_as_before_are_counted(tmp_path: Path) -> None:
    verdict = compared(project(tmp_path, TEST), OTHER)
    assert (told(verdict).passed, told(verdict).detail) == (True, "the same as before: 1 passed")
    assert verdict.state == "passed"


@needs_sandbox
def test_a_test_that_fails_after_the_change_is_found(tmp_path: Path) -> None:
    verdict = compared(project(tmp_path, TEST), WRONG)
    assert told(verdict).passed is False
    assert "test_double was passed and is failed" in told(verdict).detail
    assert verdict.state == "failed"


@needs_sandbox
@pytest.mark.parametrize(
    ("test", "tests", "reason"),
    [
        pytest.param(BROKEN, (), "could not be run: fixture 'no_such_fixture' not found", id="broken"),
        pytest.param("import nowhere\n", (), "could not be run: ModuleNotFoundError", id="not collected"),
        pytest.param("def test_it():\n    assert 0\n", (), "could not be run: assert 0", id="failed before"),
        pytest.param("", ("bash", "-c", "echo no; exit 3"), "could not be run: exit code 3: no", id="a command"),
        pytest.param("", ("no-such-program",), "could not be run: exit code 127", id="no such command"),
        pytest.param("", (), "it has none", id="none"),
    ],
)
def test_where_no_test_passed_before_the_tests_tell_nothing(
    tmp_path: Path, test: str, tests: tuple[str, ...], reason: str
) -> None:
    verdict = compared(project(tmp_path, test), OTHER, tests)
    assert told(verdict).passed is None
    assert reason in told(verdict).detail
    assert verdict.state == "passed", "the function that was not replaced has the same bytecode"


@needs_sandbox
@pytest.mark.parametrize(
    ("code", "replaced", "reason"),
    [
        pytest.param("import nowhere\n" + CODE, ("double",), "none could be loaded", id="nothing loads"),
        pytest.param(CODE, ("double", "triple"), "only what was replaced on purpose", id="all is replaced"),
    ],
)
def test_without_bytecode_and_tests_nothing_is_verified(
    tmp_path: Path, code: str, replaced: tuple[str, ...], reason: str
) -> None:
    verdict = compared(project(tmp_path, code=code), code.replace("x + x", "2 * x"), replaced=replaced)
    details = {check.name: (check.passed, check.detail) for check in verdict.checks}
    assert details["bytecode"][0] is None
    assert reason in details["bytecode"][1]
    assert (verdict.state, verdict.isolation) == ("unverified", "none")
    assert compared(tmp_path, code, ("true",), replaced).state == "passed", "tests that ran are a comparison"


ALONE = """
import json, sys
from pathlib import Path
from meta.verification import sameness
from meta.verification.sameness import Changed, Ground, Loaded
changed = Changed({"code_of.py": "x = 1"}, [Loaded("code_of.py", "", "")])
verdict = sameness.compare(Path(sys.argv[1]), changed, Ground(tests=("touch", sys.argv[2])))
print(json.dumps([verdict.state, verdict.isolation, [[c.passed, c.detail] for c in verdict.checks]]))
"""


@pytest.mark.skipif(not Path("/proc/sys/kernel/seccomp").exists(), reason="this kernel filters no system calls")
def test_without_a_sandbox_nothing_is_executed_and_nothing_counts_as_proved(tmp_path: Path) -> None:
    mark = tmp_path / "executed"
    folder = tmp_path / "project"
    folder.mkdir()
    project(folder, code=f"open({str(mark)!r}, 'w')\n")
    argv = [sys.executable, "-c", ALONE, str(folder), str(mark)]
    argv = [sys.executable, "-c", machines.REFUSING, f"{machines.LANDLOCK} prctl", *argv]
    environment = {**os.environ, "PYTHONPATH": str(machines.ROOT)}
    done = subprocess.run(argv, capture_output=True, text=True, env=environment, check=True)
    state, isolation, checks = json.loads(done.stdout)
    assert (state, isolation) == ("unverified", "none")
    assert [passed for passed, _ in checks] == [None, None, None]
    assert all("no sandbox" in detail for _, detail in checks)
    assert not mark.exists()
