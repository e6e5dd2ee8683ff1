"""Programs that look at their words in their own way: finders, editors of streams, databases, containers.

Each says what it runs and touches; what it does by itself is known in the tables.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING

from meta.policy import code, paths, table
from meta.policy.git import git
from meta.policy.judging import coded, evaluated, judged
from meta.policy.nouns import ASK, UNKNOWN, Finding
from meta.policy.walk import Handler, Scope, tainted

if TYPE_CHECKING:
    from meta.policy.walk import Walk


def _xargs(walk: Walk, argv: list[str], scope: Scope, stdin: str | None) -> str:
    takes = {
        "-n",
        "-P",
        "-L",
        "-I",
        "-d",
        "-a",
        "-s",
        "-E",
        "--max-args",
        "--max-procs",
        "--delimiter",
        "--arg-file",
        "--replace",
        "--max-lines",
    }
    at, placeholder = 1, ""
    while at < len(argv) and argv[at].startswith("-") and len(argv[at]) > 1 and argv[at] != "--":
        word = argv[at]
        if word.startswith("-I"):
            placeholder = word[2:] or "".join(argv[at + 1 : at + 2])
        elif word in ("-i", "--replace"):
            placeholder = "{}"
        at += 2 if word in takes else 1
    at += at < len(argv) and argv[at] == "--"
    rest = argv[at:] or ["echo"]
    taint = tainted(stdin)
    values = [taint] if stdin is None or taint in stdin or not stdin.strip() else stdin.split()
    for value in values[:20]:
        words = [word.replace(placeholder, value) for word in rest] if placeholder else [*rest, value]
        walk.simple(words, scope.copy(), None)
    return UNKNOWN


def _find(walk: Walk, argv: list[str], scope: Scope, stdin: str | None) -> str:
    starts: list[str] = []
    for word in argv[1:]:
        if word.startswith(("-", "(", "!")) and word not in ("-H", "-L", "-P"):
            break
        starts.append(word)
    starts = [start for start in starts if not start.startswith("-")] or ["."]
    walk.say([Finding("read", 0, "find")])
    at = 1 + len(starts)
    while at < len(argv):
        word = argv[at]
        at += 1
        if word == "-delete":
            for start in starts:
                walk.say(paths.deletes(start if start != "." else "./found", scope.folder))
        elif word in ("-fprint", "-fls", "-fprintf", "-fprint0"):
            walk.say(paths.writes("".join(argv[at : at + 1]), scope.folder))
        elif word in ("-exec", "-execdir", "-ok", "-okdir"):
            end = next(
                (
                    n
                    for n in range(at, len(argv))
                    if argv[n] in (";", "\\;") or (argv[n] == "+" and argv[n - 1] == "{}")
                ),
                len(argv),
            )
            for start in starts:
                found = f"{start.rstrip('/')}/{UNKNOWN}"
                walk.simple([part.replace("{}", found) for part in argv[at:end]], scope.copy(), None)
            at = end
    return UNKNOWN


def _fd(walk: Walk, argv: list[str], scope: Scope, stdin: str | None) -> str:
    walk.say([Finding("read", 0, "fd")])
    for at, word in enumerate(argv):
        if word in ("-x", "-X", "--exec", "--exec-batch"):
            rest = [part.replace("{}", UNKNOWN) for part in argv[at + 1 :]]
            walk.simple(rest if any(UNKNOWN in part for part in rest) else [*rest, UNKNOWN], scope.copy(), None)
            break
    return UNKNOWN


def _parallel(walk: Walk, argv: list[str], scope: Scope, stdin: str | None) -> str:
    takes = {
        "-j",
        "--jobs",
        "-a",
        "--arg-file",
        "-N",
        "-n",
        "-S",
        "--sshlogin",
        "--joblog",
        "--results",
        "-d",
        "--delay",
        "--timeout",
        "-I",
    }
    at = 1
    while at < len(argv) and argv[at].startswith("-") and argv[at] != "--":
        at += 2 if argv[at] in takes else 1
    rest = argv[at:]
    end = next((n for n, word in enumerate(rest) if word in (":::", "::::", ":::+")), len(rest))
    values = rest[end + 1 :] if rest[end : end + 1] == [":::"] else [tainted(stdin)]
    for value in values[:20] or [UNKNOWN]:
        line = " ".join(rest[:end])
        filled = value.join(re.split(r"\{[./#%]*\}", line))
        evaluated(walk, filled if filled != line else f"{line} {value}", scope.copy(), "parallel runs")
    return UNKNOWN


def _awk(walk: Walk, argv: list[str], scope: Scope, stdin: str | None) -> str:
    judged(walk, ["awk", *argv[1:]], scope, stdin)
    program = next((word for word in argv[1:] if not word.startswith("-") and re.search(r"[{}()]|getline", word)), "")
    if program:
        before = len(walk.found)
        coded(walk, "awk", program, scope)
        walk.found[before:] = [found for found in walk.found[before:] if found.level >= ASK]
    return tainted(stdin)


def _sed(walk: Walk, argv: list[str], scope: Scope, stdin: str | None) -> str:
    judged(walk, argv, scope, stdin)
    seen = table.parsed("sed", tuple(argv[1:]))
    scripts = [value for flag, value in seen.values if flag in ("-e", "--expression")] or list(seen.operands[:1])
    files = seen.operands if any(flag in ("-e", "--expression") for flag, _ in seen.values) else seen.operands[1:]
    in_place = any(re.match(r"-[a-zA-Z]*i|--in-place", word) for word in argv[1:] if word.startswith("-"))
    for path in files:
        walk.say((paths.writes if in_place else paths.reads)(path, scope.folder))
    for script in scripts:
        for match in re.finditer(r"(?:^|[;\n}]|\d|/)\s*e\s+([^;\n]+)", script):
            walk.run(match[1], scope.copy())
        if re.search(r"s(.).*\1.*\1[gpI0-9]*e[gpI0-9]*$", script):
            walk.unknown("sed runs what it made")
        for match in re.finditer(r"(?:^|[;\n}/])\s*[wW]\s+(\S+)", script):
            walk.say(paths.writes(match[1], scope.folder))
    return tainted(stdin)


def _sql(walk: Walk, argv: list[str], scope: Scope, stdin: str | None) -> str:
    """A client of a database: its statements are judged by themselves."""
    name = argv[0]
    seen = table.parsed(name, tuple(argv[1:]))
    flags = {"-c", "--command", "-e", "--execute", "-q", "--query", "-s", "--statement"} - (
        {"-q", "-s", "-e"} if name == "psql" else {"-s", "-q"} if name.startswith(("mysql", "maria")) else set()
    )
    texts = [value for flag, value in seen.values if flag in flags]
    if name.startswith(("sqlite", "duckdb")):
        texts += seen.operands[1:]
        walk.say(found for path in seen.operands[:1] for found in paths.reads(path, scope.folder) if found.level >= 3)
    judged(walk, argv, scope, stdin)
    if not texts and stdin:
        texts = [stdin]
    for text in texts:
        if text.strip() and not text.replace(UNKNOWN, "").strip():
            walk.say([Finding("network", 2, "runs SQL of a file")])
        walk.say(code.sql(text))
        for match in re.finditer(r"(?:^|\n)\s*(?:\.(?:shell|system)|\\!)\s*(.+)", text):
            walk.run(match[1], scope.copy())
        for match in re.finditer(r"PROGRAM\s+'((?:''|[^'])*)'", text, re.IGNORECASE):
            walk.run(match[1].replace("''", "'"), scope.copy())
    return tainted(stdin)


def _mongo(walk: Walk, argv: list[str], scope: Scope, stdin: str | None) -> str:
    judged(walk, argv, scope, stdin)
    for flag, value in table.parsed(argv[0], tuple(argv[1:])).values:
        if flag == "--eval":
            coded(walk, "mongo", value, scope)
    if stdin:
        coded(walk, "mongo", stdin, scope)
    return UNKNOWN


def _container(walk: Walk, argv: list[str], scope: Scope, stdin: str | None) -> str:
    """`docker run IMAGE COMMAND`, `kubectl exec POD -- COMMAND`, and the rest of these programs."""
    words = argv[1:]
    judged(walk, argv, scope, stdin)
    inner = _contained(argv[0], words)
    if inner:
        walk.foreign += 1
        within = scope.copy()
        within.files = {}
        walk.simple(inner, within, stdin)
        walk.foreign -= 1
    return tainted(stdin)


def _contained(name: str, words: Sequence[str]) -> list[str]:
    takes = table.valued().get(name, frozenset())
    at = 0
    verbs: list[str] = []
    while at < len(words) and len(verbs) < 3:
        word = words[at]
        if word.startswith("-"):
            at += 2 if word in takes else 1
            continue
        verbs.append(word)
        at += 1
        if word in ("run", "exec", "create", "debug"):
            break
        if word not in ("compose", "container", "pod", "buildx"):
            return []
    if not verbs or verbs[-1] not in ("run", "exec", "create", "debug"):
        return []
    takes = table.valued().get(f"{name} {' '.join(verbs)}", frozenset()) | table.valued().get(
        f"{name} {verbs[-1]}", frozenset()
    )
    while at < len(words) and words[at].startswith("-") and words[at] != "--":
        at += 2 if words[at] in takes else 1
    rest = list(words[at + 1 :])
    while name in ("kubectl", "oc") and rest and rest[0] != "--" and rest[0].startswith("-"):
        rest = rest[2:] if rest[0] in takes else rest[1:]
    return rest[1:] if rest[:1] == ["--"] else rest


def _npx(walk: Walk, argv: list[str], scope: Scope, stdin: str | None) -> str:
    """A package runner: what it runs must be known."""
    takes = {"-p", "--package", "--from", "--with", "-c", "--call", "--python", "-w"}
    at = 1
    while at < len(argv) and argv[at].startswith("-"):
        if argv[at] in ("-c", "--call"):
            evaluated(walk, "".join(argv[at + 1 : at + 2]), scope.copy(), "npx runs")
        at += 2 if argv[at] in takes else 1
    rest = argv[at:]
    walk.say([Finding("network", 2, argv[0])])
    if not rest:
        return ""
    rest[0] = re.sub(r"(?<=.)@[^/@]*$|==.*$|\[.*\]$", "", rest[0])
    return walk.simple([rest[0].rpartition("/")[2] if rest[0].startswith("@") else rest[0], *rest[1:]], scope, stdin)


def _tmux(walk: Walk, argv: list[str], scope: Scope, stdin: str | None) -> str:
    """Whatever stands among the words of a terminal's command and has blanks or is last is run by it."""
    judged(walk, argv, scope, stdin)
    words = argv[1:]
    verb = next((word for word in words if not word.startswith("-")), "")
    if argv[0] == "tmux" and verb in (
        "new",
        "new-session",
        "neww",
        "new-window",
        "split-window",
        "splitw",
        "respawn-pane",
        "run-shell",
        "run",
        "send-keys",
        "send",
        "if-shell",
    ):
        seen = table.parsed("tmux new", tuple(words[words.index(verb) + 1 :]))
        text = " ".join(word for word in seen.operands if word not in ("Enter", "C-m"))
        if text and not (verb in ("send-keys", "send") and re.fullmatch(r"[CM]-\w", text)):
            evaluated(walk, text, scope.copy(), "tmux runs")
    return ""


SPECIAL: dict[str, Handler] = {
    "xargs": _xargs, "find": _find, **dict.fromkeys(("fd", "fdfind"), _fd), "parallel": _parallel, **dict.fromkeys(("awk", "gawk", "mawk", "nawk"), _awk),
    "sed": _sed, "gsed": _sed, **dict.fromkeys(("psql", "mysql", "mariadb", "sqlite3", "sqlite", "duckdb", "cqlsh", "clickhouse-client", "clickhouse", "sqlcmd", "bq"), _sql),
    **dict.fromkeys(("mongosh", "mongo"), _mongo), "git": git, **dict.fromkeys(("docker", "podman", "nerdctl", "docker-compose", "kubectl", "oc"), _container),
    **dict.fromkeys(("npx", "uvx", "bunx", "pnpx"), _npx), "tmux": _tmux,
}  # fmt: skip
