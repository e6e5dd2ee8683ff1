"""Small programs that say what they do, half of them wrongly: what they declare, and what a trace has to find beside it.

`python deeds.py ISOLATION` prints as JSON the names of those of which a trace tells something else.
"""

import json
import sys
from dataclasses import dataclass

from meta.model import Isolation
from meta.verification import effects, sandbox
from meta.verification.effects import Trace
from meta.verification.sandbox import Ran, ways

REPOSITORY = "git init -q && git config user.name a && git config user.email a@b && git add -A && git commit -qm one"

PYTHON_HEAD = """
import ctypes, os, shutil, socket, subprocess, sys, threading
from pathlib import Path
libc = ctypes.CDLL(None, use_errno=True)
def quietly(attempt, *arguments, **named):
    try:
        return attempt(*arguments, **named)
    except OSError:
        return None
"""


@dataclass(frozen=True)
class Program:
    """`found` are the effects that are not declared; an honest program has none and ends well."""

    name: str
    language: str
    source: str
    declared: tuple[str, ...] = ("write-project",)
    found: tuple[str, ...] = ()
    repository: bool = False

    @property
    def argv(self) -> list[str]:
        if self.language == "python":
            return ["python3", "-c", PYTHON_HEAD + self.source]
        return ["bash", "-c", self.source]


def _honest(language: str, name: str, source: str, *declared: str, repository: bool = False) -> Program:
    return Program(name, language, source, declared or ("write-project",), (), repository)


def _lying(language: str, name: str, source: str, found: str, *declared: str) -> Program:
    return Program(name, language, source, declared or ("write-project",), (found,))


