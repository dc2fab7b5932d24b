"""An architecture trained anew under each protocol, so that what it learned from is what the protocol gives it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fer_core.artifacts import RUNS_CHECKPOINT
from fer_core.config import ExecutionConfig, TrainConfig
from scripts._progress import say

if TYPE_CHECKING:
    from fer_core.data.table import FaceDataset
    from fer_core.evaluation.protocols import Parts


def recipe(model: str, epochs: int, seed: int, *, votes: bool) -> TrainConfig:
    """How an architecture is trained under a protocol: as the shipped checkpoint of its name was, from fresh weights.

    One that was distilled is trained by the plain method, and people are told.

    Args:
        model: the architecture; one without a checkpoint of its name is trained with the defaults.
        epochs: passes over the protocol's training part.
        seed: of the training.
        votes: whether the dataset has FER+ votes; without them they are no second target.
    """
    fresh: dict[str, Any] = {"model": model, "epochs": epochs, "seed": seed, "init": "", "freeze_epochs": 0}
    found = _untaught(_shipped_config(model)) | fresh | {"targets": "fer2013", "clean": "", "part": "", "cycles": 1}
    return TrainConfig(**found | ({} if votes else {"ferplus_weight": 0.0}))


def _untaught(config: dict[str, Any]) -> dict[str, Any]:
    """The options without distillation: its teachers have learnt from the official Training, and so from test faces."""
    if config.get("method") != "distillation":
        return config
    say(f"{config['model']} was distilled from networks that know the official split; it is trained without them here")
    return config | {"method": "plain", "method_options": {}}


def _shipped_config(model: str) -> dict[str, Any]:
    """The options that the shipped checkpoint of this name was trained with, none where there is none."""
    from fer_core.artifacts import find_checkpoint, load_card
    from fer_core.errors import CheckpointError

    try:
        card = load_card(find_checkpoint(model))
    except CheckpointError:
        return {}
    found: dict[str, Any] = card.training.get("config", {}) if card.model == model else {}
    return found


def retrained(
    config: TrainConfig, execution: ExecutionConfig, divided: Mapping[str, Parts], out: Path
) -> list[dict[str, Any]]:
    """Rows of `retrain_protocols`; a run that was killed goes on from its folder under `out`."""
    from fer_core.evaluation.comparison import retrain_protocols

    def train(protocol: str, faces: FaceDataset) -> Any:
        part = with_selection(faces, config.seed)
        say(f"{config.model} under {protocol}: {len(part):,} faces")
        return _trained(config, execution, part, out / config.model / protocol)

    return retrain_protocols(train, divided)


def with_selection(faces: FaceDataset, seed: int) -> FaceDataset:
    """A training part of which a random tenth is put into PublicTest, to choose the epoch on."""
    import numpy as np

    from fer_core.data.store import fingerprint

    held = np.random.default_rng(seed).permutation(len(faces)) < max(1, len(faces) // 10)
    split = np.where(held, "PublicTest", "Training").astype(object)
    table = faces.table.assign(split=split, row=np.arange(len(faces)))
    return replace(faces, table=table, fingerprint=fingerprint(table, faces.pixels))


def _trained(config: TrainConfig, execution: ExecutionConfig, faces: FaceDataset, folder: Path) -> Any:
    from fer_core.classifiers import load_classifier
    from fer_core.models import MODELS
    from fer_core.training.checkpoint import write_checkpoint
    from fer_core.training.fit import fit
    from fer_core.training.state import RunFolder

    result = fit(config, execution, faces, folder, resume=RunFolder(folder).exists(), report=say)
    assert result is not None, "one process trains"
    checkpoint = write_checkpoint(folder / RUNS_CHECKPOINT, MODELS[config.model], config, faces, result)
    return load_classifier(checkpoint, backend="torch")
