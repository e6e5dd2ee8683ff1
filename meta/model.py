"""The nouns of the house: frozen values that every room may pass on.

Only nouns stand here, and only the standard library is imported. Times are seconds since the epoch (UTC),
durations are seconds unless the name says otherwise.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Status = Literal["ok", "failed", "not-run", "unknown"]
EventKind = Literal["prompt", "call", "note"]
ToolKind = Literal["shell", "edit", "write", "read", "search", "web", "agent", "plan", "mcp", "commit", "other"]
Origin = Literal["person", "agent", "machine", "scripted", "policy", "shell", "git"]
Style = Literal["bare", "double", "single", "heredoc", "shell"]
StepKind = Literal["command", "read", "edit", "judgement"]
ParameterSource = Literal["caller", "constant", "derived", "output"]
Provenance = Literal["measured", "estimated", "assumed"]
Isolation = Literal["bubblewrap", "landlock", "limits", "none"]


@dataclass(frozen=True, slots=True)
class Usage:
    """Tokens of one model message. `input` does not contain the cached tokens."""

    input: int = 0
    output: int = 0
    cache_read: int = 0
    cache_write: int = 0


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened in a session: a prompt, a tool call with its result, or a note.

    `id` is unique within (agent, session). `text` is the prompt, the note, or the shell command of a call.
    `arguments` are the other arguments of a call as text (`file_path`, ...). `status` is "not-run" where a call was
    refused or nothing came back of it, "unknown" where it ran and nobody says how it ended. `time` is when the call was
    issued and `seconds` how long it ran. `message` is the id of the model message that issued the call; calls with the same
    message cost one round trip. `usage` stands on the first event of its message only.
    """

    id: str
    kind: EventKind
    time: float | None = None
    text: str = ""
    tool: str = ""
    tool_kind: ToolKind = "other"
    arguments: Mapping[str, str] = field(default_factory=dict)
    status: Status = "unknown"
    exit_code: int | None = None
    seconds: float | None = None
    output: str = ""
    message: str = ""
    usage: Usage | None = None
    model: str = ""
    cwd: str = ""


@dataclass(frozen=True, slots=True)
class Session:
    """The events of one conversation in thread order.

    `parent` is the session it was forked from or is a sub-agent of. `project` is a short name (see
    `sources.project`). `origin` tells who drove it; of a sub-agent, which another agent told what to do, it is "agent".
    `skipped` counts the records that could not be used, by reason. `path` is where it was read.
    """

    agent: str
    id: str
    events: tuple[Event, ...]
    project: str = ""
    cwd: str = ""
    parent: str = ""
    origin: Origin = "person"
    skipped: Mapping[str, int] = field(default_factory=dict)
    path: str = ""

    @property
    def started(self) -> float | None:
        return next((e.time for e in self.events if e.time is not None), None)


def conversation(session: str) -> str:
    """The id of the conversation that a session is part of: a sub-agent's is its parent's and its own behind a slash."""
    return session.partition("/")[0]


@dataclass(frozen=True, slots=True)
class Word:
    """One word of a recorded command line: `text` as it was written, `value` as the program received it.

    `text == prefix + quote(value[len(prefix):], style)` (see `rendering.quote`), where `prefix` is what stood bare
    before the quoted part (`--flag=`, `NAME=`). Style "shell" marks what only a shell can evaluate (expansion, glob,
    redirection, pipe, mixed quoting): there `value == text`.
    """

    text: str
    value: str
    style: Style = "bare"
    prefix: str = ""


@dataclass(frozen=True, slots=True)
class Step:
    """One simple command (or one edit or read) of a session, reduced for mining.

    `head` is the symbol that is mined: program and sub-command, without wrappers, environment and arguments.
    `words` are all words of the command line incl. environment prefix, wrappers and redirections of substance, so
    `line` is their texts joined by one space. `display` is how the agent looked at the output (`2>&1 | tail -40`): evidence, not part of
    the line. `effect` sorts steps: "look" is exploration of files (never a step of a workflow), "inspect" is reading
    of state (`git status`; may stand in a workflow but does not make one), "work" is the rest.
    `position` is the place of the event in its session; `call` tells the calls apart, `message` the round trips.
    `directory` is where it ran, relative to the project's root when known ("" is the root).
    """

    head: str
    kind: StepKind
    effect: Literal["work", "inspect", "look"]
    words: tuple[Word, ...] = ()
    display: str = ""
    directory: str = ""
    event: str = ""
    position: int = 0
    message: str = ""
    status: Status = "unknown"
    time: float | None = None
    seconds: float | None = None
    output: str = ""

    @property
    def line(self) -> str:
        return " ".join(word.text for word in self.words)