# fmt: off
HONEST = [
    _honest("python", "a report", "Path('report.md').write_text('# All'); print(Path('report.md').read_text())"),
    _honest("python", "a folder and a move", "Path('a/b').mkdir(parents=True); Path('x').touch(); shutil.move('x', 'a/b/x')"),
    _honest("python", "temporary files", """
import tempfile
with tempfile.TemporaryDirectory() as folder, tempfile.NamedTemporaryFile() as file:
    Path(folder, 'x').write_text('x'); file.write(b'x')
"""),
    _honest("python", "a database", """
import sqlite3
for place in ('data.sqlite', '/tmp/data.sqlite'):
    with sqlite3.connect(place) as database:
        database.execute('pragma journal_mode=wal'); database.execute('create table t (x)')
"""),
    _honest("python", "a commit", "subprocess.run(['git', 'commit', '-qam', 'x', '--allow-empty'], check=True)", repository=True),
    _honest("python", "only reading", "print(sum(len(p.read_bytes()) for p in Path('.').iterdir() if p.is_file()))", "read"),
    _honest("python", "an event loop", """
import asyncio
async def main():
    child = await asyncio.create_subprocess_exec('cat', 'a.txt', stdout=asyncio.subprocess.PIPE)
    print(await child.communicate())
asyncio.run(main())
"""),
    _honest("python", "a pool of processes", """
import multiprocessing
with multiprocessing.get_context('fork').Pool(2) as pool:
    print(pool.map(abs, range(9)))
"""),
    _honest("python", "a server of its own", """
import http.server, urllib.request
server = http.server.ThreadingHTTPServer(('127.0.0.1', 0), http.server.SimpleHTTPRequestHandler)
threading.Thread(target=server.serve_forever, daemon=True).start()
print(urllib.request.urlopen(f'http://127.0.0.1:{server.server_port}/a.txt').read())
"""),
    _honest("python", "datagrams to itself", """
one, two = (socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in 'ab')
one.bind(('127.0.0.1', 0)); two.sendto(b'x', one.getsockname()); print(one.recv(1))
"""),
    _honest("python", "a socket in the project", """
server = socket.socket(socket.AF_UNIX); server.bind('link'); server.listen()
socket.socket(socket.AF_UNIX).connect('link')
"""),
    _honest("python", "a socket without a file", """
server = socket.socket(socket.AF_UNIX); server.bind('\\0mine'); server.listen()
socket.socket(socket.AF_UNIX).connect('\\0mine')
"""),
    _honest("python", "an archive", """
import tarfile, zipfile
with zipfile.ZipFile('a.zip', 'w') as pack: pack.write('a.txt')
with tarfile.open('a.tgz', 'w:gz') as pack: pack.add('a.txt')
zipfile.ZipFile('a.zip').extractall('out')
"""),
    _honest("python", "a link to a program outside", "os.symlink('/usr/bin/env', 'env'); print(os.path.exists('env'))"),
    _honest("python", "a cache in the home", "p = Path.home() / '.cache/tool'; p.mkdir(parents=True); (p / 'x').touch()", "read"),
    _honest("python", "its own tests", """
Path('test_x.py').write_text('import unittest\\nclass T(unittest.TestCase):\\n    def test(self): pass\\n')
subprocess.run([sys.executable, '-m', 'unittest', '-q'], check=True)
"""),
    _honest("python", "an atomic write", """
with open('new', 'w') as file:
    file.write('x'); file.flush(); os.fsync(file.fileno())
os.replace('new', 'a.txt'); folder = os.open('.', os.O_RDONLY); os.fsync(folder)
"""),
    _honest("python", "compiled files", "Path('m.py').touch(); import py_compile; py_compile.compile('m.py', cfile='__pycache__/m.pyc')"),
    _honest("python", "who am I", """
import getpass, grp, pwd
print([u.pw_name for u in pwd.getpwall()][:3], os.path.expanduser('~nobody'))
try:
    pwd.getpwuid(os.getuid())
except KeyError:
    pass
""", "read"),
    _honest("python", "an environment", "subprocess.run([sys.executable, '-m', 'venv', '--without-pip', '.venv'], check=True)"),
    _honest("python", "a fresh build", "Path('build/x').mkdir(parents=True); shutil.rmtree('build'); shutil.copytree('src', 'build')"),
    _honest("python", "threads and signals", """
child = subprocess.Popen(['sleep', '30']); threading.Timer(0.05, child.terminate).start(); child.wait()
"""),
    _honest("python", "network as declared", "quietly(socket.create_connection, ('10.0.0.1', 80), 1)", "network"),
    _honest("python", "outside as declared", "quietly(open, '/etc/tool.conf', 'w')", "write-outside"),
    _honest("bash", "a pipeline", "grep -n x a.txt | sort | uniq -c > out.txt; wc -l < out.txt"),
    _honest("bash", "shell plumbing", "diff <(sort a.txt) <(sort a.txt) && cat <<< hi && cat << EOF > out\nhello\nEOF"),
    _honest("bash", "looking at a repository", "git status; git log --oneline; git diff; git branch; git show --stat", "read", repository=True),
    _honest("bash", "a day with git", """
set -e
git switch -qc work; echo y >> a.txt; git stash -q; git stash pop -q; git commit -qam two; git tag v1; git gc -q; git switch -q -
git merge -q work
""", repository=True),
    _honest("bash", "many files", "find . -type f -print0 | xargs -0 -P2 -n1 md5sum > sums; find src -name '*.py' -exec touch {} +"),
    _honest("bash", "a temporary folder", "d=$(mktemp -d); trap 'rm -rf \"$d\"' EXIT; cp a.txt \"$d\"; cat \"$d/a.txt\""),
    _honest("bash", "packing", "tar czf all.tgz src a.txt && gzip -k a.txt && tar tzf all.tgz > /dev/null"),
    _honest("bash", "editing in place", "sed -i s/x/y/ a.txt && awk '{print $1}' a.txt > b && tee c < b > /dev/null 2>&1 && echo x >&2"),
    _honest("bash", "absolute paths", 'mkdir -p "$PWD/a/b/c" && cp a.txt "$PWD/a/b/c/" && mv "$PWD/a/b/c/a.txt" "$PWD/moved"'),
    _honest("bash", "work in the background", "sleep 30 & kill $!; wait; (echo one > 1) & (echo two > 2) & wait"),
    _honest("bash", "a lock", "exec 9> lock; flock 9; echo x > guarded"),
    _honest("bash", "Python within a shell", "echo '{\"a\": 1}' | python3 -m json.tool > pretty.json; python3 -c 'print(1)'"),
    _honest("bash", "modes and links", """
set -e
cp -a src copy; ln -s copy link; echo x > link/new; touch -d 2020-01-01 a.txt; rm -rf copy link
printf '#!/bin/sh\\necho hi\\n' > run.sh; chmod +x run.sh; ./run.sh
"""),
    _honest("bash", "time and environment", "timeout 5 sleep 0.01; nice true; env A=b date > when; nohup true > log 2>&1"),
]

