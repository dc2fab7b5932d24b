"""The search command in a real process."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from fer_core.artifacts import load_card

ROOT = Path(__file__).resolve().parents[2]
OPTIONS = (
    *("--model-options", '{"widths": [4, 4, 8, 8]}', "--epochs", "1", "--batch-size", "14", "--threads", "1"),
    *("--accelerator", "cpu", "--precision", "32", "--channels-last", "off"),
)


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "scripts.search", "vgg_se", *OPTIONS, *arguments]
    return subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False, timeout=300)


def test_json_names_the_best_and_its_checkpoint(prepared: Path, tmp_path: Path) -> None:
    grid = ("--optimizers", "adam,sgd", "--schedules", "constant", "--json")
    done = run("--data", str(prepared), "--out", str(tmp_path / "found"), *grid)
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert len(document["trials"]) == 2
    assert document["best"] in document["trials"]
    assert document["selected_on"] == {"split": "PublicTest", "metric": "accuracy"}
    card = load_card(Path(document["checkpoint"]))
    assert card.training["config"]["optimizer"] == document["best"]["changes"]["optimizer"]
    assert card.metrics == {}


def test_bad_names_are_one_line(prepared: Path, tmp_path: Path) -> None:
    done = run("--data", str(prepared), "--out", str(tmp_path / "found"), "--optimizers", "addam")
    assert (done.returncode, done.stdout) == (2, "")
    assert "no optimizer 'addam'; closest: 'adam'" in done.stderr
