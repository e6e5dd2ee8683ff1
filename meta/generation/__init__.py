"""From a workflow to the files of a tool."""

from meta.generation.generate import generate
from meta.generation.manifest import with_verdict
from meta.generation.words import RefusedError

__all__ = ["RefusedError", "generate", "with_verdict"]
