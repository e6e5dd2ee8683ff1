"""The page of a competition: one HTML file with its plots inside, which opens without a network.

It shows what the journal and the runs' metrics.json hold, and nothing of what was not measured.
"""

from __future__ import annotations

import csv
import html
import io
import json
import math
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from meta import files
from meta.competition import journal as journals
from meta.competition import state
from meta.competition.nouns import Competition, Experiment, Journal, number
from meta.errors import UserError

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

FILE = "page.html"
_LABELLED = 8  # moves whose names stand in the plot
_NAME = 48  # characters of a column's name
_FEATURES = 20
_PIECES = (2, 3, 5, 10, 20, 50, 100, 200)  # group sizes of a packing that are drawn
_INK, _BEST, _OTHER, _REFUSED = "#222222", "#1a7f5a", "#8a94a0", "#c0392b"
_STYLE = """
:root { color-scheme: light; }
body { font: 15px/1.5 system-ui, sans-serif; color: #222; max-width: 68rem; margin: 2rem auto; padding: 0 1rem; }
h1 { margin-bottom: 0; } h2 { margin-top: 2.5rem; }
p.lead { color: #555; margin-top: .2rem; }
svg { max-width: 100%; height: auto; }
table { border-collapse: collapse; width: 100%; font-size: 13px; }
th, td { text-align: left; padding: .3rem .6rem; border-bottom: 1px solid #ddd; vertical-align: top; }
td.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
tr.kept td { background: #eaf6f0; } tr.refused td { color: #a33; }
.scroll { overflow-x: auto; }
"""


def write(competition: Competition) -> Path:
    """Where the page lies now. Raises `UserError` where there is nothing to show yet."""
    journal = journals.read(competition.folder, state.read(competition.folder).lost)
    if not journal.rows:
        raise UserError(
            f"no experiment was made in {competition.folder} yet: run `meta compete {competition.folder}` first."
        )
    path = competition.folder / FILE
    files.write(path, text(competition, journal))
    return path


def text(competition: Competition, journal: Journal) -> str:
    best, spent = journal.best, journal.spent
    score = (
        "no valid submission yet" if best is None or best.score is None else f"{competition.metric} {best.score:.6g}"
    )
    parts = [
        f"<h1>{html.escape(competition.name)}</h1>",
        f'<p class="lead">{html.escape(score)} after {len(journal.rows)} experiments and {spent.cpu_seconds:.0f} of '
        f"{competition.budget.cpu_seconds:g} CPU seconds; {html.escape(competition.direction)}, seed {competition.seed}.</p>",
        _section("Score over CPU seconds", _drawn(lambda axes: _scores(axes, competition, journal))),
    ]
    told = _metrics(competition.folder, best) if best else {}
    details = told.get("details") if isinstance(told.get("details"), dict) else {}
    assert isinstance(details, dict)
    if folds := _numbers(details.get("fold_scores")):
        parts.append(
            _section(
                f"Folds of {best.id if best else ''}", _drawn(lambda axes: _folds(axes, folds, competition.metric), 3.0)
            )
        )
    source, importance = _importance(competition, journal)
    if importance:
        parts.append(_section(f"What the columns gain in {source}", _drawn(lambda axes: _gains(axes, importance), 5.0)))
    if competition.kind == "packing" and (competition.folder / "submission.csv").exists():
        parts.append(_section("The packing", _packing(competition.folder / "submission.csv")))
    parts.append(_section("Experiments", _table(journal.rows)))
    if journal.torn:
        parts.append(f"<p>{journal.torn} lines of the journal could not be read.</p>")
    head = f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{html.escape(competition.name)}</title><style>{_STYLE}</style></head>'
    return f"{head}\n<body>\n" + "\n".join(parts) + "\n</body></html>\n"


def _section(title: str, body: str) -> str:
    return f"<section><h2>{html.escape(title)}</h2>\n{body}</section>" if body else ""


def _figure(width: float, height: float) -> Figure:
    try:
        import matplotlib
    except ImportError as error:
        raise UserError("plots need matplotlib: install meta with the extra `competition`.") from error
    from matplotlib.figure import Figure as Drawing

    matplotlib.rcParams.update({"svg.hashsalt": "meta", "svg.fonttype": "none", "font.family": "sans-serif"})
    return Drawing(figsize=(width, height), layout="constrained")


