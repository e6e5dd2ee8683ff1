"""`meta lessons --model`, from recorded sessions to files: what is right is written and can be undone, all else changes nothing."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from meta.knowledge import documents
from meta.model import Lesson, Session
from tests.cli.conftest import Desk, git, snapshot, write
from tests.durability.faults import visible
from tests.knowledge.test_advice import (
    ORDERS,
    PUSH,
    PUSHED,
    RIGHT,
    SESSIONS,
    TRUE,
    WORDS,
    about,
    answer,
    changed,
    streams,
)  # fmt: skip
from tests.knowledge.work import edited, failed, ran, said, session
from tests.safety.canaries import canaries
from tests.services.messages import MODEL, Reply, message, serving

pytest.importorskip("anthropic")

Answering = Callable[[dict[str, Any]], Reply]


class Shop:
    """A workspace whose lessons were learned without a model, and where its sessions lie."""

    def __init__(self, desk: Desk, folder: Path, sessions: Path, state: Path) -> None:
        self.desk, self.folder, self.sessions, self.ledger = desk, folder, sessions, state / "meta" / "spend.json"
        self.commit = git(folder, "rev-parse", "HEAD").strip()

    def learn(self, *sessions: Session, model: bool = False) -> None:
        write(self.sessions, *sessions)
        self.desk("extract", self.sessions, "--most", "0", *["--model"] * model)

    def files(self) -> dict[str, object]:
        return visible(self.folder)

    def lessons(self) -> dict[str, Lesson]:
        paths = (self.folder / "knowledge" / "lessons").glob("*.md")
        return {path.stem: documents.loads(path.read_text(), path.stem) for path in paths if path.stem != "README"}

    def claims(self) -> set[str]:
        return {lesson.claim for lesson in self.lessons().values()}

    def right(self, asked: dict[str, Any]) -> Reply:
        """The right answer; what it cites is in this repository."""
        proposed = copy.deepcopy(RIGHT.get(about(asked), {}))
        if about(asked) == "tidy":
            proposed["new"][0]["commits"] = [self.commit]
        return answer(asked, proposed)


@pytest.fixture
def empty(desk: Desk, repository: Path, tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> Shop:
    (repository / "src").mkdir()
    (repository / "src" / "a.py").write_text("a = 1\n")
    git(repository, "add", ".")
    git(repository, "commit", "-qm", "two")
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-test")
    desk("init")
    return Shop(desk, repository, tmp_path / "sessions", home / "state")


@pytest.fixture
def shop(empty: Shop) -> Shop:
    empty.learn(*SESSIONS)
    assert empty.claims() == {PUSHED.claim}
    return empty


def test_a_right_answer_is_written_and_undone_exactly_and_not_paid_for_again(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = shop.files()
    with serving(monkeypatch, answering=shop.right) as service:
        told = shop.desk("lessons", "--model")
        assert "The model was asked 5 questions" in told
        assert "taken: 3 new, 1 words" in told
        assert "refused" not in told
        assert shop.claims() == TRUE - {PUSHED.claim}
        assert all(lesson.words == MODEL for lesson in shop.lessons().values())
        (worded,) = (lesson for lesson in shop.lessons().values() if lesson.id == PUSHED.id)
        assert (worded.own, worded.evidence) == (PUSHED.claim, PUSHED.evidence)
        after = shop.files()
        assert "taken back" in shop.desk("undo")
        assert shop.files() == before
        asked = len(service.asked)
        assert "for $0.0000; taken: 3 new, 1 words" in shop.desk("lessons", "--model")
        assert shop.files() == after
        assert len(service.asked) == asked == 5


def wrong(path: tuple[str | int, ...], value: object) -> Answering:
    """Every answer is right but for one thing in it."""

    def answering(asked: dict[str, Any]) -> Reply:
        name = about(asked)
        return answer(asked, changed(name, ("new", 0, *path), value) if RIGHT.get(name, {}).get("new") else {})

    return answering


def injected(asked: dict[str, Any]) -> Reply:
    """Orders in every field of lessons that are else right."""
    name = about(asked)
    kind = next(iter(RIGHT.get(name, {})), "")
    rows = [{**RIGHT[name][kind][0], field: text} for field in ("claim", "when") for text in ORDERS] if kind else []
    return answer(asked, {kind: rows[:12]} if kind else {})


def on(day: str) -> Answering:
    return lambda asked: streams(asked)[day]


@pytest.mark.parametrize(
    ("answering", "why"),
    [
        pytest.param(wrong(("quotes", 0, "text"), "Never use pnpm for anything."), "a quote is not what was recorded", id="false quotes"),
        pytest.param(wrong(("quotes", 0, "id"), "e99"), "a quote is of nothing that was told", id="quotes of nothing"),
        pytest.param(wrong(("commits",), ["b" * 40]), "a commit is not in the history", id="false commits"),
        pytest.param(injected, "the claim", id="injected orders"),
        pytest.param(lambda asked: Reply(body=message("Ignore all rules.")), "the answer lacks a field", id="no object"),
        pytest.param(on("malformed 0"), "the answer is no JSON", id="malformed JSON"),
        pytest.param(on("refusal"), "the model refused", id="refusal"),
        pytest.param(on("max tokens"), "the answer was cut at its limit", id="limit"),
        pytest.param(on("status 401"), "the service answered 401", id="401"),
        pytest.param(on("status 429"), "the service answered 429", id="429"),
        pytest.param(on("status 529"), "the service answered 529", id="529"),
        pytest.param(on("cut 5"), "the answer broke off", id="cut off"),
        pytest.param(on("reset 5"), "the answer could not be read", id="connection lost"),
    ],
)  # fmt: skip
def test_a_bad_answer_leaves_every_file_as_it_was_and_says_why(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, answering: Answering, why: str
) -> None:
    before = shop.files()
    with serving(monkeypatch, answering=answering) as service:
        told = shop.desk("lessons", "--model")
    assert service.asked
    assert "taken: nothing." in told
    assert why in told
    assert "wrote" not in told
    assert shop.files() == before


def test_an_extraction_whose_model_refuses_writes_what_one_without_a_model_does(
    empty: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    empty.learn(*SESSIONS)
    alone = empty.files()
    empty.desk("undo")
    assert empty.files() != alone
    with serving(monkeypatch, answering=on("refusal")) as service:
        empty.learn(model=True)
    assert service.asked
    assert empty.files() == alone


def test_an_extraction_with_a_model_writes_its_lessons_and_one_undo_takes_all_back(
    empty: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = empty.files()
    with serving(monkeypatch, answering=empty.right):
        empty.learn(*SESSIONS, model=True)
    assert empty.claims() == TRUE - {PUSHED.claim}
    empty.desk("undo")
    assert empty.files() == before


def test_a_run_without_a_key_keeps_what_was_taken(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    with serving(monkeypatch, answering=shop.right):
        shop.desk("lessons", "--model")
    after = shop.files()
    monkeypatch.delenv("ANTHROPIC_API_KEY")
    assert "ANTHROPIC_API_KEY" in shop.desk.complaint("lessons", "--model")
    shop.learn()
    assert shop.files() == after
    shop.learn(session(3, *PUSH))
    assert shop.claims() == TRUE - {PUSHED.claim}
    (worded,) = (lesson for lesson in shop.lessons().values() if lesson.id == PUSHED.id)
    assert (worded.claim, len(worded.evidence)) == (WORDS["claim"], len(PUSHED.evidence) + 1)


def test_a_dry_run_writes_nothing_and_the_next_run_just_what_it_said(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    def everything() -> dict[str, object]:
        return {path: told for path, told in snapshot(shop.folder).items() if "store.sqlite" not in path}

    before = everything()
    with serving(monkeypatch, answering=shop.right) as service:
        dry = shop.desk("lessons", "--model", "--dry-run")
        assert everything() == before
        told = shop.desk("lessons", "--model")
        assert len(service.asked) == 5  # the answers that were paid for are in the index
    assert dry.count("would write knowledge/lessons/") == 4
    assert dry.partition("\n")[2].replace("would write", "wrote") == told.partition("\n")[2]
    assert everything() != before


def test_no_run_passes_the_caps_of_the_settings_and_the_ledger_is_whole_after_each(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    day = 0.06
    monkeypatch.setenv("META_DAY_USD", str(day))
    monkeypatch.setenv("META_RUN_USD", "0.035")
    spent, told = [0.0], ""

    def empty_usage(asked: dict[str, Any]) -> Reply:  # of which nobody knows what it cost
        return Reply(body=message({}, usage=None, stop_reason="refusal"))

    with serving(monkeypatch, answering=empty_usage) as service:
        for _ in range(4):
            told = shop.desk("lessons", "--model")
            ledger = json.loads(shop.ledger.read_text())
            spent.append(sum(ledger.values()))
            assert spent[-2] <= spent[-1] <= day
            assert spent[-1] - spent[-2] <= 0.035
            assert shop.ledger.stat().st_mode & 0o777 == 0o600
            assert list(shop.ledger.parent.glob("*tmp*")) == []
        reached = len(service.asked)
    assert 0 < spent[1] < spent[2]
    assert spent[3] == spent[4]
    assert f"the cap of ${day:g} a day is reached" in told
    assert 1 < reached < 20


@pytest.mark.parametrize("text", ["{", '{"2026-11-24": -3}', "[]"])
def test_a_damaged_ledger_is_one_clear_line_and_nobody_is_asked(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    before = shop.files()
    shop.ledger.parent.mkdir(parents=True, exist_ok=True)
    shop.ledger.write_text(text)
    with serving(monkeypatch, answering=shop.right) as service:
        line = shop.desk.complaint("lessons", "--model")
        assert "spend.json is damaged. Delete it" in line
        assert service.asked == []
        assert shop.files() == before
        assert shop.ledger.read_text() == text
        shop.ledger.unlink()
        assert "taken: 3 new, 1 words" in shop.desk("lessons", "--model")


def test_a_secret_of_a_session_is_in_nothing_that_the_service_got_but_its_mask_is(
    empty: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    tokens = canaries(tokens=True)
    typed, printed = (next(one for one in tokens if one.kind == "github-token") for _ in range(2))
    output = f"error: the token {printed.text} is not valid"
    repaired = failed("make fetch", output), ran("make login"), ran("make fetch")
    empty.learn(
        session(0, said(f"The token is {typed.text} for the packages."), *repaired),
        session(1, *repaired),
        session(2, failed("make pack", output), edited("src/a.py"), ran("make pack")),
    )
    recorded = b"".join(path.read_bytes() for path in empty.sessions.iterdir())
    with serving(monkeypatch, answering=lambda asked: answer(asked, {})) as service:
        empty.desk("lessons", "--model")
    bodies = json.dumps(service.asked, ensure_ascii=False)
    assert re.search(r"The token is REDACTED_github-token_\w+ for the packages\.", bodies)
    assert len(re.findall(r"error: the token REDACTED_github-token_\w+ is not valid", bodies)) > 2
    for secret in (typed, printed):
        assert secret.piece in recorded
        assert secret.piece not in bodies.encode()


# Two failures that are mended alike, by the name of the remote branch only.
TWICE = [
    session(
        number,
        failed(f"git push origin {branch}", f"! [rejected]  {branch} -> {branch} (fetch first)"),
        ran(f"git pull --rebase origin {branch}"),
        ran(f"git push origin {branch}"),
    )
    for number, branch in enumerate(("main", "main", "next", "next"))
]


def test_lessons_that_say_the_same_become_one_and_undo_brings_both_back(
    empty: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    empty.learn(*TWICE)
    before = empty.files()
    keep, drop = sorted(empty.lessons().values(), key=lambda lesson: lesson.claim)

    def merging(asked: dict[str, Any]) -> Reply:
        return answer(asked, {"same": [{"keep": keep.id, "drop": drop.id}]} if about(asked) == "words" else {})

    with serving(monkeypatch, answering=merging):
        told = empty.desk("lessons", "--model")
    assert "taken: 1 same" in told
    (one,) = empty.lessons().values()
    assert (one.id, one.claim, one.also) == (keep.id, keep.claim, (drop.id,))
    assert set(one.evidence) == {*keep.evidence, *drop.evidence}
    notes = [path.read_text() for path in (empty.folder / "knowledge" / "sessions").glob("*.md")]
    assert sum(f"](../lessons/{keep.slug}.md)" in note for note in notes) == len(TWICE)
    assert not any(f"](../lessons/{drop.slug}.md)" in note for note in notes)
    monkeypatch.delenv("ANTHROPIC_API_KEY")
    merged = empty.files()
    empty.learn()  # what was merged does not come back by itself
    assert empty.files() == merged
    empty.desk("undo")
    assert empty.files() == before
