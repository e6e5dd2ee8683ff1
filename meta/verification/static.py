"""What can be said of a tool without running it: it parses, it is tidy, and it keeps to the command policy.

The policy allows, it does not forbid: argv lists whose program was recorded, the standard library without the
modules that open connections or load code, and no shell over pasted text.
"""

from __future__ import annotations

import ast
import builtins
import re
import shutil
import sys
import tempfile
import tomllib
from collections.abc import Iterable, Iterator
from pathlib import Path

from meta import process, rendering
from meta.model import Check, Fixed, Tool, Workflow
from meta.policy import NEVER, effects, steps
from meta.rendering import quote

_NO_IMPORT = frozenset({
    "socket", "ssl", "socketserver", "http", "urllib", "ftplib", "smtplib", "poplib", "imaplib", "nntplib",
    "telnetlib", "xmlrpc", "asyncio", "asyncore", "ctypes", "importlib", "imp", "runpy", "code", "codeop",
    "pty", "pickle", "marshal", "shelve", "webbrowser", "builtins", "pip", "venv", "ensurepip",
})  # fmt: skip
_NO_NAME = frozenset({"eval", "exec", "compile", "__import__", "breakpoint", "globals"})
_NO_CALL = re.compile(
    r"os\.(system|popen|exec\w+|spawn\w+|posix_spawn\w*|fork\w*)|subprocess\.(getoutput|getstatusoutput)"
)
SCRIPT = "tool.sh"  # beside tool.py where all is fixed shell syntax
_RULES = "E4,E7,E9,F,B"  # named, because what ruff takes by itself changes with its version
_RUNS = frozenset({"run", "Popen", "call", "check_call", "check_output"})
_BUILTINS = frozenset(dir(builtins))


def check(tool: Tool, workflow: Workflow) -> tuple[Check, ...]:
    """The checks "parses", "lint" and "policy". The latter two are missing where the first has failed."""
    parsed = parses(tool)
    if not parsed.passed:
        return (parsed,)
    sources = _sources(tool)
    script = tool.files.get(SCRIPT)
    findings = [] if script is None else [f"{SCRIPT}: {finding}" for finding in _script(script, workflow)]
    for name, text in sources.items():
        if name != "test_tool.py":
            findings += [f"{name}: {f}" for f in policy(text, workflow, scripted=script is not None)]
    findings += list(_declares(tool, workflow)) + list(_does(tool, workflow))
    named = ["what a parameter names" if name == "*" else name for name in sorted(programs(workflow), reverse=True)]
    detail = "; ".join(findings) or f"runs only {', '.join(named) or 'nothing'}"
    return parsed, lint(tool), Check("policy", not findings, detail)


def _sources(tool: Tool) -> dict[str, str]:
    return {name: text for name, text in tool.files.items() if name.endswith(".py")}


def parses(tool: Tool) -> Check:
    """The check "parses" of all the tool's Python."""
    sources = _sources(tool)
    broken = [f"{name}: {reason}" for name, text in sources.items() if (reason := _syntax(text))]
    if "tool.py" not in sources:
        broken.append("there is no tool.py")
    return Check("parses", not broken, "; ".join(broken))


def _syntax(text: str) -> str:
    try:
        ast.parse(text)
    except (SyntaxError, ValueError) as error:
        return str(error)
    return ""


def lint(tool: Tool) -> Check:
    """The check "lint" of all the tool's Python."""
    sources = _sources(tool)
    beside = Path(sys.executable).with_name("ruff")
    ruff = str(beside) if beside.exists() else shutil.which("ruff")
    if ruff is None:
        return Check("lint", None, "not linted: ruff is not installed")
    with tempfile.TemporaryDirectory() as folder:
        for name, text in sources.items():
            Path(folder, Path(name).name).write_text(text)
        argv = [
            ruff,
            "check",
            "--isolated",
            "--no-cache",
            "--select",
            _RULES,
            "--quiet",
            "--output-format",
            "concise",
            ".",
        ]
        done = process.run(argv, cwd=Path(folder))
    found = (done.stdout + done.stderr).splitlines()
    return Check("lint", not found, "; ".join(found[:5]))


def _declares(tool: Tool, workflow: Workflow) -> Iterator[str]:
    """What the steps may do and the tool does not say, does without asking, or must never do."""
    said = _declared(tool)
    for step in workflow.steps:
        found = steps.of_step(step, workflow)
        if found.level >= NEVER:
            yield f"the step {step.name} is never done by a tool: {found.reasons[0]}"
        if missing := sorted(set(steps.declared([found])) - said - {"read"}):
            yield f"tool.toml does not declare what the step {step.name} may do: {', '.join(missing)}"
        for effect in sorted(found.grave):
            if f"--allow-{effect}" not in tool.files["tool.py"]:
                yield f"the step {step.name} may {effect} without --allow-{effect}"


