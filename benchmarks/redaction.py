"""How much is masked that should be, how much that should not, and how fast.

    python -m benchmarks.redaction kinds             made-up secrets of many kinds in many places
    python -m benchmarks.redaction creddata DIR      labelled values in public repositories
    python -m benchmarks.redaction leaky DIR         a repository made to leak; its labels tell lines a file
    python -m benchmarks.redaction commands FILE     ordinary commands, one a line: how many are touched
    python -m benchmarks.redaction speed [DIR]       hostile texts beside ordinary ones, in CPU time

For `creddata`, DIR is what the `download_data.py` of CredData (https://github.com/Samsung/CredData) leaves: `meta/` with
a table of labels for each repository, and `data/` with the files, values replaced by random ones. Repositories that are
not there are left out. Those with an even name (a hash) were looked at while rules were written, the others were not.
For `leaky`, DIR is a checkout of https://github.com/Plazmaz/leaky-repo; `commands` takes `data/bash/all.cm` of
https://github.com/TellinaTool/nl2bash. For `speed`, DIR is a folder of sessions; without it the bundled ones are read.
"""

from __future__ import annotations

import csv
import hashlib
import json
import random
import re
import string
import sys
import time
from bisect import bisect_right
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks import secret_kinds
from meta import sources
from meta.redact import Redactor
from meta.redact.names import PLACEHOLDER

# What identifies and is no secret.
IDENTIFIERS = frozenset(
    {"UUID", "AWS S3 Bucket", "Nonce", "AWS Client ID", "Firebase Domain", "Tencent WeChat API App ID"}
)


class Traced(Redactor):
    """Remembers what every placeholder stands for."""

    def __init__(self) -> None:
        super().__init__(b"k" * 32)
        self.known: dict[str, str] = {}

    def placeholder(self, kind: str, secret: bytes) -> bytes:
        made = super().placeholder(kind, secret)
        self.known[made.decode()] = secret.decode(errors="surrogatepass")
        return made

    def masked(self, text: str) -> list[tuple[int, int]]:
        """The places of the text that are masked, in order."""
        self.known.clear()
        redacted = self.text(text)
        places, offset, end = [], 0, 0
        for match in PLACEHOLDER.finditer(redacted):
            offset += match.start() - end
            size, end = len(self._whole(match[0])), match.end()
            if match[0] in self.known:
                places.append((offset, offset + size))
            offset += size
        if offset + len(redacted) - end != len(text):
            raise AssertionError("the places were not found again")
        return places

    def _whole(self, text: str) -> str:
        """The text with what its placeholders stand for."""
        return PLACEHOLDER.sub(
            lambda match: self._whole(self.known[match[0]]) if match[0] in self.known else match[0], text
        )


# Labels that span a whole set of values: of these the parts are judged that are secret.
COMPOSITES = {
    "JWK": re.compile(r"""["']?\b(?:d|k|p|q|dp|dq|qi|oth)["']?\s*:\s*["']([^"']+)"""),
    "AWS Multi": re.compile(r"([A-Za-z0-9+/=]{16,})[^A-Za-z0-9+/=]*$"),
    "Google Multi": re.compile(r"([\w-]{16,})\W*$"),
}


@dataclass(frozen=True, slots=True)
class Label:
    """A secret value in a text, by offsets, and what of it is secret."""

    start: int
    end: int
    category: str
    parts: tuple[tuple[int, int], ...]


def kinds() -> dict[tuple[bool, int], tuple[int, int, Counter[tuple[str, str]]]]:
    """Masked and all samples, and what was missed, by (a vendor's, depth)."""
    redactor = Redactor(b"k" * 32)
    found: dict[tuple[bool, int], tuple[int, int, Counter[tuple[str, str]]]] = {}
    for sample in secret_kinds.samples():
        masked, total, missed = found.get((sample.vendor, sample.depth), (0, 0, Counter()))
        leak = secret_kinds.leaks(sample, redactor.text(sample.text))
        if leak:
            missed[sample.kind, sample.context] += 1
        found[sample.vendor, sample.depth] = (masked + (not leak), total + 1, missed)
    return found


