"""Fifteen things that a hostile program tries, each first outside, where it succeeds, and then in an isolation.

A program of its own, so that it can be run as root, as a user and on a machine that lacks something:
`python probes.py ISOLATION…` prints as JSON where each attempt succeeded; the isolation "" is none.
"""

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path

from meta.verification.sandbox import folders, ways
from meta.verification.sandbox.ways import Limits

SECRET = "hunter2-7531"
CPU, WALL = 1, 1.0
LIMITS = Limits(cpu=CPU, processes=200)

# Each is run with the path of a folder outside and what the attempt needs; exit code 0 says that it was done.
ATTEMPTS = {
    "write outside": "open(place + '/victim', 'w').write('changed')",
    "write the home": "open(place + '/home/.profile', 'a').write('changed')",
    "read a secret in the home": "print(open(place + '/home/.secret').read())",
    "read a secret of the environment": """
import glob
for name in ['/proc/self/environ', *glob.glob('/proc/[0-9]*/environ')]:
    try:
        print(open(name).read())
    except OSError:
        pass
""",
    "connect by TCP": "socket.create_connection(('127.0.0.1', int(need)), 2).sendall(b'x')",
    "send by UDP": "socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b'x', ('127.0.0.1', int(need)))",
    "reach a socket in the file system": """
link = socket.socket(socket.AF_UNIX)
link.connect(place + '/server')
link.sendall(b'x')
""",
    "reach a socket without a file": """
link = socket.socket(socket.AF_UNIX)
link.connect('\\0' + need)
link.sendall(b'x')
""",
    "signal a process of the host": "os.kill(int(need), 9)",
    "take 3 GB of memory": "mmap.mmap(-1, 3 * 2**30, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | 0x4000)",
    "compute longer than allowed": f"""
while time.process_time() < {CPU + 0.4}:
    pass
""",
    "run longer than allowed": f"time.sleep({WALL + 0.5})",
    "start 400 processes": """
children = []
try:
    for _ in range(400):
        child = os.fork()
        if child == 0:
            time.sleep(20)
            os._exit(0)
        children.append(child)
finally:
    for child in children:
        os.kill(child, 9)
""",
    "write a file of 300 MB": "os.posix_fallocate(os.open('big', os.O_WRONLY | os.O_CREAT), 0, 300 * 2**20)",
    "leave a process behind": """
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        for stream in (0, 1, 2):
            os.close(stream)
        open('left', 'w').close()
        time.sleep(20)
    os._exit(0)
while not os.path.exists('left'):
    time.sleep(0.005)
""",
}
CONTROL = "write the scratch folder"
HEAD = "import mmap, os, socket, sys, time\nplace, need = sys.argv[1:3]\n"


@dataclass(frozen=True)
class Case:
    need: str = ""
    done: Callable[[int | None, str], bool] = lambda code, stdout: code == 0


@contextmanager
def case(name: str, place: Path, marker: str) -> Iterator[Case]:
    """What an attempt needs from the host, really there, and how the host knows that it succeeded."""
    if name == "write outside":
        yield Case(done=lambda code, _: (place / "victim").read_text() == "changed")
    elif name == "write the home":
        yield Case(done=lambda code, _: "changed" in (place / "home/.profile").read_text())
    elif name in ("read a secret in the home", "read a secret of the environment"):
        yield Case(done=lambda code, stdout: SECRET in stdout)
    elif "socket" in name or name in ("connect by TCP", "send by UDP"):
        with server(name, place) as (need, got):
            yield Case(need, lambda code, _: got())
    elif name == "signal a process of the host":
        with subprocess.Popen(["sleep", "60"]) as victim:
            yield Case(str(victim.pid), lambda code, _: ended(victim))
            victim.kill()
    elif name == "leave a process behind":
        yield Case(marker, lambda code, _: survives(marker))
    else:
        yield Case()


def ended(process: subprocess.Popen[bytes]) -> bool:
    """Whether it has ended; one that was killed may take a moment to go."""
    with suppress(subprocess.TimeoutExpired):
        process.wait(0.5)
    return process.returncode is not None


