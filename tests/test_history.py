"""The corridor on histories: real repositories and shell histories, made here."""

import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

from meta import flow, intake, store, upkeep
from meta.config import Config
from meta.model import Proposal, Survey

DAY = 86400
T = 1767261600


@pytest.fixture(autouse=True)
def folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HOME", "XDG_CACHE_HOME", "XDG_STATE_HOME", "XDG_CONFIG_HOME"):
        monkeypatch.setenv(name, str(tmp_path / "home"))
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")


def git(repository: Path, *arguments: str, time: int = T) -> str:
    import os

    who = {f"GIT_{role}_{key}": value for role in ("AUTHOR", "COMMITTER")
           for key, value in (("NAME", "ada"), ("EMAIL", "ada@example.org"), ("DATE", f"@{time} +0000"))}  # fmt: skip
    done = subprocess.run(
        ["git", "-C", str(repository), *arguments],
        env={**os.environ, **who},
        check=True,
        capture_output=True,
        text=True,
    )
    return done.stdout


def commit(repository: Path, subject: str, time: int, *names: str) -> str:
    for name in names:
        (repository / name).write_text(subject)
    git(repository, "add", "-A")
    git(repository, "commit", "-qm", subject, time=time)
    return git(repository, "rev-parse", "HEAD").strip()


def release(repository: Path, day: int, version: str) -> None:
    commit(repository, f"Release {version}", T + day * DAY, "CHANGELOG.md", "pyproject.toml")
    git(repository, "tag", f"v{version}")


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """Four releases in two months, and an ordinary commit on every second day."""
    folder = tmp_path / "engine"
    folder.mkdir()
    git(folder, "init", "-q", "-b", "main")
    for day in range(0, 60, 2):
        commit(folder, f"change {day}", T + day * DAY, "a.py", "test_a.py")
        if day % 16 == 0:
            release(folder, day, f"0.{day}.{day + 3}")
    return folder


def survey(*paths: Path) -> Survey:
    return flow.survey(Config(), paths)


def only(found: Survey) -> Proposal:
    assert len(found.proposals) == 1, [p.workflow.steps for p in found.proposals]
    return found.proposals[0]


def heads(proposal: Proposal) -> list[str]:
    return [step.head for step in proposal.workflow.steps]


def test_releases_are_found_in_a_repository_and_ordinary_commits_are_not(repository: Path) -> None:
    found = only(survey(repository))
    assert heads(found) == ["edit CHANGELOG.md", "edit pyproject.toml", "git commit", "git tag"]
    assert (found.workflow.project, found.workflow.support, found.workflow.held_out) == ("engine", 4, 4)


def test_what_git_does_not_tell_is_called_assumed(repository: Path) -> None:
    found = only(survey(repository))
    assert {found.estimate.sources[name] for name in ("minutes_per_run", "round_trips_per_run", "usd_per_run")} == {
        "assumed"
    }
    assert found.estimate.round_trips_per_run == 1
    assert not found.decision.build


def test_a_bare_repository_tells_the_same(repository: Path, tmp_path: Path) -> None:
    bare = tmp_path / "clone" / "engine.git"
    git(repository, "clone", "-q", "--bare", str(repository), str(bare))
    assert only(survey(bare)).workflow == only(survey(repository)).workflow


def test_a_repository_is_read_again_only_when_its_history_changed(repository: Path, tmp_path: Path) -> None:
    index = store.Store(tmp_path / "store.sqlite")
    reads: list[int] = []

    def ingest() -> int:
        reads.clear()
        intake.ingest(index, [repository], lambda done, total: reads.append(total))
        return len(index.sessions())

    first = ingest()
    assert reads
    (repository / "notes.txt").write_text("not committed")
    assert (ingest(), reads) == (first, [])
    release(repository, 61, "1.0.0")
    assert (ingest(), bool(reads)) == (first + 1, True)
    git(repository, "tag", "v1.0.0-final")
    assert (ingest(), bool(reads)) == (first + 1, True)


