"""Imports go down a floor and never sideways."""

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parents[1] / "meta"
FLOORS = {  # a module may import what stands on a lower floor, and its own room
    "model": 0, "errors": 0, "family": 1, "rendering": 1, "files": 1, "keys": 1, "shell": 1, "vetting": 1, "insertion": 1, "__init__": 0, "spool": 0, "trailers": 1,
    "contract": 2, "codec": 2, "edits": 2, "store": 2, "archive": 2, "redact": 2, "process": 2, "git": 2, "llm": 2, "prices": 2, "config": 2,
    "policy": 2,
    "sources": 3, "mining": 3, "families": 3, "refactoring": 3, "roi": 3, "generation": 3, "verification": 3, "registration": 3, "knowledge": 3,
    "intake": 4, "advisor": 5, "judging": 4, "learning": 4, "aftermath": 4, "building": 4, "gpu": 4, "nudge": 4, "renewal": 5, "cloud": 5, "generators": 5, "refactors": 6, "examining": 5, "flow": 6, "competition": 6, "upkeep": 6, "blame": 6, "why": 6, "spec": 6,
    "daemon": 7, "mcp_server": 7, "hook": 7, "worker": 7, "cli": 8, "__main__": 9,
}  # fmt: skip
HOMES = {  # one package, one home
    "libcst": {"generation", "refactoring"}, "copier": {"generation"}, "plumbum": {"generation"}, "jinja2": {"generation"}, "git": {"git"},
    "anthropic": {"llm"}, "watchdog": {"daemon"}, "mcp": {"mcp_server"}, "numba": {"mining"},
    "tree_sitter": {"shell"}, "tree_sitter_bash": {"shell"}, "re2": {"redact"}, "fsspec": {"cloud"}, "cryptography": {"cloud"}, "sqlite3": {"store", "sources", "knowledge"}, "genai_prices": {"prices"}, "paramiko": {"gpu"}, "pydantic_ai": {"competition"}, "fastmcp": {"competition"},
}  # fmt: skip


def room(path: Path) -> str:
    return path.relative_to(PACKAGE).with_suffix("").parts[0]


def imported(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
    return names


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*.py")), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_imports_go_down_a_floor_and_heavy_packages_stay_at_home(path: Path) -> None:
    here = room(path)
    for name in imported(path):
        head, _, rest = name.partition(".")
        if head == "meta" and rest:
            there = rest.split(".")[0]
            assert there == here or there not in FLOORS or FLOORS[there] < FLOORS[here], f"{path.name} imports {name}"
        assert here in HOMES.get(head, {here}), f"{name} belongs in {HOMES[head]}, not in {here}"
