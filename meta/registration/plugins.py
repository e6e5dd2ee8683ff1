"""A folder that a client installs for all projects of a person: our hook, our server, and the tools of a workspace.

It is only written here: the client's own commands, which its README names, install it. What stands in the settings of
one project is in `clients`.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from meta import __version__
from meta.errors import UserError
from meta.files import settle, turn, write
from meta.registration import clients, inventory, lifecycle, pieces
from meta.registration.card import OwnFile, plain
from meta.registration.pieces import TOOLS

Texts = dict[str, str]  # by path
NAME = "meta"
WORDS = ("meta",)  # a plugin is shared, so it names no path of this machine
ABOUT = "Tools made from work that an agent did again and again, and what finds more of them"
_CODEX_ROOT = f"plugins/{NAME}/"  # Codex does not list a plugin that lies where its marketplace does
_LOG = 'LOG = Path(__file__).resolve().with_name("last.log")'


@dataclass(frozen=True, slots=True)
class Packed:
    """A registered tool as it goes into a plugin: its program, and the files that tell agents of it, by path."""

    name: str
    description: str
    program: str
    told: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Form:
    """A client's form of plugin, which lies at `root` in the folder. `place` is how a text in it names that place,
    `told` are the folders of a workspace that such a plugin has too, and `own` makes what no other client's has."""

    title: str
    root: str
    place: str
    told: tuple[str, ...]
    own: Callable[[Sequence[Packed], str], Texts]
    install: tuple[str, ...]
    advice: str = ""
    note: str = ""


def packed(workspace: Path | None) -> tuple[Packed, ...]:
    """The registered tools of the workspace."""
    known = lifecycle.tools(workspace) if workspace else ()
    return tuple(_packed(workspace, each.name) for each in known if workspace and each.state == "registered")


def _packed(workspace: Path, name: str) -> Packed:
    tool = inventory.tool(workspace, name)
    told = {
        piece.path: (workspace / piece.path).read_text(errors="replace")
        for piece in pieces.of(name)
        if isinstance(piece, OwnFile) and (workspace / piece.path).is_file()
    }
    return Packed(name, plain(tool.description), tool.files["tool.py"], told)


def texts(client: str, tools: Sequence[Packed]) -> Texts:
    """The files of a client's plugin. Its version tells other content apart, or clients would keep what they have."""
    form = FORMS[client]
    inside = {"hooks/hooks.json": _json({"hooks": clients.CLIENTS[client].hooks(WORDS)})}
    for tool in tools:
        inside[f"{TOOLS}/{tool.name}/tool.py"] = _anywhere(tool)
        inside |= _told(form, tool)
    digest = hashlib.sha256(json.dumps(inside, sort_keys=True).encode()).hexdigest()
    return {
        "README.md": _readme(form, tools),
        **{form.root + path: text for path, text in inside.items()},
        **form.own(tools, f"{__version__}+{digest[:8]}"),
    }


def _told(form: Form, tool: Packed) -> Texts:
    """The registered texts of a tool, naming its program where it lies in the plugin."""
    program = f"{TOOLS}/{tool.name}/tool.py"
    found = {}
    for path, text in tool.told.items():
        for folder in form.told:
            if path.startswith(folder):
                advice = form.advice.format(path=path.removeprefix(folder)) if form.advice else ""
                found[path.removeprefix(folder)] = text.replace(program, f'"{form.place}/{program}"') + advice
    return found


def _anywhere(tool: Packed) -> str:
    """The program. Where it runs for many projects at once, each run has a log of its own."""
    if _LOG not in tool.program or "\nimport sys\n" not in tool.program:
        return tool.program
    own = f'LOG = Path(tempfile.mkdtemp(prefix="{tool.name}-"), "last.log")'
    return tool.program.replace(_LOG, own).replace("\nimport sys\n", "\nimport sys\nimport tempfile\n", 1)


def _json(value: Any) -> str:
    return json.dumps(value, indent=2, ensure_ascii=False) + "\n"


def _servers() -> dict[str, Any]:
    return {"mcpServers": {NAME: clients.server(WORDS)}}


def _about(version: str, **more: Any) -> dict[str, Any]:
    return {"name": NAME, "version": version, "description": ABOUT, **more}


def _claude(tools: Sequence[Packed], version: str) -> Texts:
    market = {"name": NAME, "description": ABOUT, "owner": {"name": NAME}}
    listed = {"name": NAME, "source": "./", "description": ABOUT}
    return {
        ".claude-plugin/plugin.json": _json(_about(version, author={"name": NAME})),
        ".claude-plugin/marketplace.json": _json({**market, "plugins": [listed]}),
        ".mcp.json": _json(_servers()),
    }


