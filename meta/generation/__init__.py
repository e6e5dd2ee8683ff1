"""From a workflow to the files of a tool."""

from meta.generation.generate import generate
from meta.generation.manifest import with_verdict
from meta.generation.wording import facts, wording
from meta.generation.words import RefusedError

__all__ = ["RefusedError", "facts", "generate", "with_verdict", "wording"]
