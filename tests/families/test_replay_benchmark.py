"""What is held against a project's own scaffold is counted as its scaffold is."""

from __future__ import annotations

from benchmarks.families_replay import as_pattern, forecast
from meta.families import replay, score
from meta.families.replay import Moment
from meta.family import Member, Option

TEMPLATE = """class {{ name }}Spider(Spider):
    start_urls = [{{ urls }}]
{{ body }}
    {{ key }}.{{ other }}
{% if tested %}
    tested = True
{% endif %}
    # write me
"""
MADE = "class BigSpider(Spider):\n    start_urls = ['a', 'b']\nanything = at_all\n    x.y\n"


def test_a_hole_matches_anything_and_what_is_not_there_is_to_be_deleted() -> None:
    tally = score.by_pattern(as_pattern("{X}.py", TEMPLATE), {}, "big", MADE)
    assert (tally.lines, tally.made, tally.junk) == (4, 2, 1)


def test_a_line_of_holes_counts_for_neither_side() -> None:
    holes = as_pattern("{X}.py", "{{ body }}\n    {{ key }}.{{ other }}\n$whole\n")
    assert holes.nodes == ()
    assert score.by_pattern(holes, {}, "big", MADE).junk == 0


def test_what_stands_in_an_if_is_an_option_and_what_stands_behind_it_is_not() -> None:
    nodes = as_pattern("{X}.py", TEMPLATE).nodes
    assert [isinstance(node, Option) for node in nodes] == [False, False, True, False]


def test_a_forecast_is_made_without_the_member_that_it_is_of() -> None:
    """The siblings are all one shape and the members another: what is expected is what the siblings say."""
    siblings = {name: {"{X}.py": f"name = '{name}'\n"} for name in ("alpha", "beta", "gamma", "delta")}
    moments = [Moment(Member(name, ()), {"{X}.py": f"for {name}: pass\n"}, siblings) for name in ("one", "two", "six")]
    (role,) = forecast(moments, [replay.made(moment)["one"] for moment in moments])
    assert (role.predicted, role.replayed, role.members) == (1.0, 0.0, 3)


def test_a_role_of_fewer_than_three_members_has_no_forecast() -> None:
    siblings = {name: {"{X}.py": f"name = '{name}'\n"} for name in ("alpha", "beta", "gamma", "delta")}
    moments = [Moment(Member(name, ()), {"{X}.py": f"name = '{name}'\n"}, siblings) for name in ("one", "two")]
    assert forecast(moments, [replay.made(moment)["one"] for moment in moments]) == []
