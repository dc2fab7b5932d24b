"""The workshop: what the members of a boosting are really trained on."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import fer_core.classifiers
from fer_core.classifiers.binary import tree_of_opposites
from fer_core.config import ExecutionConfig, TrainConfig
from fer_core.data.table import FaceDataset
from fer_core.labels import EMOTIONS
from fer_core.studies.workshop import Workshop


class NeverFirst:
    """Reads the emotion off the first pixel, but takes the first emotion for the second."""

    labels, device = EMOTIONS, "cpu"

    def predict_proba(self, faces: np.ndarray) -> np.ndarray:
        found: np.ndarray = np.eye(7, dtype=np.float32)[np.maximum(faces[:, 0, 0], 1)]
        return found


def test_boosting_trains_its_second_member_on_what_the_first_got_wrong(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    labels = np.arange(1400) % 7
    pixels = np.broadcast_to(labels[:, None, None].astype(np.uint8), (1400, 48, 48))
    split = np.where(np.arange(1400) < 700, "Training", "PublicTest")
    dataset = FaceDataset(pd.DataFrame({"row": np.arange(1400), "split": split, "label": labels}), pixels)
    trained: list[FaceDataset] = []

    def train(workshop: Workshop, given: FaceDataset, name: str) -> None:
        trained.append(given)
        workshop.members.append(tmp_path / name)

    monkeypatch.setattr(Workshop, "train", train)
    monkeypatch.setattr(fer_core.classifiers, "load_classifier", lambda folder, **options: NeverFirst())
    config, execution = TrainConfig("vgg_se"), ExecutionConfig()
    workshop = Workshop(config, execution, dataset, tmp_path, False, lambda text: None, lambda items, n, text: items)
    workshop.make("boosting", 2, tree_of_opposites(EMOTIONS))
    first, second = (part.split("Training").labels for part in trained)
    assert len(first) == len(second) == 700
    assert (first == 0).mean() == pytest.approx(1 / 7, abs=0.05)
    assert (second == 0).mean() == pytest.approx(6 / 7, abs=0.05)  # SAMME puts the first member at chance
    assert set(second) == set(range(7))
    for part in trained:
        assert (part.split("PublicTest").labels == labels[700:]).all()  # what judges is not drawn
