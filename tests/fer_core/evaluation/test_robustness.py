"""Corruptions keep their definitions: strength 0 changes nothing, more changes more, chance is the face's own."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import pytest

from fer_core.data.table import FaceDataset
from fer_core.errors import ConfigError, DataError
from fer_core.evaluation.predictions import predict_dataset
from fer_core.evaluation.robustness import CORRUPTIONS, STRENGTHS, Chance, robustness_table, some, summarise
from fer_core.labels import EMOTIONS


class Sharp:
    """Says the true class, coded in the first row, for faces that are still as bright as they were coded to be."""

    labels = EMOTIONS
    device = "nowhere"

    def __init__(self) -> None:
        self.asked = 0

    def predict_proba(self, faces: np.ndarray) -> np.ndarray:
        self.asked += len(faces)
        answers = np.where(faces[:, 1].max(1) == faces[:, 1].min(1), faces[:, 0, 0] // 30, 0)
        return np.eye(7, dtype=np.float32)[np.minimum(answers, 6)]


@pytest.fixture(scope="module")
def faces(dataset: FaceDataset) -> np.ndarray:
    return np.array(dataset.pixels[:24])


CHANCE = Chance(np.arange(24), seed=3)


@pytest.mark.parametrize("name", CORRUPTIONS)
def test_strength_0_is_the_identity_and_more_is_further_away(name: str, faces: np.ndarray) -> None:
    corruption = CORRUPTIONS[name]
    spoilt = [corruption(faces, strength, CHANCE) for strength in (0, *STRENGTHS)]
    assert np.array_equal(spoilt[0], faces)
    assert {part.dtype for part in spoilt} == {np.dtype(np.uint8)}
    assert {part.shape for part in spoilt} == {faces.shape}
    distance = [np.abs(part.astype(float) - faces).mean() for part in spoilt]
    assert np.all(np.diff(distance) > 0.2), distance
    assert list(corruption.amounts) == sorted(corruption.amounts)
    with pytest.raises(ConfigError, match="strength must be a whole number from 0 to 5, not 6"):
        corruption(faces, 6, CHANCE)


@pytest.mark.parametrize("name", CORRUPTIONS)
def test_a_face_is_spoilt_alike_whatever_is_beside_it(name: str, faces: np.ndarray) -> None:
    whole = CORRUPTIONS[name](faces, 3, CHANCE)
    backwards = CORRUPTIONS[name](faces[::-1], 3, Chance(CHANCE.rows[::-1], seed=3))
    assert np.array_equal(whole, backwards[::-1])
    assert np.array_equal(whole[5:6], CORRUPTIONS[name](faces[5:6], 3, Chance(np.array([5]), seed=3)))


@pytest.mark.parametrize("name", ["brightness", "noise", "rotation", "occlusion"])
def test_another_seed_spoils_otherwise(name: str, faces: np.ndarray) -> None:
    other = CORRUPTIONS[name](faces, 3, Chance(CHANCE.rows, seed=4))
    assert not np.array_equal(CORRUPTIONS[name](faces, 3, CHANCE), other)


def test_definitions() -> None:
    grey = np.full((40, 48, 48), 100, np.uint8)
    chance = Chance(np.arange(40))
    assert set(np.unique(CORRUPTIONS["brightness"](grey, 1, chance))) == {75, 126}
    steps = np.broadcast_to(np.repeat(np.array([80, 120], np.uint8), 24), (2, 48, 48))
    assert set(np.unique(CORRUPTIONS["contrast"](steps, 2, Chance(np.arange(2))))) == {90, 110}
    noise = CORRUPTIONS["noise"](grey, 2, chance).astype(float) - 100
    assert noise.std() == pytest.approx(0.04 * 255, rel=0.02)
    assert abs(noise.mean()) < 0.3
    hidden = CORRUPTIONS["occlusion"](grey, 5, chance) == 128
    assert hidden.mean(axis=(1, 2)) == pytest.approx(0.36, abs=0.02)
    dot = np.zeros((1, 48, 48), np.uint8)
    dot[0, 24, 24] = 255
    blurred = CORRUPTIONS["blur"](dot, 3, Chance(np.zeros(1, int)))
    assert blurred[0, 24, 24] == round(255 / (2 * np.pi * 1.5**2))
    line = np.zeros((2, 49, 49), np.uint8)
    line[:, 24] = 255
    turned = CORRUPTIONS["rotation"](line, 5, Chance(np.array([0, 1])))
    rows, columns = np.nonzero(turned[0] > 100)
    assert abs(np.polyfit(columns, rows, 1)[0]) == pytest.approx(np.tan(np.deg2rad(40)), rel=0.03)


def test_the_table_and_its_means(dataset: FaceDataset) -> None:
    pixels = np.full((len(dataset), 48, 48), 15, np.uint8)
    pixels += (30 * dataset.labels[:, None, None]).astype(np.uint8)
    classifier = Sharp()
    table = robustness_table(classifier, FaceDataset(dataset.table, pixels))
    assert len(table) == 1 + 5 * len(CORRUPTIONS)
    assert classifier.asked == len(table) * len(dataset)
    assert set(table["n"]) == {len(dataset)}
    means = summarise(table)
    assert set(means) == {"clean", "mean", *CORRUPTIONS}
    assert means["clean"] == means["blur"] == means["contrast"] == means["rotation"] == 1
    assert means["noise"] == pytest.approx(1 / 7)
    assert means["mean"] == pytest.approx(np.mean([means[name] for name in CORRUPTIONS]))


def test_progress_sees_every_pass_and_every_chunk(dataset: FaceDataset) -> None:
    seen: list[tuple[str, int]] = []

    def progress(items: Iterable[Any], total: int, text: str) -> Iterator[Any]:
        for item in items:
            seen.append((text, total))
            yield item

    robustness_table(Sharp(), dataset, progress=progress)
    passes = 1 + 5 * len(CORRUPTIONS)
    assert seen == [("corruptions", passes)] * passes
    seen.clear()
    predict_dataset(Sharp(), dataset, progress=progress)
    assert seen == [("answers", 1)]


def test_a_limit_draws_the_same_faces_again(dataset: FaceDataset) -> None:
    rows = some(dataset, 10).table["row"].tolist()
    assert rows == some(dataset, 10).table["row"].tolist() == sorted(set(rows))
    assert rows != some(dataset, 10, seed=1).table["row"].tolist()
    assert some(dataset, None) is some(dataset, 10_000) is dataset
    with pytest.raises(ConfigError, match="at least 1 face"):
        some(dataset, 0)


def test_faces_without_a_known_label_cannot_be_judged(dataset: FaceDataset) -> None:
    unlabelled = FaceDataset(dataset.table.assign(label=-1), dataset.pixels)
    with pytest.raises(DataError, match="nothing to evaluate"):
        robustness_table(Sharp(), unlabelled)