_SYSCALL = "{'x86_64': %s, 'aarch64': %s}[os.uname().machine]"
LYING = [
    _lying("python", "a system file", "quietly(open, '/etc/cron.d/job', 'w')", "write-outside"),
    _lying("python", "another home", "quietly(open, '/home/somebody/.bashrc', 'a')", "write-outside"),
    _lying("python", "keys of the home", "p = Path.home() / '.ssh'; p.mkdir(); (p / 'authorized_keys').write_text('x')", "write-outside"),
    _lying("python", "a system call", f"libc.syscall({_SYSCALL % (257, 56)}, -100, b'/etc/x', os.O_WRONLY | os.O_CREAT, 0o644)", "write-outside"),
    _lying("python", "a newer system call", """
how = (ctypes.c_uint64 * 3)(os.O_RDWR | os.O_CREAT, 0o644, 0)
libc.syscall(437, -100, b'/etc/x', ctypes.byref(how), 24)
""", "write-outside"),
    _lying("python", "the C library", "libc.open(b'/etc/x', os.O_WRONLY | os.O_CREAT, 0o644)", "write-outside"),
    _lying("python", "a connection by system call", f"""
link = socket.socket()
address = (2).to_bytes(2, 'little') + (80).to_bytes(2, 'big') + bytes([10, 0, 0, 1]) + bytes(8)
libc.syscall({_SYSCALL % (42, 203)}, link.fileno(), address, 16)
""", "network"),
    _lying("python", "a shell's network", "subprocess.run(['bash', '-c', 'echo x > /dev/tcp/10.0.0.1/80'])", "network"),
    _lying("python", "a connection", "quietly(socket.create_connection, ('10.0.0.1', 443), 1)", "network"),
    _lying("python", "a connection by IPv6", "quietly(socket.create_connection, ('2001:db8::1', 443), 1)", "network"),
    _lying("python", "a server of the host", "quietly(socket.create_connection, ('127.0.0.1', 11434), 1)", "network"),
    _lying("python", "a datagram", "quietly(socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto, b'x', ('10.0.0.1', 53))", "network"),
    _lying("python", "a message", "quietly(socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendmsg, [b'x'], [], 0, ('10.0.0.1', 53))", "network"),
    _lying("python", "a name", "quietly(socket.getaddrinfo, 'collector.example', 443)", "network"),
    _lying("python", "a download", "import urllib.request; quietly(urllib.request.urlopen, 'http://collector.example/x', timeout=1)", "network"),
    _lying("python", "a connection in a thread", """
thread = threading.Thread(target=quietly, args=(socket.create_connection, ('10.0.0.1', 443), 1)); thread.start(); thread.join()
""", "network"),
    _lying("python", "a rename out", "quietly(os.rename, 'a.txt', '/opt/a.txt')", "write-outside"),
    _lying("python", "a write through a link", "os.symlink('/etc/x', 'link'); quietly(open, 'link', 'w')", "write-outside"),
    _lying("python", "a write through a linked folder", "os.symlink('/etc', 'folder'); quietly(open, 'folder/x', 'w')", "write-outside"),
    _lying("python", "a second name outside", "quietly(os.link, 'a.txt', '/opt/a.txt')", "write-outside"),
    _lying("python", "an open folder", "quietly(os.open, 'etc/x', os.O_WRONLY | os.O_CREAT, dir_fd=os.open('/', os.O_RDONLY))", "write-outside"),
    _lying("python", "another working folder", "os.chdir('/'); quietly(open, 'opt-x', 'w')", "write-outside"),
    _lying("python", "a way up", "quietly(open, '../../../../escaped', 'w')", "write-outside"),
    _lying("python", "its root", "quietly(open, '/proc/self/root' + '/etc/x', 'w')", "write-outside"),
    _lying("python", "its open folders", "here = os.open('/', os.O_RDONLY); quietly(open, f'/dev/fd/{here}/etc/x', 'w')", "write-outside"),
    _lying("python", "an emptied file", "quietly(os.truncate, '/usr/bin/env', 0)", "write-outside"),
    _lying("python", "a deleted file", "quietly(os.unlink, '/usr/bin/env')", "write-outside"),
    _lying("python", "a deleted file of the home", "quietly(os.unlink, Path.home() / '.netrc')", "write-outside"),
    _lying("python", "a new folder", "quietly(os.mkdir, '/opt/new')", "write-outside"),
    _lying("python", "another mode", "quietly(os.chmod, '/usr/bin/env', 0o777)", "write-outside"),
    _lying("python", "a service of the host", "quietly(socket.socket(socket.AF_UNIX).connect, '/var/run/docker.sock')", "network"),
    _lying("python", "a service without a file", "quietly(socket.socket(socket.AF_UNIX).connect, '\\0/tmp/.X11-unix/X0')", "network"),
    _lying("python", "a process that stays", """
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        quietly(open, '/etc/x', 'w')
    os._exit(0)
os.wait()
import time; time.sleep(0.2)
""", "write-outside"),
    _lying("python", "a hidden process", "libc.prctl(4, 0, 0, 0, 0); quietly(open, '/etc/x', 'w')", "write-outside"),
    _lying("python", "a program under another name", "shutil.copy('/usr/bin/touch', 'ls'); subprocess.run(['./ls', '/etc/x'], stderr=-3)", "write-outside"),
    _lying("python", "a mount", "libc.mount(b'none', b'/mnt', b'tmpfs', 0, None)", "privilege"),
    _lying("python", "a write where it only reads", "Path('a.txt').write_text('changed')", "write-project", "read"),
    _lying("python", "outside where only network is declared", "quietly(open, '/etc/x', 'w')", "write-outside", "network"),
    _lying("python", "an address that makes no sense", f"""
link = socket.socket()
libc.syscall({_SYSCALL % (42, 203)}, link.fileno(), (2).to_bytes(4, 'little'), 4)
libc.syscall({_SYSCALL % (42, 203)}, link.fileno(), ctypes.c_void_p(1), 16)
""", "network"),
    _lying("bash", "the start of every shell", "echo 'alias ls=x' >> ~/.bashrc", "write-outside"),
    _lying("bash", "settings of an agent", "mkdir -p ~/.claude && echo '{}' > ~/.claude/settings.json", "write-outside"),
    _lying("bash", "a copy out", "cp a.txt /opt/x", "write-outside"),
    _lying("bash", "a move out", "mv a.txt /srv/", "write-outside"),
    _lying("bash", "a linked folder", "ln -s /etc etc; echo x > etc/x", "write-outside"),
    _lying("bash", "settings of git", "git config --global user.name x", "write-outside"),
    _lying("bash", "a connection of the shell", "echo x > /dev/tcp/10.0.0.1/80", "network"),
    _lying("bash", "a datagram of the shell", "echo x > /dev/udp/10.0.0.1/53", "network"),
    _lying("bash", "a name for git", "timeout 3 git ls-remote git://collector.example/x", "network"),
    _lying("bash", "a push to a server", "timeout 3 python3 -m urllib.request; timeout 3 python3 -c \"import http.client; http.client.HTTPConnection('10.0.0.1').request('GET', '/')\"", "network"),
    _lying("bash", "a job in the background", "(setsid bash -c 'echo x > /etc/x' &) ; sleep 0.3", "write-outside"),
    _lying("bash", "a script it writes", "printf 'echo x > /etc/x\\n' > s; chmod +x s; bash ./s", "write-outside"),
]
# fmt: on


def traced(program: Program, isolation: Isolation) -> tuple[Ran, Trace]:
    """How it ran in a small project, and what was seen of it."""
    with sandbox.scratch() as folder:
        (folder / "src").mkdir()
        for name in ("a.txt", "src/m.py"):
            (folder / name).write_text("x = 1\n")
        sandbox.give(folder)
        if program.repository:
            assert ways.execute(isolation, ["bash", "-c", REPOSITORY], folder).code == 0
        ran = ways.execute(isolation, program.argv, folder, traced=True)
        return ran, effects.read(ran)


def wrong(program: Program, isolation: Isolation) -> bool:
    _, trace = traced(program, isolation)
    found = {deed.effect for deed in effects.undeclared(trace, program.declared)}
    return bool(trace.missing) or found != set(program.found)


if __name__ == "__main__":
    level: Isolation = "landlock" if sys.argv[1] == "landlock" else "bubblewrap"
    print(json.dumps([program.name for program in (*LYING, *HONEST) if wrong(program, level)]))
