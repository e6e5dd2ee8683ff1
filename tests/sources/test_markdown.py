"""Which fences are open behind a text."""

import pytest

from meta.sources.markdown import Fences, fences


@pytest.mark.parametrize(
    ("text", "opened"),
    [
        ("plain", ()),
        ("```", ("```",)),
        ("```bash", ("```",)),
        ("```bash\nx\n```", ()),
        ("````\n```\n````", ()),
        ("````\n```bash\n```\n````", ()),
        ("```\n```bash\n```", ("```",)),
        ("```\n```bash\n```\n```", ()),
        ("~~~\n```\n~~~", ()),
        ("```\n````", ()),
        ("```bash blocks are prose here", ()),
        ("`` ` ``", ()),
        ("    ```", ()),
    ],
)
def test_a_fence_is_open_until_its_like_stands_alone(text: str, opened: Fences) -> None:
    found: Fences = ()
    for line in text.splitlines():
        found = fences(line, found)
    assert found == opened
