"""A finished run's folder: what is written, and what is kept when it is written again."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from fer_core.artifacts import load_card, update_card
from fer_core.config import ExecutionConfig, TrainConfig
from fer_core.data.table import FaceDataset
from fer_core.models import MODELS
from fer_core.training.checkpoint import write_checkpoint
from fer_core.training.fit import fit

TINY: dict[str, Any] = {"model": "vgg_se", "model_options": {"widths": (4, 4, 8, 8)}, "epochs": 1, "batch_size": 14}
FIXED = ExecutionConfig(accelerator="cpu", precision="32", channels_last="off", threads=1)


@pytest.mark.parametrize("same", [True, False])
def test_a_finished_run_that_is_started_again_keeps_its_evaluation(
    same: bool, dataset: FaceDataset, tmp_path: Path
) -> None:
    config, folder = TrainConfig(**TINY), tmp_path / "checkpoint"

    def write(resume: bool) -> None:
        result = fit(config, FIXED, dataset, tmp_path / "run", resume=resume, report=lambda text: None)
        assert result is not None
        weights = {name: tensor if same or resume is False else tensor + 1 for name, tensor in result.weights.items()}
        write_checkpoint(folder, MODELS["vgg_se"], config, dataset, replace(result, weights=weights))

    write(resume=False)
    fresh = load_card(folder)
    assert (fresh.temperature, fresh.views, fresh.metrics) == (1.0, "single", {})
    assert fresh.training["devices"] == 1
    evaluated = update_card(folder, temperature=1.5, views="flip", metrics={"PublicTest": {"accuracy": 0.5}})
    write(resume=True)
    again = load_card(folder)
    assert again == (evaluated if same else replace(fresh, weights_sha256=again.weights_sha256))
