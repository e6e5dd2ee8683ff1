import pytest
from hypothesis import given
from hypothesis import strategies as st

from meta.families import paths

PATHS = st.lists(
    st.text(st.sampled_from("aXY0_-. é{}"), min_size=1, max_size=14), min_size=1, max_size=5
).map("/".join)  # fmt: skip


@pytest.mark.parametrize(("path", "name", "template"), [
    pytest.param("moto/s3/models.py", "s3", "moto/{X}/models.py", id="a folder"),
    pytest.param("tests/test_s3/test_s3.py", "s3", "tests/test_{X}/test_{X}.py", id="wherever it is written"),
    pytest.param("src/tik-tok/TikTokView.vue", "tiktok", "src/{X}/{X}View.vue", id="however it is written"),
    pytest.param("spiders/chi_ssa_42.py", "ssa42", "spiders/chi_{X}.py", id="the end of a name"),
    pytest.param("app/UserController.java", "user", "app/{X}Controller.java", id="the beginning of a name"),
    pytest.param("checks/IAMPolicy.py", "iam", "checks/{X}Policy.py", id="an abbreviation"),
    pytest.param("a/pay.test.ts", "pay", "a/{X}.test.ts", id="before two endings"),
])  # fmt: skip
def test_a_name_is_open_in_all_its_places(path: str, name: str, template: str) -> None:
    assert paths.opened(path)[name] == template


@pytest.mark.parametrize(("path", "name"), [
    pytest.param("moto/s3/models.py", "py", id="an ending"),
    pytest.param("moto/s3/__init__.py", "init", id="a name of the language"),
    pytest.param("moto/s3/models.py", "s3models", id="across folders"),
    pytest.param("moto/s3/models.py", "model", id="a part of a word"),
    pytest.param("a_b_c_d_e_f_g_h_i_j_k_l_m.py", "a", id="a sentence"),
])  # fmt: skip
def test_what_is_no_name_stays(path: str, name: str) -> None:
    assert name not in paths.opened(path)


@given(PATHS)
def test_a_template_with_its_values_is_the_path(path: str) -> None:
    for name, template in paths.opened(path).items():
        values = paths.values(template, path)
        assert values
        assert {paths.key(value) for value in values} == {name}
        assert paths.render(template, values) == path


def test_a_path_of_another_template_has_no_values() -> None:
    assert paths.values("a/{X}/{X}.py", "a/b/c.py") is None
    assert paths.values("a/{X}.py", "a/b/c.py") is None


@pytest.mark.parametrize("kind", paths.LEFT_OUT, ids=lambda kind: kind.why)
def test_each_reason_holds_for_its_example_and_not_for_the_other(kind: paths.Kept) -> None:
    assert paths.left_out(kind.example) == kind.why
    assert not paths.left_out(kind.other)


@pytest.mark.parametrize(("path", "expected"), [
    ("tests/test_a.py", True), ("src/a_test.go", True), ("web/a.spec.ts", True), ("docs/a.rst", True),
    ("exp/a.yaml", True), ("a/.gitignore", True), ("a/LICENSE", True), ("src/a.py", False), ("src/license.py", False), ("src/contest/a.py", False), ("src/attestation.py", False),
])  # fmt: skip
def test_a_test_a_page_and_data_go_with_something_else(path: str, expected: bool) -> None:
    assert paths.beside(path) is expected
