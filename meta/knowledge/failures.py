"""What a command said when it failed: the line that tells why, and its form without what differs each time.

What made it pass is found in `repairs`.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass

LONGEST = 200  # characters of a line that are kept
SHOWN = 140  # characters of it that are quoted
_LOOKED_AT = 400  # lines at the end of an output

_COLOUR = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
_STAMP = re.compile(r"^(?:\[?\d{4}[-/]\d\d[-/]\d\d[T ][\d:.,]+Z?\]?\s*)?(?:\[?(?:ERROR|error|E)\]?\s{1,3})?(?=\S)")
_TELLING = tuple(
    re.compile(pattern)
    for pattern in (  # what names the cause, the most telling first
        r"command not found|is not recognized as|unrecognized (?:sub)?command|unknown command|No such (?:sub)?command",
        r"(?i)unrecognized (?:option|argument)|unknown (?:option|flag|argument)|unexpected argument|invalid option|illegal option"
        r"|required (?:option|argument|flag)|the following arguments are required|can be; .* were all set",
        r"^(?:[\w.]+\.)?[A-Z]\w*(?:Error|Exception|Warning)\b(?:: .*)?$",
        r"No module named|Cannot find (?:module|package)|Could not resolve|ERESOLVE|Missing script|not found in module",
        r"(?i)permission denied|read-only file system|address already in use|already exists|is locked",
        r"(?i)\bfatal:|\[rejected\]|rule violations|conflict\b|not fully merged|no upstream branch|would be overwritten",
        r"No such file or directory|cannot access|can't read|cannot open|does not exist|is not a directory|not a git repository",
        r"error(?: TS\d+|\[E\d+\])|\b[Ss]yntax ?[Ee]rror\b",
        r"(?i)^(?:error|fatal|e)\b[:\s]|: error:|\berror:|\bfailed:|\bcannot\b|\bcan't\b|\binvalid\b|\bmust\b|\bmissing\b|\bundefined\b",
        r"(?i)\b(?:failed|failure|denied|refused|unexpected|unsupported|deprecated)\b",
    )
)
_EMPTY = re.compile(
    r"(?i)exit(?:ed)?(?: with)? (?:code|status) \d+|^For more information, try|^Try `|failed to push some refs"
    r"|^error: script \"|^npm (?:ERR!|error)|^\s*at |^note:|^hint: See|^Usage:|^error: (?:all|some) fail"
    r"|^\(?(?:pass|fail|skip|ok|passed|failed)\)? |^[✓✔√✗✘×] |^--- (?:PASS|FAIL)|^(?:got|want|expected|received|actual)\b:?"
    r"|\b0 (?:fail|errors?\b)|^FAILED: |expect\(received\)|^write_stdin failed|\[[\d.]+ ?m?s\]$"
)
_SOURCE = re.compile(
    r"│|^[+-]\s|^\d+\s*\||^[\w./-]+:\d+:[-*#\s]|^\d+[-:]\s|·{2}|→ →|^[>|]\s|^\s*//"
)  # code, a diff or a listing
_MODULE = re.compile(r"(?:No module named|Cannot find (?:module|package)) (?:'([@\w./-]+)'|\"([@\w./-]+)\"|([\w.]+)$)")
_NOT_THERE = re.compile(r"(?i)script not found|missing script")
_BESIDE = re.compile(r"[,;:]? \(?(?:did you mean|try|use|run|see|please|perhaps|maybe)\b.*$", re.IGNORECASE)
_SPEAKS = re.compile(
    r"(?i)\b(?:you|your|please|ignore|disregard|forget|obey|pretend|instructions?|assistant|agents? (?:must|should)|system prompt"
    r"|exfiltrate|reveal|send|upload|curl|wget|eval|always|never)\b|https?://|[\u200b-\u200f\u202a-\u202e]|\$\(|<!--"
)
_TRANSIENT = re.compile(
    r"(?i)timed? ?out|rate.?limit|too many requests|\b(?:429|502|503|504|529)\b|overloaded|temporar|try again later|connection"
    r" (?:reset|refused|aborted|closed|error)|network (?:is )?(?:unreachable|error)|could not resolve host|getaddrinfo"
    r"|name resolution|EAI_AGAIN|ECONNRESET|ETIMEDOUT|ECONNREFUSED|no space left|out of memory|\bkilled\b|sandbox"
    r"|operation not permitted|user (?:rejected|doesn't want)|interrupted|cancelled|canceled|quota|certificate"
)
_SAME = (  # what differs from one time to the next, and what stands for it
    (re.compile(r"https?://\S+"), "URL"),
    (re.compile(r"(?<![\w<])(?:[A-Za-z]:)?[\\/~.]?[\w.@+-]*(?:[\\/][\w.@+<>-]+)+[\\/]?(?::\d+)*(?:\(\d+,\d+\))?"), "PATH"),
    (re.compile(r"\b[\w-]+\.(?:py|ts|tsx|js|jsx|go|rs|md|json|ya?ml|toml|sh|txt|csv|lock|html|css)\b(?::\d+)*(?:\(\d+,\d+\))?"), "PATH"),
    (re.compile(r"'[^']*'|\"[^\"]*\"|`[^`]*`|‘[^’]*’"), "…"),
    (re.compile(r"\b[0-9a-f]{7,40}\b"), "HASH"),
    (re.compile(r"\d+(?:[.,:]\d+)*"), "N"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Said:
    """The line that tells why, as it was printed, and its form."""

    line: str
    form: str

    @property
    def missing(self) -> str:
        """The module that is not there, "" where the failure speaks of something else."""
        found = _MODULE.search(self.line)
        return next(filter(None, found.groups()), "") if found else ""

    @property
    def absent(self) -> bool:
        """Whether a module or a script was not there, so that any other failure afterwards is a step ahead."""
        return bool(self.missing or _NOT_THERE.search(self.line))


def said(output: str) -> Said | None:
    """Why a command failed, by its own words; None where it says nothing that tells."""
    lines = [_STAMP.sub("", _COLOUR.sub("", line).strip()) for line in output.splitlines()[-_LOOKED_AT:]]
    kept = [line for line in lines if line and not (_EMPTY.search(line) or _SOURCE.search(line))]
    for pattern in _TELLING:
        if found := next((line for line in reversed(kept) if pattern.search(line)), None):
            return Said(found[:LONGEST], form(found))
    return None


def form(line: str) -> str:
    """A line without what differs each time, so that the same failure has the same form."""
    if module := _MODULE.search(line):
        return module[0]
    for pattern, stands in _SAME:
        line = pattern.sub(stands, line)
    return re.sub(r"\s+", " ", line)[:LONGEST].strip()


def quoted(line: str) -> str:
    """What of a line may stand in a document, in quotes: its first sentence, "" where it speaks to its reader.

    The rest of a message often says what to do, and what a program prints is no advice of ours.
    """
    first = re.split(r"(?<=[.!?])\s+(?=[A-Z`'\"(])", " ".join(line.split()))[0]
    first = _BESIDE.sub("", first).strip()
    first = first if len(first) <= SHOWN else f"{first[:SHOWN].rsplit(' ', 1)[0]} …"
    fit = first.isprintable() and " " in first and not _SPEAKS.search(first) and not _disguised(first)
    return first if fit else ""


def _disguised(line: str) -> bool:
    """Whether a word mixes alphabets, so that it looks like another one."""
    scripts = ({unicodedata.name(c, "?").split(" ")[0] for c in word if c.isalpha()} for word in line.split())
    return any("LATIN" in found and len(found) > 1 for found in scripts)


def transient(output: Iterable[str]) -> bool:
    """Whether these lines tell of what passes by itself or is not to be mended from here: no lesson is in that."""
    return any(_TRANSIENT.search(line) for line in output)
