"""A small family by hand: providers with a file of code and one of tests, listed in two hubs."""

from __future__ import annotations

from collections.abc import Callable

from meta.families import hubs, names, patterns
from meta.families.blueprint import blueprint
from meta.family import Blueprint, Coverage, Family, Hub, HubEdit, Judged, Member, Replayed
from meta.model import Decision, Estimate

Hubs = Callable[[tuple[str, ...]], str]
NAMES = ("acorn", "blue_jay", "cobalt", "dune", "ember_fox", "fjord")
PATHS = ("app/providers/{X}/provider.py", "tests/test_{X}.py")
ESTIMATE = Estimate(0.5, 24, 3, 9000, 0.2, 0.4, 30, 6, (3, 20), {"runs_per_week": "measured"})


def code(name: str, extra: str = "") -> str:
    pascal = names.in_form(name, "pascal")
    scope = "        return ['email']\n" if len(name) % 2 else "        return ['email', 'profile']\n"
    return (
        f'"""Sign in by {names.in_form(name, "title")}."""\n\nfrom app.base import Provider\n\n\n'
        f"class {pascal}Provider(Provider):\n    id = '{name}'\n    url = 'https://{names.in_form(name, 'kebab')}.example.org/token'\n\n"
        f"    def scope(self):\n{scope}{extra}\n\nprovider = {pascal}Provider()\n"
    )


def test_code(name: str) -> str:
    pascal = names.in_form(name, "pascal")
    return (
        f"from app.providers.{name}.provider import {pascal}Provider\n\n\n"
        f"def test_{name}_has_an_id():\n    assert {pascal}Provider().id == '{name}'\n"
    )


def texts(extra: str = "", without_tests: tuple[str, ...] = ()) -> dict[str, dict[str, str]]:
    """The files by path template and name."""
    bodies = {name: extra if name in NAMES[::2] else "" for name in NAMES}
    tests = {name: test_code(name) for name in NAMES if name not in without_tests}
    return {PATHS[0]: {name: code(name, bodies[name]) for name in NAMES}, PATHS[1]: tests}


def members(of: dict[str, dict[str, str]]) -> tuple[Member, ...]:
    return tuple(
        Member(name, tuple(path.replace("{X}", name) if name in of[path] else "" for path in PATHS), f"{number:040x}", 1.7e9 + number)
        for number, name in enumerate(NAMES)
    )  # fmt: skip


def hub(known: tuple[str, ...] = NAMES) -> str:
    return (
        "import os\n\nAPPS = [\n"
        + "".join(f'    "app.providers.{name}",\n' for name in sorted(known))
        + "]\nDEBUG = False\n"
    )


def docs(known: tuple[str, ...] = NAMES) -> str:
    rows = sorted(f"- {names.in_form(name, 'title')}: sign in by `{name}`\n" for name in known)
    return "Providers\n=========\n\n" + "".join(rows) + "\nMore text.\n"


def classes(known: tuple[str, ...] = NAMES) -> str:
    rows = sorted(
        f"from app.providers.{name}.provider import {names.in_form(name, 'pascal')}Provider\n" for name in known
    )
    return "import os\n" + "".join(rows).replace("DuneProvider", "DUNEProvider") + "\nprint(os)\n"


def edits(settings: Hubs = hub) -> tuple[HubEdit, ...]:
    found = []
    for path, text in (("app/settings.py", settings), ("docs/providers.md", docs)):
        adds = [hubs.Add(NAMES[n], text(NAMES[:n]), text(NAMES[: n + 1])) for n in range(2, len(NAMES))]
        edit = hubs.learn(path, adds)
        assert edit is not None
        found.append(edit)
    return tuple(found)


def hub_texts(settings: Hubs = hub) -> dict[str, str]:
    return {"app/settings.py": settings(NAMES), "docs/providers.md": docs()}


def plan(of: dict[str, dict[str, str]], settings: Hubs = hub) -> Blueprint:
    """The blueprint, with another first hub where it is given."""
    return blueprint("providers", members(of), patterns.learn_together(of), of, edits(settings), hub_texts(settings))


def judged(of: dict[str, dict[str, str]]) -> Judged:
    family = Family("fam:3f9c2a", "provider", "files", PATHS, members(of), (Hub("app/settings.py", 0.9),))
    replay = tuple(Replayed(name, f"{n:040x}", Coverage(0.5 + n / 10, 0.1)) for n, name in enumerate(NAMES[-2:]))
    learned = patterns.learn_together(of)
    return Judged(family, learned, Coverage(0.6, 0.1), 0.7, replay, "template", ESTIMATE, Decision(True, "pays back"))


def by_member(of: dict[str, dict[str, str]]) -> dict[str, dict[str, str]]:
    """The files by name and path."""
    return {
        name: {path.replace("{X}", name): each[name] for path, each in of.items() if name in each} for name in NAMES
    }