@dataclass(frozen=True, slots=True)
class Segment:
    """A span of one session in which one task was worked on: prompt to prompt, "continue" joined, cut at long idling.

    `prompts` are the texts that opened it, and `typed` tells that a person wrote them.
    """

    agent: str
    session: str
    project: str
    steps: tuple[Step, ...]
    prompts: tuple[str, ...] = ()
    typed: bool = True


@dataclass(frozen=True, slots=True)
class Fixed:
    """A word that is always the same."""

    word: Word


@dataclass(frozen=True, slots=True)
class Hole:
    """A word (or the middle of one) that a parameter fills: `prefix + quote(value, style) + suffix`.

    `long_style` is the quoting of values with a line break. `prefix` and `suffix` are bare text.
    """

    parameter: str
    style: Style = "bare"
    long_style: Style = "double"
    prefix: str = ""
    suffix: str = ""


@dataclass(frozen=True, slots=True)
class Group:
    """Words that are there only when `parameter` is given (a value) or true (a flag)."""

    parameter: str
    parts: tuple[Fixed | Hole, ...]


@dataclass(frozen=True, slots=True)
class Rest:
    """As many words as the list `parameter` has items."""

    parameter: str
    style: Style = "bare"


Part = Fixed | Hole | Group | Rest


@dataclass(frozen=True, slots=True)
class Guard:
    """The step runs only after the step called `step` ended so. A guard on "failed" replaces the stop at a failure."""

    step: str
    outcome: Literal["failed", "ok"]


@dataclass(frozen=True, slots=True)
class WorkflowStep:
    """One step of a workflow.

    `name` is a short slug, unique in the workflow ("lint", "lint-fix", "lint-again"). `switch` names the boolean
    parameter of a step that is there only on request; `skip` the one that leaves it out. `each` names the list
    parameter over which the step is repeated, one run an item (the parts then refer to the item by that name).
    A judgement step has no parts: the agent thinks there, and `head` says about what (`edit *.py`).
    """

    name: str
    kind: StepKind
    head: str
    presence: float
    parts: tuple[Part, ...] = ()
    guard: Guard | None = None
    switch: str = ""
    skip: str = ""
    each: str = ""
    directory: str = ""
    effect: Literal["work", "inspect", "look"] = "work"


@dataclass(frozen=True, slots=True)
class Derivation:
    """How a value follows from another: `source` is a parameter (or, for outputs, a step) and `program` the rule.

    `program` is a tuple of primitive operations with their arguments as text, applied left to right
    (("basename",), ("stem",), ("lower",), ("regex", r"#(\\d+)"), ("prefix", "v"), ...); see `rendering.derive`.
    """

    source: str
    program: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Parameter:
    """A value of a workflow that differs between its occurrences.

    `caller`: the caller gives it. `derived`: computed from another parameter, never an option. `output`: read from
    the output of an earlier step, an option that overrides it. `constant`: one value was ever seen, `default` holds it.
    """

    name: str
    type: Literal["str", "int", "float", "bool", "path", "choice", "list", "secret"]
    source: ParameterSource = "caller"
    default: str | int | float | bool | None = None
    choices: tuple[str, ...] = ()
    examples: tuple[str, ...] = ()
    derivation: Derivation | None = None


Binding = str | bool | list[str]


@dataclass(frozen=True, slots=True)
class Occurrence:
    """One recorded run of a workflow: the events, the values that make it, and the exact lines.

    `rendering.commands(steps, parameters, bindings) == commands`. `steps` are aligned with the workflow's steps (None: absent).
    `span` is the run's own seconds: its commands and the waits for the model between them (`waiting`), not what was
    done in between; None where the session has no times. `round_trips` are the model messages that a tool makes
    superfluous, `tokens` and `usd` what they cost. `failed` tells that its last call failed. `origin` tells who did it: a person at a shell waits for no model,
    and git tells nothing of the time between its steps. `commit` is the first commit that the run made, where known.
    """

    session: str
    agent: str
    events: tuple[str, ...]
    bindings: Mapping[str, Binding]
    commands: tuple[str, ...]
    started: float | None = None
    span: float | None = None
    waiting: float | None = None
    round_trips: int = 0
    tokens: int = 0
    usd: float = 0.0
    origin: Origin = "person"
    commit: str = ""
    failed: bool = False


