"""Predictions, reports, protocols, views, calibration, and what a checkpoint carries of them."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from fer_core.artifacts import DEDUPLICATED, REPORT, load_card, update_card
from fer_core.classifiers import load_classifier
from fer_core.classifiers.base import softmax
from fer_core.classifiers.calibration import fit_temperature
from fer_core.data import store
from fer_core.data.table import FaceDataset
from fer_core.errors import CheckpointError, DataError
from fer_core.evaluation.predictions import load_predictions, predict_dataset, save_predictions
from fer_core.evaluation.protocols import deduplicated
from fer_core.evaluation.record import record_evaluation
from fer_core.evaluation.report import evaluate_predictions
from fer_core.evaluation.views import PASSES, VIEWS
from fer_core.labels import EMOTIONS
from fer_core.metrics import expected_calibration_error


class Oracle:
    """Reads the true class off the first pixel, and is wrong where the second one says so."""

    labels = EMOTIONS
    device = "nowhere"

    def predict_proba(self, faces: np.ndarray) -> np.ndarray:
        return np.eye(7, dtype=np.float32)[(faces[:, 0, 0] + faces[:, 0, 1]) % 7]


def marked(dataset: FaceDataset, wrong: int = 0) -> FaceDataset:
    pixels = np.array(dataset.pixels)
    pixels[:, 0, 0], pixels[:, 0, 1] = dataset.labels, 0
    pixels[:wrong, 0, 1] = 1
    return FaceDataset(dataset.table, pixels)


def test_report_counts_right_answers(dataset: FaceDataset) -> None:
    table = predict_dataset(Oracle(), marked(dataset, wrong=10))
    report = evaluate_predictions(table, EMOTIONS)
    assert report.n == len(dataset)
    assert report.accuracy == pytest.approx(1 - 10 / len(dataset))
    assert report.accuracy_interval[0] < report.accuracy < report.accuracy_interval[1]
    assert np.trace(report.confusion) == len(dataset) - 10
    assert np.sum(report.confusion, axis=1).tolist() == np.bincount(dataset.labels, minlength=7).tolist()
    assert report.weighted_recall == pytest.approx(report.accuracy)
    assert json.loads(json.dumps(report.to_dict()))["labels"] == list(EMOTIONS)


def test_a_class_without_faces_lowers_one_macro_f1_and_not_the_other() -> None:
    true = np.arange(6).repeat(4)  # no face is neutral
    answers = true.copy()
    answers[0] = EMOTIONS.index("neutral")
    table = pd.DataFrame(np.eye(7)[answers], columns=[f"p_{name}" for name in EMOTIONS]).assign(label=true)
    report = evaluate_predictions(table, EMOTIONS)
    angry = 2 * 0.75 / 1.75  # precision 1, recall 3 of 4
    assert report.macro_f1 == pytest.approx((5 + angry) / 7)
    assert report.macro_f1_present == pytest.approx((5 + angry) / 6)
    assert report.absent == ["neutral"]


def test_faces_without_a_known_label_are_left_out(dataset: FaceDataset) -> None:
    table = dataset.table.copy()
    table.loc[0, "label"], table.loc[1, "label"] = -1, 7
    changed = FaceDataset(table, marked(dataset).pixels)
    assert len(predict_dataset(Oracle(), changed)) == len(dataset) - 2
    table["label"] = -1
    with pytest.raises(DataError, match="nothing to evaluate"):
        predict_dataset(Oracle(), FaceDataset(table, dataset.pixels))


def test_predictions_survive_saving(dataset: FaceDataset, tmp_path: Path) -> None:
    table = predict_dataset(Oracle(), marked(dataset))
    save_predictions(tmp_path, table)
    pd.testing.assert_frame_equal(load_predictions(tmp_path), table)
    with pytest.raises(CheckpointError, match="carries no predictions"):
        load_predictions(tmp_path / "other")


def test_deduplicated_leaves_out_exact_twins_of_training(dataset: FaceDataset) -> None:
    pixels = np.array(dataset.pixels)
    split = dataset.table["split"].to_numpy()
    training, private = np.flatnonzero(split == "Training"), np.flatnonzero(split == "PrivateTest")
    pixels[private[:3]] = pixels[training[:3]]
    planted = FaceDataset(dataset.table, pixels)
    kept = set(deduplicated(planted, "PrivateTest").table["row"])
    assert not kept & set(dataset.table["row"].iloc[private[:3]])
    assert len(kept) <= len(private) - 3


def test_views_agree_on_faces_without_texture(tiny_checkpoint: Path) -> None:
    classifier = load_classifier(tiny_checkpoint, backend="torch")
    grey = np.full((2, 48, 48), 90, np.uint8)
    plain = VIEWS["single"](classifier, grey)
    for name in VIEWS:
        np.testing.assert_allclose(VIEWS[name](classifier, grey), plain, atol=1e-5)


@pytest.mark.parametrize("name", VIEWS)
def test_views_give_probabilities_by_so_many_passes(
    name: str, tiny_checkpoint: Path, dataset: FaceDataset, monkeypatch: pytest.MonkeyPatch
) -> None:
    classifier, asked = load_classifier(tiny_checkpoint, backend="torch"), []
    answer = classifier.predict_proba
    monkeypatch.setattr(classifier, "predict_proba", lambda faces: (asked.append(len(faces)), answer(faces))[1])
    answers = VIEWS[name](classifier, np.asarray(dataset.pixels[:3]))
    assert sum(asked) == 3 * PASSES[name]
    assert answers.shape == (3, 7)
    np.testing.assert_allclose(answers.sum(1), 1, rtol=1e-5)


def test_flip_is_blind_to_mirrors(tiny_checkpoint: Path, dataset: FaceDataset) -> None:
    classifier = load_classifier(tiny_checkpoint, backend="torch")
    faces = np.array(dataset.pixels[:4])
    mirrored = np.ascontiguousarray(faces[:, :, ::-1])
    for name in ("flip", "ten_crop"):  # flip_zoom is not: it enlarges one of the two
        np.testing.assert_allclose(VIEWS[name](classifier, faces), VIEWS[name](classifier, mirrored), atol=2e-3)


def test_ten_crop_shows_a_network_of_crops_each_crop_as_it_is(tiny_checkpoint: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(tiny_checkpoint, tmp_path / "crops"))
    update_card(folder, input={**load_card(folder).input, "field": 40})
    classifier = load_classifier(folder, backend="torch")
    face = np.random.default_rng(0).integers(0, 256, (48, 48), np.uint8)
    seen = []
    for view in (face, face[:, ::-1]):
        for top, left in ((0, 0), (0, 8), (8, 0), (8, 8), (4, 4)):
            seen.append(np.zeros((48, 48), np.uint8))
            seen[-1][4:44, 4:44] = view[top : top + 40, left : left + 40]
    expected = classifier.predict_proba(np.stack(seen)).mean(0)
    np.testing.assert_allclose(VIEWS["ten_crop"](classifier, face[None])[0], expected, atol=1e-5)


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda table: table.drop(columns="label"), "no column label"),
        (lambda table: table[["row", "split", "label"]], "no probabilities"),
        (lambda table: table.assign(label=7), "none of its 7 classes"),
        (lambda table: table.assign(label=-1), "none of its 7 classes"),
        (lambda table: table.assign(label="happy"), "no whole numbers"),
        (lambda table: table.assign(p_happy=np.nan), "no numbers"),
    ],
)
def test_what_is_no_predictions_table_is_told(spoil: Any, words: str, dataset: FaceDataset, tmp_path: Path) -> None:
    table = dataset.table[["row", "split", "label"]].assign(**{f"p_{name}": 1 / 7 for name in EMOTIONS})
    save_predictions(tmp_path, table)
    assert len(load_predictions(tmp_path)) == len(dataset)
    save_predictions(tmp_path, spoil(table))
    with pytest.raises(CheckpointError, match=words):
        load_predictions(tmp_path)


def test_temperature_is_recovered() -> None:
    rng = np.random.default_rng(0)
    logits = rng.normal(0, 2, (4000, 7))
    labels = np.array([rng.choice(7, p=p / p.sum()) for p in softmax(logits).astype(float)])
    assert fit_temperature(logits * 3, labels) == pytest.approx(3, rel=0.1)
    before = expected_calibration_error(labels, softmax(logits * 3))
    assert expected_calibration_error(labels, softmax(logits * 3, fit_temperature(logits * 3, labels))) < before / 3


def test_recorded_figures_are_those_of_the_recorded_predictions(
    tiny_checkpoint: Path, prepared: Path, tmp_path: Path
) -> None:
    folder = Path(shutil.copytree(tiny_checkpoint, tmp_path / "tiny"))
    dataset = store.load(prepared)
    with pytest.raises(DataError, match="trained on another dataset"):
        record_evaluation(folder, dataset)
    update_card(folder, data={"fingerprint": dataset.fingerprint})
    record_evaluation(folder, dataset)
    card, table = load_card(folder), load_predictions(folder)
    assert set(card.metrics) == {"PublicTest", "PrivateTest", DEDUPLICATED}
    assert set(table["split"]) == {"PublicTest", "PrivateTest"}
    private = evaluate_predictions(table[table["split"] == "PrivateTest"], EMOTIONS)
    assert card.metrics["PrivateTest"]["accuracy"] == pytest.approx(private.accuracy, abs=1e-6)
    assert json.loads((folder / REPORT).read_text()) == card.metrics