def creddata(folder: Path) -> Iterator[tuple[str, str, str, list[Label]]]:
    """The labelled files: repository, path, text, labels."""
    for table in sorted((folder / "meta").glob("*.csv")):
        by_file: dict[str, list[dict[str, str]]] = defaultdict(list)
        with table.open(newline="") as file:
            for row in csv.DictReader(file):
                by_file[row["FilePath"]].append(row)
        for path, rows in sorted(by_file.items()):
            if (folder / path).is_file():
                data = (folder / path).read_bytes().decode(errors="replace")
                text = data.replace("\r\n", "\n").replace("\r", "\n")
                yield table.stem, path, text, list(_labels(text, rows))


def _labels(text: str, rows: Iterable[dict[str, str]]) -> Iterator[Label]:
    starts = [0]
    for line in text.split("\n"):
        starts.append(starts[-1] + len(line) + 1)
    for row in rows:
        if row["GroundTruth"] != "T" or set(row["Category"].split(":")) <= IDENTIFIERS:
            continue
        first, last = starts[int(row["LineStart"]) - 1], starts[int(row["LineEnd"]) - 1]
        start = first + max(int(row["ValueStart"] or 0), 0)
        end = last + int(row["ValueEnd"]) if int(row["ValueEnd"] or -1) > 0 else starts[int(row["LineEnd"])] - 1
        composite = COMPOSITES.get(row["Category"])
        parts = list(composite.finditer(text, start, end)) if composite else []
        yield Label(start, end, row["Category"], tuple(part.span(1) for part in parts) or ((start, end),))


def covers(places: Sequence[tuple[int, int]], label: Label, text: str) -> bool:
    return all(_covered(places, start, end, text) for start, end in label.parts)


def _covered(places: Sequence[tuple[int, int]], begin: int, end: int, text: str) -> bool:
    """Whether every letter and digit of the value is masked, the quotes around it and the frame of a key aside."""
    frame = text.find("-----BEGIN", begin, end)
    begin = frame if frame > 0 else begin
    frame = text.rfind("-----", begin, end)
    end = frame + 5 if frame > 0 and "-----END" in text[begin:end] else end
    while begin < end and text[begin] in "\"'` \n":
        begin += 1
    while begin < end and text[end - 1] in "\"'` \n;,":
        end -= 1
    at = bisect_right(places, (begin, len(text))) - 1
    while begin < end:
        if at < 0 or at >= len(places) or not places[at][0] <= begin < places[at][1]:
            return False
        begin, at = places[at][1], at + 1
        while begin < end and not text[begin].isalnum():
            begin += 1
    return True


def leaky(folder: Path) -> Iterator[tuple[str, int, int]]:
    """Path, risky lines that were masked, and all of them."""
    redactor = Traced()
    for line in (folder / ".leaky-meta" / "secrets.csv").read_text().splitlines():
        if not line.strip() or line.startswith("#"):
            continue
        path, risky, _ = line.split(",")
        text = (folder / path).read_bytes().decode(errors="replace")
        lines = {
            number
            for start, end in redactor.masked(text)
            for number in range(text.count("\n", 0, start), text.count("\n", 0, end) + 1)
        }
        yield path, min(len(lines), int(risky)), int(risky)


def _token(source: random.Random) -> str:
    return "ghp_" + "".join(source.choices(string.ascii_letters + string.digits, k=36))


def _nested(text: str, depth: int) -> str:
    for _ in range(depth):
        text = json.dumps({"a": text})
    return text