@dataclass(frozen=True, slots=True)
class Workflow:
    """Steps that were done again and again, their parameters, and every occurrence that they explain.

    `refused` are the occurrences that no rule explains, each with the reason; `held_out` counts the occurrences that a
    workflow learned without them still reproduces. `triggers` are the words that people typed before the
    occurrences, most frequent first, without what they quoted. `loop` marks what was repeated inside few sessions: shown, not proposed.
    """

    id: str
    name: str
    project: str
    steps: tuple[WorkflowStep, ...]
    parameters: tuple[Parameter, ...]
    occurrences: tuple[Occurrence, ...]
    refused: tuple[tuple[str, str], ...] = ()
    held_out: int = 0
    triggers: tuple[str, ...] = ()
    loop: bool = False

    @property
    def support(self) -> int:
        return len(self.occurrences)

    @property
    def work(self) -> tuple[str, ...]:
        """What it does, whatever the arguments: its `id` changes with every variation that is seen, this hardly does."""
        return tuple(step.head for step in self.steps if step.kind == "command" and step.effect == "work")

    @property
    def sessions(self) -> int:
        return len({(o.agent, conversation(o.session)) for o in self.occurrences})


@dataclass(frozen=True, slots=True)
class Estimate:
    """What a tool for one workflow would cost and save, each input with where it comes from.

    `automation` is the share of the minutes that disappears, 0 to 1. `interval` is the 80 % interval of the payback
    in weeks. `sources` maps a field's name to its provenance.
    """

    runs_per_week: float
    minutes_per_run: float
    round_trips_per_run: float
    tokens_per_run: float
    usd_per_run: float
    automation: float
    build_minutes: float
    payback_weeks: float
    interval: tuple[float, float]
    sources: Mapping[str, Provenance] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Comparison:
    """One run by hand beside one run of the tool. `script_runs` are real runs; without them the seconds are estimated."""

    hand_seconds: float
    hand_tokens: float
    hand_usd: float
    script_seconds: float
    script_runs: int
    source: Provenance

    def saved(self, runs: int = 100) -> tuple[float, float, float]:
        """Minutes, tokens and dollars saved over that many runs."""
        return (
            (self.hand_seconds - self.script_seconds) * runs / 60,
            self.hand_tokens * runs,
            self.hand_usd * runs,
        )


@dataclass(frozen=True, slots=True)
class Decision:
    """Whether a tool is worth building, and why in one plain sentence."""

    build: bool
    reason: str


@dataclass(frozen=True, slots=True)
class Proposal:
    """A workflow with what a tool for it would save and whether to build it."""

    workflow: Workflow
    estimate: Estimate
    decision: Decision


@dataclass(frozen=True, slots=True)
class Candidate:
    """Something that is worth a tool, a workflow or a family, and why."""

    id: str
    name: str
    reason: str


@dataclass(frozen=True, slots=True)
class Survey:
    """What was read and what was found in it, best proposal first. `skipped` counts unusable records by reason."""

    sessions: int
    events: int
    skipped: Mapping[str, int]
    proposals: tuple[Proposal, ...]
    loops: tuple[Proposal, ...]


@dataclass(frozen=True, slots=True)
class Wording:
    """What a tool is called, when to use it (at most 300 characters), and what it does in one sentence."""

    name: str
    description: str
    summary: str


@dataclass(frozen=True, slots=True)
class Tool:
    """A generated tool before or after review. `files` maps a path relative to its folder to the content."""

    name: str
    workflow: str
    template: str
    version: str
    files: Mapping[str, str]
    description: str
    effects: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Check:
    """One check of a tool: `passed` is None where it could not be run; `detail` says why or what was seen.

    `seconds` are those of real runs of the tool, where the check made some.
    """

    name: str
    passed: bool | None
    detail: str = ""
    seconds: tuple[float, ...] = ()


@dataclass(frozen=True, slots=True)
class Verdict:
    """All checks of a tool, and the isolation that what was executed ran under: "none" where nothing was.

    Only the two that keep files and network away let a tool pass. Under "limits" a program could have reached
    everything, also what made a check look well.
    """

    checks: tuple[Check, ...]
    isolation: Isolation

    @property
    def state(self) -> Literal["passed", "failed", "unverified"]:
        if any(check.passed is False for check in self.checks):
            return "failed"
        return "passed" if self.isolation in ("bubblewrap", "landlock") else "unverified"


