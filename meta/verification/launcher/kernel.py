"""What Python has no words for: system calls by name, call filters (seccomp) and file rules (Landlock).

Each applies to the calling thread and to what that thread starts. Which calls and files are meant is told in `main`.
"""

from __future__ import annotations

import ctypes
import errno
import os
import struct

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Literal

    Access = Literal["read", "write", "device"]

_NUMBERS = """
open 2 -           openat 257 56       creat 85 -          openat2 437 437     truncate 76 45
rename 82 -        renameat 264 38     renameat2 316 276   link 86 -           linkat 265 37
symlink 88 -       symlinkat 266 36    unlink 87 -         unlinkat 263 35     rmdir 84 -
mkdir 83 -         mkdirat 258 34      mknod 133 -         mknodat 259 33      chmod 90 -
fchmod 91 52       fchmodat 268 53     fchmodat2 452 452   chown 92 -          fchown 93 55
lchown 94 -        fchownat 260 54     utime 132 -         utimes 235 -        futimesat 261 -
utimensat 280 88   setxattr 188 5      lsetxattr 189 6     fsetxattr 190 7     removexattr 197 14
lremovexattr 198 15  fremovexattr 199 16  setxattrat 463 463  removexattrat 466 466
socket 41 198      connect 42 203      sendto 44 206       sendmsg 46 211      sendmmsg 307 269
execve 59 221      execveat 322 281    kill 62 129         tkill 200 130       tgkill 234 131
rt_sigqueueinfo 129 138  rt_tgsigqueueinfo 297 240  pidfd_send_signal 424 424  pidfd_open 434 434
prlimit64 302 261  ptrace 101 117      io_uring_setup 425 425  bpf 321 280     perf_event_open 298 241
userfaultfd 323 282  shmget 29 194     semget 64 190       msgget 68 186       mq_open 240 180
add_key 248 217    request_key 249 218 keyctl 250 219      open_by_handle_at 304 265
mount 165 40       umount2 166 39      pivot_root 155 41   chroot 161 51       setns 308 268
move_mount 429 429 open_tree 428 428   init_module 175 105 finit_module 313 273 reboot 169 142
seccomp 317 277    prctl 157 167      landlock_create_ruleset 444 444  landlock_add_rule 445 445  landlock_restrict_self 446 446
"""
_MACHINES = {"x86_64": (0, 0xC000003E), "aarch64": (1, 0xC00000B7)}  # column of the table, name for a filter
_MACHINE = os.uname().machine
_WORDS = _NUMBERS.split()
_TABLE = {name: pair for name, *pair in zip(_WORDS[::3], _WORDS[1::3], _WORDS[2::3], strict=True)}
_LIBC = ctypes.CDLL(None, use_errno=True)

ALLOW, NOTIFY, REFUSE = 0x7FFF0000, 0x7FC00000, 0x00050000
_LOAD, _EQUAL, _AT_LEAST, _ANY_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_X32 = 0x40000000  # calls of a second kind, on x86_64 only
_NEW_LISTENER = 8


class UnsupportedError(Exception):
    """The kernel or the processor does not offer it; the text says what."""


def numbers() -> dict[str, int]:
    """The number of each system call that this processor has."""
    if _MACHINE not in _MACHINES:
        raise UnsupportedError(f"the calls of a {_MACHINE} processor are not known")
    column = _MACHINES[_MACHINE][0]
    return {name: int(pair[column]) for name, pair in _TABLE.items() if pair[column] != "-"}


def call(name: str, *arguments: int | ctypes.Array[ctypes.c_char] | None) -> int:
    """The result of a system call. Raises `OSError`."""
    words = [ctypes.c_long(a) if isinstance(a, int) else a for a in arguments]
    result: int = _LIBC.syscall(ctypes.c_long(numbers()[name]), *words)
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number), name)
    return result


def control(option: int, value: int) -> None:
    """Set a property of this process or thread. Raises `OSError`."""
    call("prctl", option, value, 0, 0, 0)


DEATH_SIGNAL, DUMPABLE, CHILD_SUBREAPER, NO_NEW_PRIVILEGES = 1, 4, 36, 38


class Rule:
    """What happens at a call: always, or only where an argument (counted from 0) has any of some bits."""

    __slots__ = ("action", "argument", "bits", "name")

    def __init__(self, name: str, action: int, argument: int = -1, bits: int = 0xFFFFFFFF) -> None:
        self.name, self.action, self.argument, self.bits = name, action, argument, bits


