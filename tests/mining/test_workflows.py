"""From a project's sessions to its workflows, and what need not be lifted twice."""

from collections.abc import Callable

from meta.mining.workflows import mine
from meta.model import Event, Session, Workflow


def session(number: int, *lines: str) -> Session:
    start = 1_790_000_000.0 + number * 86_400
    prompt = Event(f"{number}-p", "prompt", start, f"do the thing number {number}")
    calls = [
        Event(f"{number}-{k}", "call", start + 10 * k + 5, line, "Bash", "shell", status="ok", message=f"{number}-{k}")
        for k, line in enumerate(lines)
    ]
    return Session("claude-code", f"s{number}", (prompt, *calls), project="p", cwd="/home/ada/p")


def habit(number: int) -> Session:
    return session(number, f"pytest -q tests/test_{number}.py", "ruff check src", f"git commit -am 'Change {number}'")


class Memory:
    """What was lifted, by key, and how often it had to be."""

    def __init__(self) -> None:
        self.kept: dict[str, Workflow] = {}
        self.lifted = 0

    def __call__(self, key: str, lift: Callable[[], Workflow]) -> Workflow:
        if key not in self.kept:
            self.lifted += 1
            self.kept[key] = lift()
        return self.kept[key]


def test_the_same_steps_in_three_sessions_are_a_workflow_and_in_two_are_not() -> None:
    (found,) = mine("p", map(habit, range(3)))
    assert [step.head for step in found.steps] == ["pytest", "ruff check", "git commit"]
    assert found.support == 3
    assert mine("p", map(habit, range(2))) == []


def test_looking_around_is_no_workflow() -> None:
    assert mine("p", [session(k, "git status", "git diff", "ls -la", "cat README.md") for k in range(6)]) == []


def test_runs_that_stayed_the_same_are_not_lifted_again() -> None:
    memory = Memory()
    first = mine("p", map(habit, range(4)), remember=memory)
    again = mine("p", [*map(habit, range(4)), session(9, "make docs")], remember=memory)
    assert (again, memory.lifted) == (first, 1)
    mine("p", map(habit, range(5)), remember=memory)
    assert memory.lifted == 2


def heads(*lines: str) -> list[list[str]]:
    """The heads of the workflows of six sessions with these lines, in which `{}` differs."""
    sessions = [session(k, *(line.format(f"{k}-x") for line in lines)) for k in range(6)]
    return [[step.head for step in workflow.steps] for workflow in mine("p", sessions)]


def test_what_is_deleted_by_name_is_left_to_who_names_it_and_a_fixed_folder_is_not() -> None:
    assert heads("make build", "make check", "rm -f /tmp/{}", "git push") == [["make build", "make check", "git push"]]
    assert heads("rm -rf dist", "make build", "make check") == [["rm", "make build", "make check"]]


def test_runs_that_only_a_deletion_joins_are_no_workflow() -> None:
    assert heads("make check", "rm -f /tmp/{}", "make check") == []
    assert heads("make check", "rm -f /tmp/{}") == []
