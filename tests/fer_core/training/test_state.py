"""A run on disk: what is written, what is compared when it goes on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from fer_core.config import ExecutionConfig, TrainConfig
from fer_core.data.table import FaceDataset
from fer_core.training.fit import _Loop
from fer_core.training.state import RunFolder

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
