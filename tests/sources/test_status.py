import pytest

from meta.sources.status import shell_status


@pytest.mark.parametrize(
    ("command", "exit_code", "status"),
    [
        pytest.param("make", 0, "ok", id="0 is a success"),
        pytest.param("make", 2, "failed", id="2 is none"),
        pytest.param("make", None, "unknown", id="no exit code says nothing"),
        pytest.param("rg -n TODO src", 1, "ok", id="rg found nothing"),
        pytest.param("rg -n '(' src", 2, "failed", id="rg could not search"),
        pytest.param("cd a && grep -r 'x|y' .", 1, "ok", id="the last command decides"),
        pytest.param('cat a | grep "b; c"', 1, "ok", id="a separator in quotes is none"),
        pytest.param("grep x a; make", 1, "failed", id="an earlier grep does not decide"),
        pytest.param("diff a b 2>&1", 1, "ok", id="a redirection is no separator"),
        pytest.param("LC_ALL=C sudo /usr/bin/diff a b", 1, "ok", id="what stands before the program is seen through"),
        pytest.param("git diff --exit-code", 1, "ok", id="git diff answers too"),
        pytest.param("git push", 1, "failed", id="git push does not"),
        pytest.param("", 1, "failed", id="an empty command"),
    ],
)
def test_an_exit_of_one_fails_only_where_it_is_no_answer(command: str, exit_code: int | None, status: str) -> None:
    assert shell_status(command, exit_code) == status
