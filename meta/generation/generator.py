"""From a family's blueprint to the files of a tool that makes its next member.

The template is written in `copier_template`; whether the family is worth a tool is judged before.
"""

from __future__ import annotations

import hashlib
import json
import re
import tomllib
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from pprint import pformat
from typing import Any

import tomlkit

from meta import insertion
from meta.family import Blueprint, Insertion, Judged
from meta.generation import copier_template, filling, manifest, render
from meta.generation.words import RefusedError
from meta.model import Parameter, Tool, Workflow
from meta.policy.names import wrong_name, wrong_path
from meta.vetting import visible

KIND = "code-generator"
EFFECTS = ("read", "write-project")
_LONGEST = 300  # characters of a description


def generate(
    judged: Judged,
    blueprint: Blueprint,
    texts: Mapping[str, Mapping[str, str]],
    *,
    formatter: Sequence[str] = (),
    templates: Path | None = None,
    taken: Collection[str] = (),
) -> Tool:
    """The tool of a family. `texts` are its members' files by name and path; `formatter` formats the project's Python.

    Raises `words.RefusedError` where Copier does not make every member again byte for byte.
    """
    template = copier_template.template(blueprint)
    answers = {member: filling.values(template, of) for member, of in blueprint.answers.items()}
    for path in template.files:
        if reason := wrong_path(path):
            raise RefusedError(reason)
    for member, made in filling.made(template, answers).items():
        if made != texts[member]:
            odd = sorted(path for path in {*made, *texts[member]} if made.get(path) != texts[member].get(path))
            raise RefusedError(f"the template does not make {odd[0]} of {member} again as it is")
    name, place = _name(judged.family.name, taken), render.folder(templates, KIND)
    asked = [template.names[parameter] for parameter in blueprint.asked[1:]]
    about = _description(judged, blueprint)
    hubs = [hub for edit in blueprint.hubs for hub in _hubs(template, edit.path, edit.insertions)]
    facts = {
        "name": name, "family": judged.family.id, "description": about, "version": render.version(place),
        "summary": _summary(judged, blueprint), "asked": pformat(asked), "forms": pformat(dict(template.forms), width=110),
        "hubs": pformat(hubs, width=110, sort_dicts=False) if hubs else "", "formatter": repr(list(formatter)),
        "word": copier_template.WORD, "insertion": _carried(),
    }  # fmt: skip
    files = render.render([place], facts)
    files |= {f"template/{path}": text for path, text in template.files.items()}
    files["members.json"] = _members(template, answers, texts, ["name", *asked])
    tool = Tool(name, judged.family.id, KIND, render.version(place), {}, about, EFFECTS)
    files["tool.toml"] = _manifest(
        tool, judged, blueprint, {key: isinstance(template.defaults[key], bool) for key in asked}, files["tool.py"]
    )
    return replace(tool, files=dict(sorted(files.items())))


def formatter(settings: Mapping[str, str]) -> tuple[str, ...]:
    """How a project formats its Python, by the texts of `pyproject.toml`, `ruff.toml` and `.pre-commit-config.yaml`; () if none says."""
    told, hooks = _toml(settings.get("pyproject.toml", "")).get("tool", {}), settings.get(".pre-commit-config.yaml", "")
    if "format" in told.get("ruff", {}) or "format" in _toml(settings.get("ruff.toml", "")) or "ruff-format" in hooks:
        return ("ruff", "format", "--quiet")
    return ("black", "--quiet") if "black" in told or "psf/black" in hooks else ()


def _toml(text: str) -> dict[str, Any]:
    """The settings in a text; none in one that cannot be read, which is its owner's to mend."""
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return {}


def as_workflow(tool: Tool) -> Workflow:
    """The family as what `lifecycle.propose` takes: its id, and what a caller gives."""
    rows = tomlkit.parse(tool.files["tool.toml"]).unwrap()["parameters"]
    return _workflow(tool, {row["name"]: row["type"] == "bool" for row in rows})


def _workflow(tool: Tool, given: Mapping[str, bool]) -> Workflow:
    """With these parameters, each a switch or not."""
    options = [
        Parameter(key, "bool" if switch else "str", "caller", default=None if key == "name" or switch else "")
        for key, switch in given.items()
    ]
    return Workflow(tool.workflow, tool.name, "", (), tuple(options), ())