def _does(tool: Tool, workflow: Workflow) -> Iterator[str]:
    """Commands of tool.py that may do more than is declared; what stands for a value may be anything."""
    said = _declared(tool) | set(steps.declared([steps.of_workflow(workflow)])) | {"read", "unknown"}
    for line in dict.fromkeys(_lines(ast.parse(tool.files["tool.py"]))):
        found = effects(line)
        if beyond := sorted(found.kinds - said):
            yield f"tool.py may {', '.join(beyond)}, which is not declared: {found.reasons[0]}"
        elif found.level >= NEVER:
            yield f"tool.py does what no tool may: {found.reasons[0]}"


def _declared(tool: Tool) -> set[str]:
    try:
        return set(map(str, tomllib.loads(tool.files.get("tool.toml", "")).get("effects", tool.effects)))
    except tomllib.TOMLDecodeError:
        return set()


def _lines(tree: ast.Module) -> Iterator[str]:
    """The commands of a source as shell lines, with `"$value"` for what is no constant."""
    lists = _named_lists(tree)
    modules = _modules(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and _takes_commands(node.func, modules):
            for argument in node.args:
                for found in _literals(argument, lists):
                    yield " ".join(_word(element) for element in found.elts)


def _word(element: ast.expr) -> str:
    match element:
        case ast.Constant(value=str(text)) | ast.Tuple(elts=[ast.Constant(value=str(text)), *_]):
            return quote(text, "bare")
        case ast.Call(func=ast.Name(id="Shell"), args=[ast.Constant(value=str(text))]):
            return text
        case ast.Starred(value=ast.IfExp(body=ast.List(elts=inner))):
            return " ".join(map(_word, inner))
    return '"$value"'


def programs(workflow: Workflow) -> frozenset[str]:
    """The programs in command position of the workflow, "*" where a parameter stands there."""
    found = set()
    for step in workflow.steps:
        for part in step.parts:
            if not isinstance(part, Fixed):
                found.add("*")
                break
            if not re.match(r"[A-Za-z_]\w*=", part.word.value):
                found.add(part.word.value)
                break
    return frozenset(found)


def policy(source: str, workflow: Workflow, *, scripted: bool = False) -> list[str]:
    """Each breach of the command policy in a Python source, with its line.

    `scripted` tools take shell text from their script, whose lines are compared with the recorded ones.
    """
    tree = ast.parse(source)
    modules = _modules(tree)
    findings = [
        *_imports(tree),
        *_calls(tree, modules),
        *_programs(tree, modules, programs(workflow) | ({SCRIPT} if scripted else set()), workflow),
        *([] if scripted else _shell_text(tree)),
    ]
    return [f"line {number}: {text}" for number, text in sorted(set(findings))]


def reaches(source: str) -> list[str]:
    """What a Python source, whatever it was made from, must not import or call, with its line; programs are another matter."""
    tree = ast.parse(source)
    return [f"line {number}: {text}" for number, text in sorted({*_imports(tree), *_calls(tree, _modules(tree))})]


Finding = tuple[int, str]


def _modules(tree: ast.Module) -> dict[str, str]:
    """What the imported names stand for: `sp` -> `subprocess`, `system` -> `os.system`."""
    names: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {
                a.asname or a.name.split(".")[0]: a.name if a.asname else a.name.split(".")[0] for a in node.names
            }
        elif isinstance(node, ast.ImportFrom):
            names |= {a.asname or a.name: f"{node.module}.{a.name}" for a in node.names}
    return names


def _imports(tree: ast.Module) -> Iterator[Finding]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = ["." * node.level + (node.module or "")]
            if any(alias.name == "*" for alias in node.names):
                yield node.lineno, f"imports all of {names[0]}"
        else:
            continue
        for name in names:
            head = name.split(".")[0]
            if head not in sys.stdlib_module_names:
                yield node.lineno, f"imports {name}, which is not in the standard library"
            elif head in _NO_IMPORT:
                yield node.lineno, f"imports {name}"


def _qualified(node: ast.expr, modules: dict[str, str]) -> str:
    """`os.system` for what names it under any alias; "" for what is no imported name."""
    if isinstance(node, ast.Name):
        return modules.get(node.id, "")
    if isinstance(node, ast.Attribute) and (head := _qualified(node.value, modules)):
        return f"{head}.{node.attr}"
    return ""


def _calls(tree: ast.Module, modules: dict[str, str]) -> Iterator[Finding]:
    bases = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and node.id in _NO_NAME:
            yield node.lineno, f"uses {node.id}"
        elif isinstance(node, ast.Name) and id(node) not in bases and modules.get(node.id) in ("os", "subprocess"):
            yield node.lineno, f"hands on the module {node.id}"
        if isinstance(node, (ast.Name, ast.Attribute)):
            name = _qualified(node, modules)
            if _NO_CALL.fullmatch(name):
                yield node.lineno, f"uses {name}"
        if isinstance(node, ast.Attribute) and node.attr in (
            "__globals__",
            "__builtins__",
            "__subclasses__",
            "__dict__",
        ):
            yield node.lineno, f"reaches for {node.attr}"
        if isinstance(node, ast.keyword) and node.arg in ("shell", "executable", "preexec_fn"):
            if not (isinstance(node.value, ast.Constant) and not node.value.value):
                yield node.value.lineno, f"passes {node.arg}="
        elif isinstance(node, ast.keyword) and node.arg is None and isinstance(node.value, ast.Dict):
            keys = {key.value for key in node.value.keys if isinstance(key, ast.Constant)}
            if keys & {"shell", "executable", "preexec_fn"}:
                yield node.value.lineno, "passes shell="


def _script(script: str, workflow: Workflow) -> Iterator[str]:
    """The lines of a script that were not recorded."""
    recorded = {line for step in workflow.steps for line in rendering.template(step).split("\n")} | {"", "set -e"}
    for number, line in enumerate(script.split("\n"), 1):
        if line not in recorded and not line.startswith("#"):
            yield f"line {number}: was not recorded"


def _shell_text(tree: ast.Module) -> Iterator[Finding]:
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Name(id="Shell"), args=arguments):
                if not all(isinstance(argument, ast.Constant) for argument in arguments):
                    yield node.lineno, "makes shell text of a value"


