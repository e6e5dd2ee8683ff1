"""What is always done the same way in a project: how its commands are run, where, what precedes a commit, what changes together.

A habit is told with how often it held. What repeats as a whole workflow is mined elsewhere.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from meta.knowledge import wording
from meta.knowledge.findings import Finding, Seen, at
from meta.knowledge.wording import code, listed
from meta.model import Segment, Session, Step, conversation

SESSIONS = 3  # in fewer, nothing is a habit
RUNS = 4
SHARE = 0.8  # of the runs that hold to it
BEFORE = 0.6  # of the commits that a check preceded: agents split their work among sessions
MOST_SEEN = 12  # events that are kept as evidence of one habit, the latest

_CHECKS = re.compile(
    r"(?:^|[ :/-])(?:tests?|lint(?:er)?|typecheck|tsc|fmt|format|vet|clippy|check|pytest|ruff|mypy|golangci-lint|gofmt|eslint|biome|prettier|vitest|jest|build)(?:\b|$)"
)
_MANAGERS = {
    "npm": "npm",
    "yarn": "yarn",
    "pnpm": "pnpm",
    "bun": "bun",
    "uv": "uv",
    "poetry": "poetry",
    "pip": "pip",
    "pip3": "pip",
}
_FAMILIES = (("npm", "yarn", "pnpm", "bun"), ("uv", "poetry", "pip"))
_USUAL = ("npm", "pip")  # what anybody would take
_SUBJECT = re.compile(r"^([a-z]{2,9})(\([\w./-]+\))?!?: \S")
_ANOTHER_PLACE = re.compile(r"^(?:[/~$\"'-]|[A-Za-z]:|\.\.)|\.claude/|worktree|tmp|scratch|home/|Users/")
_PATHS = ("file_path", "path", "filePath", "absolute_path")


@dataclass(slots=True)
class _Runs:
    """The runs of one command."""

    steps: list[tuple[Step, str]] = field(default_factory=list)

    def where(self, keep: Iterable[bool]) -> tuple[Seen, ...]:
        return tuple(at(step, session) for (step, session), kept in zip(self.steps, keep, strict=True) if kept)[
            -MOST_SEEN:
        ]

    @property
    def sessions(self) -> int:
        return len({conversation(session) for _, session in self.steps})


def habits(sessions: Sequence[Session], segments: Sequence[Segment]) -> list[Finding]:
    """The habits of one project."""
    runs: dict[str, _Runs] = defaultdict(_Runs)
    for segment in segments:
        for step in segment.steps:
            if step.kind == "command" and step.effect != "look" and " - " not in f"{step.head} ":
                runs[step.head].steps.append((step, segment.session))
    before = list(_before_commit(segments))
    found = [*before, *_after_edits(segments, " ".join(one.claim for one in before))]
    found += [*_messages(runs.get("git commit", _Runs())), *_managers(runs), *_folders(runs)]
    for head, made in sorted(runs.items()):
        if len(made.steps) >= RUNS and made.sessions >= SESSIONS:
            found += _form(head, made)
    return [*found, *_together(sessions)]


def _before_commit(segments: Sequence[Segment]) -> Iterator[Finding]:
    """The checks that go before a commit of edited files."""
    by_session: dict[str, list[Step]] = defaultdict(list)
    for segment in segments:
        by_session[segment.session] += segment.steps
    commits: list[Seen] = []
    checks: Counter[str] = Counter()
    for session, steps in by_session.items():
        place = next((n for n, step in enumerate(steps) if step.head == "git commit" and step.status != "failed"), None)
        if place is None or not any(step.kind == "edit" for step in steps[:place]):
            continue
        commits.append(at(steps[place], session))
        ran = (step.head for step in steps[:place] if step.kind == "command" and _is_check(step.head))
        checks.update(list(dict.fromkeys(ran)))
    usual = [head for head, count in checks.most_common(4) if count >= BEFORE * len(commits) and count >= SESSIONS]
    if usual and len(commits) >= SESSIONS:
        told = listed([code(head) for head in usual])
        counts = listed([f"{code(head)} before {checks[head]} of {len(commits)}" for head in usual])
        yield Finding(
            "convention", "before commit", "before a commit", f"Before {code('git commit')}, run {told}.",
            f"Of the first commits of {len(commits)} sessions that edited files: {counts}.", "files were edited and are to be committed",
            tuple(commits[-MOST_SEEN:]),
        )  # fmt: skip


def _is_check(head: str) -> bool:
    return _CHECKS.search(head) is not None and not head.startswith("git ")


def _messages(commits: _Runs) -> Iterator[Finding]:
    """The form of the subjects of commits."""
    subjects = [subject(step) for step, _ in commits.steps]
    told = [text for text in subjects if text]
    typed = [match for text in told if (match := _SUBJECT.match(text))]
    if len(told) < RUNS or commits.sessions < SESSIONS or len(typed) < SHARE * len(told):
        return
    scoped = sum(match[2] is not None for match in typed) >= 0.5 * len(typed)
    form = "type(scope): subject" if scoped else "type: subject"
    kinds = [kind for kind, count in Counter(match[1] for match in typed).most_common(5) if count > 1]
    types = f", with the types {listed([code(kind) for kind in kinds])}" if len(kinds) > 1 else ""
    yield Finding(
        "convention", "commit messages", "form of commit messages", f"Begin commit messages with {code(form)}{types}.",
        f"{len(typed)} of {len(told)} commits have it.", "a commit message is written",
        commits.where(bool(_SUBJECT.match(text)) for text in subjects),
    )  # fmt: skip


def subject(step: Step) -> str:
    """The first line of a commit's message, "" where the line does not tell it."""
    values = [word.value for word in step.words]
    flag = next((n for n, value in enumerate(values) if value in ("-m", "-am", "--message")), None)
    text = values[flag + 1] if flag is not None and flag + 1 < len(values) else ""
    text = re.sub(r"^\"?\$\(cat <<-?\s*['\"]?\w+['\"]?\s*\n", "", text)
    return text.strip().split("\n")[0]


