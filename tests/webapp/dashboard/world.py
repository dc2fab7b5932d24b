"""Predictions and checkpoints whose numbers are known by hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from fer_core.artifacts import PROTOCOLS, ROBUSTNESS, Card, load_card, save_card
from fer_core.evaluation.predictions import save_predictions
from fer_core.evaluation.report import evaluate_predictions
from fer_core.files import write_json
from fer_core.labels import EMOTIONS
from fer_core.studies.results import Result


def first(table: pd.DataFrame, split: str, emotion: str) -> int:
    """Place of the first face of an emotion in a split."""
    mask = (table["split"] == split) & (table["label"] == EMOTIONS.index(emotion))
    return int(np.flatnonzero(mask)[0])


def predictions(table: pd.DataFrame) -> pd.DataFrame:
    """Every test face is read rightly with 0.8, but each fearful one as sad with 0.55 to 0.9."""
    part = table[table["split"] != "Training"][["row", "split", "label"]].reset_index(drop=True)
    answer = part["label"].replace(EMOTIONS.index("fear"), EMOTIONS.index("sad")).to_numpy()
    wrong = part["label"].to_numpy() != answer
    confidence = np.where(wrong, np.linspace(0.55, 0.9, len(part)), 0.8)
    scores = np.repeat((1 - confidence)[:, None] / 6, 7, axis=1)
    scores[np.arange(len(part)), answer] = confidence
    return part.assign(**{f"p_{name}": scores[:, index].astype("float32") for index, name in enumerate(EMOTIONS)})


def write_checkpoint(folder: Path, table: pd.DataFrame, fingerprint: str) -> None:
    """A checkpoint's card, predictions and history; no weights."""
    folder.mkdir(parents=True)
    made = predictions(table)
    metrics = {
        split: evaluate_predictions(made[made["split"] == split], EMOTIONS).to_dict()
        for split in ("PublicTest", "PrivateTest")
    }
    data = {"fingerprint": fingerprint}
    shape = {"side": 48, "channels": 1, "mean": 0.5, "std": 0.25}
    card = Card(folder.name, "vgg_se", EMOTIONS, shape, 1234567, title="A test network", metrics=metrics, data=data)
    save_card(folder, card)
    save_predictions(folder, made)
    history = {"epoch": [1, 2], "train_loss": [2.0, 1.0], "train_accuracy": [0.3, 0.5], "public_accuracy": [0.3, 0.4]}
    pd.DataFrame(history).to_csv(folder / "history.csv", index=False)


def write_records(folder: Path) -> None:
    """What `scripts.protocols --record` and `scripts.robustness --record` leave beside a checkpoint."""
    figures = {"n": 10, "distinct": 9, "accuracy": 0.5, "accuracy_interval": [0.4, 0.6], "macro_f1": 0.4}
    leaks = {"leak": 3, "own_leak": 1}
    rows = [{"checkpoint": folder.name, "protocol": name, **figures, **leaks} for name in ("official", "resplit")]
    spoilt = [{"corruption": "clean", "strength": 0, "accuracy": 0.5, "n": 10}]
    spoilt += [{"corruption": "blur", "strength": strength, "accuracy": 0.4, "n": 10} for strength in range(1, 6)]
    found = {"n": 10, "split": "PublicTest", "accuracy": {"clean": 0.5, "mean": 0.4}, "by_strength": spoilt}
    for name, document in ((PROTOCOLS, {"rows": rows}), (ROBUSTNESS, found)):
        write_json(folder / name, {"weights_sha256": load_card(folder).weights_sha256, **document})


def measured(row: str, accuracy: float) -> Result:
    """A row of a study with that accuracy everywhere."""
    figures = {"accuracy": accuracy, "accuracy_interval": [accuracy - 0.02, accuracy + 0.02], "macro_f1": 0.4}
    metrics = {name: dict(figures) for name in ("PublicTest", "PrivateTest", "PrivateTest deduplicated")}
    return Result(row, row, "network", "small", {"model": row}, metrics, parameters=1000, inference_speed=100.0)
