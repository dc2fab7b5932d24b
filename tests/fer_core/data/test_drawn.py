"""Drawn faces: the same state draws the same face, emotions can be told apart, datasets keep the schema."""

from __future__ import annotations

import numpy as np
import pytest

from fer_core.data.drawn import draw_face, drawn_dataset
from fer_core.data.table import FaceDataset, check, counts
from fer_core.errors import ConfigError
from fer_core.labels import EMOTIONS, FERPLUS_EMOTIONS, SPLITS, VOTE_COLUMNS


@pytest.mark.parametrize("emotion", FERPLUS_EMOTIONS)
@pytest.mark.parametrize("side", [48, 200])
def test_a_face_has_its_size_and_both_dark_and_light(emotion: str, side: int) -> None:
    face = draw_face(emotion, rng=np.random.default_rng(5), side=side)
    assert face.shape == (side, side)
    assert face.dtype == np.uint8
    assert face.min() < 80
    assert face.max() > 150


def test_the_same_state_draws_the_same_face_at_every_size() -> None:
    small = draw_face("happy", rng=np.random.default_rng(1))
    again = draw_face("happy", rng=np.random.default_rng(1))
    large = draw_face("happy", rng=np.random.default_rng(1), side=192)
    assert np.array_equal(small, again)
    shrunk = large.reshape(48, 4, 48, 4).mean((1, 3))
    assert np.abs(shrunk - small).mean() < 6


def test_no_face_is_drawn_for_a_word_that_is_no_emotion_or_a_silly_size() -> None:
    rng = np.random.default_rng(0)
    with pytest.raises(ConfigError, match="hungry"):
        draw_face("hungry", rng=rng)
    with pytest.raises(ConfigError, match="16 to 1024"):
        draw_face("happy", rng=rng, side=4)


def test_the_dataset_keeps_the_schema(dataset: FaceDataset) -> None:
    check(dataset)
    assert counts(dataset.table) == {split: dict.fromkeys(EMOTIONS, 4) for split in SPLITS}
    votes = dataset.table[list(VOTE_COLUMNS)].to_numpy()
    assert (votes.sum(axis=1) == 10).all()
    assert (votes.argmax(axis=1) == dataset.labels).all()


def test_no_two_drawn_faces_are_the_same(dataset: FaceDataset) -> None:
    assert len(np.unique(dataset.pixels.reshape(len(dataset), -1), axis=0)) == len(dataset)


def test_imbalance_and_missing_votes() -> None:
    skewed = drawn_dataset(4, splits=["Training"], votes=False, imbalance=[1, 0, 1, 2, 1, 1, 1])
    assert list(counts(skewed.table)) == ["Training"]
    assert counts(skewed.table)["Training"] == {**dict.fromkeys(EMOTIONS, 4), "disgust": 1, "happy": 8}
    assert not skewed.has_votes


def test_a_linear_rule_learned_on_some_faces_names_others() -> None:
    from sklearn.discriminant_analysis import LinearDiscriminantAnalysis

    drawn = drawn_dataset(25, seed=2, splits=["Training", "PublicTest"], votes=False)
    train, test = drawn.split("Training"), drawn.split("PublicTest")
    rule = LinearDiscriminantAnalysis(solver="lsqr", shrinkage=0.3)
    rule.fit(_flat(train), train.labels)
    assert rule.score(_flat(test), test.labels) > 0.6


def _flat(part: FaceDataset) -> np.ndarray:
    return part.pixels.reshape(len(part), -1)[:, ::2] / 255.0