def _programs(
    tree: ast.Module, modules: dict[str, str], allowed: frozenset[str], workflow: Workflow
) -> Iterator[Finding]:
    """Commands whose program was not recorded: lists given to a function of the tool, or returned by one."""
    for number, program in _commands(tree, modules):
        if program is None:
            if "*" not in allowed:
                yield number, "runs a program that is not a constant"
        elif program not in allowed and not _recorded(program, workflow):
            yield number, f"runs {program}, which was not recorded"


def _recorded(text: str, workflow: Workflow) -> bool:
    """Whether a first word is a whole recorded line of shell syntax, or the environment before a program."""
    lines = [rendering.template(step) for step in workflow.steps]
    return text in lines or ("=" in text and any(line.startswith(text.partition("=")[0] + "=") for line in lines))


def _commands(tree: ast.Module, modules: dict[str, str]) -> Iterator[tuple[int, str | None]]:
    lists = _named_lists(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and _takes_commands(node.func, modules):
            for argument in node.args:
                for found in _literals(argument, lists):
                    yield found.lineno, _first(found, lists)
        elif isinstance(node, ast.Return) and isinstance(node.value, ast.List) and not _is_pipeline(node.value):
            yield node.lineno, _first(node.value, lists)


def _named_lists(tree: ast.Module) -> dict[str, list[ast.List]]:
    lists: dict[str, list[ast.List]] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.List):
            for target in node.targets:
                if isinstance(target, ast.Name):
                    lists.setdefault(target.id, []).append(node.value)
    return lists


def _is_pipeline(command: ast.List) -> bool:
    """Whether a command is the way in which a tool runs shell syntax: its text in a variable, its values behind it."""
    match command.elts:
        case [ast.Constant(value="bash"), ast.Constant(value="-c"), ast.Name(), *_]:
            return True
    return False


def _takes_commands(function: ast.expr, modules: dict[str, str]) -> bool:
    if isinstance(function, ast.Name) and function.id not in modules:
        return function.id not in _BUILTINS
    head, _, name = _qualified(function, modules).partition(".")
    return head == "subprocess" and name in _RUNS


def _literals(node: ast.expr, lists: dict[str, list[ast.List]]) -> Iterable[ast.List]:
    """The lists that an argument may be: written out, under a name, the left of a sum, either side of a choice."""
    match node:
        case ast.List():
            return [node]
        case ast.Name(id=name):
            return lists.get(name, [])
        case ast.BinOp(left=left):
            return _literals(left, lists)
        case ast.Starred(value=ast.GeneratorExp(elt=each)):
            return _literals(each, lists)
        case ast.IfExp(body=body, orelse=orelse):
            return [*_literals(body, lists), *_literals(orelse, lists)]
    return []


def _first(command: ast.List, lists: dict[str, list[ast.List]]) -> str | None:
    """The program of a command, None where it is not a constant."""
    if not command.elts:
        return None
    first = command.elts[0]
    if isinstance(first, ast.Starred) and isinstance(first.value, ast.Name):
        named = lists.get(first.value.id, [])
        return _first(named[0], {}) if len(named) == 1 else None
    if isinstance(first, ast.Call) and isinstance(first.func, ast.Name) and first.func.id == "Shell" and first.args:
        first = first.args[0] if isinstance(first.args[0], ast.Constant) else ast.Constant(SCRIPT)
    if isinstance(first, ast.Constant) and isinstance(first.value, str):
        return first.value
    return None
