"""Real repositories, made here."""

import subprocess
from pathlib import Path

import pytest

from meta import git
from meta.errors import UserError
from meta.model import Event, Session
from meta.sources.git_history import Made, commits_of, read

T = 1767261600


def run(repository: Path, *arguments: str, time: int = T, author: str = "ada") -> str:
    who = {f"GIT_{role}_{key}": value for role in ("AUTHOR", "COMMITTER")
           for key, value in (("NAME", author), ("EMAIL", f"{author}@example.org"), ("DATE", f"@{time} +0000"))}  # fmt: skip
    environment = {**who, "PATH": "/usr/bin:/bin:/usr/local/bin", "HOME": str(repository), "GIT_CONFIG_NOSYSTEM": "1"}
    done = subprocess.run(
        ["git", "-C", str(repository), *arguments], env=environment, check=True, capture_output=True, text=True
    )
    return done.stdout


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    folder = tmp_path / "engine"
    folder.mkdir()
    run(folder, "init", "-q", "-b", "main")
    return folder


def commit(repository: Path, subject: str, time: int = T, author: str = "ada", **files: str) -> str:
    for name, content in files.items():
        (repository / name).write_text(content)
    run(repository, "add", "-A")
    return run(repository, "commit", "-m", subject, "--allow-empty", time=time, author=author)


def test_a_commit_tells_what_it_changed(repository: Path) -> None:
    commit(repository, "add two", a="1", b="1")
    run(repository, "mv", "a", "c d")
    commit(repository, 'move "a"', T + 60, b="2")
    run(repository, "tag", "v1.0")
    run(repository, "tag", "-a", "-m", "x", "latest")
    second, first = git.commits(repository)
    assert (first.subject, first.author, first.email, first.time) == ("add two", "ada", "ada@example.org", float(T))
    assert [(change.status, change.path) for change in first.changes] == [("A", "a"), ("A", "b")]
    assert [(change.status, change.path) for change in second.changes] == [("D", "a"), ("M", "b"), ("A", "c d")]
    assert (second.parents, sorted(second.tags), first.tags) == ((first.sha,), ["latest", "v1.0"], ())
    assert run(repository, "cat-file", "-p", second.changes[1].blob) == "2"


def test_an_empty_commit_and_a_merge_change_nothing(repository: Path) -> None:
    commit(repository, "base", a="1")
    run(repository, "switch", "-qc", "side")
    commit(repository, "side", T + 1, b="1")
    run(repository, "switch", "-q", "main")
    commit(repository, "nothing", T + 2)
    run(repository, "merge", "-q", "-m", "merge side", "side", time=T + 3)
    by_subject = {found.subject: found for found in git.commits(repository)}
    assert [len(by_subject[name].changes) for name in ("base", "side", "nothing", "merge side")] == [1, 1, 0, 0]
    assert len(by_subject["merge side"].parents) == 2


def test_a_repository_without_commits_has_no_history(repository: Path) -> None:
    assert list(git.commits(repository)) == []
    assert list(read(repository)) == []


def test_what_is_no_repository_is_told_in_one_line(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "gone" / "x"):
        with pytest.raises(UserError, match="no git repository") as error:
            list(read(path))
        assert "\n" not in str(error.value)
    with pytest.raises(UserError, match="no git repository"):
        git.root(tmp_path)


def test_no_git_is_told_in_one_line(repository: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(repository))
    with pytest.raises(UserError, match="Install git"):
        list(git.commits(repository))


def test_an_unknown_revision_is_told_and_is_no_option(repository: Path) -> None:
    commit(repository, "base")
    for revision in ("nowhere", "--output=stolen"):
        with pytest.raises(UserError, match="git cannot read"):
            list(git.commits(repository, revision))
    assert not (repository / "stolen").exists()


def test_the_root_is_the_top_folder(repository: Path) -> None:
    (repository / "src").mkdir()
    assert git.root(repository / "src") == repository.resolve()


def test_a_program_named_in_the_configuration_is_not_run(repository: Path) -> None:
    commit(repository, "base", a="1")
    script = repository / "hook.sh"
    script.write_text(f"#!/bin/sh\ntouch '{repository}/ran'\n")
    script.chmod(0o755)
    for key in ("core.fsmonitor", "diff.external", "gpg.program", "core.pager"):
        run(repository, "config", key, str(script))
    run(repository, "config", "log.showSignature", "true")
    assert len(list(git.commits(repository))) == 1
    assert not (repository / "ran").exists()


def test_a_sitting_is_one_authors_and_ends_after_three_hours(repository: Path) -> None:
    for subject, time, author in (("a", 0, "ada"), ("b", 60, "bob"), ("c", 3 * 3600, "ada"), ("d", 7 * 3600, "ada")):
        commit(repository, subject, T + time, author, **{subject: "x"})
    found = list(read(repository))
    assert [[event.text for event in session.events] for session in found] == [["a", "c"], ["b"], ["d"]]
    assert {(session.agent, session.origin) for session in found} == {("git", "git")}
    assert [session.id for session in found] == [session.events[0].arguments["commit"] for session in found]


def test_a_release_can_be_seen_and_many_files_are_a_number(repository: Path) -> None:
    many = {f"f{n}": "x" for n in range(26)}
    commit(repository, "all", T, "ada", **many)
    commit(repository, "release 1.0", T + 60, version="1.0", changelog="x")
    run(repository, "tag", "v1.0")
    (found,) = read(repository)
    first, second = found.events
    assert (first.arguments["files"], "tag" in first.arguments) == ("26", False)
    assert (second.arguments["files"], second.arguments["tag"]) == ("changelog\nversion", "v1.0")
    assert (second.kind, second.tool, second.tool_kind, second.text) == ("call", "git", "commit", "release 1.0")


def session(*events: Event) -> Session:
    return Session("codex", "s", events)


def shell(event_id: str, text: str, output: str = "", time: float | None = None) -> Event:
    return Event(event_id, "call", time, text, tool="Bash", tool_kind="shell", output=output)


def test_a_commit_is_joined_to_the_call_whose_output_names_it(repository: Path) -> None:
    output = commit(repository, "base", a="1")
    sha = next(git.commits(repository)).sha
    calls = [
        shell("e1", "git log", output),
        shell("e2", "git commit -m base", output),
        shell("e3", "git commit", output),
    ]
    assert commits_of([session(*calls)], git.commits(repository)) == (Made(sha, "codex", "s", "e2"),)


def test_a_silent_commit_is_joined_by_subject_and_time(repository: Path) -> None:
    commit(repository, "fix the gate", T + 10, a="1")
    commits = list(git.commits(repository))
    near = shell("e1", 'git commit -qm "fix the gate"', time=float(T + 9))
    late = shell("e2", 'git commit -qm "fix the gate"', time=float(T + 60))
    early = shell("e3", 'git commit -qm "fix the gate"', time=float(T - 600))
    other = shell("e4", 'git commit -qm "fix the door"', time=float(T + 9))
    assert commits_of([session(near)], commits) == (Made(commits[0].sha, "codex", "s", "e1"),)
    for event in (late, early, other):
        assert commits_of([session(event)], commits) == ()


def test_a_commit_tool_names_its_commit(repository: Path) -> None:
    commit(repository, "base", a="1")
    sha = next(git.commits(repository)).sha
    event = Event("e", "call", tool="commit", tool_kind="commit", arguments={"commit": sha[:9]})
    assert [made.commit for made in commits_of([session(event)], git.commits(repository))] == [sha]
