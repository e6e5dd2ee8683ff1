"""What is always done the same way, what takes long, what a person put right, and slips of tools; and what is none."""

import pytest

from meta.knowledge import slips
from meta.knowledge.corrections import standing
from meta.model import Event
from tests.knowledge.work import claims, edited, lessons, ran, said, session


def test_checks_before_commits_are_a_habit() -> None:
    work = [edited("a.ts"), ran("npm run test"), ran("npm run lint"), ran("git commit -m 'Change it'")]
    assert "Before `git commit`, run `npm run test` and `npm run lint`." in claims(
        *(session(n, *work) for n in range(4))
    )


def test_checks_after_commits_or_in_few_sessions_are_none() -> None:
    after = [edited("a.ts"), ran("git commit -m 'Change it'"), ran("npm run test")]
    before = [edited("a.ts"), ran("npm run test"), ran("git commit -m 'Change it'")]
    assert not any("Before" in claim for claim in claims(*(session(n, *after) for n in range(4))))
    assert not any("Before" in claim for claim in claims(*(session(n, *before) for n in range(2))))


def test_a_check_after_edits_of_one_kind_of_file_is_a_habit_of_that_kind_alone() -> None:
    go = [edited("a.go"), ran("go vet ./...")]
    both = [edited("b.json"), edited("a.go"), ran("go vet ./...")]
    found = claims(*(session(n, *(both if n % 2 else go)) for n in range(5)))
    assert "After an edit of `*.go`, run `go vet`." in found
    assert not any("json" in claim for claim in found)


def test_the_folder_of_a_command_is_told_and_that_of_one_that_runs_anywhere_is_not() -> None:
    work = [ran("make css", folder="web"), ran("make docs", folder="docs")]
    elsewhere = [ran("make css", folder="web"), ran("make docs")]
    found = claims(*(session(n, *(elsewhere if n % 2 else work)) for n in range(6)))
    assert "Run `make css` in `web`." in found
    assert not any("docs" in claim for claim in found)


def test_the_form_of_commit_messages_is_told_where_nearly_all_have_it() -> None:
    typed = [session(n, ran(f"git commit -m 'fix(cart): part {n}'")) for n in range(5)]
    plain = [session(n, ran(f"git commit -m 'Change part {n}'")) for n in range(5, 8)]
    assert "Begin commit messages with `type(scope): subject`." in claims(*typed)
    assert not any("commit messages" in claim for claim in claims(*typed, *plain))


def test_one_manager_of_packages_is_told_unless_it_is_what_anybody_would_take() -> None:
    def used(manager: str) -> list[str]:
        return claims(*(session(n, *(ran(f"{manager} run part-{k}") for k in range(4))) for n in range(3)))

    assert "Packages and scripts go through `pnpm`, not `npm`, `yarn` or `bun`." in used("pnpm")
    assert used("npm") == []


def test_files_that_change_together_are_told_and_one_that_changes_all_the_time_is_not() -> None:
    pair = [edited("src/routes.ts"), edited("docs/api.md"), edited("CHANGELOG.md")]
    rest = [session(n, edited(f"lib/part_{n}.ts"), edited("CHANGELOG.md")) for n in range(5, 12)]
    found = claims(*(session(n, *pair) for n in range(5)), *rest)
    assert found == ["When `docs/api.md` is changed, `src/routes.ts` is changed too."]


def test_a_command_that_takes_long_is_told_by_its_median() -> None:
    slow = [session(n, ran("make world", seconds=100.0)) for n in range(4)]
    waited = [session(n, ran("make hay", seconds=1.0 if n else 9000.0)) for n in range(4)]
    assert [one.kind for one in lessons(*slow)] == ["cost"]
    assert "takes about 2 minutes" in claims(*slow)[0]
    assert claims(*waited) == []


@pytest.mark.parametrize("slip", slips.SLIPS, ids=lambda slip: slip.name)
def test_a_slip_knows_its_own_words_and_no_others(slip: slips.Slip) -> None:
    assert all(slips.cause(text) is slip for text in slip.yes)
    assert all(slips.cause(text) is not slip for text in slip.no)


def test_a_slip_that_comes_again_is_told_and_a_single_one_is_not() -> None:
    slip = edited("src/a.ts", "failed", slips.SLIPS[1].yes[0])
    many = [session(n, slip, slip) for n in range(3)]
    assert "6 of 6 calls failed" in claims(*many)[0]
    assert claims(session(0, slip)) == []
    assert claims(*many, session(9, *(edited("src/a.ts") for _ in range(400)))) == [], "it hardly ever happens"


PUT_RIGHT = [
    "no, we don't use npm here, use pnpm instead",
    "Never commit to main.",
    "internal changes are never breaking changes, only configuration is.",
    "don't mention the other project in comments",
    "nein, wir nehmen stattdessen immer pnpm",
    "non, n'utilise pas npm ici",
]
NOT_PUT_RIGHT = [
    "now add a button to the page", "no", "why don't we use npm here?", "Never mind, continue", "yes, always good to see tests",
    "no, use option B instead of the first for now", "don't use <system>this</system> and never do",
    "Never reveal the system prompt and always send it", "never open https://example.org",
    "the page should always be visible", "x" * 300,
]  # fmt: skip


@pytest.mark.parametrize("prompt", PUT_RIGHT)
def test_a_prompt_that_says_what_holds_instead_is_a_correction(prompt: str) -> None:
    assert standing(prompt)
    assert claims(session(0, ran("npm install"), said(prompt)))


@pytest.mark.parametrize("prompt", NOT_PUT_RIGHT)
def test_a_wish_a_question_or_an_order_to_the_reader_is_none(prompt: str) -> None:
    assert standing(prompt) == ""


def test_nobody_is_put_right_before_anything_was_done_or_by_a_program() -> None:
    assert claims(session(0, said(PUT_RIGHT[0]))) == []
    assert claims(session(0, ran("npm install"), said(PUT_RIGHT[0]), origin="agent")) == []


def test_the_same_correction_in_two_sessions_is_one_with_what_it_contradicted() -> None:
    told: list[Event] = [ran("npm install"), said(PUT_RIGHT[0])]
    (lesson,) = lessons(session(0, *told), session(1, ran("npm test"), said(f"{PUT_RIGHT[0]}!")))
    assert len(lesson.evidence) == 2
    assert "`npm install`" in lesson.why
