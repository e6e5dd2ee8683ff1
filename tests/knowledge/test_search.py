"""What has rare words in common with a situation is found, best first; what has none is not."""

from __future__ import annotations

import random
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meta.knowledge import guides
from meta.knowledge.guides import parse
from meta.knowledge.search import Entry, Index, spelled, terms

DOCUMENTS = {
    "pipes.md": "---\ntitle: Pipes in bash\nwhen: exit status of a pipeline\n---\nThe last command decides.",
    "folds.md": "---\ntitle: Folds\nwhen: splitting rows for cross-validation\n---\nUse StratifiedKFold of scikit-learn, no shell.",
    "money.md": "---\ntitle: Renting machines\nwhen: a cloud bill\n---\n## Claims\n- **deadline**: Give each a deadline.",
}  # fmt: skip


def index(*names: str) -> Index:
    return Index(Entry.of(parse(DOCUMENTS[name], name)) for name in names or DOCUMENTS)


def found(situation: str, top: int = 3) -> list[str]:
    return [hit.name for hit in index().search(situation, top)]


@pytest.mark.parametrize(
    ("situation", "first"),
    [
        pytest.param("why did my pipeline say it succeeded", "pipes.md", id="by when it applies"),
        pytest.param("stratified k fold", "folds.md", id="by a part of a name in the text"),
        pytest.param("StratifiedKFold fails", "folds.md", id="by a whole name"),
        pytest.param("stratifiedkfold", "folds.md", id="by a name in another case"),
        pytest.param("which DEADLINES were given?", "money.md", id="by another form of a word in a claim"),
        pytest.param("row_splits", "folds.md", id="by a word inside an identifier"),
    ],
)
def test_the_fitting_document_comes_first(situation: str, first: str) -> None:
    assert found(situation)[0] == first


@pytest.mark.parametrize("situation", ["", "what should I do with it?", "zymurgy", '"', "' OR *", "NEAR(a, b)", "\x00"])
def test_what_shares_no_telling_word_is_not_found(situation: str) -> None:
    assert found(situation) == []


def test_no_more_than_asked_for_are_found() -> None:
    assert len(found("command rows cloud")) == 3
    assert len(found("command rows cloud", top=1)) == 1


def test_the_words_of_programs_and_sources_do_not_count() -> None:
    guide = parse(
        "## Claims\n- **a**: Words.\n## Evidence\n- **a**: figure. Source: kaggle.\n## Check\n```sh\nhexdump\n```\n",
        "a.md",
    )
    here = Index([Entry.of(guide)])
    assert [hit.name for hit in here.search("figure")] == ["a.md"]
    assert here.search("kaggle hexdump") == []


@given(st.text())
def test_any_situation_has_an_answer_and_always_the_same(situation: str) -> None:
    names = list(DOCUMENTS)
    random.shuffle(names)
    assert index(*names).search(situation) == index().search(situation)


def test_a_word_of_a_situation_counts_once() -> None:
    assert terms("Deadline, deadline DEADLINE of the myBill") == ["deadline", "mybill", "bill"]
    assert spelled("LightGBM snake_case HTTPServer") == "LightGBM Light GBM snake_case HTTPServer HTTP Server"


def test_two_hundred_documents_are_indexed_and_searched_within_fifty_milliseconds_of_work() -> None:
    shipped = [parse(path.read_text(), name) for name, path in guides.places(None).items()]
    entries = [Entry.of(shipped[number % len(shipped)]) for number in range(200)]
    spent = []
    for _ in range(5):
        began = time.process_time()
        hits = Index(entries).search("ten minutes of CPU are left and the annealer of few pieces stalls")
        spent.append(time.process_time() - began)
        assert len(hits) == 3
    assert min(spent) <= 0.05
