"""The history and files of a git repository, read fast with the plain git program; nothing is changed and nothing of it is run.

What the commits mean is for others to say.
"""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from meta.errors import UserError

# A repository's own configuration may name programs to run, and a partial clone would fetch what it lacks: neither is wanted here.
_SAFE = (
    "--no-pager", "-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null", "-c", "log.showSignature=false",
    "-c", "log.mailmap=false", "-c", "protocol.allow=never", "-c", "i18n.logOutputEncoding=UTF-8",
)  # fmt: skip
_FIELDS = ("%x01%H", "%P", "%an", "%ae", "%at", "%ct", "%D", "%s")
_LOG = (
    "log", "-z", "--raw", "--no-abbrev", "--no-renames", "--no-ext-diff", "--no-textconv", "--no-notes",
    "--decorate=full", "--format=" + "%x00".join(_FIELDS),
)  # fmt: skip
_TAG = "tag: refs/tags/"


@dataclass(frozen=True, slots=True)
class Change:
    """A file that a commit added (A), modified (M) or deleted (D); `blob` names its new content."""

    status: str
    path: str
    blob: str = ""


@dataclass(frozen=True, slots=True)
class Commit:
    """A commit with the files it changed, none for a merge. `time` is when it was written, `committed` when applied."""

    sha: str
    parents: tuple[str, ...]
    author: str
    email: str
    time: float
    committed: float
    subject: str
    tags: tuple[str, ...] = ()
    changes: tuple[Change, ...] = ()


@dataclass(frozen=True, slots=True)
class Entry:
    """A file of a commit; the content of a link is where it points to."""

    path: str
    blob: str
    link: bool


def root(path: Path) -> Path:
    """The top folder of the work tree that holds `path`. Raises `UserError` where there is none."""
    return Path(_output(path, "rev-parse", "--show-toplevel").removesuffix("\n"))


def is_repository(path: Path) -> bool:
    """Whether `path` is the top folder of a work tree, or a bare repository."""
    return (path / ".git").exists() or is_bare(path)


def is_bare(path: Path) -> bool:
    return (path / "HEAD").is_file() and (path / "objects").is_dir() and (path / "refs").is_dir()


def is_shallow(repository: Path) -> bool:
    """Whether older commits are not at hand."""
    return _output(repository, "rev-parse", "--is-shallow-repository").strip() == "true"


def state(repository: Path) -> str:
    """What changes with the history that `commits` tells and with nothing else: HEAD's commit and the tags."""
    head = ["rev-parse", "--quiet", "--verify", "HEAD"]
    with _running(repository, *head, failing=True) as stdout:
        commit = stdout.read().decode("ascii", "replace")
    return commit + _output(repository, "for-each-ref", "--format=%(refname) %(objectname)", "refs/tags")


def commits(repository: Path, revision: str = "HEAD", paths: Sequence[str] = ()) -> Iterator[Commit]:
    """The commits that lead to `revision`, newest first; none in a repository without commits.

    With `paths` those that changed something there, with only these changes.
    """
    _output(repository, "rev-parse", "--git-dir")
    if revision == "HEAD" and not _has_commits(repository):
        return
    with _running(repository, *_LOG, "--end-of-options", revision, "--", *paths) as stdout:
        yield from _parsed(_tokens(stdout))


def blamed(repository: Path, path: str, line: int) -> str:
    """The commit that wrote a line of a file as it is, moves and indentation aside; "" for one that is in no commit yet."""
    told = _output(repository, "blame", "--porcelain", "-w", "-M", "-L", f"{line},{line}", "--", path)
    sha = told.partition(" ")[0]
    return "" if not sha.strip("0") else sha


def holds(repository: Path, commit: str) -> bool:
    """Whether this is (the beginning of) the name of a commit that is there."""
    if not re.fullmatch(r"[0-9a-f]{7,40}", commit):
        return False
    with _running(repository, "rev-parse", "--quiet", "--verify", f"{commit}^{{commit}}", failing=True) as stdout:
        return bool(stdout.read())


def trailers(repository: Path, commit: str, key: str) -> tuple[str, ...]:
    """What the trailers of this name say in a commit's message."""
    told = _output(
        repository, "log", "-1", f"--format=%(trailers:key={key},valueonly)", "--end-of-options", commit, "--"
    )
    return tuple(filter(None, map(str.strip, told.splitlines())))