def _managers(runs: dict[str, _Runs]) -> Iterator[Finding]:
    """The one manager of packages and scripts that a project uses, of those that could do the same."""
    used: dict[str, _Runs] = defaultdict(_Runs)
    for made in runs.values():
        for step, session in made.steps:
            program = step.line.split(" ", 1)[0]
            if program in _MANAGERS and step.status != "failed":
                used[_MANAGERS[program]].steps.append((step, session))
    for family in _FAMILIES:
        counts = {name: len(used[name].steps) for name in family if name in used}
        total = sum(counts.values())
        name = max(counts, key=lambda one: counts[one], default="")
        if name not in _USUAL and total >= 10 and counts[name] >= 0.95 * total and used[name].sessions >= SESSIONS:
            others = [code(other) for other in family if other != name]
            yield Finding(
                "convention", f"manager {name}", f"use {name}", f"Packages and scripts go through {code(name)}, not {listed(others).replace(' and ', ' or ')}.",
                f"{counts[name]} of {total} such commands in {used[name].sessions} sessions.", "a package is installed or a script is run",
                used[name].where([True] * len(used[name].steps)),
            )  # fmt: skip


def _folders(runs: dict[str, _Runs]) -> Iterator[Finding]:
    """The folders below the root in which commands are run."""
    by_place: dict[str, list[tuple[str, int, int, tuple[Seen, ...]]]] = defaultdict(list)
    for head, made in sorted(runs.items()):
        if head.startswith("git "):
            continue
        places = Counter(step.directory for step, _ in made.steps if not _ANOTHER_PLACE.search(step.directory))
        place, count = places.most_common(1)[0] if places else ("", 0)
        kept = [step.directory == place for step, _ in made.steps]
        sessions = {conversation(session) for (_, session), yes in zip(made.steps, kept, strict=True) if yes}
        usual = count >= max(RUNS, SHARE * places.total()) and len(sessions) >= SESSIONS
        if place and usual and wording.is_path(place):
            by_place[place].append((head, count, places.total(), made.where(kept)))
    for place, rows in by_place.items():
        counts = listed([f"{count} of {total} runs of {code(head)}" for head, count, total, _ in rows])
        told = listed([code(head) for head, *_ in rows])
        seen = tuple(one for *_, where in rows for one in where)
        yield Finding(
            "convention", f"folder {place}", f"run in {place}", f"Run {told} in {code(place)}.", f"{counts} were there.",
            f"{told.replace(' and ', ' or ')} is run", seen[-MOST_SEEN:],
        )  # fmt: skip


