"""Fill a family's template: by Copier itself, as its users do, or by Jinja alone.

What the template says is decided in `copier_template`.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Mapping
from pathlib import Path

from meta.family import Value
from meta.generation.copier_template import WORDS, Template


def values(template: Template, answers: Mapping[str, Value]) -> dict[str, str | bool | list[dict[str, str]]]:
    """A member's answers as Copier takes them."""
    return {
        template.names[parameter]: [dict(row) for row in value] if isinstance(value, tuple) else value
        for parameter, value in answers.items()
        if parameter in template.names
    }


def made(template: Template, rows: Mapping[str, Mapping[str, object]]) -> dict[str, dict[str, str]]:
    """The files that Copier makes of each row of values, by path."""
    import copier  # takes a second to load, and only generation needs it

    found: dict[str, dict[str, str]] = {}
    with tempfile.TemporaryDirectory(prefix="meta-") as root:
        for path, text in template.files.items():
            place = Path(root, "template", path)
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_bytes(text.encode())
        for number, (row, values) in enumerate(rows.items()):
            folder = Path(root, str(number))
            copier.run_copy(
                str(Path(root, "template")), folder, data=dict(values), defaults=True, overwrite=True, quiet=True
            )
            paths = (path for path in sorted(folder.rglob("*")) if path.is_file())
            found[row] = {path.relative_to(folder).as_posix(): path.read_bytes().decode() for path in paths}
    return found


def rendered(template: Template, given: Mapping[str, object]) -> dict[str, str]:
    """The same of one row by Jinja alone, which is many times faster where there are many questions."""
    import jinja2

    lines = (line.partition(": ") for line in template.files["copier.yml"].split("\n") if not line.startswith("#"))
    questions = {key: json.loads(value) for key, _, value in lines if value}
    environment = jinja2.Environment(
        extensions=["jinja2_ansible_filters.AnsibleCoreFiltersExtension"], **questions["_envops"]
    )

    def filled(text: str) -> str:
        return environment.from_string(text).render(values) if template.signs.value[0] in text else text

    values: dict[str, object] = dict(given)
    for key, question in questions.items():
        if not key.startswith("_") and key not in values:
            default = filled(question["default"]) if isinstance(question["default"], str) else question["default"]
            values[key] = json.loads(default) if key.startswith(WORDS) else default
    made = {}
    for path, text in template.files.items():
        place = environment.from_string(path.removeprefix("files/").removesuffix(".jinja")).render(values)
        if path.startswith("files/") and not place.endswith("/"):
            made[place] = environment.from_string(text).render(values)
    return made
