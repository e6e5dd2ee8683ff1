"""What is shared and what is refused, on small projects; proved by reading and, in the sandbox, by loading."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

import pytest

from meta import refactors
from meta.model import Verdict
from meta.refactoring import Refactoring, proof
from meta.refactoring.sources import Project
from meta.verification import sandbox
from meta.verification.sameness import Ground

MEASURE = '''
# How far two points are apart.
def distance(one, other):
    """The way as the crow flies."""
    total = 0.0
    for i in range(len(one)):
        total += (one[i] - other[i]) ** POWER  # squared
    return math.sqrt(total)
'''
HELD = "import math\n\nPOWER = 2\n" + MEASURE
CLASS = '''
from json import loads


class {name}:
    """One of several."""

    def read(self, text):
        """What a text holds."""
        rows = loads(text)
        if not rows:
            return []
        found = [row for row in rows if row.get("{key}")]
        return sorted(found, key=str)
'''


def project(folder: Path, files: dict[str, str]) -> Path:
    for path, text in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(dedent(text))
    return folder


def copies(folder: Path, *texts: str, extra: dict[str, str] | None = None) -> Path:
    """Scripts side by side, each in a folder of its own that is no package."""
    return project(folder, {f"exp/e{i}/run.py": text for i, text in enumerate(texts)} | (extra or {}))


def package(folder: Path, *keys: str, extra: dict[str, str] | None = None) -> Path:
    """A package with one class a module."""
    files = {f"app/kinds/k{i}.py": CLASS.format(name=f"Kind{i}", key=key) for i, key in enumerate(keys)}
    return project(folder, {"app/__init__.py": "", "app/kinds/__init__.py": "", **files, **(extra or {})})


def planned(folder: Path) -> Refactoring:
    found = refactors.plan(folder, [path.relative_to(folder).as_posix() for path in folder.rglob("*.py")])
    if found.files:
        assert [check for check in proof.check(Project(folder), found) if check.passed is False] == []
    return found


def why(found: Refactoring, name: str) -> str:
    return " / ".join(each.reason for each in found.refused if each.name == name)


def test_equal_functions_with_an_equal_closure_become_one(tmp_path: Path) -> None:
    found = planned(copies(tmp_path, *[HELD + f"\nprint(distance([{i}], [2]))\n" for i in range(3)]))
    (group,) = found.groups
    assert (group.rule, group.name, group.module, len(group.sites)) == ("library", "distance", "exp/exp_shared.py", 3)
    assert found.net < 0
    shared, member = found.files["exp/exp_shared.py"], found.files["exp/e0/run.py"]
    assert "# How far two points are apart." in shared
    assert "# squared" in shared
    assert "as the crow flies" in shared
    assert "def distance" not in member
    assert "import math" not in member
    assert "POWER" not in member


def test_a_function_of_one_file_alone_stays(tmp_path: Path) -> None:
    assert planned(copies(tmp_path, HELD, "import math\n")).files == {}


def test_functions_whose_constants_differ_are_not_taken_for_copies(tmp_path: Path) -> None:
    found = planned(copies(tmp_path, HELD, HELD.replace("POWER = 2", "POWER = 3")))
    assert found.files == {}
    assert "what it takes from its file differs" in why(found, "distance")


def test_a_local_is_not_mistaken_for_a_loop_variable_of_the_module(tmp_path: Path) -> None:
    loop = "\nfor i in range(3):\n    print(distance([i], [0]))\n"
    (group,) = planned(copies(tmp_path, *[HELD + loop] * 3)).groups
    assert len(group.sites) == 3


def test_variants_of_one_name_are_told_apart_and_imported_under_the_old_one(tmp_path: Path) -> None:
    other = HELD.replace("crow", "bird")
    use = "\nprint(distance([1], [2]))\n"
    found = planned(copies(tmp_path, *[HELD + use] * 3, *[other + use] * 2))
    assert {group.name: len(group.sites) for group in found.groups} == {"distance": 3, "distance_2": 2}
    assert "distance_2 as distance" in found.files["exp/e4/run.py"]
    assert "distance_2" not in found.files["exp/e0/run.py"]


def test_a_name_that_exists_already_is_avoided(tmp_path: Path) -> None:
    found = planned(copies(tmp_path, *[HELD] * 3, extra={"exp/exp_shared.py": "x = 1\n"}))
    assert "exp/exp_shared_2.py" in found.files


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        pytest.param(("POWER = 2", "POWER = int(input())"), "not a literal", id="a constant with a side effect"),
        pytest.param(("POWER = 2", "POWER = 2\nPOWER = 3"), "bound more than once", id="a rebound global"),
        pytest.param(("    total = 0.0", "    global POWER\n    total = 0.0"), "rebinds the global", id="a rebinding"),
        pytest.param(("POWER = 2", "from os import *\nPOWER = 2"), "star import", id="a star import"),
        pytest.param(("    total = 0.0", "    total = len(__file__)"), "does not bind", id="its own place"),
        pytest.param(("    total = 0.0", "    total = len(globals())"), "globals", id="its own globals"),
        pytest.param(("one, other)", "one, other=[])"), "made anew", id="a default that can change"),
        pytest.param(
            ("# How", "from atexit import register\n@register\n# How"), "the decorator register", id="registering"
        ),
        pytest.param(
            ("return math.sqrt(total)", "return math.sqrt(total)\ndistance.calls = 0"), "attributes", id="state"
        ),
    ],
)
def test_what_would_notice_the_move_is_refused(tmp_path: Path, change: tuple[str, str], reason: str) -> None:
    assert planned(copies(tmp_path / "as it is", *[HELD] * 3)).groups
    found = planned(copies(tmp_path / "changed", *[HELD.replace(*change)] * 3))
    assert not found.files
    assert reason in why(found, "distance")


def test_a_module_beside_each_script_is_not_one_and_the_same(tmp_path: Path) -> None:
    text = HELD.replace("import math", "import math\nfrom tools import offset").replace("0.0", "offset")
    beside = {f"exp/e{i}/tools.py": f"offset = {i}.0\n" for i in range(3)}
    found = planned(copies(tmp_path, *[text] * 3, extra=beside))
    assert not found.files
    assert "beside the script" in why(found, "distance")


@pytest.mark.parametrize(
    "test",
    [
        "from unittest import mock\n\n\ndef test_it():\n    with mock.patch('run.math'):\n        pass\n",
        "import run\n\n\ndef test_it(monkeypatch):\n    monkeypatch.setattr(run, 'POWER', 3)\n",
        "import run\n\nrun.POWER = 3\n",
    ],
)
def test_a_name_that_is_patched_keeps_its_functions_where_they_are(tmp_path: Path, test: str) -> None:
    found = planned(copies(tmp_path, *[HELD] * 3, extra={"exp/e0/test_run.py": test}))
    assert not found.files
    assert "is replaced in" in why(found, "distance")


def test_a_function_that_others_import_stays_importable(tmp_path: Path) -> None:
    other = {"exp/e0/other.py": "from run import distance\n"}
    found = planned(copies(tmp_path, *[HELD] * 3, extra=other))
    assert "distance" in found.files["exp/e0/run.py"]
    assert "distance" not in found.files["exp/e1/run.py"]


def test_methods_that_differ_in_a_constant_hand_it_to_one_helper(tmp_path: Path) -> None:
    found = planned(package(tmp_path, "a", "b", "c", "d"))
    (group,) = found.groups
    assert (group.rule, group.name, group.module) == ("helper", "read", "app/kinds/shared.py")
    assert [site.constants for site in group.sites] == [('"a"',), ('"b"',), ('"c"',), ('"d"',)]
    member = found.files["app/kinds/k1.py"]
    assert 'return read(text, key="b")' in member
    assert '"""What a text holds."""' in member
    assert "loads" not in member
    assert "from app.kinds.shared import read" in member
    assert found.net < 0


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        pytest.param(
            ("return sorted(found, key=str)", "return sorted(found, key=lambda x: self)"), "functions", id="closure"
        ),
        pytest.param(("rows = loads(text)", "rows = super().read(text)"), "super", id="super"),
        pytest.param(("rows = loads(text)", "rows = self.__rows"), "private name", id="mangled"),
        pytest.param(("rows = loads(text)", "yield text\n        rows = loads(text)"), "yields", id="generator"),
        pytest.param(("if not rows:", "if not (rows := rows):"), "binds by :=", id="walrus"),
        pytest.param(("    def read", "    @compiled\n    def read"), "may read its body", id="decorator"),
    ],
)
def test_a_body_that_cannot_stand_elsewhere_gets_no_helper(
    tmp_path: Path, change: tuple[str, str], reason: str
) -> None:
    folder = package(tmp_path, "a", "b", "c", "d")
    for path in folder.glob("app/kinds/k*.py"):
        path.write_text("from numba import njit as compiled\n" + path.read_text().replace(*change))
    found = planned(folder)
    assert not found.files
    assert reason in why(found, "read")


def test_a_circle_of_imports_is_refused(tmp_path: Path) -> None:
    folder = package(tmp_path, "a", "b", "c", "d", extra={"app/reading.py": "from app.kinds import k0\nloads = list\n"})
    for path in folder.glob("app/kinds/k*.py"):
        path.write_text(path.read_text().replace("from json", "from app.reading"))
    found = planned(folder)
    assert not found.files
    assert "a circle of imports" in why(found, "read")


def test_a_test_that_patches_what_a_body_uses_leaves_that_body_alone(tmp_path: Path) -> None:
    test = {"test_k.py": "from unittest.mock import patch\n\n\n@patch('app.kinds.k0.loads')\ndef test_it(loads): ...\n"}
    (group,) = planned(package(tmp_path, *"abcde", extra=test)).groups
    assert "app/kinds/k0.py" not in {site.path for site in group.sites}
    assert len(group.sites) == 4


def test_more_than_four_constants_are_too_many(tmp_path: Path) -> None:
    body = (
        "def read(x):\n    y = x + {0}1\n    y = y * {0}2\n    y = y - {0}3\n    y = y / {0}4\n    return y // {0}5\n"
    )
    found = planned(project(tmp_path, {f"p/m{i}.py": body.format(i) for i in range(1, 6)} | {"p/__init__.py": ""}))
    assert not found.files
    assert "5 constants differ" in why(found, "read")


def test_a_wrong_helper_is_found_by_putting_its_arguments_back(tmp_path: Path) -> None:
    folder = package(tmp_path, "a", "b", "c", "d")
    found = planned(folder)
    wrong = {path: text.replace('key="b"', 'key="x"') for path, text in found.files.items()}
    broken = Refactoring(found.groups, wrong, found.before)
    (failed,) = [check for check in proof.check(Project(folder), broken) if check.passed is False]
    assert failed.name == "helpers"


def test_a_file_that_does_not_parse_is_counted(tmp_path: Path) -> None:
    extra = {"exp/broken.py": "def (:\n"}
    folder = copies(tmp_path, *[HELD] * 3, extra=extra)
    (folder / "exp/latin.py").write_bytes(b"# \xff\n")
    found = planned(folder)
    assert found.groups
    assert dict(found.skipped) == {"does not parse": 1, "not UTF-8": 1}


def test_a_file_that_is_nested_too_deeply_is_counted_and_stays(tmp_path: Path) -> None:
    deep = HELD + f"\nx = 1\ny = {' + '.join(['x'] * 400)}\n"
    found = planned(copies(tmp_path, HELD, HELD, deep, HELD))
    assert [len(group.sites) for group in found.groups] == [3]
    assert dict(found.skipped) == {"nested too deeply": 1}


needs_sandbox = pytest.mark.skipif(sandbox.level() not in ("bubblewrap", "landlock"), reason="there is no sandbox")


def proved(folder: Path, found: Refactoring) -> Verdict:
    return refactors.prove(folder, found, Ground(tests=("true",)))


@needs_sandbox
def test_what_is_loaded_after_the_change_has_the_bytecode_of_before(tmp_path: Path) -> None:
    use = "\n\ndef main():\n    return distance([1], [2])\n"
    folder = copies(tmp_path, *[HELD + use] * 3, *[HELD.replace("crow", "bird") + use] * 2)
    verdict = proved(folder, planned(folder))
    details = {check.name: check.detail for check in verdict.checks}
    assert verdict.state == "passed", details
    assert details["loads"] == "5 of 5 modules load as before"
    assert details["bytecode"].startswith("10 of 10 functions")


@needs_sandbox
def test_a_package_loads_and_its_other_functions_are_the_same(tmp_path: Path) -> None:
    folder = package(tmp_path, "a", "b", "c", "d")
    for path in folder.glob("app/kinds/k*.py"):
        path.write_text(path.read_text() + "\n    def other(self):\n        return loads('1')\n")
    verdict = proved(folder, planned(folder))
    details = {check.name: check.detail for check in verdict.checks}
    assert verdict.state == "passed", details
    assert details["bytecode"].startswith("4 of 4 functions")


@needs_sandbox
def test_a_function_with_another_constant_is_found_when_it_is_loaded(tmp_path: Path) -> None:
    from meta.verification import sameness

    folder = copies(tmp_path, HELD, HELD)
    changed = sameness.Changed(
        {"exp/e0/run.py": HELD.replace("** POWER", "** 2")}, [sameness.Loaded("exp/e0/run.py", "", "exp/e0")]
    )
    verdict = sameness.compare(folder, changed, Ground(tests=("true",)))
    assert verdict.state == "failed"
