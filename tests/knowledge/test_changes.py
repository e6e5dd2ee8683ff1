"""How documents were changed advises the next change once it was seen three times, and not before."""

from __future__ import annotations

import pytest

from meta.knowledge import changes
from meta.knowledge.changes import Change

PLAIN = "---\ntitle: Packing\nwhen: boxes are packed\n---\n## Claims\n- **fast**: It takes 40 seconds.\n"
SCOPED = PLAIN.replace("when:", "scope: two dimensions\nwhen:")
COUNTERED = PLAIN + "## Counter-evidence\n- **fast**: Not on one core. Source: a run.\n"


@pytest.mark.parametrize(
    ("after", "kind"),
    [
        pytest.param(SCOPED, "missing scope", id="a scope"),
        pytest.param(COUNTERED, "no counter-example", id="a counter-example"),
        pytest.param(PLAIN.replace("40", "90"), "stale number", id="a number"),
        pytest.param(PLAIN.replace("are packed", "are packed or stacked"), "narrow trigger", id="a wider trigger"),
        pytest.param(PLAIN + "## Check\n```sh\ntrue\n```\n", "no check", id="a check"),
        pytest.param(PLAIN + "## Evidence\n- **fast**: 40 s. Source: a run.\n", "no evidence", id="evidence"),
        pytest.param(PLAIN.replace("It takes 40 seconds", "It is slow after 12 runs"), None, id="another sentence"),
        pytest.param(PLAIN + "\nA word more.\n", None, id="prose"),
        pytest.param("---\nno end\n", None, id="what cannot be read"),
    ],
)
def test_a_change_is_of_its_kind_and_of_no_other(after: str, kind: str | None) -> None:
    found = [pattern.name for pattern in changes.kinds(Change("c", "a.md", PLAIN, after))]
    assert found == ([kind] if kind else [])


def test_taking_a_scope_out_is_not_adding_one() -> None:
    assert changes.kinds(Change("c", "a.md", SCOPED, PLAIN)) == []


@pytest.mark.parametrize(("times", "told"), [(2, 0), (3, 1)])
def test_advice_needs_three_changes_of_a_kind(times: int, told: int) -> None:
    made = [Change(f"c{n}", f"{n}.md", PLAIN, SCOPED) for n in range(times)]
    found = changes.advice([*made, Change("d", "x.md", PLAIN, COUNTERED)])
    assert len(found) == told
    if told:
        assert found[0].text == "In 3 of 4 changes a scope was added later: say its scope at once."
        assert found[0].evidence == (("c0", "0.md"), ("c1", "1.md"), ("c2", "2.md"))
