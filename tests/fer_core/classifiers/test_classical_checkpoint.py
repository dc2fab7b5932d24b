"""Classical methods as checkpoints: trained on Training, chosen and calibrated on PublicTest, saved without pickle."""

from __future__ import annotations

import shutil
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fer_core.artifacts import CARD, WEIGHTS, Card, load_card, load_weights, save_checkpoint, update_card
from fer_core.classical import CLASSICAL
from fer_core.classifiers import load_classifier
from fer_core.classifiers.classical import ClassicalClassifier, build_classical
from fer_core.classifiers.embedding import embedding
from fer_core.data.drawn import drawn_dataset
from fer_core.data.table import FaceDataset
from fer_core.errors import CheckpointError, ConfigError, UnsupportedError

open_torch = partial(load_classifier, backend="torch")
QUICK: dict[str, Any] = {
    "linear_svm": {"c": 0.01},
    "rbf_svm": {"c": 1.0, "gamma": 0.25, "landmarks": 60},
    "random_forest": {"trees": 15, "min_leaf": 2, "jobs": 1},
}
WORDS = {"words": 8, "sample": 20, "step": 8}


@pytest.fixture(scope="module")
def drawn() -> FaceDataset:
    return drawn_dataset(16, seed=3)


def build(folder: Path, method: str, drawn: FaceDataset, features: str = "hog", **options: Any) -> Card:
    return build_classical(folder, method, features, drawn, open_torch, candidates=[QUICK[method]], **options)


@pytest.mark.parametrize("method", CLASSICAL)
def test_every_method_learns_drawn_faces_and_survives_saving(method: str, drawn: FaceDataset, tmp_path: Path) -> None:
    card = build(tmp_path / "made", method, drawn)
    private = drawn.split("PrivateTest")
    found = open_torch(tmp_path / "made").predict_proba(private.pixels)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found.sum(1), 1, rtol=1e-5)
    assert (found.argmax(1) == private.labels).mean() > 0.6
    moved = Path(shutil.move(tmp_path / "made", tmp_path / "moved"))
    np.testing.assert_array_equal(open_torch(moved).predict_proba(private.pixels), found)
    assert {path.name for path in moved.iterdir()} == {CARD, WEIGHTS}
    assert (card.kind, card.model, card.options["features"]) == ("classical", method, "hog")
    assert card.selection["split"] == "PublicTest"
    assert card.data["faces"] == len(drawn.split("Training"))


def test_it_is_calibrated_on_public_faces(drawn: FaceDataset, tmp_path: Path) -> None:
    """The mean log-likelihood of PublicTest's labels is at its best where the card leaves it."""
    build(tmp_path / "made", "linear_svm", drawn)
    public = drawn.split("PublicTest")
    logits = open_torch(tmp_path / "made").predict_logits(public.pixels).astype(float)

    def likelihood(factor: float) -> float:
        scaled = logits * factor
        chosen = scaled[np.arange(len(public)), public.labels] - np.log(np.exp(scaled).sum(1))
        return float(chosen.mean())

    assert likelihood(1.0) > max(likelihood(0.8), likelihood(1.25))


def test_private_faces_do_not_count(drawn: FaceDataset, tmp_path: Path) -> None:
    private = (drawn.table["split"] == "PrivateTest").to_numpy()
    table = drawn.table.assign(label=np.where(private, (drawn.labels + 1) % 7, drawn.labels))
    build(tmp_path / "a", "linear_svm", drawn)
    build(tmp_path / "b", "linear_svm", FaceDataset(table, np.where(private[:, None, None], 0, drawn.pixels)))
    assert (tmp_path / "a" / WEIGHTS).read_bytes() == (tmp_path / "b" / WEIGHTS).read_bytes()


def test_visual_words_travel_with_the_method(drawn: FaceDataset, tmp_path: Path) -> None:
    build(tmp_path / "made", "linear_svm", drawn, "sift_words", feature_options=WORDS, views="flip")
    classifier = open_torch(tmp_path / "made")
    assert isinstance(classifier, ClassicalClassifier)
    faces = drawn.pixels[:5]
    mirrored = np.ascontiguousarray(faces[:, :, ::-1])
    np.testing.assert_allclose(classifier.predict_proba(faces), classifier.predict_proba(mirrored), atol=1e-6)
    assert classifier.predict_proba(faces[:0]).shape == (0, 7)


def test_features_of_a_network(drawn: FaceDataset, tiny_checkpoint: Path, tmp_path: Path) -> None:
    network = Path(shutil.copytree(tiny_checkpoint, tmp_path / "tiny"))
    build(tmp_path / "made", "linear_svm", drawn, "network", network=network)
    shutil.rmtree(network)
    classifier = open_torch(tmp_path / "made")
    faces = drawn.pixels[:5]
    assert classifier.predict_proba(faces).shape == (5, 7)
    inside = tmp_path / "made" / classifier.card.members[0]["folder"]
    save_checkpoint(inside, load_card(inside), {name: 2 * tensor for name, tensor in load_weights(inside).items()})
    with pytest.raises(CheckpointError, match="other weights of its member tiny"):
        open_torch(tmp_path / "made")


def test_a_networks_features_are_what_its_head_judges(drawn: FaceDataset, tiny_checkpoint: Path) -> None:
    classifier = open_torch(tiny_checkpoint)
    found = embedding(classifier)(drawn.pixels[:3])
    assert found.shape == (3, classifier.torch_model().feature_width)
    assert found.std() > 0


def test_a_part_of_training_can_be_enough(drawn: FaceDataset, tmp_path: Path) -> None:
    assert build(tmp_path / "made", "linear_svm", drawn, faces=40).data["faces"] == 40


def test_wrong_requests_and_changed_files_are_named(drawn: FaceDataset, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="trained network"):
        build(tmp_path / "made", "linear_svm", drawn, "network")
    build(tmp_path / "made", "linear_svm", drawn, feature_options={"cell": 12})
    with pytest.raises(UnsupportedError, match="not one network"):
        open_torch(tmp_path / "made").torch_model()
    update_card(tmp_path / "made", options={})
    with pytest.raises(CheckpointError, match="does not say 'features'"):
        open_torch(tmp_path / "made")
    content = bytearray((tmp_path / "made" / WEIGHTS).read_bytes())
    content[-1] ^= 1
    (tmp_path / "made" / WEIGHTS).write_bytes(content)
    update_card(tmp_path / "made", options={"features": "hog", "feature_options": {"cell": 12}})
    with pytest.raises(CheckpointError, match="not the file that its card describes"):
        open_torch(tmp_path / "made")
