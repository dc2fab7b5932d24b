"""A run on disk: what is written, what is compared when it goes on."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
from lightning.fabric import Fabric

from fer_core.config import ExecutionConfig, TrainConfig
from fer_core.data.loaders import batches
from fer_core.data.table import FaceDataset
from fer_core.errors import ConfigError
from fer_core.training import fit as fit_module
from fer_core.training.fit import _Loop
from fer_core.training.state import CONFIG, RunFolder

TINY: dict[str, Any] = {"model": "vgg_se", "model_options": {"widths": (4, 4, 8, 8)}, "epochs": 2, "batch_size": 14}
FIXED = ExecutionConfig(accelerator="cpu", precision="32", channels_last="off", threads=1)


def loop_in(folder: Path, dataset: FaceDataset, *, resume: bool = False, **options: Any) -> _Loop:
    """A run in this process, set up and not yet begun."""
    config = TrainConfig(**(TINY | options))
    loop = _Loop(config, FIXED, dataset, RunFolder(folder), resume, lambda text: None, lambda items, n, text: items)
    loop.after_epoch = lambda row: None
    return loop


def test_a_saved_state_is_neither_copied_nor_kept(
    dataset: FaceDataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    saved: list[dict[str, torch.Tensor]] = []
    save = torch.save

    def watched(document: Any, file: Path) -> None:
        saved.append(document["tensors"]["step"] | document["weights"])
        save(document, file)

    monkeypatch.setattr(torch, "save", watched)
    loop = loop_in(tmp_path, dataset, epochs=1)
    loop.run()
    own = loop.step.state_dict() | loop.state.weights
    assert {name: tensor.data_ptr() for name, tensor in saved[0].items()} == {
        name: tensor.data_ptr() for name, tensor in own.items()
    }
    assert loop.state.tensors == {}
    assert loop_in(tmp_path, dataset, epochs=1, resume=True).state.tensors == {}


def test_a_run_goes_on_with_as_many_processes_as_it_began_with(dataset: FaceDataset, tmp_path: Path) -> None:
    loop = loop_in(tmp_path, dataset, epochs=1)
    loop.run()
    record = json.loads((tmp_path / CONFIG).read_text())
    assert (record["devices"], loop.result().devices) == (1, 1)
    (tmp_path / CONFIG).write_text(json.dumps(record | {"devices": 2}))
    with pytest.raises(ConfigError, match=r"began with devices = 2, not 1, .*; resume with --devices 2"):
        loop_in(tmp_path, dataset, epochs=1, resume=True)
    del record["devices"]  # as older versions wrote it
    (tmp_path / CONFIG).write_text(json.dumps(record))
    assert loop_in(tmp_path, dataset, epochs=1, resume=True).result().devices is None


def _beside_another(monkeypatch: pytest.MonkeyPatch, numbers: Sequence[float]) -> None:
    """Lets a loop take itself for one of two processes, of which the other has these loss, hits, faces and spoilt."""

    def with_the_others(fabric: Fabric, mine: torch.Tensor, reduce_op: str) -> torch.Tensor:
        assert reduce_op == "sum"
        return mine + torch.tensor(numbers)

    monkeypatch.setattr(Fabric, "world_size", 2)
    monkeypatch.setattr(Fabric, "all_reduce", with_the_others)
    monkeypatch.setattr(fit_module, "batches", lambda order, size, rank, world: batches(order, size))


def test_an_epochs_loss_and_accuracy_are_those_of_all_processes(
    dataset: FaceDataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    alone = loop_in(tmp_path / "alone", dataset)._train_epoch(0)
    loop = loop_in(tmp_path / "pair", dataset)
    _beside_another(monkeypatch, (5.0, 3.0, 7.0, 0.0))
    pair = loop._train_epoch(0)
    assert pair["train_loss"] == pytest.approx((28 * alone["train_loss"] + 5) / (28 + 7), abs=1e-5)
    assert pair["train_accuracy"] == pytest.approx((28 * alone["train_accuracy"] + 3) / (28 + 7), abs=1e-5)


@pytest.mark.parametrize("numbers", [(float("nan"), 3.0, 7.0, 0.0), (5.0, 3.0, 7.0, 1.0)])
def test_processes_end_together_where_one_of_them_blows_up(
    numbers: Sequence[float], dataset: FaceDataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loop = loop_in(tmp_path, dataset)
    _beside_another(monkeypatch, numbers)
    with pytest.raises(ConfigError, match="no number any more in epoch 1"):
        loop.run()
