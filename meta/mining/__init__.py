"""From sessions to workflows: what was done again and again."""

from meta.mining.releases import releases
from meta.mining.workflows import mine

__all__ = ["mine", "releases"]
