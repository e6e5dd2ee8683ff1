"""A home and a repository of one's own, as for the commands."""

from tests.cli.conftest import desk, home, repository

__all__ = ["desk", "home", "repository"]
