"""The home, the repository and the sessions of the commands' tests, and one process that forks for all commands."""

from collections.abc import Iterator

import pytest

from tests.cli.conftest import desk as desk
from tests.cli.conftest import home as home
from tests.cli.conftest import repository as repository
from tests.cli.conftest import sessions as sessions
from tests.durability.faults import Warm


@pytest.fixture(scope="session")
def warm() -> Iterator[Warm]:
    process = Warm()
    yield process
    process.close()
