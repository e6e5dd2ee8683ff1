"""A trace tells what was done and not declared, of real programs, and nothing of honest ones."""

import json
import subprocess
from itertools import product

import pytest

from meta.model import Check
from meta.verification import effects, sandbox
from meta.verification.effects import Deed, Effect, Trace
from meta.verification.sandbox import Ran, Seen
from tests.verification import machines
from tests.verification.deeds import HONEST, LYING, Program, traced

needs_sandbox = pytest.mark.skipif(sandbox.level() != "bubblewrap", reason="bubblewrap does not work here")


ANOTHER_ROOT = "/proc/12/root"  # of another process


@needs_sandbox
@pytest.mark.parametrize("program", LYING, ids=lambda program: f"{program.language}: {program.name}")
def test_what_is_not_declared_is_found(program: Program) -> None:
    ran, trace = traced(program, "bubblewrap")
    found = effects.undeclared(trace, program.declared)
    assert {deed.effect for deed in found} == set(program.found), (found, ran.stderr)
    assert not trace.missing


@needs_sandbox
@pytest.mark.parametrize("program", HONEST, ids=lambda program: f"{program.language}: {program.name}")
def test_an_honest_program_is_not_accused(program: Program) -> None:
    ran, trace = traced(program, "bubblewrap")
    assert ran.code == 0, ran.stderr
    assert effects.undeclared(trace, program.declared) == ()
    assert not trace.missing
    assert trace.programs


@needs_sandbox
@pytest.mark.slow
def test_of_a_hundred_honest_runs_none_is_accused() -> None:
    found = [effects.undeclared(traced(program, "bubblewrap")[1], program.declared) for program in HONEST * 4]
    assert len(found) > 100
    assert sum(map(bool, found)) <= 0.02 * len(found), found


def test_the_programs_are_many_and_about_half_of_them_lie() -> None:
    assert len(HONEST) + len(LYING) >= 40
    assert 0.4 < len(LYING) / (len(HONEST) + len(LYING)) < 0.6


# Under Landlock these attempts end before the call that would tell, or look like what they are not.
UNSEEN = {"an open folder", "its open folders", "a service of the host", "a service without a file"}
ACCUSED = {"a server of its own", "datagrams to itself"}


@pytest.mark.slow
@pytest.mark.skipif(not machines.python() or not machines.landlock(), reason="no Landlock, or no Python for every user")
def test_under_landlock_too_what_is_not_declared_is_found() -> None:
    with machines.house() as house:
        program = [machines.python(), str(house / "tests/verification/deeds.py"), "landlock"]
        argv, environment = machines.wrapped(program, user=True), machines.environment(house)
        ran = subprocess.run(argv, cwd=house, env=environment, capture_output=True, text=True, check=False)
    assert set(json.loads(ran.stdout)) == UNSEEN | ACCUSED, ran.stderr


def report(*events: tuple[str, str], missing: str = "", code: int | None = 0, stderr: str = "") -> Ran:
    document = json.dumps({"events": [[*event, "tool"] for event in events], "missing": missing})
    return Ran(code, "", stderr, 0.1, "bubblewrap", Seen(document, "/scratch", ("/tmp", "/dev/shm"), "/home/tool"))


@pytest.mark.parametrize(
    ("kind", "what", "effect"),
    [
        ("write", "/scratch/a", "write-project"),
        ("delete", "/scratch/a", "write-project"),
        ("write", "/scratch", None),
        ("write", "/scratchy/a", "write-outside"),
        ("write", "/scratch/.git/index.lock", None),
        ("write", "/scratch/.git/hooks/pre-commit", "write-project"),
        ("write", "/scratch/a/__pycache__/b.pyc", None),
        ("write", "/tmp/x", None),
        ("write", "/home/tool/.cache/pip/x", None),
        ("write", "/home/tool/.config/x", "write-outside"),
        ("write", "/home/tool/.config", None),
        ("write", "/home/toolbox/.cache/x", "write-outside"),
        ("write", "/dev/null", None),
        ("write", "/dev/sda", "write-outside"),
        ("write", "pipe:[12]", None),
        ("write", "/proc/self/comm", None),
        ("write", f"{ANOTHER_ROOT}/etc/x", "write-outside"),
        ("write", "/proc/sys/kernel/core_pattern", "write-outside"),
        ("network", "10.0.0.1 port 80", "network"),
        ("network", "unix:/var/run/nscd/socket", None),
        ("network", "unix:/run/nscd/socket2", "network"),
        ("network", "unix:/tmp/mine", None),
        ("network", "unix:/run/docker.sock", "network"),
        ("run", "/usr/bin/sudo", "privilege"),
        ("run", "/usr/bin/git", None),
        ("privilege", "mount", "privilege"),
        ("blind", "connect", "network"),
        ("blind", "openat", "write-outside"),
    ],
)
def test_an_event_has_the_effect_that_its_place_says(kind: str, what: str, effect: Effect | None) -> None:
    assert [deed.effect for deed in effects.read(report((kind, what))).deeds] == [effect] * (effect is not None)