@contextmanager
def server(name: str, place: Path) -> Iterator[tuple[str, Callable[[], bool]]]:
    """A server of the host: what names it, and whether something reached it."""
    if name == "send by UDP":
        family, kind, address = socket.AF_INET, socket.SOCK_DGRAM, ("127.0.0.1", 0)
    elif name == "connect by TCP":
        family, kind, address = socket.AF_INET, socket.SOCK_STREAM, ("127.0.0.1", 0)
    else:
        family, kind = socket.AF_UNIX, socket.SOCK_STREAM
    path = f"{place}/server" if "file system" in name else f"\0probe-{time.monotonic_ns()}"
    with socket.socket(family, kind) as listening:
        listening.bind(path if family == socket.AF_UNIX else address)
        if path[0] == "/" and family == socket.AF_UNIX:
            os.chmod(path, 0o777)
        if kind == socket.SOCK_STREAM:
            listening.listen()
        listening.settimeout(0.05)

        def got() -> bool:
            try:
                return bool(listening.recv(1) if kind == socket.SOCK_DGRAM else listening.accept())
            except TimeoutError:
                return False

        yield str(listening.getsockname()[1]) if family == socket.AF_INET else path.lstrip("\0"), got


def left(marker: str) -> list[int]:
    """The processes whose command line holds a text."""
    found = []
    for entry in Path("/proc").iterdir():
        with suppress(OSError):
            if entry.name.isdigit() and marker in (entry / "cmdline").read_text() and int(entry.name) != os.getpid():
                found.append(int(entry.name))
    return found


def survives(marker: str) -> bool:
    """Whether such a process is there for good; one that was killed may take a moment to go."""
    for _ in range(50):
        if not left(marker):
            return False
        time.sleep(0.01)
    return True


@contextmanager
def outside() -> Iterator[Path]:
    """A folder that everybody may use, with a home in it."""
    with tempfile.TemporaryDirectory(prefix="probe-") as folder:
        place = Path(folder)
        (place / "home").mkdir()
        for name, text in (("victim", "safe"), ("home/.profile", ""), ("home/.secret", SECRET)):
            (place / name).write_text(text)
        for path in (place, *place.rglob("*")):
            path.chmod(0o777)
        yield place


def free(argv: list[str], place: Path) -> tuple[int | None, str]:
    """What the attempt does without any isolation."""
    done = subprocess.run(argv, cwd=place, capture_output=True, text=True, errors="replace", check=False)
    return done.returncode, done.stdout


def attempt(name: str, isolation: str) -> bool:
    """Whether it succeeded; under the isolation "" it runs free."""
    marker = f"marker-{os.getpid()}-{time.monotonic_ns()}"
    with outside() as place, case(name, place, marker) as prepared:
        program = [sys.executable, "-c", HEAD + ATTEMPTS[name], str(place), prepared.need]
        if not isolation:
            code, stdout = free(program, place)
        else:
            with folders.scratch() as scratch:
                limits = replace(LIMITS, wall=WALL) if name == "run longer than allowed" else LIMITS
                ran = ways.execute(isolation, program, scratch, limits=limits)  # type: ignore[arg-type]  # a level by its name
                code, stdout = ran.code, ran.stdout
        succeeded = prepared.done(code, stdout)
        for process in left(marker):
            with suppress(ProcessLookupError):
                os.kill(process, signal.SIGKILL)
        return succeeded


def control(isolation: str) -> bool:
    with folders.scratch() as scratch:
        program = [sys.executable, "-c", "open('made', 'w').write('x')"]
        ran = ways.execute(isolation, program, scratch, limits=LIMITS)  # type: ignore[arg-type]  # a level by its name
        return ran.code == 0 and (scratch / "made").read_text() == "x"


if __name__ == "__main__":
    if "META_TEST_SECRET" not in os.environ:  # the kernel shows the environment that a program was started with
        os.execve(sys.executable, [sys.executable, *sys.argv], {**os.environ, "META_TEST_SECRET": SECRET})
    isolations = ("", *sys.argv[1:])
    apart = ["start 400 processes"]  # the kernel counts the processes of a user together
    with ThreadPoolExecutor(6) as pool:
        pairs = [(name, each) for name in ATTEMPTS if name not in apart for each in isolations]
        done = dict(zip(pairs, pool.map(lambda pair: attempt(*pair), pairs), strict=True))
    done |= {(name, each): attempt(name, each) for name in apart for each in isolations}
    found = {name: [each for each in isolations if done[name, each]] for name in ATTEMPTS}
    print(json.dumps({**found, CONTROL: [each for each in sys.argv[1:] if control(each)]}))
