"""A home and a repository of one's own, as for the commands, and a tool as for registration."""

from tests.cli.conftest import desk, home, repository
from tests.registration.conftest import gate

__all__ = ["desk", "gate", "home", "repository"]
