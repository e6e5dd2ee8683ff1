"""What a pattern is worth is counted on what it was not learned from."""

from collections.abc import Sequence

from meta.families import score
from meta.families.patterns import answers, learn, learn_together
from meta.families.replay import Moment, Played, decide, made
from meta.families.residue import residues
from meta.families.variants import clusters, named_alike
from meta.family import Coverage, Each, Line, Member, Named, Node, Option, Slot, Text


def provider(name: str, title: str, extra: str = "") -> str:
    return f'class {title}Provider(Base):\n    id = "{name}"\n    url = "https://{name}.example/{len(name)}"\n{extra}provider = {title}Provider\n'


FIVE = {name: provider(name, name.title()) for name in ("alpha", "beta", "gamma", "delta", "epsilon")}


def test_a_new_member_of_the_shape_is_made_whole() -> None:
    pattern = learn("{X}.py", FIVE)
    tally = score.by_pattern(pattern, {}, "zeta", provider("zeta", "Zeta"))
    assert (tally.lines, tally.made, tally.junk) == (4, 4, 0)
    assert tally.plain == 3


def test_lines_of_its_own_are_not_counted_as_made_and_lines_it_lacks_are_junk() -> None:
    pattern = learn("{X}.py", FIVE)
    tally = score.by_pattern(pattern, {}, "zeta", 'import os\n\nprint("hello")\nclass ZetaProvider(Base):\n')
    assert (tally.lines, tally.made, tally.junk) == (3, 1, 3)


def test_nothing_of_a_member_of_another_shape_is_made() -> None:
    tally = score.by_pattern(learn("{X}.py", FIVE), {}, "zeta", "SELECT 1;\nSELECT 2;\n")
    assert (tally.made, tally.junk) == (0, 4)


def test_a_spelling_that_is_no_form_of_the_name_is_a_parameter_of_its_own() -> None:
    pattern = learn("{X}.py", {**FIVE, "tiktok": provider("tiktok", "TikTok")})
    assert answers(pattern, "github", provider("github", "GitHub"))["stem"] == "GitHub"
    assert pattern.defaults["stem"] == Named("name", "pascal")


def test_a_spelling_that_is_a_form_of_the_name_is_no_parameter() -> None:
    assert "stem" not in answers(learn("{X}.py", FIVE), "beta", FIVE["beta"])


def test_rows_of_data_are_repeated_and_constant_lines_are_not() -> None:
    words = {"alpha": "abc", "beta": "defgh", "gamma": "ijkl"}
    lists = {name: "WORDS = [\n" + "".join(f'    "{word}",\n' for word in own) + "]\n" for name, own in words.items()}
    assert any(isinstance(node, Each) for node in learn("{X}.py", lists).nodes)
    same = dict.fromkeys(words, 'WORDS = [\n    "a",\n    "b",\n    "c",\n]\n')
    assert not any(isinstance(node, Each) for node in learn("{X}.py", same).nodes)


def test_the_same_value_in_two_files_is_one_parameter_and_another_value_is_another() -> None:
    code = {name: f'class A:\n    uid = "{name[::-1]}"\n' for name in FIVE}
    test = {
        name: f'def test_a():\n    assert A.uid == "{name[::-1]}"\n    assert A.size == {ord(name[0])}\n'
        for name in FIVE
    }
    one, other = learn_together({"{X}.py": code, "test_{X}.py": test})

    def slots(nodes: Sequence[Node]) -> set[str]:
        lines = [node for node in nodes if isinstance(node, Line)]
        return {piece.parameter for line in lines for piece in line.pieces if isinstance(piece, Slot)}

    assert slots(one.nodes) < slots(other.nodes)
    assert len(slots(other.nodes)) == 2


def test_an_option_is_answered_only_where_it_is_asked_for() -> None:
    extra = "    def extra(self):\n        return None\n"
    members = {name: provider(name, name.title(), extra if name < "d" else "") for name in FIVE}
    roles = {"{X}.py": members}
    patterns = learn_together(roles)
    text = {"{X}.py": provider("zeta", "Zeta", extra)}
    option = next(node.parameter for node in patterns[0].nodes if isinstance(node, Option))
    assert option in score.questions(patterns, roles)
    assert score.by_patterns(patterns, (), "zeta", text)["{X}.py"].made == 4
    assert score.by_patterns(patterns, (option,), "zeta", text)["{X}.py"].made == 6


