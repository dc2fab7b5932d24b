"""Which labels a model is judged against, and what is left out by name."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from fer_core.artifacts import Card, save_checkpoint
from fer_core.data import store
from fer_core.data.ferplus import as_ferplus
from fer_core.data.table import FaceDataset
from fer_core.errors import ConfigError, DataError
from fer_core.evaluation.labels import labelled_for, left_out
from fer_core.evaluation.predictions import load_predictions
from fer_core.evaluation.record import record_evaluation
from fer_core.labels import EMOTIONS, FERPLUS_EMOTIONS, VOTE_COLUMNS
from fer_core.models import create_model, parameter_count


@pytest.fixture
def voted(dataset: FaceDataset) -> FaceDataset:
    """Drawn faces; the voters see contempt in the first and cannot agree on the second."""
    table = dataset.table.copy()
    table.loc[0, list(VOTE_COLUMNS)] = [0] * 7 + [10, 0, 0]
    table.loc[1, list(VOTE_COLUMNS)] = [5, 5] + [0] * 8
    return FaceDataset(table, dataset.pixels, fingerprint="x")


def test_eight_classes_are_judged_against_the_majority(voted: FaceDataset) -> None:
    labelled = labelled_for(voted, FERPLUS_EMOTIONS)
    assert labelled.labels[:2].tolist() == [7, -1]
    assert len(labelled) == len(voted)
    kept = as_ferplus(voted)
    assert labelled.select(labelled.labels >= 0).labels.tolist() == kept.labels.tolist()
    assert left_out(labelled, FERPLUS_EMOTIONS)["no FER+ majority"] == len(voted) - len(kept) >= 1
    assert labelled.fingerprint == ""
    assert labelled_for(labelled, FERPLUS_EMOTIONS).labels.tolist() == labelled.labels.tolist()


def test_seven_classes_are_judged_against_votes_only_if_asked(voted: FaceDataset) -> None:
    assert labelled_for(voted, EMOTIONS) is voted
    assert labelled_for(voted, FERPLUS_EMOTIONS, "fer2013") is voted
    assert left_out(labelled_for(voted, EMOTIONS, "ferplus"), EMOTIONS)["contempt"] == 1
    without = FaceDataset(voted.table.drop(columns=list(VOTE_COLUMNS)), voted.pixels)
    assert labelled_for(without, FERPLUS_EMOTIONS) is without
    with pytest.raises(DataError, match="no FER\\+ votes"):
        labelled_for(without, EMOTIONS, "ferplus")
    with pytest.raises(ConfigError, match="labels must be one of auto, fer2013, ferplus, not 'votes'"):
        labelled_for(voted, EMOTIONS, "votes")


def test_left_out_labels_are_counted_by_name(dataset: FaceDataset) -> None:
    labels = np.array(dataset.labels)
    labels[:3], labels[3:5] = -1, 7
    words = pd.Series([""] * len(labels), dtype="str")
    words[1] = "bored"
    table = dataset.table.assign(label=labels)
    assert left_out(FaceDataset(table, dataset.pixels), EMOTIONS) == {"contempt": 2, "unlabelled": 3}
    named = FaceDataset(table.assign(source_label=words), dataset.pixels)
    assert left_out(named, FERPLUS_EMOTIONS) == {"bored": 1, "unlabelled": 2}
    assert left_out(dataset, EMOTIONS) == {}


def test_a_model_of_eight_classes_is_recorded_against_the_votes(prepared: Path, tmp_path: Path) -> None:
    model = create_model("vgg_se", 8, widths=(4, 4, 4, 4)).eval()
    card = Card(
        name="plus",
        model="vgg_se",
        options={"widths": [4, 4, 4, 4]},
        labels=FERPLUS_EMOTIONS,
        input={"side": 48, "channels": 1, "mean": 0.5, "std": 0.25},
        parameters=parameter_count(model),
        data={"fingerprint": store.load(prepared).fingerprint},
    )
    save_checkpoint(tmp_path / "plus", card, dict(model.state_dict()))
    metrics = record_evaluation(tmp_path / "plus", store.load(prepared))
    private = as_ferplus(store.load(prepared)).split("PrivateTest")
    assert metrics["PrivateTest"]["n"] == len(private)
    assert metrics["PrivateTest"]["labels"] == list(FERPLUS_EMOTIONS)
    table = load_predictions(tmp_path / "plus")
    judged = table[table["split"] == "PrivateTest"]
    assert judged["label"].tolist() == private.labels.tolist()
    assert "p_contempt" in table