def _svg(figure: Figure) -> str:
    out = io.StringIO()
    figure.savefig(out, format="svg", metadata={"Date": None, "Creator": None})
    return out.getvalue()[out.getvalue().index("<svg") :]


def _drawn(draw: Callable[[Axes], None], height: float = 4.2) -> str:
    figure = _figure(9.5, height)
    axes = figure.add_subplot()
    axes.spines[["top", "right"]].set_visible(False)
    draw(axes)
    return _svg(figure)


def _scores(axes: Axes, competition: Competition, journal: Journal) -> None:
    """Each experiment as a point where its seconds end, and the best score so far as steps."""
    used, at, best = 0.0, [], []
    for row in journal.rows:
        used += row.cpu_seconds
        if row.score is None:
            continue
        colour = _BEST if row.kept else _OTHER if row.ok else _REFUSED
        axes.plot(used, row.score, "o" if row.ok else "x", color=colour, markersize=6)
        if row.kept or len(journal.rows) <= _LABELLED:
            axes.annotate(
                row.move, (used, row.score), xytext=(5, 5), textcoords="offset points", fontsize=8, color=_INK
            )
        if row.kept:
            at.append(used)
            best.append(row.score)
    if at:
        axes.step([*at, used], [*best, best[-1]], where="post", color=_BEST, linewidth=1.5, label="best so far")
    for marker, colour, label in (
        ("o", _BEST, "kept"),
        ("o", _OTHER, "not better"),
        ("x", _REFUSED, "refused by a gate"),
    ):
        axes.plot([], [], marker, color=colour, label=label)
    axes.set_xlabel("CPU seconds of experiments")
    axes.set_ylabel(f"{competition.metric} ({competition.direction})")
    axes.legend(frameon=False, fontsize=8)
    axes.margins(x=0.08, y=0.12)


def _folds(axes: Axes, scores: Sequence[float], metric: str) -> None:
    mean = sum(scores) / len(scores)
    axes.plot(range(1, len(scores) + 1), scores, "o", color=_BEST, markersize=8)
    axes.axhline(mean, color=_INK, linewidth=1, linestyle="--", label=f"mean {mean:.5g}")
    axes.set_xticks(range(1, len(scores) + 1))
    axes.set_xlabel("fold")
    axes.set_ylabel(metric)
    axes.legend(frameon=False, fontsize=8)
    axes.margins(y=0.2)


def _gains(axes: Axes, importance: Mapping[str, float]) -> None:
    rows = sorted(importance.items(), key=lambda item: item[1])[-_FEATURES:]
    places = range(len(rows))  # names that are cut may be equal
    axes.barh(places, [value for _, value in rows], color=_BEST)
    axes.set_yticks(places, [name if len(name) <= _NAME else f"{name[: _NAME - 1]}…" for name, _ in rows])
    axes.set_xlabel("gain, as a share where the tool tells shares")
    axes.tick_params(axis="y", labelsize=8)


def _importance(competition: Competition, journal: Journal) -> tuple[str, dict[str, float]]:
    """What the columns gain in the best experiment that tells it: a blend does not."""
    ranked = [row for row in journal.rows if row.ok and row.score is not None]
    ranked.sort(key=lambda row: row.score or 0.0, reverse=competition.direction == "maximize")
    for row in ranked:
        details = _metrics(competition.folder, row).get("details")
        told = details.get("importance") if isinstance(details, dict) else None
        if isinstance(told, dict):
            return row.id, {str(name): float(value) for name, value in told.items() if _numbers([value])}
    return "", {}


def _metrics(folder: Path, row: Experiment) -> dict[str, Any]:
    try:
        told = json.loads((folder / "runs" / row.id / "metrics.json").read_text())
    except (OSError, ValueError):
        return {}
    return told if isinstance(told, dict) else {}


def _numbers(value: object) -> list[float]:
    given = value if isinstance(value, list) else []
    return [found for one in given if (found := number(one)) is not None]


