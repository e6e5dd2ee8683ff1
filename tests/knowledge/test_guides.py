"""A document is read as a person wrote it, and what is wrong in it is told by path and line."""

from __future__ import annotations

import json
from pathlib import Path
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meta.knowledge import guides
from meta.knowledge.guides import Claim, GuideError, parse

WHOLE = """\
---
title: "Pipes: what they tell"
when:
  - a test run is piped
  - 'it''s green although it failed'
scope: bash
expires: 2027-01-31
---

# Pipes

A word before.

## Claims

- **pipe-status**: The status is the last command's.
- `pipefail`: Set it
  before the pipe.

## Evidence

- **pipe-status**: as documented. Source: the manual, Pipelines.

## Counter-evidence

* **pipefail**: a reader that stops early fails the pipe. Source: the same.

## Check

In words.

```sh
set -o pipefail  # fails with: set +o pipefail
! false | cat
# ## Claims
```

## More

A word after.
"""


def wrong(text: str) -> tuple[int, str]:
    with pytest.raises(GuideError) as caught:
        parse(text, "a/b.md")
    assert str(caught.value).startswith(f"a/b.md:{caught.value.line}: ")
    return caught.value.line, caught.value.text


def test_every_part_of_a_document_is_read() -> None:
    guide = parse(WHOLE, "shell/pipes.md")
    assert (guide.name, guide.title) == ("shell/pipes.md", "Pipes: what they tell")
    assert guide.when == "a test run is piped; it's green although it failed"
    assert (guide.scope, guide.expires) == ("bash", "2027-01-31")
    assert guide.claims == (
        Claim("pipe-status", "The status is the last command's.", 16),
        Claim("pipefail", "Set it before the pipe.", 17),
    )
    assert [one.claim for one in (*guide.evidence, *guide.counter)] == ["pipe-status", "pipefail"]
    assert guide.check is not None
    assert guide.check.language == "shell"
    assert guide.check.wrong == ("set +o pipefail\n! false | cat\n# ## Claims\n",)
    assert [line for line in guide.prose.split("\n") if line] == ["A word before.", "A word after."]