def text_at(repository: Path, path: str, time: float) -> str:
    """What a file held in the last commit before a time that changed it, "" where there is none."""
    if not _has_commits(repository):
        return ""
    sha = _output(repository, "log", "-1", f"--until={int(time)}", "--format=%H", "--", path).strip()
    if not sha:
        return ""
    with _running(repository, "cat-file", "blob", f"{sha}:./{path}", failing=True) as stdout:  # it may be a deletion
        return stdout.read().decode("utf-8", "replace")


def common(repository: Path) -> Path:
    """The folder of git that all work trees of a repository share."""
    told = _output(repository, "rev-parse", "--path-format=absolute", "--git-common-dir").removesuffix("\n")
    return Path(os.path.realpath(told))


def hooks(repository: Path) -> Path:
    """The folder in which git looks for hooks there."""
    told = _output(repository, "config", "--get-all", "--type=path", "core.hooksPath").splitlines()
    told = told[:-1]  # the last is what is set here for our own calls
    return Path(os.path.realpath(repository / told[-1])) if told else common(repository) / "hooks"


def head(repository: Path) -> str:
    """The commit that HEAD is, "" in a repository without commits."""
    with _running(repository, "rev-parse", "--quiet", "--verify", "HEAD", failing=True) as stdout:
        return stdout.read().decode("ascii", "replace").strip()


def knows(repository: Path, revision: str) -> bool:
    """Whether a commit is at hand."""
    with _running(repository, "rev-parse", "--quiet", "--verify", f"{revision}^{{commit}}", failing=True) as stdout:
        return bool(stdout.read())


def since(repository: Path, revision: str) -> tuple[dict[str, str], dict[str, int]]:
    """What became of files since a commit, as HEAD has them: new names by old ones, and by path how many commits changed it."""
    moved: dict[str, str] = {}
    told = _output(
        repository, "diff", "-z", "--name-status", "-M", "--diff-filter=R", "--no-ext-diff", revision, "HEAD", "--"
    )
    tokens = told.split("\0")
    for at in range(0, len(tokens) - 2, 3):
        moved[tokens[at + 1]] = tokens[at + 2]
    counts: dict[str, int] = {}
    for commit in commits(repository, f"{revision}..HEAD"):
        for change in commit.changes:
            counts[change.path] = counts.get(change.path, 0) + 1
    return moved, counts


def renames(repository: Path, since: float) -> list[tuple[str, str]]:
    """The files that the commits of HEAD after a time gave another name, oldest first: the old one and the new one."""
    asked = (
        "log",
        "-z",
        "-M",
        "--diff-filter=R",
        "--name-status",
        "--no-ext-diff",
        "--format=",
        f"--since=@{max(int(since), 0)}",
        "HEAD",
        "--",
    )
    with _running(repository, *asked) as stdout:
        tokens = (token.decode("utf-8", "replace") for token in _tokens(stdout))
        found = [(next(tokens, ""), next(tokens, "")) for token in tokens if re.fullmatch(r"\n?R\d+", token)]
    return found[::-1]


def spoken(repository: Path, words: Sequence[str], revision: str, without: Sequence[str] = ()) -> set[str]:
    """Those of some words that stand, as words, in a file of a commit that is not below the folders `without`."""
    if not words:
        return set()
    asked = [part for word in words for part in ("-e", word)]
    left_out = [f":(exclude){folder}" for folder in without]
    search = ["grep", "-h", "-o", "-w", "-F", "-I", *asked, revision, "--", ".", *left_out]
    with _running(repository, *search, failing=True) as stdout:
        return {line.decode("utf-8", "replace").rstrip("\n") for line in stdout}


def tree(repository: Path, revision: str = "HEAD") -> Iterator[Entry]:
    """The files of a commit, submodules left out; none in a repository without commits."""
    if revision == "HEAD" and not _has_commits(repository):
        return
    with _running(repository, "ls-tree", "-r", "-z", "--full-tree", "--end-of-options", revision) as stdout:
        for token in _tokens(stdout):
            about, _, path = token.partition(b"\t")
            mode, kind, blob = about.decode("ascii", "replace").split()
            if kind == "blob":
                yield Entry(path.decode("utf-8", "replace"), blob, mode == "120000")