# Texts made to be slow: a piece that is repeated, or made anew each time.
HOSTILE: dict[str, Callable[[random.Random], str]] = {
    **{
        f"{piece[:24]!r}": (lambda _, piece=piece: piece)
        for piece in (
            "a", "A9b", ".", "-", ":", "=", "\n", " ", "\0", "é", '"', "\\", '\\"', '\\"a', '"\\n" ', '"\\""', "key=", "key=key=", 'token="',
            "token=", "password=x1y2z3 ", '"password": "x1y2z3!", ', '"token": "string", ', "pass:", "password: true\n",
            "password 'hunter2' ", "the token is x1y2z3 ", "<private>", "<private>a</private>", "</private>", "a@", "a@b.", "u@acme.com ", "a://b:c@",
            "://", "curl ", "curl -u a:b1c2d3 ", "curl -u ", "mysql -p", "docker login -p ", "sshpass -p x", "--token abc123x ", "--password ",
            "-----BEGIN PRIVATE KEY-----", "-----BEGIN PRIVATE KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASC\n", "-----END RSA PRIVATE KEY-----\n",
            "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQ\n-----END PRIVATE KEY-----\n", "sk-", "sk-ant-", "ghp_", "eyJ", "eyJabcdefghijkl.", "AKIA",
            "<token>abc1</token>", "<a_key ", "Cookie: a=b; ", "Bearer abcdef1234567 ", "Authorization: Basic dXNlcjpwYXNzd29yZA== ", 'name: a_token value: ',
            "REDACTED_secret_00ffaa ", 'TOKEN=TOKEN="x1y2', "echo a b | sudo ", "machine a login b password c ", "x=0123456789abcdef0123456789abcdef ",
            "api_key(\"x1\")", "tokens: [\"a1b2c3d4e5f6\", ", "\\u0041", "\\\\n",
        )
    },
    "tokens": lambda source: _token(source) + " ",
    "assigned tokens": lambda source: f"TOKEN={_token(source)}\n",
    "random values": lambda source: f'x="{_token(source)[4:]}" ',
    "tokens in JSON": lambda source: json.dumps(f'x\n"{_token(source)}"') + ",",
    "addresses": lambda source: f"https://u:{source.random()}@h.io/ ",
    "mail addresses": lambda source: f"u{source.random()}@acme.com ",
    "ids": lambda source: f"{source.getrandbits(128):032x}-",
    "Base64": lambda source: "".join(source.choices(string.ascii_letters + string.digits + "+/", k=76)),
    "Base64 in lines": lambda source: "".join(source.choices(string.ascii_letters + string.digits + "+/", k=76)) + "\n",
    "names of secrets": lambda source: f"{source.choice(['api_key', 'password', 'token'])}: {source.choice(['str', 'x', 'None', '$A'])}, ",
    "a vendor's beginnings": lambda source: source.choice(["sk-", "ghp_", "xoxb-", "AKIA", "glpat-", "npm_", "key-", "hf_", "SG.", "pat", "re_"]) + "a1 ",
}  # fmt: skip


def hostile(name: str, size: int) -> str:
    source, pieces, length = random.Random(1), [], 0
    while length < size:
        pieces.append(HOSTILE[name](source))
        length += len(pieces[-1])
    text = "".join(pieces)
    return _nested(text, 3) if name == "tokens in JSON" else text


def rate(redactor: Redactor, texts: Sequence[str]) -> float:
    """Bytes a second of CPU time, the best of three."""
    size, best = sum(len(text.encode(errors="surrogatepass")) for text in texts), float("inf")
    for _ in range(3):
        start = time.process_time()
        for text in texts:
            redactor.text(text)
        best = min(best, time.process_time() - start)
    return size / best


def ordinary(folder: Path, size: int) -> list[str]:
    """The prompts, commands, arguments and outputs of sessions, up to so many characters."""
    texts: list[str] = []
    for path in sorted(sources.discover([folder]), key=lambda path: hashlib.sha256(path.name.encode()).digest()):
        for session in sources.read(path).sessions:
            for event in session.events:
                texts += filter(None, (event.text, event.output, *event.arguments.values()))
        if sum(map(len, texts)) > size:
            break
    return texts


