"""What the doctor says of the isolation on this machine."""

import pytest

from meta import upkeep
from meta.verification.sandbox import Rung

NO_BWRAP = Rung("bubblewrap", False, "bwrap is not installed", "sudo apt-get install -y bubblewrap")
NO_LANDLOCK = Rung("landlock", False, "the kernel has no Landlock", "boot another")


@pytest.mark.parametrize(
    ("ladder", "ok", "detail"),
    [
        pytest.param([Rung("bubblewrap", True)], True, "bubblewrap", id="the best"),
        pytest.param(
            [NO_BWRAP, Rung("landlock", True)], True,
            "landlock; bubblewrap: bwrap is not installed. Better with: sudo apt-get install -y bubblewrap", id="the second",
        ),
        pytest.param(
            [NO_BWRAP, NO_LANDLOCK, Rung("limits", True)], False,
            "limits (too weak: tools stay unverified); bubblewrap: bwrap is not installed; "
            "landlock: the kernel has no Landlock. Better with: sudo apt-get install -y bubblewrap", id="the third",
        ),
        pytest.param(
            [Rung("bubblewrap", False, "there is no sandbox for Darwin yet")], False,
            "none (nothing is executed: tools stay unverified); bubblewrap: there is no sandbox for Darwin yet", id="none",
        ),
    ],
)  # fmt: skip
def test_it_tells_the_isolation_why_no_better_one_and_the_command_for_it(
    ladder: list[Rung], ok: bool, detail: str
) -> None:
    assert upkeep.isolation(ladder) == upkeep.Finding("sandbox", ok, detail)
