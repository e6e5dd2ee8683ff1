"""A scripted model runs a whole competition: real solver, real sandbox, the Messages protocol on loopback."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from meta.cli import main
from meta.competition import journal
from meta.verification import sandbox
from tests.competition.fields import field
from tests.doors.conftest import ECHO, MANIFEST, put
from tests.services.messages import Reply, failure, message, ok, serving

pytest.importorskip("pydantic_ai")
pytestmark = pytest.mark.skipif(sandbox.level() in ("none", "limits"), reason="needs an isolation")
MODEL = "anthropic:claude-haiku-4-5"
PROGRAM = '''"""The mean of the last points, as the model would have it."""
import argparse, json
from pathlib import Path

parser = argparse.ArgumentParser()
parser.add_argument("--competition", type=Path)
parser.add_argument("--run", type=Path)
parser.add_argument("--seconds", type=float)
parser.add_argument("--seed", type=int)
parser.add_argument("--from", dest="sources", nargs="*")
parser.add_argument("--json", action="store_true")
given = parser.parse_args()
for place in (given.competition / "train.csv", Path("/etc/passwd-of-meta")):
    try:
        place.open("a").close()
        raise SystemExit(f"{place} could be written")
    except OSError:
        pass
count = len((given.competition / "test.csv").read_text().split()) - 1
score, answers = 0.9, [4.0] * count
(given.run / "submission.csv").write_text("id,y\\\\n" + "".join(f"{i},{a}\\\\n" for i, a in enumerate(answers)))
(given.run / "metrics.json").write_text(json.dumps({"score": score, "oof": [], "answers": answers}))
print(json.dumps({"ok": True, "score": score, "spread": None, "direction": "minimize", "submission": str(given.run / "submission.csv"),
                  "cpu_seconds": 0.1, "gates": [], "details": {}}))
'''.replace("\\\\n", "\\n")


def call(name: str, /, **given: object) -> Reply:
    return ok(message(None, content=[{"type": "tool_use", "id": f"toolu_{name}", "name": name, "input": given}]))


def begun(asked: dict[str, Any]) -> str:
    """What the last decision began with."""
    return json.dumps(asked["messages"][0])


def scripted(*decisions: Reply) -> Callable[[dict[str, Any]], Reply]:
    """Decides by how many experiments the journal shows; a look comes before the first decision."""

    def answer(asked: dict[str, Any]) -> Reply:
        rows = len(re.findall(r"- \d{3}-", begun(asked).partition("Journal, oldest first")[2]))
        if rows == 1 and len(asked["messages"]) == 1:
            return call("look", command="rm -rf generated_tools && git push")
        return decisions[rows - 1] if rows - 1 < len(decisions) else call("stop", why="that is all")

    return answer


SQUARE = call("run_move", move="square", seconds=5, why="the points bend")
WRITTEN = call("write_program", name="mean", code=PROGRAM, seconds=5, why="a baseline of mine")


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ANTHROPIC_API_KEY", "sk-test")
    place = field(tmp_path / "curve")
    (place / "competition.toml").write_text((place / "competition.toml").read_text() + "model_usd = 5.0\n")
    return place


def moves(folder: Path) -> list[str]:
    return [row.move for row in journal.read(folder).rows]


def test_a_model_completes_a_competition_and_is_refused_what_is_forbidden(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with serving(monkeypatch, answering=scripted(WRITTEN, SQUARE)):
        assert main(["compete", str(folder), "--model", MODEL]) == 0
    told = capsys.readouterr().err
    assert moves(folder) == ["plain", "mean", "square"]
    best = journal.read(folder).best
    assert best is not None
    assert (best.move, best.chosen_by) == ("square", MODEL)
    assert "refused to the model: rm -rf generated_tools && git push (" in told
    assert (folder / "generated_tools" / "tabular-cv" / "tool.py").exists()
    rows = {row.move: row for row in journal.read(folder).rows}
    assert rows["mean"].ok, rows["mean"].why
    assert rows["square"].usd > 0
    ends = subprocess.run(["git", "ls-files"], cwd=folder, capture_output=True, text=True, check=True).stdout
    assert "experiments/mean.py" in ends.splitlines()


def test_tools_of_the_folder_are_at_hand_and_moves_are_not(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    put(folder, "echo", ECHO, MANIFEST)
    for words in (["add", "generated_tools"], ["-c", "user.name=a", "-c", "user.email=a@b", "commit", "-qm", "t"]):
        subprocess.run(["git", *words], cwd=folder, check=True)
    asked: list[dict[str, Any]] = []

    def answer(body: dict[str, Any]) -> Reply:
        asked.append(body)
        return call("echo", message="from the folder") if len(body["messages"]) == 1 else call("stop", why="w")

    with serving(monkeypatch, answering=answer):
        assert main(["compete", str(folder), "--model", MODEL]) == 0
    offered = {tool["name"] for tool in asked[0]["tools"]}
    assert {"echo", "look", "knowledge", "run_move", "write_program", "stop"} <= offered
    assert not {"tabular-cv", "submission-gate", "experiment-log"} & offered
    assert "from the folder" in json.dumps(asked[1]["messages"][-1])


def test_a_model_that_dies_is_gone_on_with(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with serving(monkeypatch, answering=scripted(SQUARE, failure(401, "authentication_error"))):
        assert main(["compete", str(folder), "--model", MODEL]) == 1
    assert "go on where it stopped" in capsys.readouterr().err
    before = journal.read(folder).rows
    assert [row.move for row in before] == ["plain", "square"]
    with serving(monkeypatch, answering=scripted(SQUARE, call("run_move", move="line", seconds=5, why="w"))):
        assert main(["compete", str(folder), "--model", MODEL]) == 0
    after = journal.read(folder).rows
    assert after[:2] == before
    assert moves(folder)[:3] == ["plain", "square", "line"]


def test_a_model_out_of_money_ends_the_rounds_with_what_there_is(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = folder / "competition.toml"
    settings.write_text(settings.read_text().replace("model_usd = 5.0", "model_usd = 0.08"))
    dear = ok(message(None, usage={"input_tokens": 1000, "output_tokens": 8000}, content=[
        {"type": "tool_use", "id": "t", "name": "run_move", "input": {"move": "square", "seconds": 5, "why": "w"}}]))  # fmt: skip
    with serving(monkeypatch, dear) as service:
        assert main(["compete", str(folder), "--model", MODEL]) == 0
    assert "the cap of" in capsys.readouterr().out
    assert len(service.asked) == 1
    assert moves(folder) == ["plain", "square"]
    assert (folder / "submission.csv").exists()


def test_without_a_budget_for_the_model_none_is_asked(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = folder / "competition.toml"
    settings.write_text(settings.read_text().replace("model_usd = 5.0", "model_usd = 0.0"))
    with serving(monkeypatch, SQUARE) as service:
        assert main(["compete", str(folder), "--model", MODEL]) == 1
    assert "Raise model_usd" in capsys.readouterr().err
    assert service.asked == []
