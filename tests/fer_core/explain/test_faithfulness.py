"""Deletion and insertion on a classifier whose truth is known."""

from __future__ import annotations

import numpy as np
import pytest

from fer_core.explain.faithfulness import measure

PATCH = (slice(28, 40), slice(12, 36))


class PatchClassifier:
    """Class 1 is likely as far as the patch is bright; counts its calls."""

    def __init__(self) -> None:
        self.batches: list[int] = []

    def __call__(self, faces: np.ndarray) -> np.ndarray:
        assert faces.dtype == np.uint8
        self.batches.append(len(faces))
        bright = faces[(slice(None), *PATCH)].mean((1, 2)) / 255
        chance = 1 / (1 + np.exp(-12 * (bright - 0.6)))
        return np.stack([1 - chance, chance], axis=1).astype(np.float32)


@pytest.fixture
def crop() -> np.ndarray:
    face = np.random.default_rng(3).integers(0, 90, (48, 48)).astype(np.uint8)
    face[PATCH] = 240
    return face


@pytest.fixture
def truth() -> np.ndarray:
    heat = np.zeros((48, 48), np.float32)
    heat[PATCH] = 1
    return heat


def test_the_true_heat_beats_random_orders_and_its_own_reverse(crop: np.ndarray, truth: np.ndarray) -> None:
    true = measure(PatchClassifier(), crop, truth, 1)
    reverse = measure(PatchClassifier(), crop, -truth, 1)
    rng = np.random.default_rng(0)
    chance = [measure(PatchClassifier(), crop, rng.random((48, 48)), 1) for _ in range(20)]
    assert true.deletion < min(area.deletion for area in chance) - 0.1
    assert true.insertion > max(area.insertion for area in chance) + 0.1
    assert reverse.deletion > max(area.deletion for area in chance) + 0.1
    assert reverse.insertion < min(area.insertion for area in chance) - 0.1


def test_pixels_go_from_the_face_and_come_back_to_it(crop: np.ndarray, truth: np.ndarray) -> None:
    asked: list[np.ndarray] = []
    predict = PatchClassifier()
    areas = measure(lambda faces: asked.append(faces) or predict(faces), crop, truth, 1, steps=10)
    deleted, inserted = asked[0][:11], asked[0][11:]
    assert (deleted[0] == crop).all()
    assert (deleted[-1] == round(float(crop.mean()))).all()
    assert (inserted[-1] == crop).all()
    assert predict(inserted[:1])[0, 1] < 0.5 < predict(crop[None])[0, 1]
    assert 0 <= areas.deletion <= 1
    assert 0 <= areas.insertion <= 1


def test_one_forward_of_known_size(crop: np.ndarray, truth: np.ndarray) -> None:
    predict = PatchClassifier()
    measure(predict, crop, truth, 1, steps=24)
    assert predict.batches == [50]


def test_equal_heat_is_a_random_order_that_stays(crop: np.ndarray) -> None:
    flat = [measure(PatchClassifier(), crop, np.zeros((48, 48)), 1) for _ in range(2)]
    assert flat[0].deletion == flat[1].deletion
    rng = np.random.default_rng(1)
    chance = [measure(PatchClassifier(), crop, rng.random((48, 48)), 1).deletion for _ in range(20)]
    assert min(chance) - 0.05 < flat[0].deletion < max(chance) + 0.05


def test_constant_curve_has_its_height_as_area(crop: np.ndarray, truth: np.ndarray) -> None:
    curves = measure(lambda faces: np.full((len(faces), 2), 0.25), crop, truth, 0)
    assert curves.to_dict() == pytest.approx({"deletion": 0.25, "insertion": 0.25})