def files(repository: Path) -> Iterator[str]:
    """The paths of a work tree's files, tracked or new, without what is ignored; a submodule is one path."""
    listed = ["ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    with _running(repository, *listed) as stdout:
        yield from dict.fromkeys(
            token.decode("utf-8", "replace") for token in _tokens(stdout)
        )  # a conflict is told thrice


def contents(repository: Path, blobs: Iterable[str], limit: int = 1 << 20) -> Iterator[bytes | None]:
    """What the blobs hold, in order, through one git; None for one that is missing or longer than `limit` bytes."""
    with tempfile.TemporaryFile() as asked:  # not a pipe: git would wait for us to read while we wait for it
        asked.write("".join(f"{blob}\n" for blob in blobs).encode())
        asked.seek(0)
        with _running(repository, "cat-file", "--batch", stdin=asked) as stdout:
            while header := stdout.readline():
                *_, size = header.split()
                yield _content(stdout, int(size), limit) if size.isdigit() else None


def messages(repository: Path, since: float) -> Iterator[tuple[Commit, str]]:
    """The commits of HEAD applied after a time, newest first, without their changes, each with the rest of its message."""
    if not _has_commits(repository):
        return
    fields = "%x00".join((*_FIELDS, "%b"))
    asked = (
        "log",
        "-z",
        "--no-notes",
        "--decorate=full",
        f"--since=@{max(int(since), 0)}",
        f"--format={fields}",
        "HEAD",
        "--",
    )
    with _running(repository, *asked) as stdout:
        tokens = _tokens(stdout)
        for token in tokens:
            rest = [next(tokens, b"").decode("utf-8", "replace") for _ in _FIELDS]
            yield _commit([token[1:].decode("ascii", "replace"), *rest[:-1]], []), rest[-1]


def found(repository: Path, names: Iterable[str]) -> dict[str, Commit]:
    """The commits that are there, on a branch or not, by (the beginning of) their names, without their changes."""
    asked = [name for name in dict.fromkeys(names) if re.fullmatch(r"[0-9a-f]{7,40}", name)]
    if not asked:
        return {}
    with tempfile.TemporaryFile() as told:
        told.write("".join(f"{name}\n" for name in asked).encode())
        told.seek(0)
        with _running(repository, "cat-file", "--batch-check=%(objectname) %(objecttype)", stdin=told) as stdout:
            there = [sha.decode() for sha, _, kind in (line.partition(b" ") for line in stdout) if kind == b"commit\n"]
    if not there:
        return {}
    shown = ("log", "--no-walk", "-z", "--no-notes", "--decorate=full", f"--format={'%x00'.join(_FIELDS)}")
    with _running(repository, *shown, *there, "--") as stdout:
        commits = list(_parsed(_tokens(stdout)))
    return {name: commit for name in asked for commit in commits if commit.sha.startswith(name)}


def forsaken(repository: Path, commits: Sequence[str]) -> set[str]:
    """Those of some commits that neither HEAD nor a branch nor a tag leads to any more."""
    if not commits:
        return set()
    asked = (
        "rev-list",
        *commits,
        "--not",
        "--branches",
        "--remotes",
        "--tags",
        *(["HEAD"] if head(repository) else []),
        "--",
    )
    with _running(repository, *asked) as stdout:
        return {line.decode("ascii", "replace").strip() for line in stdout} & set(commits)


def added(repository: Path, commits: Sequence[str]) -> dict[str, dict[str, int]]:
    """How many lines each of some commits added to which files, indentation aside; binary files and merges add none."""
    lines: dict[str, dict[str, int]] = {sha: {} for sha in commits}
    if not commits:
        return lines
    asked = (
        "log",
        "--no-walk",
        "-z",
        "-w",
        "-M",
        "--numstat",
        "--no-ext-diff",
        "--no-textconv",
        "--no-notes",
        "--format=%x01%H",
    )
    with _running(repository, *asked, *commits, "--") as stdout:
        own: dict[str, int] = {}
        tokens = _tokens(stdout)
        for token in tokens:
            if token.startswith(b"\x01"):
                own = lines[token[1:].decode("ascii", "replace")]
                continue
            number, _, rest = token.lstrip(b"\n").partition(b"\t")
            path = rest.partition(b"\t")[2]
            if rest and not path:  # of a file that was moved its old name and its new one follow
                next(tokens, b"")
                path = next(tokens, b"")
            if number.isdigit() and int(number):
                own[path.decode("utf-8", "replace")] = int(number)
    return lines


def standing(repository: Path, path: str, since: float) -> dict[str, int]:
    """How many lines of a file as HEAD has it were written by which commit after a time, indentation aside."""
    asked = ("blame", "--porcelain", "--root", "-w", f"--since=@{max(int(since), 0)}", "HEAD", "--", path)
    counts: dict[str, int] = {}
    old: set[str] = set()
    with _running(repository, *asked, failing=True) as stdout:  # it may be gone
        sha = ""
        for line in stdout:
            if line.startswith(b"\t"):
                counts[sha] = counts.get(sha, 0) + 1
            elif re.match(rb"[0-9a-f]{40} ", line):
                sha = line[:40].decode()
            elif line == b"boundary\n":
                old.add(sha)
    return {sha: count for sha, count in counts.items() if sha not in old}


def sizes(repository: Path) -> dict[str, int]:
    """The bytes of the files of HEAD by path."""
    if not _has_commits(repository):
        return {}
    found: dict[str, int] = {}
    with _running(repository, "ls-tree", "-r", "-z", "-l", "--full-tree", "HEAD") as stdout:
        for token in _tokens(stdout):
            about, _, path = token.partition(b"\t")
            size = about.split()[-1]
            if size.isdigit():
                found[path.decode("utf-8", "replace")] = int(size)
    return found


def _content(stdout: IO[bytes], size: int, limit: int) -> bytes | None:
    """The next `size` bytes, None where they are more than `limit`; the line break behind them is gone too."""
    if size <= limit:
        return stdout.read(size + 1)[:size]
    left = size + 1
    while left and (chunk := stdout.read(min(left, 1 << 20))):
        left -= len(chunk)
    return None


def _has_commits(repository: Path) -> bool:
    with _running(repository, "rev-parse", "--quiet", "--verify", "HEAD", failing=True) as stdout:
        return bool(stdout.read())


def _output(repository: Path, *arguments: str) -> str:
    with _running(repository, *arguments) as stdout:
        return stdout.read().decode("utf-8", "replace")


@contextmanager
def _running(
    repository: Path, *arguments: str, failing: bool = False, stdin: IO[bytes] | None = None
) -> Iterator[IO[bytes]]:
    """The output of git. Its failure, unless `failing` is allowed, is a `UserError` in git's own words."""
    folder = repository if repository.is_dir() else repository.parent
    command = ["git", *_SAFE, "-C", str(folder), *arguments]
    environment = os.environ | {"LC_ALL": "C", "GIT_OPTIONAL_LOCKS": "0", "GIT_TERMINAL_PROMPT": "0"}
    with tempfile.TemporaryFile() as errors:  # a pipe that nobody reads could fill up and stop git
        try:
            process = subprocess.Popen(
                command, stdin=stdin or subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=errors, env=environment
            )
        except FileNotFoundError:
            raise UserError("git is not installed. Install git, then run this again.") from None
        with process:
            assert process.stdout
            yield process.stdout
        if process.returncode and not failing:
            errors.seek(0)
            raise _complaint(repository, errors.read().decode("utf-8", "replace"))


def _complaint(repository: Path, said: str) -> UserError:
    if "not a git repository" in said or "cannot change to" in said:
        return UserError(f"{repository.absolute()} is in no git repository. Run `git init` there, or name one that is.")
    if "promisor" in said:
        return UserError(
            f"{repository} is a partial clone and lacks files. Run `git fetch --refetch --no-filter` there."
        )
    reason = next((line for line in said.splitlines() if line.startswith("fatal: ")), "no reason given")
    return UserError(f"git cannot read {repository}: {reason.removeprefix('fatal: ')}")


def _tokens(stdout: IO[bytes]) -> Iterator[bytes]:
    """What stands between NUL bytes."""
    rest = b""
    while chunk := stdout.read(1 << 20):
        *tokens, rest = (rest + chunk).split(b"\0")
        yield from tokens
    if rest.strip():
        yield rest


def _parsed(tokens: Iterator[bytes]) -> Iterator[Commit]:
    """The commits: as many tokens as there are fields, then two tokens a changed file."""
    fields: list[str] = []
    changes: list[Change] = []
    for token in tokens:
        if token.startswith(b"\x01"):
            if fields:
                yield _commit(fields, changes)
            others = (next(tokens, b"") for _ in _FIELDS[1:])
            fields = [field.decode("utf-8", "replace") for field in (token[1:], *others)]
            changes = []
        elif token.lstrip(b"\n").startswith(b":"):
            *_, blob, status = token.decode("ascii", "replace").split(" ")
            path = next(tokens, b"").decode("utf-8", "replace")
            changes.append(Change(status[:1], path, "" if status[:1] == "D" else blob))
    if fields:
        yield _commit(fields, changes)


def _commit(fields: list[str], changes: list[Change]) -> Commit:
    sha, parents, author, email, time, committed, names, subject = fields
    tags = tuple(name.removeprefix(_TAG) for name in names.split(", ") if name.startswith(_TAG))
    return Commit(
        sha=sha,
        parents=tuple(parents.split()),
        author=author,
        email=email,
        time=float(time or 0),
        committed=float(committed or 0),
        subject=subject,
        tags=tags,
        changes=tuple(changes),
    )