def _print_speed(arguments: Sequence[str]) -> None:
    redactor = Redactor(b"k" * 32)
    redactor.text("")
    texts = ordinary(Path(arguments[0]) if arguments else SAMPLE, 6_000_000)
    usual = rate(redactor, texts)
    print(f"ordinary: {sum(map(len, texts)) / 1e6:.1f} MB of texts at {usual / 1e6:.1f} MB/s")
    rates = sorted((rate(redactor, [hostile(name, 500_000)]), name) for name in HOSTILE)
    for each, name in rates[: None if "-v" in arguments else 8]:
        print(f"{each / 1e6:8.1f} MB/s, {usual / each:5.2f} times slower: {name}")


def _print_kinds(arguments: Sequence[str]) -> None:
    for (vendor, depth), (masked, total, missed) in sorted(kinds().items()):
        print(f"{'vendor' if vendor else 'generic'} depth {depth}: {masked}/{total} = {masked / total:.4f}")
        if "-v" in arguments:
            print("   ", *(f"{kind}/{context}" for kind, context in missed))


def _print_creddata(arguments: Sequence[str]) -> None:
    redactor = Traced()
    whole, values, masked, characters = Counter[str](), Counter[str](), Counter[str](), Counter[str]()
    of_kind: dict[str, Counter[str]] = {"development": Counter(), "held out": Counter()}
    missed_kind: dict[str, Counter[str]] = {"development": Counter(), "held out": Counter()}
    repositories = defaultdict(set)
    for repository, path, text, labels in creddata(Path(arguments[0])):
        half = "held out" if int(repository, 16) % 2 else "development"
        places = redactor.masked(text)
        repositories[half].add(repository)
        characters[half] += len(text)
        masked[half] += sum(end - start for start, end in places)
        for label in labels:
            values[half] += 1
            of_kind[half][label.category.split(":")[0]] += 1
            if covers(places, label, text):
                whole[half] += 1
            else:
                missed_kind[half][label.category.split(":")[0]] += 1
                if "-v" in arguments and half == "development":
                    begin = text.rfind("\n", 0, label.start) + 1
                    line = text[max(begin, label.start - 90) : label.end + 40].replace("\n", "⏎")
                    print(f"{path}|{label.category}|{text[label.start : label.end][:60]!r}|{line[:220]}")
    for half in sorted(values):
        print(
            f"{half}: {len(repositories[half])} repositories, {whole[half]}/{values[half]} = "
            f"{whole[half] / values[half]:.4f} of values whole, {masked[half] / characters[half]:.4%} of characters masked"
        )
        if half == "development":
            print("   ", ", ".join(f"{k} {n - missed_kind[half][k]}/{n}" for k, n in of_kind[half].most_common(12)))


def _print_leaky(arguments: Sequence[str]) -> None:
    rows = list(leaky(Path(arguments[0])))
    if "-v" in arguments:
        print(*(row for row in rows if row[1] < row[2]), sep="\n")
    found, total = sum(row[1] for row in rows), sum(row[2] for row in rows)
    print(f"risky lines: {found}/{total} = {found / total:.4f}")


def _print_commands(arguments: Sequence[str]) -> None:
    redactor = Redactor(b"k" * 32)
    lines = Path(arguments[0]).read_text(errors="replace").splitlines()
    touched = [(line, after) for line in lines if (after := redactor.text(line)) != line]
    if "-v" in arguments:
        print(*(after for _, after in touched), sep="\n")
    print(f"commands touched: {len(touched)}/{len(lines)} = {len(touched) / len(lines):.4%}")


SAMPLE = Path(__file__).parents[1] / "meta" / "data" / "sample"
JOBS = {
    "speed": _print_speed,
    "kinds": _print_kinds,
    "creddata": _print_creddata,
    "leaky": _print_leaky,
    "commands": _print_commands,
}

if __name__ == "__main__":
    if sys.argv[1:2] == [] or sys.argv[1] not in JOBS:
        sys.exit(__doc__)
    JOBS[sys.argv[1]](sys.argv[2:])