def _codex(tools: Sequence[Packed], version: str) -> Texts:
    source = {"source": "local", "path": f"./{_CODEX_ROOT}"}
    policy = {"installation": "AVAILABLE", "authentication": "ON_INSTALL"}
    listed = {"name": NAME, "source": source, "policy": policy, "category": "Productivity"}
    shown = {"displayName": NAME, "shortDescription": ABOUT, "developerName": NAME, "category": "Productivity"}
    parts = {"hooks": "./hooks/hooks.json", "mcpServers": "./.mcp.json", **({"skills": "./skills/"} if tools else {})}
    return {
        ".agents/plugins/marketplace.json": _json({"name": NAME, "plugins": [listed]}),
        f"{_CODEX_ROOT}.codex-plugin/plugin.json": _json(
            _about(version, author={"name": NAME}, **parts, interface=shown)
        ),
        f"{_CODEX_ROOT}.mcp.json": _json(_servers()),
    }


def _gemini(tools: Sequence[Packed], version: str) -> Texts:
    context = "# meta\n\n## Project context\n\nSkills of this extension are tools made from repeated work. Use one instead of running its steps one by one.\n"
    return {
        "gemini-extension.json": _json(_about(version, contextFileName="GEMINI.md", **_servers())),
        "GEMINI.md": context,
        **{f"commands/{tool.name}.toml": _gemini_command(tool) for tool in tools},
    }


def _gemini_command(tool: Packed) -> str:
    """A command cannot name the extension's folder, but a skill can."""
    prompt = f"Activate the skill `{tool.name}` and do what it says. Asked: {{{{args}}}}"
    return f"description = {json.dumps(tool.description, ensure_ascii=False)}\nprompt = {json.dumps(prompt)}\n"


FORMS: Mapping[str, Form] = {
    "claude": Form(
        "Claude Code",
        root="",
        place="${CLAUDE_PLUGIN_ROOT}",
        told=(".agents/", ".claude/"),
        own=_claude,
        install=('claude plugin marketplace add "$PWD"', f"claude plugin install {NAME}@{NAME}"),
    ),
    "codex": Form(
        "Codex",
        root=_CODEX_ROOT,
        place="PLUGIN",
        told=(".agents/",),
        own=_codex,
        install=('codex plugin marketplace add "$PWD"', f"codex plugin add {NAME}@{NAME}"),
        advice="\n`PLUGIN` stands for the full path of the folder that holds this file as `{path}`.\n",
        note="Codex runs its hooks only once you trust them: start `codex` and confirm.",
    ),
    "gemini": Form(
        "Gemini CLI",
        root="",
        place="${extensionPath}",
        told=(".agents/",),
        own=_gemini,
        install=('gemini extensions install "$PWD"',),
    ),
}


def _readme(form: Form, tools: Sequence[Packed]) -> str:
    lines = [
        f"# {NAME} for {form.title}", "",
        f"{ABOUT}.", "",
        "The hook notes a session that ends in a workspace, which is a repository in which `meta init` was run; the",
        "server offers a workspace's tools. In other folders neither does anything.", "",
        "The program `meta` has to be on the PATH. Install what is here, from this folder:", "",
        "```sh", *form.install, "```", "",
        *([form.note, ""] if form.note else []),
        *(["Tools:", "", *(f"- `{tool.name}`: {tool.description}" for tool in tools), ""] if tools else []),
    ]  # fmt: skip
    return "\n".join(lines)


def put(folder: Path, contents: Mapping[str, str], *, dry_run: bool = False) -> None:
    """Make the folder, whole or not at all. Raises `UserError` where it holds something or cannot be made."""
    target = Path(os.path.realpath(folder))
    _free(target)
    if dry_run:
        return
    with turn(target):
        draft = target.with_name(f".{target.name}.meta-draft")
        shutil.rmtree(draft, ignore_errors=True)  # of a run that was killed: a living one has its turn
        try:
            for path, text in contents.items():
                write(draft / path, text)
            _free(target)
            draft.rename(target)
        finally:
            shutil.rmtree(draft, ignore_errors=True)
        settle(target.parent)


def _free(folder: Path) -> None:
    if not folder.parent.is_dir():
        raise UserError(f"{folder.parent} is no folder. Make it first, then run this again.")
    if os.path.lexists(folder) and (not folder.is_dir() or any(folder.iterdir())):
        raise UserError(f"{folder} is there already and not empty. Name a new folder.")
