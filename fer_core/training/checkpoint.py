"""A finished run as a checkpoint folder."""

from __future__ import annotations

import importlib.metadata
import platform
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from fer_core.artifacts import HISTORY, Card, load_card, load_weights, save_checkpoint
from fer_core.config import TrainConfig
from fer_core.data.table import SIDE, FaceDataset
from fer_core.errors import CheckpointError
from fer_core.files import write_text
from fer_core.models import ModelSpec, create_model, parameter_count
from fer_core.training.fit import FitResult
from fer_core.training.state import history_csv

PACKAGES = ("torch", "lightning", "numpy")


def write_checkpoint(
    folder: Path,
    spec: ModelSpec,
    config: TrainConfig,
    dataset: FaceDataset,
    result: FitResult,
) -> Path:
    """Writes weights, card and history of a run into `folder` and returns it.

    The card has no test metrics yet, unless these very weights lay there already and had been evaluated.
    """
    epochs = len(result.history)
    in_training = int((dataset.table["split"] == "Training").sum())
    # pretrained weights would be fetched only to be counted
    options = {name: value for name, value in config.model_options.items() if name != "pretrained"}
    model = create_model(spec.name, len(result.labels), **options)
    card = Card(
        name=folder.name,
        model=spec.name,
        options=dict(config.model_options),
        title=spec.title,
        paper=spec.paper,
        labels=result.labels,
        input={"side": SIDE, "field": config.crop, "channels": 1, **asdict(result.normalisation)},
        parameters=parameter_count(model),
        data={"fingerprint": dataset.fingerprint, "source_format": dataset.source_format, "faces": in_training},
        selection={"split": "PublicTest", "metric": config.select_on, **result.best},
        training={
            "config": asdict(config),
            "plan": str(result.plan),
            "device": result.device,
            **({"devices": result.devices} if result.devices else {}),
            "epochs": epochs,
            "images_seen": epochs * max(1, result.facts["faces"] // config.batch_size) * config.batch_size,
            "seconds": round(result.seconds, 1),
            "images_per_second": result.images_per_second,
            "seed": config.seed,
            **result.facts,
        },
        versions={"python": platform.python_version()} | {name: importlib.metadata.version(name) for name in PACKAGES},
        notes=result.ended,
        **_evaluation(folder, result.weights),
    )
    save_checkpoint(folder, card, result.weights)
    write_text(folder / HISTORY, history_csv(result.history))
    return folder


def _evaluation(folder: Path, weights: Mapping[str, Tensor]) -> dict[str, Any]:
    """Fields of the card in `folder` that an evaluation of these weights has left there; none where it is of others."""
    try:
        card, before = load_card(folder), load_weights(folder)
    except CheckpointError:
        return {}
    same = before.keys() == weights.keys() and all(torch.equal(before[name], weights[name]) for name in weights)
    return {name: getattr(card, name) for name in ("temperature", "views", "metrics")} if same else {}
