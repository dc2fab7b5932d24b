"""Outliers: planted ones are at the top, ordinary faces are not, small datasets are quiet."""

from __future__ import annotations

import numpy as np
import pytest

from fer_core.data.audit import outliers
from fer_core.data.drawn import drawn_dataset
from fer_core.data.table import FaceDataset


def planted(faces: np.ndarray) -> tuple[np.ndarray, list[int]]:
    """Ten odd pictures among faces, and where they are."""
    rng = np.random.default_rng(1)
    where = rng.choice(len(faces), 10, replace=False).tolist()
    odd = [np.full((48, 48), grey, np.uint8) for grey in (0, 128, 255)]
    odd += [rng.integers(0, 256, (48, 48), dtype=np.uint8) for _ in range(4)]
    odd += [np.full((48, 48), 90, np.uint8) + np.eye(48, dtype=np.uint8) for _ in range(2)]  # almost constant
    odd += [(np.indices((48, 48)).sum(0) % 2 * 255).astype(np.uint8)]  # chessboard
    faces = np.array(faces)
    faces[where] = odd
    return faces, where


def test_planted_outliers_lead_among_photographs(real_dataset: FaceDataset) -> None:
    check_that_planted_ones_lead(real_dataset.pixels[:1500])


def test_planted_outliers_lead_among_drawings() -> None:
    check_that_planted_ones_lead(drawn_dataset(8, votes=False).pixels)


def check_that_planted_ones_lead(plain: np.ndarray) -> None:
    """Ten odd pictures among plain faces (N, 48, 48) have the highest scores."""
    clean = plain[outliers.scores(outliers.measure(plain)) <= outliers.THRESHOLD]
    faces, where = planted(clean)
    measures = outliers.measure(faces)
    score = outliers.scores(measures)
    assert set(np.argsort(-score)[:10]) == set(where)
    assert (score[where] > outliers.THRESHOLD).all()
    assert (score[where[:3]] == outliers.CAP).all()
    reasons = outliers.reasons(measures)
    assert reasons[where[:3]].tolist() == ["constant"] * 3
    assert ((reasons != "") == (score > outliers.THRESHOLD)).all()


def test_ordinary_faces_are_rarely_outliers() -> None:
    faces = drawn_dataset(8, seed=4, votes=False).pixels
    assert (outliers.scores(outliers.measure(faces)) > outliers.THRESHOLD).mean() < 0.05


def test_measures_are_what_they_are_called() -> None:
    rng = np.random.default_rng(0)
    sharp = rng.integers(0, 256, (48, 48), dtype=np.uint8)
    smooth = np.tile(np.linspace(0, 255, 48).astype(np.uint8), (48, 1))
    table = outliers.measure(np.stack([sharp, smooth, np.full((48, 48), 200, np.uint8)]))
    assert table.columns.tolist() == list(outliers.MEASURES)
    assert table["brightness"].tolist() == pytest.approx([sharp.mean(), smooth.mean(), 200])
    assert table["contrast"].tolist() == pytest.approx([sharp.std(), smooth.std(), 0], rel=1e-5)
    assert table["sharpness"].is_monotonic_decreasing
    assert table.at[2, "sharpness"] == 0


def test_measuring_in_parts_changes_nothing(dataset: FaceDataset) -> None:
    many = np.concatenate([dataset.pixels] * 13)
    assert len(many) > 1024
    parts = outliers.measure(many)["sharpness"].to_numpy().reshape(13, -1)
    assert np.ptp(parts, axis=0).max() == pytest.approx(0, abs=1e-5)


@pytest.mark.parametrize("number", [0, 1, 2, 3, 12])
def test_few_faces_and_equal_ones_have_no_outliers(number: int, dataset: FaceDataset) -> None:
    assert (outliers.scores(outliers.measure(dataset.pixels[:number])) <= outliers.THRESHOLD).all()
    same = np.repeat(dataset.pixels[:1], number, axis=0)
    measures = outliers.measure(same)
    assert np.allclose(outliers.scores(measures), 0)
    assert outliers.reasons(measures).tolist() == [""] * number


def test_one_odd_face_among_equal_ones_is_found(dataset: FaceDataset) -> None:
    faces = np.repeat(dataset.pixels[:1], 50, axis=0)
    faces[7] = np.random.default_rng(0).integers(0, 256, (48, 48))
    assert np.flatnonzero(outliers.scores(outliers.measure(faces)) > outliers.THRESHOLD).tolist() == [7]