def _after_edits(segments: Sequence[Segment], known: str) -> Iterator[Finding]:
    """The checks that follow edits of files of one kind, but those that are known to go before a commit."""
    edited: dict[str, dict[str, Seen]] = defaultdict(dict)
    checked: dict[str, Counter[str]] = defaultdict(Counter)
    by_session: dict[str, list[Step]] = defaultdict(list)
    for segment in segments:
        by_session[conversation(segment.session)] += segment.steps
    for session, steps in by_session.items():
        later: dict[str, None] = {}
        kinds: set[str] = set()
        for step in reversed(steps):
            if step.kind == "command" and _is_check(step.head):
                later[step.head] = None
            elif step.kind == "edit" and step.head.startswith("edit *.") and step.head not in kinds:
                kinds.add(step.head)
                edited[step.head][session] = at(step, session)
                checked[step.head].update(list(later))
    for kind, seen in sorted(edited.items()):
        usual = [
            head
            for head, count in checked[kind].most_common(4)
            if count >= SHARE * len(seen)
            and f"`{head}`" not in known
            and len(seen) > SESSIONS
            # what follows edits of one kind of file follows those of others in the same change as well
            and all(count > others[head] for other, others in checked.items() if other != kind)
        ]
        if usual:
            files, told = kind.removeprefix("edit "), listed([code(head) for head in usual])
            counts = listed([f"{code(head)} in {checked[kind][head]} of {len(seen)}" for head in usual])
            yield Finding(
                "convention", f"after {kind}", f"after an edit of {files}", f"After an edit of {code(files)}, run {told}.",
                f"Of the sessions that edited such files and when they were done: {counts}.", f"{code(files)} was edited",
                tuple(seen.values())[-MOST_SEEN:],
            )  # fmt: skip


def _form(head: str, made: _Runs) -> Iterator[Finding]:
    """The options and the runner that a check is always given."""
    if not _is_check(head):
        return
    lines = Counter(step.line for step, _ in made.steps)
    line, count = lines.most_common(1)[0]
    step = next(step for step, _ in made.steps if step.line == line)
    shown = wording.shown(step.words, step.head)
    kept = [step.line == line for step, _ in made.steps]
    sessions = len({session for (_, session), yes in zip(made.steps, kept, strict=True) if yes})
    if (
        shown != head
        and "<" not in shown
        and "…" not in shown
        and count >= SHARE * len(made.steps)
        and sessions >= SESSIONS
    ):
        yield Finding(
            "convention", f"form {head}", f"{head} as {shown}", f"Run {code(head)} as {code(shown)}.",
            f"{count} of {len(made.steps)} runs in {made.sessions} sessions were exactly this.", f"{code(head)} is run", made.where(kept),
        )  # fmt: skip


def _together(sessions: Sequence[Session]) -> Iterator[Finding]:
    """Files of which the one is hardly ever changed without the other."""
    changed: dict[str, dict[str, Seen]] = {}
    for session in sessions:
        files = changed.setdefault(conversation(session.id), {})
        for event in session.events:
            if event.kind == "call" and event.tool_kind in ("edit", "write") and event.status in ("ok", "unknown"):
                path = next((event.arguments[name] for name in _PATHS if event.arguments.get(name)), "")
                if path := _relative(path, session.cwd):
                    files.setdefault(path, Seen(session.id, event.id, event.time))
    alone = Counter(path for files in changed.values() for path in files)
    pairs = Counter((a, b) for files in changed.values() for a in files for b in files if a < b and len(files) <= 40)
    active = sum(bool(files) for files in changed.values())
    for (a, b), count in sorted(pairs.items(), key=lambda pair: (-pair[1], pair[0])):
        first, second = (a, b) if alone[a] <= alone[b] else (b, a)
        # together more than two thirds of what either was changed at all: not one that is changed all the time
        if (
            _stem(a) != _stem(b)
            and count >= RUNS
            and count >= SHARE * alone[first]
            and 3 * count >= 2 * alone[second]
            and 2 * alone[second] <= active
        ):
            seen = tuple(files[first] for files in changed.values() if first in files and second in files)
            yield Finding(
                "convention", f"together {first} {second}", f"{first.rpartition('/')[2]} with {second.rpartition('/')[2]}",
                f"When {code(first)} is changed, {code(second)} is changed too.",
                f"In {count} of the {alone[first]} sessions that changed the first, the second was changed as well (it was in {alone[second]}).",
                f"{code(first)} is changed", seen[-MOST_SEEN:], check=f"test -e {first} && test -e {second}",
            )  # fmt: skip


def _stem(path: str) -> str:
    """The name without its suffixes: that a file and its test go together is known."""
    return re.sub(r"^test_|_test$|_spec$", "", path.rpartition("/")[2].split(".")[0])


def _relative(path: str, root: str) -> str:
    """A path within the project, "" for another one or one that is not to be shown."""
    path, root = path.replace("\\", "/"), root.replace("\\", "/").rstrip("/")
    path = path.removeprefix(f"{root}/") if root else path
    return "" if _ANOTHER_PLACE.search(path) or not wording.is_path(path) else path