@dataclass(frozen=True, slots=True)
class Lesson:
    """One claim about the work, why it holds and when it applies, with its evidence as (session, event) pairs.

    `id` tells it from every other one, however it is worded, and `situation` is the same for lessons that give other
    advice for the same. `check` is a command that fails where the claim holds no longer, "" where none is known. `seen`
    and `expires` are days (ISO): when it was seen last, and until when it is believed without being seen again.
    `since` is the time of the latest event when it was learned: what comes later tells whether it `helped` or `harmed`.
    `load` is what a person said about loading it into every session, "" where nobody did. `words` is the model that put
    it so, "" where none did; `own` is then the claim as it was found, "" where a model thought of it. `also` are the ids
    of lessons that it stands for too.
    """

    slug: str
    claim: str
    why: str
    when: str
    evidence: tuple[tuple[str, str], ...]
    helped: int = 0
    harmed: int = 0
    id: str = ""
    kind: Literal["failure", "correction", "convention", "cost"] = "failure"
    project: str = ""
    situation: str = ""
    check: str = ""
    seen: str = ""
    expires: str = ""
    since: float = 0.0
    load: Literal["", "yes", "no"] = ""
    words: str = ""
    own: str = ""
    also: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Built:
    """A tool, what its verification saw, and where it stands: proposed on its branch, or refused with the reason.

    The update of a tool in use is proposed likewise; "suspended" is one that has come to fail.
    """

    tool: Tool
    verdict: Verdict
    state: Literal["proposed", "refused", "declined", "known", "dry-run", "suspended"]
    reason: str

    @property
    def path(self) -> str:
        return f"generated_tools/{self.tool.name}"


@dataclass(frozen=True, slots=True)
class Asked:
    """What came of asking a model about lessons: its proposals that were `taken`, by kind, and `refused`, by reason."""

    questions: int = 0
    usd: float = 0.0
    taken: Mapping[str, int] = field(default_factory=dict)
    refused: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Extraction:
    """All that one run of `meta extract` came to. `archived` are the session files that were written, relative.

    `asked` is None where no model was to be asked about lessons.
    """

    survey: Survey
    tools: tuple[Built, ...]
    lessons: tuple[Lesson, ...]
    archived: tuple[str, ...]
    asked: Asked | None = None


@dataclass(frozen=True, slots=True)
class Shadow:
    """Of the runs by hand `seen` since a tool was learned, how many it would have done the same."""

    matched: int
    seen: int


@dataclass(frozen=True, slots=True)
class Nudged:
    """In how many sessions an agent was told of a tool whose steps it began by hand, and in how many it took it."""

    shown: int = 0
    taken: int = 0


@dataclass(frozen=True, slots=True)
class Review:
    """A proposed tool for its reviewer: PR.md, the lines of tool.py that are its own, and its other files.

    Where tools in use are `updated`, or the project's `own` code is changed, the source is what changes in it.
    """

    name: str
    summary: str
    source: str
    lines: int
    files: tuple[str, ...]
    updated: tuple[str, ...] = ()
    own: bool = False


@dataclass(frozen=True, slots=True)
class Listed:
    """A tool of the workspace: where it stands, what it is for, and how often it was called.

    `predicted` and `realised` are minutes saved a week; None where nothing tells them, as `shadow` is before a look.
    `update` tells that one waits for review, `advice` what may be better done with the tool.
    """

    name: str
    state: str
    description: str
    uses: int
    failures: int
    predicted: float | None
    realised: float | None
    shadow: Shadow | None = None
    update: bool = False
    advice: str = ""
    nudged: Nudged = Nudged()


@dataclass(frozen=True, slots=True)
class Talk:
    """A session that made a commit: by which event, what was asked last before it, and where it is archived ("" if not)."""

    agent: str
    session: str
    event: str
    prompts: tuple[str, ...]
    archived: str


@dataclass(frozen=True, slots=True)
class Behind:
    """The commit that wrote a line, and the sessions that made it: none, where no session that is known did."""

    path: str
    line: int
    commit: str
    author: str
    time: float
    subject: str
    talks: tuple[Talk, ...]