def _name(family: str, taken: Collection[str]) -> str:
    slug = "-".join(re.findall(r"[a-z0-9]+", family.lower()))[:40].strip("-")
    names = [f"new-{slug or 'member'}", *(f"new-{slug or 'member'}-{number}" for number in range(2, 100))]
    return next(name for name in names if name not in taken and not wrong_name(name))


def _description(judged: Judged, blueprint: Blueprint) -> str:
    """What it makes and when to use it, of words that are paths; as many of these as there is room for."""
    what, *paths = (re.sub(r"[^\w {}/.-]", "", text)[:60] for text in (judged.family.name, *judged.family.paths))
    hubs = [re.sub(r"[^\w/.-]", "", edit.path) for edit in blueprint.hubs if len(edit.path) <= _LONGEST // 4]
    where = f" and list it in {hubs[0]}" if hubs else ""
    use = f"{where}. Use it when you are to add another {what}."
    room = _LONGEST - len(use) - len(f"Make the files of a new {what} ()")
    named = ""
    for path in paths:
        more = f"{named}, {path}" if named else path
        if len(more) > room:
            break
        named = more
    return f"Make the files of a new {what}{f' ({named})' if named else ''}{use}"


def _summary(judged: Judged, blueprint: Blueprint) -> str:
    files, hubs = len(blueprint.roles), len(blueprint.hubs)
    where = f", and its lines in {hubs} file{'s' * (hubs != 1)} that list them" if hubs else ""
    return f"Make the next {judged.family.name}: {files} file{'s' * (files != 1)}{where}."


def _hubs(template: copier_template.Template, path: str, insertions: Sequence[Insertion]) -> list[dict[str, object]]:
    return [
        {
            "path": path, "lines": [copier_template.written(template, line.pieces) for line in found.lines], "anchor": found.anchor,
            "like": found.like, "inside": found.inside, "order": found.order,
        }
        for found in insertions
    ]  # fmt: skip


def _carried() -> str:
    """The code that puts a line in its place, for the tool to carry."""
    source = Path(insertion.__file__).read_text()
    return source[source.index("LONGEST =") :].rstrip()


def _members(
    template: copier_template.Template,
    answers: Mapping[str, Mapping[str, object]],
    texts: Mapping[str, Mapping[str, str]],
    given: Collection[str],
) -> str:
    """members.json: what makes each member, what its files are known by, and how many of their lines come of what is asked."""
    asked = {member: {key: value for key, value in of.items() if key in given} for member, of in answers.items()}
    shares = [_share(texts[member], filling.rendered(template, given)) for member, given in asked.items()]
    rows = {
        member: {"answers": of, "files": {path: _digest(text) for path, text in sorted(texts[member].items())}}
        for member, of in answers.items()
    }
    return (
        json.dumps({"lines": round(sum(shares) / len(shares), 4), "members": rows}, indent=1, ensure_ascii=False) + "\n"
    )


def _share(whole: Mapping[str, str], made: Mapping[str, str]) -> float:
    lines = {path: Counter(text.split("\n")) for path, text in whole.items()}
    right = sum((found & Counter(made.get(path, "").split("\n"))).total() for path, found in lines.items())
    return right / sum(found.total() for found in lines.values())


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def _manifest(tool: Tool, judged: Judged, blueprint: Blueprint, asked: Mapping[str, bool], program: str) -> str:
    """tool.toml: that of every tool, with the family in the place of recorded runs."""
    given = {"name": False, **asked, "like": False, "from": False}
    workflow = _workflow(tool, given)
    text = manifest.manifest(workflow, tool, judged.estimate, judged.decision, program)
    document = tomlkit.parse(text)
    document.pop("evidence", None)
    lines = [replayed.coverage.lines for replayed in judged.replay]
    document["family"] = {
        "paths": list(judged.family.paths), "hubs": [edit.path for edit in blueprint.hubs],
        "members": len(judged.family.members), "learned_from": list(blueprint.answers),
        "strategy": judged.strategy, "mdl_ratio": round(judged.mdl_ratio, 3),
        "left_out_lines": round(judged.left_out.lines, 3), "left_out_junk": round(judged.left_out.junk, 3),
        "replayed": len(lines), "replay_lines": round(sum(lines) / len(lines), 3) if lines else 0.0,
        "commits": [member.commit for member in judged.family.members if member.commit][-12:],
    }  # fmt: skip
    return visible(tomlkit.dumps(document))