def refused(names: str, number: int, argument: int = -1) -> list[Rule]:
    return [Rule(name, REFUSE | number, argument) for name in names.split()]


def filter_calls(rules: Iterable[Rule], *, listen: bool) -> int:
    """Put the rules in force, the first that fits. What comes back is where `NOTIFY` calls can be heard, -1 for none."""
    known = numbers()
    program = [_instruction(_LOAD, 4), *_unless(_MACHINES[_MACHINE][1])]
    program += [_instruction(_LOAD, 0)]
    if _MACHINE == "x86_64":
        program += [_instruction(_AT_LEAST, _X32, 0, 1), _instruction(_RETURN, REFUSE | errno.ENOSYS)]
    for rule in rules:
        if rule.name in known:
            program += _block(rule, known[rule.name])
    program.append(_instruction(_RETURN, ALLOW))
    code = ctypes.create_string_buffer(b"".join(program))
    head = struct.pack("HxxxxxxQ", len(program), ctypes.addressof(code))
    try:
        result = call("seccomp", 1, _NEW_LISTENER if listen else 0, ctypes.create_string_buffer(head, len(head)))
    except OSError as error:
        reason = "another program already listens" if error.errno == errno.EBUSY else error.strerror
        raise UnsupportedError(f"the kernel filters no system calls here ({reason})") from error
    return result if listen else -1


def _instruction(code: int, value: int, yes: int = 0, no: int = 0) -> bytes:
    return struct.pack("HBBI", code, yes, no, value)


def _unless(machine: int) -> list[bytes]:
    """Calls of another kind of processor have other numbers, so there are none."""
    return [_instruction(_EQUAL, machine, 1, 0), _instruction(_RETURN, REFUSE | errno.ENOSYS)]


def _block(rule: Rule, number: int) -> list[bytes]:
    end = [_instruction(_RETURN, rule.action)]
    if rule.argument >= 0:
        # The lower half of the argument; then the number of the call again for the next rule.
        end = [
            _instruction(_LOAD, 16 + 8 * rule.argument),
            _instruction(_ANY_BIT, rule.bits, 0, 1),
            *end,
            _instruction(_LOAD, 0),
        ]
    return [_instruction(_EQUAL, number, 0, len(end)), *end]


_EXECUTE, _WRITE_FILE, _READ_FILE, _READ_FOLDER, _TRUNCATE, _DEVICE = 1, 2, 4, 8, 1 << 14, 1 << 15
_OF_FILES = _EXECUTE | _WRITE_FILE | _READ_FILE | _TRUNCATE | _DEVICE
SIGNALS_SINCE = 6  # from this version on, Landlock also keeps signals inside
_LEAST = 3  # before it, a file outside could be emptied


def landlock_version() -> int:
    """Raises `UnsupportedError` where there is none, or one that is too old."""
    try:
        version = call("landlock_create_ruleset", None, 0, 1)
    except OSError as error:
        raise UnsupportedError("the kernel has no Landlock, or it is switched off") from error
    if version < _LEAST:
        raise UnsupportedError(f"the kernel's Landlock is of version {version}, {_LEAST} is needed")
    return version


def restrict_files(version: int, allowed: Sequence[tuple[str, Access]]) -> None:
    """From now on only these paths and what is below them can be opened; missing ones are left out."""
    every = (1 << (16 if version >= 5 else 15)) - 1
    fields = [every, *([3] if version >= 4 else []), *([3] if version >= SIGNALS_SINCE else [])]
    rules = struct.pack(f"{len(fields)}Q", *fields)
    ruleset = call("landlock_create_ruleset", ctypes.create_string_buffer(rules, len(rules)), len(rules), 0)
    rights = {
        "read": _EXECUTE | _READ_FILE | _READ_FOLDER,
        "write": every & ~_DEVICE,
        "device": _READ_FILE | _WRITE_FILE | _DEVICE,
    }
    for path, access in allowed:
        try:
            opened = os.open(path, os.O_PATH | os.O_CLOEXEC)
        except OSError:
            continue
        right = rights[access] & every & (-1 if os.path.isdir(path) else _OF_FILES)
        rule = struct.pack("=Qi", right, opened)
        call("landlock_add_rule", ruleset, 1, ctypes.create_string_buffer(rule, len(rule)), 0)
        os.close(opened)
    call("landlock_restrict_self", ruleset, 0)
    os.close(ruleset)