@pytest.mark.parametrize(("own", "told"), [(None, 2), ("tools/it", 1), ("tools", 1), ("tool", 2), ("", 0)])
def test_what_is_written_in_a_folder_of_its_own_is_not_told(own: str | None, told: int) -> None:
    trace = effects.read(report(("write", "/scratch/tools/it/last.log"), ("write", "/scratch/a")), own=own)
    assert len(trace.deeds) == told


DECLARED = {
    "read": (),
    "write-project": ("write-project",),
    "write-outside": ("write-project", "write-outside"),
    "network": ("write-project", "network"),
    "spend": ("write-project", "network"),
    "destroy": ("write-project",),
    "privilege": ("write-project", "write-outside", "privilege"),
}
EFFECTS: tuple[Effect, ...] = ("write-project", "write-outside", "network", "privilege")


@pytest.mark.parametrize(("declared", "effect"), list(product(DECLARED, EFFECTS)))
def test_a_declared_effect_covers_what_it_brings_with_it_and_nothing_else(declared: str, effect: Effect) -> None:
    covered = not effects.undeclared(Trace((Deed(effect, "x"),)), [declared])
    assert covered == (effect in DECLARED[declared])


def test_two_declared_effects_cover_what_either_does() -> None:
    deeds = (Deed("write-outside", "x"), Deed("network", "y"))
    assert effects.undeclared(Trace(deeds), ["write-outside", "network"]) == ()
    assert effects.undeclared(Trace(deeds), []) == deeds


@pytest.mark.parametrize(
    ("ran", "missing"),
    [
        pytest.param(Ran(None, "", "", 1.0, "bubblewrap", Seen("", "/scratch", (), "/h")), "time was up", id="killed"),
        pytest.param(Ran(0, "", "", 1.0, "bubblewrap"), "no report", id="not asked for"),
        pytest.param(report(missing="another program already listens"), "already listens", id="no filter"),
        pytest.param(report(), "", id="traced"),
    ],
)
def test_a_run_that_was_not_traced_says_why(ran: Ran, missing: str) -> None:
    trace = effects.read(ran)
    assert missing in trace.missing
    assert bool(trace.missing) == bool(missing)


@pytest.mark.parametrize(
    ("traces", "declared", "expected"),
    [
        pytest.param(
            {"rehearsal": Trace(), "replay": Trace((Deed("write-project", "./a"),))}, ["write-project"],
            Check("effects", True, "rehearsal and replay traced: 1 paths of the project changed"), id="as declared",
        ),
        pytest.param(
            {"rehearsal": Trace(), "replay": Trace(missing="it was not replayed")}, ["read"],
            Check("effects", True, "rehearsal traced: nothing was changed or reached; not traced: replay, it was not replayed"),
            id="half",
        ),
        pytest.param(
            {"rehearsal": Trace(missing="time was up")}, ["read"],
            Check("effects", None, "not traced: rehearsal, time was up"), id="not at all",
        ),
        pytest.param(
            {"rehearsal": Trace((Deed("network", "10.0.0.1 port 80", "curl"),))}, ["write-project"],
            Check("effects", False, "not declared; rehearsal: network 10.0.0.1 port 80 (by curl)"), id="a lie",
        ),
        pytest.param(
            {"rehearsal": Trace((Deed("network", "x"),))}, ["network"],
            Check("effects", True, "rehearsal traced: network as declared"), id="said",
        ),
    ],
)  # fmt: skip
def test_the_check_says_what_was_traced_and_what_was_not(
    traces: dict[str, Trace], declared: list[str], expected: Check
) -> None:
    assert effects.check(traces, declared) == expected


def test_what_a_program_calls_its_files_cannot_break_a_report() -> None:
    [deed] = effects.read(report(("write", "/etc/a\n\x1b[31m\udcff"))).deeds
    assert deed.what == "/etc/a??[31m?"