def _packing(path: Path) -> str:
    """Some groups as they lie: each piece in its square."""
    from matplotlib.patches import Polygon, Rectangle

    groups = _groups(path)
    shown = [size for size in _PIECES if size in groups] or sorted(groups)[:8]
    if not shown:
        return ""
    figure = _figure(9.5, 2.6 * math.ceil(len(shown) / 4))
    for place, size in enumerate(shown):
        axes = figure.add_subplot(math.ceil(len(shown) / 4), 4, place + 1)
        outlines = [placed(*one) for one in groups[size]]
        low = [min(point[axis] for outline in outlines for point in outline) for axis in (0, 1)]
        high = [max(point[axis] for outline in outlines for point in outline) for axis in (0, 1)]
        side = max(high[0] - low[0], high[1] - low[1])
        for outline in outlines:
            axes.add_patch(Polygon(outline, facecolor="#b9dfcd", edgecolor=_BEST, linewidth=0.5))
        axes.add_patch(Rectangle((low[0], low[1]), side, side, fill=False, edgecolor=_INK, linewidth=0.8))
        axes.set_xlim(low[0] - 0.02 * side, low[0] + 1.02 * side)
        axes.set_ylim(low[1] - 0.02 * side, low[1] + 1.02 * side)
        axes.set_aspect("equal")
        axes.set_axis_off()
        axes.set_title(f"n = {size}: side {side:.4f}, {side * side / size:.4f}", fontsize=8)
    sides = {size: _side(pieces) ** 2 / size for size, pieces in groups.items()}
    total = f"<p>Sum over {len(sides)} groups: {sum(sides.values()):.6f} (from this file; the gate's score is the one that counts).</p>"
    return _svg(figure) + total + _drawn(lambda axes: _per_group(axes, sides), 2.8)


def _per_group(axes: Axes, sides: Mapping[int, float]) -> None:
    axes.plot(sorted(sides), [sides[size] for size in sorted(sides)], color=_BEST, linewidth=1.2)
    axes.set_xlabel("pieces n")
    axes.set_ylabel("side² / n")


# The tree of Santa 2025, clockwise from its tip; the one outline that submissions of this form can hold.
OUTLINE = (
    (0, 0.8), (0.125, 0.5), (0.0625, 0.5), (0.2, 0.25), (0.1, 0.25), (0.35, 0), (0.075, 0), (0.075, -0.2),
    (-0.075, -0.2), (-0.075, 0), (-0.35, 0), (-0.1, 0.25), (-0.2, 0.25), (-0.0625, 0.5), (-0.125, 0.5),
)  # fmt: skip


def placed(x: float, y: float, degrees: float) -> list[tuple[float, float]]:
    """The outline where a row puts it."""
    cos, sin = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    return [(x + px * cos - py * sin, y + px * sin + py * cos) for px, py in OUTLINE]


def _side(pieces: Sequence[tuple[float, float, float]]) -> float:
    points = [point for one in pieces for point in placed(*one)]
    return max(max(p[axis] for p in points) - min(p[axis] for p in points) for axis in (0, 1))


def _groups(path: Path) -> dict[int, list[tuple[float, float, float]]]:
    """The pieces of each group of a file with id, x, y, deg; rows of another form are left out."""
    found: dict[int, list[tuple[float, float, float]]] = {}
    with path.open(newline="") as file:
        for row in csv.DictReader(file):
            size = re.fullmatch(r"(\d+)_\d+", row.get("id") or "")
            try:
                values = [float((row.get(key) or "").removeprefix("s")) for key in ("x", "y", "deg")]
            except ValueError:
                continue
            if size and all(map(math.isfinite, values)):
                found.setdefault(int(size[1]), []).append((values[0], values[1], values[2]))
    return found


def _table(rows: Sequence[Experiment]) -> str:
    heads = ("experiment", "tool", "seed", "score", "± spread", "CPU s", "USD", "", "why", "run on")
    lines = ['<div class="scroll"><table>', "<tr>" + "".join(f"<th>{head}</th>" for head in heads) + "</tr>"]
    for row in rows:
        kind = "kept" if row.kept else "" if row.ok else "refused"
        score = "" if row.score is None else f"{row.score:.6g}"
        spread = "" if row.spread is None else f"{row.spread:.2g}"
        cells = (
            (row.id, ""), (row.tool, ""), (str(row.seed), "number"), (score, "number"), (spread, "number"),
            (f"{row.cpu_seconds:.1f}", "number"), (f"{row.usd:g}" if row.usd else "", "number"),
            ("kept" if row.kept else "" if row.ok else "failed", ""), (row.why, ""), (row.commit[:9], ""),
        )  # fmt: skip
        told = "".join(f'<td class="{style}">{html.escape(cell)}</td>' for cell, style in cells)
        lines.append(f'<tr class="{kind}">{told}</tr>')
    return "\n".join([*lines, "</table></div>"])
