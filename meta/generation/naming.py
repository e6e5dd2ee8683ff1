"""Name a tool and say when to use it, in words of a fixed vocabulary.

No word of a transcript passes: a prompt's word only chooses a row of the table.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Collection, Iterable
from dataclasses import dataclass

from meta.model import Workflow, WorkflowStep
from meta.policy.names import RESERVED, SLUG
from meta.vetting import is_name


@dataclass(frozen=True, slots=True)
class Topic:
    """One kind of work: the word for a name, the object of "Run ...", what one is asked to do, and how to know it.

    `known` are words of a step's name or head, `asked` are words of prompts. A check changes nothing that matters.
    """

    word: str
    does: str
    ask: str
    known: str
    asked: str
    check: bool = False


TOPICS = (
    Topic("fix", "repair what lint can", "fix style", "fix lint:fix lint-fix", "fix autofix", True),
    Topic("typecheck", "check types", "check types", "typecheck type-check mypy tsc pyright types", "type types typecheck", True),
    Topic("lint", "lint", "lint", "lint eslint flake8 pylint golangci-lint clippy vet ruff shellcheck", "lint linter style", True),
    Topic("format", "format", "format", "format fmt black prettier gofmt isort rustfmt", "format formatting prettify", True),
    Topic("test", "run the tests", "test", "test tests pytest jest vitest tox nox unittest ctest", "test tests testing pytest", True),
    Topic("bench", "measure speed", "measure speed", "bench benchmark hyperfine", "bench benchmark speed performance"),
    Topic("build", "build", "build", "build make cmake compile tsup webpack vite msbuild", "build compile rebuild"),
    Topic("install", "install what is needed", "install", "install sync ci", "install dependencies setup"),
    Topic("generate", "generate files", "generate", "generate gen codegen protoc", "generate regenerate codegen"),
    Topic("migrate", "migrate the database", "migrate", "migrate migration alembic", "migrate migration database"),
    Topic("commit", "commit", "commit", "commit", "commit commits"),
    Topic("push", "push", "push", "push", "push ship"),
    Topic("sync", "bring in what is new", "update the branch", "fetch pull rebase merge", "sync pull rebase merge update"),
    Topic("branch", "change the branch", "start a branch", "switch checkout branch worktree workmux", "branch worktree"),
    Topic("pr", "handle the pull request", "open a pull request", "pr mr", "pr pull request review"),
    Topic("issue", "handle the issue", "look at an issue", "issue issues", "issue issues ticket bug"),
    Topic("release", "release", "release", "release publish tag twine", "release publish tag version"),
    Topic("deploy", "deploy", "deploy", "deploy kubectl helm terraform pulumi flyctl", "deploy deployment rollout"),
    Topic("image", "handle the image", "build an image", "docker podman buildx", "docker image container"),
    Topic("train", "train", "train", "train fit finetune", "train training model"),
    Topic("evaluate", "evaluate", "evaluate", "eval evaluate score validate cv", "evaluate eval score validation"),
    Topic("submit", "submit", "submit", "submit submission submissions kaggle", "submit submission"),
    Topic("copy", "copy files", "copy files", "rsync scp cp upload download", "copy upload download"),
    Topic("remote", "work on the remote machine", "run it remotely", "ssh", "remote server"),
    Topic("serve", "start the service", "start it", "serve start up dev", "serve start run server"),
    Topic("stage", "stage files", "stage files", "add", "stage add"),
    Topic("status", "show the state of the repository", "show what changed", "status diff log show rev-parse", "status diff review changes"),
    Topic("clean", "clean up", "clean up", "clean rm prune", "clean cleanup remove"),
)  # fmt: skip
_QUIET = {"stage": {"commit", "push"}, "fix": {"lint", "format"}}  # not said beside these


def topics(steps: Iterable[WorkflowStep]) -> tuple[Topic, ...]:
    """What the steps are about, in order, each once; looking at the state counts only where nothing else is done."""
    commands = [step for step in steps if step.kind == "command"]
    working = [step for step in commands if step.effect == "work"] or commands
    found = [topic for step in working if (topic := _topic(step))]
    words = {topic.word for topic in found}
    return tuple(t for t in dict.fromkeys(found) if not _QUIET.get(t.word, set()) & words)


def name(workflow: Workflow, taken: Collection[str] = ()) -> str:
    """A short slug of plain words, neither reserved nor taken."""
    about = topics(workflow.steps)
    words = [topic.word for topic in about]
    if len(words) > 2 and all(topic.check for topic in about):
        words = ["gate"]
    slug = "-".join(words[:3]) or _program(workflow.steps)
    if slug and (slug in RESERVED or not SLUG.fullmatch(slug)):
        slug = f"run-{slug}" if SLUG.fullmatch(f"run-{slug}") else "run-steps"
    slug = slug or "run-steps"
    number = 1
    while (unique := slug if number == 1 else f"{slug[:44]}-{number}") in taken or unique in RESERVED:
        number += 1
    return unique


def summary(workflow: Workflow) -> str:
    """What the tool does, one sentence."""
    does = list(dict.fromkeys(topic.does for topic in topics(workflow.steps)))[:5]
    sentence = (_joined(does, ", then") or "run the recorded steps") + " in one call"
    if any(step.kind == "command" and step.guard and step.guard.outcome == "failed" for step in workflow.steps):
        sentence += "; what fails and can be repaired is repaired once"
    return sentence[0].upper() + sentence[1:] + "."


def description(workflow: Workflow) -> str:
    """What the tool does and when to use it, at most 300 characters."""
    steps = {topic.word for topic in topics(workflow.steps)}
    asked = [t for word in workflow.triggers for t in TOPICS if word.lower() in t.asked.split()]
    asked = [t for t in dict.fromkeys(asked) if t.word in steps] or list(topics(workflow.steps))
    when = _joined([topic.ask for topic in asked[:4]], " or")
    if when and "commit" in workflow.triggers and all(topic.check for topic in topics(workflow.steps)):
        when += ", or before a commit"
    use = (
        f"Use when asked to {when}, instead of the single commands."
        if when
        else "Use it instead of the single commands."
    )
    return textwrap.shorten(f"{summary(workflow)} {use}", 300, placeholder=" ...")


def _topic(step: WorkflowStep) -> Topic | None:
    for text in (step.head, step.name):
        tokens = re.findall(r"[a-z0-9]+(?:[:-][a-z0-9]+)*", text.lower())
        tokens += [part for token in tokens for part in re.split("[:-]", token)]
        for token in reversed(tokens):
            topic = next((topic for topic in TOPICS if token in topic.known.split()), None)
            if topic and (topic.word != "status" or step.effect != "work"):  # a script that logs shows no state
                return topic
    return None


def _program(steps: Iterable[WorkflowStep]) -> str:
    """The program of the first step, where no topic is known."""
    head = next((step.head for step in steps if step.kind == "command"), "")
    words = re.findall(r"[a-z0-9]+", head.lower().rsplit("/", 1)[-1])
    name = "-".join(words[:2])[:40].strip("-")
    return name if is_name(name) and is_name(head.rsplit("/", 1)[-1].split(" ")[0]) else ""


def _joined(items: list[str], last: str) -> str:
    return items[0] if len(items) == 1 else f"{', '.join(items[:-1])}{last} {items[-1]}" if items else ""
