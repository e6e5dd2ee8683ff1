"""The home, the repository and the sessions of the commands' tests."""

from tests.cli.conftest import desk as desk
from tests.cli.conftest import home as home
from tests.cli.conftest import repository as repository
from tests.cli.conftest import sessions as sessions
