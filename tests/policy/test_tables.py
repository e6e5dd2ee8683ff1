"""Every row counts on the lines it says, and on no line it says not."""

from __future__ import annotations

import pytest

from meta.policy import code, effects, table
from meta.policy.nouns import LEVELS, Row, Wrapper
from meta.policy.walk import Scope, Walk

ROWS = list(dict.fromkeys(row for rows in table.rows().values() for _, row in rows))
WRAPPERS = list(dict.fromkeys(table.wrappers().values()))


def counted(line: str) -> set[Row]:
    """The rows that count somewhere on a line."""
    walk = Walk()
    walk.run(line, Scope())
    return {row for name, *words in walk.judged for row, _ in table.counted(name, tuple(words))}


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.command[:40]} {row.flags[:20]}{row.words[:20]}".strip())
def test_a_row_counts_where_it_says(row: Row) -> None:
    assert row.match, "a row carries a line on which it counts"
    assert set(row.effects.split()) <= LEVELS.keys()
    assert [line for line in row.match if row not in counted(line)] == []
    assert [line for line in row.not_match if row in counted(line)] == []


@pytest.mark.parametrize("wrapper", WRAPPERS, ids=lambda wrapper: wrapper.command[:40])
def test_a_wrapper_hides_nothing(wrapper: Wrapper) -> None:
    assert wrapper.match, "a wrapper carries a line in which it wraps"
    assert [line for line in wrapper.match if effects(line).level < 3] == []


@pytest.mark.parametrize("call", code.CALLS, ids=lambda call: call.match[0])
def test_a_call_is_found_in_code(call: code.Call) -> None:
    for language in call.languages.split("|"):
        assert all(call.effect in _found(language, text, call) for text in call.match)
        assert not any(_found(language, text, call) for text in call.not_match)


def _found(language: str, text: str, call: code.Call) -> set[str]:
    why = f"{language} code: {call.match[0][:40]}"
    return {found.effect for found in code.findings(language, text) if found.why == why}


@pytest.mark.parametrize("statement", code.STATEMENTS, ids=lambda statement: statement.match[0])
def test_a_statement_of_sql_is_found(statement: code.Statement) -> None:
    why = f"SQL: {statement.match[0]}"
    assert all(why in {found.why for found in code.sql(text)} for text in statement.match)
    assert not any(why in {found.why for found in code.sql(text)} for text in statement.not_match)