def test_sessions_below_a_repository_are_read_beside_its_history(repository: Path) -> None:
    (repository / ".aider.chat.history.md").write_text(
        "\n# aider chat started at 2026-01-05 10:00:00\n\n> /bin/aider\n\n#### hello\n\nHello.\n"
    )
    assert {found.agent for found in intake.scan(Config(), [repository]).found} == {"aider", "git"}


def test_a_workspace_reads_its_own_history_and_a_named_path_only_that(repository: Path, tmp_path: Path) -> None:
    settings = Config(workspace=repository)
    assert {found.agent for found in intake.scan(settings).found} == {"git"}
    (tmp_path / "empty").mkdir()
    assert intake.scan(settings, [tmp_path / "empty"]).found == ()


def test_extract_keeps_no_copy_of_what_git_keeps(repository: Path) -> None:
    upkeep.init(Config(), repository)
    done = flow.extract(Config(workspace=repository))
    assert done.archived == ()
    assert len(done.survey.proposals) == 1


FORMS = {  # shell: its file's name, how it writes a command with its time, seconds it tells that a command took
    "zsh": (".zsh_history", ": {time}:3;{line}\n", 3),
    "bash": (".bash_history", "#{time}\n{line}\n", 0),
    "fish": ("fish_history", "- cmd: {line}\n  when: {time}\n", 0),
}


def typed(tmp_path: Path, shell: str, *, times: bool = True) -> Path:
    """Thirty days on each of which a person tests, builds and copies, twenty seconds apart."""
    name, form, _ = FORMS[shell]
    lines = [
        (form if times else "{line}\n").format(time=T + day * DAY + number * 20, line=line)
        for day in range(30)
        for number, line in enumerate(("make test", "make build", f"rsync -a build/ host:app{day}"))
    ]
    path = tmp_path / "me" / name
    path.parent.mkdir()
    path.write_text("".join(lines))
    return path


@pytest.mark.parametrize("shell", FORMS)
def test_a_persons_pauses_between_commands_are_measured_and_cost_no_round_trips(tmp_path: Path, shell: str) -> None:
    found = only(survey(typed(tmp_path, shell)))
    seconds = FORMS[shell][2]
    assert heads(found) == ["make test", "make build", "rsync"]
    assert found.estimate.sources["minutes_per_run"] == "measured"
    assert found.estimate.minutes_per_run == pytest.approx((2 * (20 - seconds) + 3 * seconds) / 60)
    assert (found.estimate.round_trips_per_run, found.estimate.tokens_per_run, found.estimate.usd_per_run) == (0, 0, 0)
    assert found.decision.build


@pytest.mark.parametrize("shell", ["zsh", "bash"])
def test_without_times_a_persons_pauses_are_assumed_and_nothing_is_built(tmp_path: Path, shell: str) -> None:
    found = survey(typed(tmp_path, shell, times=False))
    assert found.events == 90
    assert all(
        p.estimate.sources["minutes_per_run"] == "assumed" and p.estimate.minutes_per_run > 0 and not p.decision.build
        for p in (*found.proposals, *found.loops)
    )


def test_a_commit_that_an_agent_made_is_told_by_its_session_alone(repository: Path) -> None:
    from meta.model import Event, Session
    from meta.sources import git_history

    sittings = list(git_history.read(repository))
    sha = git_history.joined(sittings)[-1].events[-1].id
    told = f"[main {sha[:7]}] change 58\n 2 files changed\n"
    call = Event("c1", "call", T + 58 * DAY - 1, 'git commit -qm "change 58"', "Bash", "shell", output=told)
    agent = Session("claude-code", "s1", (replace(call, id="c0", text="make test", output=""), call))
    both = git_history.joined([*sittings, agent])
    assert sha not in {event.id for session in both if session.origin == "git" for event in session.events}
    assert [event.arguments.get("commit") for event in both[-1].events] == [None, sha]
    assert git_history.joined(both) == both
    assert len(both) == len(sittings)  # its own sitting is empty and gone
