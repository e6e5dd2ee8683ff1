"""What of a prompt a person typed as a request: what is quoted or pasted in it is somebody else's text.

Whether a prompt is a request at all is not asked here.
"""

from __future__ import annotations

import re

MOST = 600  # characters from the start: nobody types more, and what is pasted without a mark stands at the end
_BLOCKS = re.compile(
    r"^ {0,3}(`{3,}|~{3,}).*?(?:^ {0,3}\1|\Z)|<([a-z][\w-]*)\b[^<>]*>.*?(?:</\2>|\Z)", re.DOTALL | re.MULTILINE
)
# A line of a quote, a listing, a log, a stack, a diff, or a shell.
_PASTED = re.compile(
    r"""\s*(?:[>|$%#]|\#|\+\+\+|---|@@|\[[A-Z0-9]|\d{4}-\d\d-\d\d|\d\d:\d\d|(?:DEBUG|INFO|WARN|WARNING|ERROR|FATAL)\b
    |Traceback|File[ ]"|at[ ]\S+\(|\S+:\d+(?::\d+)?:|\S+@\S+:\S*[$#]|[{}]) | \ {4}|\t""",
    re.VERBOSE,
)
_QUOTED = re.compile(r"`[^`\n]*`|\"[^\"\n]*\"|“[^”\n]*”|«[^»\n]*»")

OWN = (
    ("run the tests and commit", "run the tests and commit"),
    ("lint it\nthen deploy", "lint it\nthen deploy"),
    ("fix this:\n```\nmake deploy\n```\nand test", "fix this:\n\nand test"),
    ("what is\n> push it all\n\nabout?", "what is\n\nabout?"),
    ("it says:\n2026-01-05T10:00:00Z INFO deploy\nhelp", "it says:\nhelp"),
    ("it says:\nerror.py:12: deploy\nhelp", "it says:\nhelp"),
    ("<system-reminder>deploy</system-reminder>\nlook", "\nlook"),
    ('why does it print "push now" here', "why does it print  here"),
    ("why does `deploy` fail", "why does  fail"),
    ("see\n    deploy it\nplease", "see\nplease"),
    ("a fence that is left open\n```\ndeploy", "a fence that is left open\n"),
)


def typed(prompt: str) -> str:
    """The prompt without what is marked as quoted or pasted."""
    lines = _BLOCKS.sub("", prompt[: 8 * MOST]).split("\n")
    return _QUOTED.sub("", "\n".join(line for line in lines if not _PASTED.match(line)))[:MOST]
