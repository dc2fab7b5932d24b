"""`scripts.publish`: a trained checkpoint ships with its evaluation, and replaces its namesake whole or not at all."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
import torch

from fer_core import artifacts
from fer_core.artifacts import HISTORY, ONNX, PREDICTIONS, load_card, load_weights, update_card
from fer_core.data import store
from scripts import publish
from tests.scripts.conftest import Command


@pytest.fixture
def trained(tiny_checkpoint: Path, prepared: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkpoint as a training command leaves it; what ships lies in an empty folder."""
    folder = Path(shutil.copytree(tiny_checkpoint, tmp_path / "run" / "checkpoint"))
    update_card(folder, data={"fingerprint": store.load(prepared).fingerprint})
    (folder / HISTORY).write_text("epoch,train_loss\n1,2.0\n")
    monkeypatch.setattr(artifacts, "CHECKPOINTS", tmp_path / "shipped")
    (tmp_path / "shipped").mkdir()
    return folder


def test_what_was_trained_ships_with_its_evaluation(run_here: Command, trained: Path, prepared: Path) -> None:
    given = [trained, "--data", prepared, "--name", "fine", "--notes", "Drawn faces.", "--views", "flip"]
    done = run_here(publish.publish, *given, "--json")
    shipped = artifacts.CHECKPOINTS / "fine"
    card = load_card(shipped)
    assert (card.name, card.notes, card.views) == ("fine", "Drawn faces.", "flip")
    assert card.metrics["PrivateTest"]["accuracy"] == done.json["accuracy"]
    assert done.json["max_difference"] < 1e-4
    assert all((shipped / name).is_file() for name in (ONNX, HISTORY, PREDICTIONS))
    assert [path.name for path in artifacts.CHECKPOINTS.iterdir()] == ["fine"]


@pytest.mark.parametrize(("told", "kind"), [((), torch.float16), (("--no-half",), torch.float32)])
def test_kernels_ship_in_half_precision_unless_told(
    run_here: Command, trained: Path, prepared: Path, told: tuple[str, ...], kind: torch.dtype
) -> None:
    run_here(publish.publish, trained, "--data", prepared, "--name", "fine", *told)
    shipped = load_weights(artifacts.CHECKPOINTS / "fine")
    assert {tensor.dtype for tensor in shipped.values() if tensor.ndim > 1} == {kind}


@pytest.mark.parametrize("name", ["", ".", "..", "../other", "a/b", "leaderboard", ".hidden", "Größe"])
def test_a_name_is_no_other_folder(run_here: Command, trained: Path, prepared: Path, name: str) -> None:
    run_here(publish.publish, trained, "--data", prepared, "--name", "fine")
    done = run_here(publish.publish, trained, "--data", prepared, "--name", name)
    assert done.status == 2
    assert "cannot name a checkpoint" in done.err
    assert [path.name for path in artifacts.CHECKPOINTS.iterdir()] == ["fine"]


def test_a_failure_leaves_the_old_one(run_here: Command, trained: Path, prepared: Path) -> None:
    run_here(publish.publish, trained, "--data", prepared, "--name", "fine", "--notes", "old")
    update_card(trained, data={"fingerprint": "another"})
    done = run_here(publish.publish, trained, "--data", prepared, "--name", "fine", "--notes", "new")
    assert done.status == 2
    assert "trained on another dataset" in done.err
    assert load_card(artifacts.CHECKPOINTS / "fine").notes == "old"
    wrong = run_here(publish.publish, trained, "--data", prepared, "--name", "fine", "--views", "ten")
    assert "views must be one of single, flip, flip_zoom" in wrong.err