def test_a_plain_note_is_a_document_without_claims() -> None:
    guide = parse("# Packing\n\nSome words\n", "packing.md")
    assert (guide.title, guide.claims, guide.check, guide.prose) == ("Packing", (), None, "Some words")


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(WHOLE.replace("\n", "\r\n"), id="with the line ends of another system"),
        pytest.param("\ufeff" + WHOLE, id="with a byte order mark"),
        pytest.param(WHOLE.replace("title:", "Title:").replace("scope:", "owner: me\nscope:"), id="with fields it does not know"),
        pytest.param(WHOLE.replace("\n## Claims", "\n### CLAIMS ##"), id="with another heading"),
        pytest.param(WHOLE.replace("---\n\n#", "---\n\n\n\n#").rstrip(), id="with other blank lines"),
    ],
)  # fmt: skip
def test_an_edit_that_changes_no_meaning_changes_nothing(text: str) -> None:
    guide, before = parse(text, "p.md"), parse(WHOLE, "p.md")
    assert (guide.title, guide.when, guide.scope) == (before.title, before.when, before.scope)
    assert [(one.id, one.text) for one in guide.claims] == [(one.id, one.text) for one in before.claims]
    assert guide.check == before.check


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        pytest.param(WHOLE.replace("---\n\n# Pipes", "\n# Pipes"), 11, "neither", id="front matter that runs into the text"),
        pytest.param("---\ntitle: a\n", 1, "has no end", id="front matter without end"),
        pytest.param(WHOLE.replace("scope: bash", "title: again"), 6, "twice", id="a field told twice"),
        pytest.param(WHOLE.replace("2027-01-31", "next year"), 7, "a day", id="a day that is none"),
        pytest.param(WHOLE.replace("`pipefail`", "**pipe-status**"), 17, "two claims", id="two claims of one name"),
        pytest.param(WHOLE.replace("- `pipefail`: Set", "- Set"), 17, "begins with the name", id="a claim without a name"),
        pytest.param(WHOLE.replace("* **pipefail**", "* **pipes**"), 26, "no claim", id="evidence for no claim"),
        pytest.param(WHOLE.replace("Source: the manual, Pipelines.", "I think."), 22, "where", id="evidence from nowhere"),
        pytest.param(WHOLE.replace("```sh", "```"), 32, "`python` or `sh`", id="a check in no language"),
        pytest.param(WHOLE.partition("! false")[0], 32, "no end", id="a check without end"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_by_its_line(text: str, line: int, said: str) -> None:
    found, words = wrong(text)
    assert (found, said in words) == (line, True), words


LINE = st.text(st.characters(exclude_categories=("C", "Zl", "Zp")), min_size=1).map(str.strip).filter(bool)
PLAIN = st.from_regex(r"[A-Za-z][A-Za-z ,.;()/]*[a-z]", fullmatch=True)
WRITTEN = st.one_of(
    LINE.map(lambda text: (text, json.dumps(text, ensure_ascii=False))),
    LINE.map(lambda text: (text, json.dumps(text))),
    LINE.map(lambda text: (text, "'" + text.replace("'", "''") + "'")),
    LINE.map(lambda text: (text, "'" + text.replace("'", "''") + "' # a remark")),
    PLAIN.map(lambda text: (text, text)),
    PLAIN.map(lambda text: (text, f"{text}  # a remark")),
)


@given(st.lists(WRITTEN, min_size=3, max_size=3), st.dates(), st.randoms(use_true_random=False))
def test_fields_come_back_however_they_are_written(fields: list[tuple[str, str]], day: object, shuffle: Random) -> None:
    lines = [f"{name}: {written}" for name, (_, written) in zip(("title", "when", "scope"), fields, strict=True)]
    lines.append(f"expires: {day}")
    shuffle.shuffle(lines)
    guide = parse("\n".join(["---", *lines, "---", "", "# Other"]), "a.md")
    assert [guide.title, guide.when, guide.scope] == [text for text, _ in fields]
    assert guide.expires == str(day)


@given(st.lists(WRITTEN, min_size=1))
def test_situations_come_back_as_a_list(items: list[tuple[str, str]]) -> None:
    text = "\n".join(["---", "when:", *(f"  - {written}" for _, written in items), "scope: x", "---"])
    assert parse(text, "a.md").when == "; ".join(text for text, _ in items)


def told_at(text: str) -> int:
    """The line of what is wrong, 1 where nothing is."""
    try:
        parse(text, "a.md")
    except GuideError as error:
        return error.line
    return 1


@given(st.text(), st.integers(0, len(WHOLE)), st.integers(0, 40))
def test_whatever_is_written_is_read_or_told_by_its_line(text: str, at: int, cut: int) -> None:
    edited = WHOLE[:at] + text + WHOLE[at + cut :]
    assert 1 <= told_at(edited) <= len(edited.splitlines())


def test_the_version_is_that_of_the_words_alone() -> None:
    assert parse(WHOLE, "a.md").version == parse(WHOLE, "b.md").version
    assert parse(WHOLE, "a.md").version != parse(WHOLE.replace("last", "first"), "a.md").version


def test_a_workspace_overrides_a_shipped_document_by_its_path_and_hides_no_other(tmp_path: Path) -> None:
    (tmp_path / "knowledge" / "gpu").mkdir(parents=True)
    (tmp_path / "knowledge" / "gpu" / "cost.md").write_text("# Ours\n")
    (tmp_path / "knowledge" / "own.md").write_text("# Own\n")
    (tmp_path / "knowledge" / "link.md").symlink_to(tmp_path / "knowledge" / "own.md")
    shipped, found = guides.places(None), guides.places(tmp_path)
    assert {name for name in found if found[name].is_relative_to(tmp_path)} == {"gpu/cost.md", "own.md"}
    assert set(found) - set(shipped) == {"own.md"}
    assert list(found) == sorted(found)


def test_what_was_retired_is_no_document(tmp_path: Path) -> None:
    for name in ("lessons/.retired/old.md", "lessons/new.md"):
        path = tmp_path / "knowledge" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("# x\n")
    own = {name for name, path in guides.places(tmp_path).items() if path.is_relative_to(tmp_path)}
    assert own == {"lessons/new.md"}
