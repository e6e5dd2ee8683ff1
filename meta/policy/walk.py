"""Walk the tree of a shell line: what is run, with which words, what it reads and where its output goes.

What a program does is known in `programs`. Branches that may not be taken are taken all the same.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from meta.policy import paths
from meta.policy.expansion import Names, double, one, words
from meta.policy.nouns import FOREIGN, MARKS, NEVER, SECRET, UNKNOWN, UNKNOWN_WHY, Finding
from meta.shell import LIMIT, Node, root, text_of

DEEPEST = 12  # texts within texts, and calls of functions within functions
MOST = 4000  # commands of one line, with those that a loop repeats
CHOICES = 6  # values of a loop that are tried one by one

_REDIRECTS = frozenset({"file_redirect", "heredoc_redirect", "herestring_redirect"})
_SEQUENCES = frozenset({"program", "do_group", "compound_statement", "else_clause", "elif_clause", "negated_command", "ERROR"})  # fmt: skip
_BRANCHES = frozenset({"if_statement", "while_statement", "case_statement", "case_item", "c_style_for_statement"})
_ASSIGNS = re.compile(r"([A-Za-z_]\w*)(?:\[[^\]]*\])?\+?=", re.ASCII)


@dataclass
class Scope:
    """What earlier parts of a line set up for later ones. `files` are those it wrote, by what they hold."""

    variables: dict[str, str] = field(default_factory=dict)
    functions: dict[str, Node] = field(default_factory=dict)
    aliases: dict[str, str] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)
    folder: str = paths.PROJECT

    def copy(self) -> Scope:
        return Scope(
            dict(self.variables), dict(self.functions), dict(self.aliases), dict(self.files), self.folder
        )  # fmt: skip

    def joined(self, other: Scope) -> None:
        """What is known whether or not the other way was taken."""
        for name, value in other.variables.items():
            if self.variables.get(name) != value:
                self.variables[name] = FOREIGN if FOREIGN in value + self.variables.get(name, "") else UNKNOWN
        self.functions |= other.functions
        self.aliases |= other.aliases
        self.files |= other.files
        if other.folder != self.folder:
            self.folder = UNKNOWN


class Walk:
    """One reading of a line: everything found, and how much was looked at."""

    def __init__(self, project: str = "") -> None:
        self.found: list[Finding] = []
        self.judged: list[tuple[str, ...]] = []  # the words of each command that the tables were asked about
        self.project = project.rstrip("/")
        self.depth = 0
        self.commands = 0
        self.active: list[str] = []
        self.foreign = 0  # within a container, whose programs are its own
        self.more: list[str] = []  # words behind a here-document that belong to the command before it

    def say(self, findings: Iterable[Finding]) -> None:
        self.found.extend(findings)

    def unknown(self, what: str) -> None:
        self.found.append(Finding("", 3, f"{UNKNOWN_WHY}: {paths.shown(what)}"))

    def never(self, why: str) -> None:
        self.found.append(Finding("", NEVER, why))

    def run(self, text: str, scope: Scope, stdin: str | None = None) -> str:
        """What the text prints, as far as that can be told."""
        if self.depth >= DEEPEST or len(text) > LIMIT or self.commands > MOST:
            self.unknown("too long or too deep to be read")
            return UNKNOWN
        if self.project:
            text = re.sub(rf"{re.escape(self.project)}(?=/|[\s;&|'\")]|$)", ".", text)
        tree = root(text)
        if tree.has_error:
            from meta.policy.crude import read  # what the grammar does not know is cut by its signs alone

            self.unknown("a line that is not of the grammar")
            for line in read(text):
                self.simple([word for part in line for word in words(part, self.names(scope))], scope, UNKNOWN)
        self.depth += 1
        try:
            return self.walk(tree, scope, stdin)
        finally:
            self.depth -= 1

    def names(self, scope: Scope) -> Names:
        """How words are read in this scope."""

        def capture(text: str) -> str:
            return self.run(text, scope.copy()).rstrip("\n")

        def process(text: str, reads: bool) -> str:
            printed = self.run(text, scope.copy(), None if reads else UNKNOWN)
            path = f"/dev/fd/{63 + len(scope.files)}"
            scope.files[path] = printed
            return path

        return Names(capture, process, scope.variables)

    def walk(self, node: Node, scope: Scope, stdin: str | None = None) -> str:
        kind = node.type
        if kind == "command":
            return self._command(node, scope, stdin)
        if kind in _SEQUENCES:
            return "".join(self.walk(child, scope, stdin) for child in node.named_children)
        if kind == "list":
            return self._list(node, scope, stdin)
        if kind == "pipeline":
            return self._pipeline(node.named_children, scope, stdin)
        if kind == "redirected_statement":
            return self._redirected(node, scope, stdin)
        if kind == "subshell":
            inner = scope.copy()
            printed = "".join(self.walk(child, inner, stdin) for child in node.named_children)
            scope.files |= inner.files
            return printed
        if kind in _BRANCHES:
            return self._branches(node, scope, stdin)
        if kind == "for_statement":
            return self._for(node, scope, stdin)
        if kind == "function_definition":
            return self._function(node, scope)
        if kind in ("variable_assignment", "variable_assignments", "declaration_command"):
            return self._declares(node, scope)
        if kind == "unset_command":
            return self.simple(text_of(node).split(), scope, stdin)
        if "$(" in (text := text_of(node)) or "`" in text:  # whatever else it is, that is run
            one(text, self.names(scope))
        return ""

    def _list(self, node: Node, scope: Scope, stdin: str | None) -> str:
        parts = node.named_children
        printed = self.walk(parts[0], scope, stdin) if parts else ""
        either = any(child.type == "||" for child in node.children)
        for part in parts[1:]:
            inner = scope.copy() if either else scope
            printed += self.walk(part, inner, stdin)
            if either:
                scope.joined(inner)
        return printed

    def _pipeline(self, members: Sequence[Node], scope: Scope, stdin: str | None) -> str:
        for member in members:
            inner = scope.copy()
            stdin = self.walk(member, inner, stdin)
            scope.files |= inner.files
        return stdin or ""

    def _branches(self, node: Node, scope: Scope, stdin: str | None) -> str:
        inner = scope.copy()
        printed = ""
        for child in node.named_children:
            if child.type in (
                "word",
                "string",
                "raw_string",
                "concatenation",
                "simple_expansion",
                "expansion",
                "command_substitution",
            ):
                one(text_of(child), self.names(inner))
            else:
                printed += self.walk(child, inner, stdin)
        scope.joined(inner)
        return printed

    def _for(self, node: Node, scope: Scope, stdin: str | None) -> str:
        name = node.child_by_field_name("variable")
        body = node.child_by_field_name("body")
        values = [
            word for child in node.children_by_field_name("value") for word in words(text_of(child), self.names(scope))
        ]
        inner = scope.copy()
        printed = ""
        for value in values[:CHOICES] + ([UNKNOWN] if len(values) > CHOICES or not values else []):
            if name is not None:
                inner.variables[text_of(name)] = UNKNOWN if re.search(r"[*?\[]", value) else value
            if body is not None:
                printed += self.walk(body, inner, stdin)
        scope.joined(inner)
        return printed

    def _function(self, node: Node, scope: Scope) -> str:
        name, body = node.child_by_field_name("name"), node.child_by_field_name("body")
        if name is not None and body is not None:
            scope.functions[text_of(name)] = body
            if any(child.type == "pipeline" and _calls(child, text_of(name)) > 1 for child in _below(body)):
                self.never("starts itself without end")
            else:  # it is judged where it stands as well, for it may be called by what comes later
                inner = scope.copy()
                inner.functions.pop(text_of(name))
                inner.variables |= dict.fromkeys("123456789@*", UNKNOWN)
                self.walk(body, inner, None)
        return ""

    def _declares(self, node: Node, scope: Scope) -> str:
        for child in _assignments(node):
            name, value = self._assigned(child, scope)
            scope.variables[name] = value
            self._hooked(name, value, scope)
        return ""

    def _assigned(self, node: Node, scope: Scope) -> tuple[str, str]:
        text = text_of(node)
        match = _ASSIGNS.match(text)
        if match is None:
            return "", ""
        value = text[match.end() :]
        if value.startswith("("):
            items = [
                word
                for child in node.named_children[-1].named_children
                for word in words(text_of(child), self.names(scope))
            ]
            value = " ".join(items)
        else:
            value = one(value, self.names(scope))
        if "+=" in match.group():
            value = scope.variables.get(match[1], "") + value
        return match[1], value

    def _hooked(self, name: str, value: str, scope: Scope) -> None:
        from meta.policy.programs import RUN_BY_OTHERS, TAKEN_OVER

        if name in ("PS1", "PS2", "PS4") and value:
            double(value, self.names(scope))
        elif name == "PATH" and any(part in ("", ".") or part.startswith(paths.TEMPORARY) for part in value.split(":")):
            self.say([Finding("privilege", 3, "looks for programs where anybody may put them")])
        elif name in RUN_BY_OTHERS and value:
            self.run(value, scope.copy())
        elif name in TAKEN_OVER:
            self.say([Finding("privilege", TAKEN_OVER[name], f"sets {name}")])

    def _command(self, node: Node, scope: Scope, stdin: str | None) -> str:
        self.commands += 1
        if self.commands > MOST:
            self.unknown("too many commands")
            return UNKNOWN
        names = self.names(scope)
        raw: list[str] = []
        redirects: list[Node] = []
        before: list[tuple[str, str]] = []
        end = -1
        for child in node.children:
            if child.type in _REDIRECTS:
                redirects.append(child)
            elif child.type == "variable_assignment" and not raw:
                before.append(self._assigned(child, scope))
            else:
                gap = (
                    (node.text or b"")[max(end - node.start_byte, 0) : child.start_byte - node.start_byte]
                    if raw
                    else b" "
                )
                raw += ["-"] * len(re.findall(rb"(?<!\S)-(?!\S)", gap)) if gap.strip() else []
                if not gap and raw:
                    raw[-1] += text_of(child)
                else:
                    raw.append(text_of(child))
            end = child.end_byte
        tail = (node.text or b"")[end - node.start_byte :]
        raw += ["-"] * len(re.findall(rb"(?<!\S)-(?!\S)", tail))
        raw += self.more
        self.more = []
        if raw and raw[0] in scope.aliases and raw[0] not in self.active:
            self.active.append(raw[0])
            printed = self.run(f"{scope.aliases[raw[0]]} {' '.join(raw[1:])}", scope, stdin)
            self.active.pop()
            return printed
        argv = [word for part in raw for word in words(part, names)]
        stdin, targets = self._input(redirects, scope, stdin)
        if not argv:
            for name, value in before:
                scope.variables[name] = value
                self._hooked(name, value, scope)
            printed = ""
        else:
            for name, value in before:
                self._hooked(name, value, scope)
            printed = self.simple(argv, scope, stdin)
        self._output(targets, printed, scope)
        return "" if targets else printed

    def simple(self, argv: list[str], scope: Scope, stdin: str | None) -> str:
        """What one simple command prints."""
        from meta.policy import programs

        if not argv:
            return ""
        body = scope.functions.get(argv[0])
        if body is None or argv[0] in self.active:
            return programs.run(self, argv, scope, stdin)
        if len(self.active) >= DEEPEST:
            self.unknown("functions too deep to be read")
            return UNKNOWN
        self.active.append(argv[0])
        inner = replace(scope, variables={**scope.variables, **positional(argv)})
        printed = self.walk(body, inner, stdin)
        self.active.pop()
        scope.folder = inner.folder
        return printed

    def _redirected(self, node: Node, scope: Scope, stdin: str | None) -> str:
        body = node.child_by_field_name("body")
        redirects = [child for child in node.children if child.type in _REDIRECTS]
        inside = [part for child in redirects if child.type == "heredoc_redirect" for part in child.named_children]
        redirects += [child for child in inside if child.type in _REDIRECTS]
        self.more = [
            text_of(child) for child in inside if child.type in ("word", "string", "raw_string", "concatenation")
        ]
        if body is not None:
            gap = (node.text or b"")[body.end_byte - node.start_byte : redirects[0].start_byte - node.start_byte]
            self.more = ["-"] * (gap.strip() == b"-") + self.more
        stdin, targets = self._input(redirects, scope, stdin)
        printed = self.walk(body, scope, stdin) if body is not None else ""
        self.more = []
        piped = [child for child in inside if child.type == "pipeline"]
        for child in piped:
            printed = self._pipeline(child.named_children, scope, printed)
        self._output(targets, printed, scope)
        for child in inside:
            if child.type in ("command", "list", "redirected_statement", "subshell", "compound_statement"):
                printed += self.walk(child, scope, None)
        return "" if targets else printed

    def _input(self, redirects: Iterable[Node], scope: Scope, stdin: str | None) -> tuple[str | None, list[str]]:
        """What the command reads, and the files that it writes to."""
        targets: list[str] = []
        names = self.names(scope)
        for node in redirects:
            if node.type == "herestring_redirect":
                stdin = one(text_of(node).removeprefix("<<<").strip(), names)
            elif node.type == "heredoc_redirect":
                stdin = self._heredoc(node, scope)
            else:
                destination = node.child_by_field_name("destination")
                operator = next((child.type for child in node.children if set(child.type) & set("<>")), ">")
                path = one(text_of(destination), names) if destination is not None else ""
                if operator in ("<", "<&"):
                    stdin = self._file(path, scope)
                elif operator not in (">&", "<&-", ">&-") or not re.fullmatch(r"\d*-?", path):
                    targets.append(path)
        return stdin, targets

    def _file(self, path: str, scope: Scope) -> str:
        if path.isdigit() or path == "/dev/null":
            return UNKNOWN if path.isdigit() else ""
        if path.startswith(("/dev/tcp/", "/dev/udp/")):
            self.never(f"reads from the network by {path}")
            return FOREIGN
        self.say(paths.reads(path, scope.folder))
        return self.content(path, scope)

    def content(self, path: str, scope: Scope) -> str:
        """What a file holds, where the line itself wrote it."""
        return scope.files.get(paths.normal(path, scope.folder), UNKNOWN)

    def _heredoc(self, node: Node, scope: Scope) -> str:
        start = next((text_of(child) for child in node.children if child.type == "heredoc_start"), "")
        body = next((text_of(child) for child in node.children if child.type == "heredoc_body"), "")
        if not body and any("\n" in text_of(child) for child in node.children):
            self.unknown("a here-document that the grammar takes for words")
            return UNKNOWN
        if text_of(node.children[0]).endswith("-"):
            body = re.sub(r"^\t+", "", body, flags=re.MULTILINE)
        return body if set(start) & set("'\"\\") else double(body, self.names(scope))

    def _output(self, targets: Iterable[str], printed: str, scope: Scope) -> None:
        for path in targets:
            self.say(paths.writes(path, scope.folder))
            self.wrote(path, printed, scope)

    def wrote(self, path: str, text: str, scope: Scope) -> None:
        where = paths.normal(path, scope.folder)
        kept = scope.files.get(where, "")
        scope.files[where] = FOREIGN if FOREIGN in kept else (text or UNKNOWN if not kept else f"{kept}\n{text}")


Handler = Callable[[Walk, list[str], Scope, str | None], str]  # a command's words -> what it prints


def positional(argv: Sequence[str]) -> dict[str, str]:
    """The variables of a function or script that is called with these words."""
    found = {str(number): word for number, word in enumerate(argv) if number}
    return {**found, "@": " ".join(argv[1:]), "*": " ".join(argv[1:]), "#": str(len(argv) - 1)}


def marked(text: str) -> str:
    """The marks in a text, each once."""
    return "".join(mark for mark in MARKS if mark in text)


def tainted(text: str | None) -> str:
    """The marks of a text that go on to what is made of it."""
    return "".join(mark for mark in (FOREIGN, SECRET) if text and mark in text) or UNKNOWN


def _assignments(node: Node) -> Iterator[Node]:
    if node.type == "variable_assignment":
        yield node
    else:
        yield from (child for child in node.named_children if child.type == "variable_assignment")


def _below(node: Node) -> Iterator[Node]:
    waiting = [node]
    while waiting:
        here = waiting.pop()
        yield here
        waiting.extend(here.named_children)


def _calls(node: Node, name: str) -> int:
    """How often a command of this name is called in a pipeline."""
    return sum(text_of(child).split(None, 1)[:1] == [name] for child in node.named_children)
