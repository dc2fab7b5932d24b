"""Label noise of a known rate is found, by votes and by predictions."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from fer_core.data.audit.label_noise import TIE, check_predictions, model_doubts, vote_doubts, vote_summary
from fer_core.data.table import FaceDataset
from fer_core.errors import DataError
from fer_core.labels import EMOTIONS, FERPLUS_EMOTIONS, VOTE_COLUMNS


def voted(votes: dict[str, int], label: int = 3) -> pd.DataFrame:
    """One face with some votes."""
    columns = dict.fromkeys(VOTE_COLUMNS, 0) | {f"votes_{name}": number for name, number in votes.items()}
    return pd.DataFrame([{"row": 0, "split": "Training", "label": label, **columns}])


def answered(n: int, flipped: float, *, classes: int = 7, seed: int = 0) -> tuple[pd.DataFrame, np.ndarray]:
    """A good model's answers on faces of which a share carries a wrong label, and which ones do."""
    rng = np.random.default_rng(seed)
    truth = rng.integers(0, classes, n)
    wrong = rng.random(n) < flipped
    label = np.where(wrong, (truth + rng.integers(1, classes, n)) % classes, truth)
    logits = rng.normal(0, 1, (n, classes)) + 5 * np.eye(classes)[truth]
    probabilities = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    table = pd.DataFrame({"row": np.arange(n), "split": "PublicTest", "label": label})
    columns = {f"p_{name}": probabilities[:, i].astype(np.float32) for i, name in enumerate(FERPLUS_EMOTIONS[:classes])}
    return table.assign(**columns), wrong


@pytest.mark.parametrize(
    ("votes", "disagrees", "majority"),
    [
        ({"happy": 10}, False, 3),
        ({"sad": 6, "happy": 4}, True, 4),
        ({"sad": 5, "happy": 5}, False, TIE),  # a tie is no disagreement
        ({"sad": 4, "fear": 4, "happy": 2}, True, TIE),  # but for the label that is not of it
        ({"contempt": 9, "happy": 1}, True, 7),
        ({"unknown": 10}, True, 8),
        ({"not_a_face": 10}, True, 9),
    ],
)
def test_what_voters_say_of_a_happy_face(votes: dict[str, int], disagrees: bool, majority: int) -> None:
    doubt = vote_doubts(voted(votes)).iloc[0]
    assert (doubt["disagrees"], doubt["majority"]) == (disagrees, majority)
    assert doubt["votes_for_label"] == votes.get("happy", 0)
    assert (doubt["votes"], doubt["votes_for_majority"]) == (10, max(votes.values()))


def test_faces_without_votes_or_label_are_not_judged() -> None:
    assert vote_doubts(voted({})).empty
    assert vote_doubts(voted({"happy": 10}, label=-1)).empty


def test_the_summary_counts_faces() -> None:
    tables = [voted({"happy": 10}), voted({"sad": 9}), voted({"unknown": 8}), voted({"not_a_face": 7, "happy": 3})]
    assert vote_summary(vote_doubts(pd.concat(tables))) == {
        "voted": 4,
        "disagreeing": 3,
        "unknown": 1,
        "not_a_face": 1,
        "ties": 0,
    }


def test_flipped_labels_are_disagreed_with(dataset: FaceDataset) -> None:
    before = int(vote_doubts(dataset.table)["disagrees"].sum())
    flipped = dataset.table.copy()
    agreed = vote_doubts(dataset.table).query("not disagrees")["row"].to_numpy()[:15]
    flipped.loc[flipped["row"].isin(agreed), "label"] = (flipped["label"] + 1) % 7
    found = vote_doubts(flipped)
    assert found.set_index("row").loc[agreed, "disagrees"].mean() > 0.8
    assert found["disagrees"].sum() > before + 11


def test_votes_are_asked_for() -> None:
    with pytest.raises(DataError, match="--ferplus"):
        vote_doubts(pd.DataFrame({"row": [0], "split": ["Training"], "label": [0]}))


@pytest.mark.parametrize("share", [0.05, 0.2])
def test_flipped_labels_are_doubted_by_a_model(share: float) -> None:
    predictions, wrong = answered(1500, share)
    doubts = model_doubts(predictions)
    found = np.isin(predictions["row"], doubts["row"])
    assert (found & wrong).sum() >= 0.85 * wrong.sum()
    assert (found & wrong).sum() >= 0.85 * found.sum()
    assert doubts["quality"].is_monotonic_increasing
    assert (doubts["predicted"] != doubts["label"]).mean() > 0.95


def test_clean_labels_are_hardly_doubted() -> None:
    predictions, _ = answered(800, 0)
    assert len(model_doubts(predictions)) < 0.02 * len(predictions)


def test_a_class_may_be_missing_and_faces_unlabelled_or_of_a_class_unknown_to_the_model() -> None:
    predictions, wrong = answered(600, 0.1)
    present = predictions[predictions["label"] != 1].reset_index(drop=True)
    present.loc[:20, "label"] = -1
    present.loc[21:25, "label"] = 7
    doubts = model_doubts(present)
    assert len(doubts) > 0.5 * wrong.sum()
    assert doubts["label"].between(0, 6).all()


def test_one_emotion_cannot_be_judged() -> None:
    predictions, _ = answered(50, 0)
    with pytest.raises(DataError, match="two emotions"):
        model_doubts(predictions.assign(label=2))


def test_predictions_of_another_dataset_are_refused(dataset: FaceDataset) -> None:
    table = dataset.table[["row", "split", "label"]]
    check_predictions(table.iloc[20:], dataset.table)
    for wrong in (table.assign(row=table["row"] + 1), table.assign(label=(table["label"] + 1) % len(EMOTIONS))):
        with pytest.raises(DataError, match="another dataset"):
            check_predictions(wrong, dataset.table)