def test_a_copy_has_the_name_changed_in_every_form_and_nothing_else() -> None:
    assert score.renamed("tik_tok", "TikTok tik-tok TIK_TOK ticktock", "big_box") == "BigBox big-box BIG_BOX ticktock"


def test_members_that_share_are_told_shorter_by_a_pattern_and_those_that_do_not_are_not() -> None:
    long = {
        name: provider(name, name.title(), "    # the same long comment in every member of it\n" * 9) for name in FIVE
    }
    odd = {name: "".join(f"{name[at % len(name)]}{at * ord(name[0])}\n" for at in range(40)) for name in FIVE}
    assert score.mdl_ratio((learn("{X}.py", long),), {"{X}.py": long}) < 0.7
    assert score.mdl_ratio((learn("{X}.py", odd),), {"{X}.py": odd}) > 0.95


def test_what_is_left_out_is_not_learned_from() -> None:
    members = {name: {"{X}.py": f"{name[::-1]} = 1\nshared = {len(name)}\n"} for name in FIVE}
    assert all(files["{X}.py"].plain == 0 for files in score.left_out(members))


def test_only_the_newest_members_are_left_out_and_the_older_ones_teach() -> None:
    names = ("alpha", "beta", "gamma", "delta", "epsilon", "zeta", "eta", "theta", "iota")
    members = {
        name: {"{X}.py": f"first = {name[::-1]!r}\n" + ("old = 1\n" if at < 3 else "")} for at, name in enumerate(names)
    }
    assert [files["{X}.py"].lines for files in score.left_out(members)] == [1] * score.NEWEST
    assert all(files["{X}.py"].made == 1 for files in score.left_out(members))


def test_two_shapes_are_two_clusters_and_one_shape_is_one() -> None:
    one = {name: {"{X}.py": text} for name, text in FIVE.items()}
    two = {
        f"{name}_x": {"{X}.py": f"import {name}\n\n\ndef run(a, b):\n    return a + b * {len(name)}\n"} for name in FIVE
    }
    assert len(clusters(one)) == 1
    assert sorted(map(len, clusters({**one, **two}))) == [5, 5]


def test_the_sibling_named_most_alike_is_the_parent() -> None:
    assert named_alike("case_cost_type", ["incident", "case_cost", "entity_type"]) == "case_cost"
    assert named_alike("quite_other", ["incident", "case_cost"]) == "case_cost"


def test_a_member_is_made_from_its_siblings_by_each_way() -> None:
    moment = Moment(
        Member("zeta", ("zeta.py",)),
        {"{X}.py": provider("zeta", "Zeta")},
        {name: {"{X}.py": text} for name, text in FIVE.items()},
    )
    ways = {way: files["{X}.py"].made for way, files in made(moment).items()}
    assert ways == {"one": 4, "variant": 4, "last": 3, "parent": 3}  # the length in the address is another


def test_a_family_is_refused_with_the_reason_where_little_is_shared() -> None:
    low, high = Coverage(0.2, 0.1), Coverage(0.6, 0.1)
    ways = (Played("one", ()),)
    assert decide(9, {"{X}.py": high}, high, 0.6, ways)[0] == "template"
    assert decide(9, {"{X}.py": low}, low, 0.6, ways)[1].reason.startswith("A template makes only 20%")
    assert decide(9, {"{X}.py": high}, high, 0.97, ways)[0] == "refuse"
    assert decide(3, {"{X}.py": high}, high, 0.6, ways)[0] == "refuse"
    assert decide(9, {"{X}.py": high}, Coverage(0.6, 0.3), 0.6, ways)[0] == "refuse"


def test_a_comment_that_names_a_sibling_is_residue_and_code_that_does_is_not() -> None:
    files = {name: f'"""The {name} service."""\n\nuse("{name}")\n' for name in FIVE}
    files["epsilon"] = files["epsilon"].replace("The epsilon", "The beta")
    files["delta"] = files["delta"].replace('use("delta")', 'use("beta")')
    found = list(residues(files))
    assert [(one.member, one.line, one.says, one.expected) for one in found] == [
        ("epsilon", 1, '"""The beta service."""', '"""The epsilon service."""')
    ]


def test_a_line_of_open_places_alone_is_no_line_of_a_pattern() -> None:
    texts = {name: f"{name[::-1]} {len(name)} {name[1:]}\n" for name in FIVE}
    pattern = learn("{X}.py", texts)
    assert not any(
        isinstance(node, Line) and not all(isinstance(piece, Text) for piece in node.pieces) for node in pattern.nodes
    )
