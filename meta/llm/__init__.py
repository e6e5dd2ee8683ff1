"""What a model may be asked, at what cost, and which of its words may be taken: the one home of the Anthropic SDK.

Nothing is asked unless a user said so, and nothing that a model says is believed here.
"""

from meta.llm.asking import Access, Answer, Question, access, ask, ask_all
from meta.llm.spend import Caps, Purse, SpentError, UnusableError
from meta.llm.tools import checked, polish

__all__ = [
    "Access", "Answer", "Caps", "Purse", "Question", "SpentError", "UnusableError", "access", "ask", "ask_all",
    "checked", "polish",
]  # fmt: skip
