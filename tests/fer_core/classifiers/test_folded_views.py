"""Views that a checkpoint averages by itself."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest

from fer_core.artifacts import update_card
from fer_core.classifiers import load_classifier
from fer_core.classifiers.folded_views import FOLDED_VIEWS, ZOOM, mirrored_and_enlarged
from fer_core.errors import CheckpointError

SIDE = 48


def face_with_a_spot(top: int, left: int) -> np.ndarray:
    """A black face with a white square of 4x4."""
    face = np.zeros((1, SIDE, SIDE), np.uint8)
    face[0, top : top + 4, left : left + 4] = 255
    return face


def centre(face: np.ndarray) -> np.ndarray:
    """Centre of the light, (row, column), from the middle of the face."""
    weights = face / face.sum()
    places = np.arange(SIDE) - (SIDE - 1) / 2
    return np.array([(weights.sum(1) * places).sum(), (weights.sum(0) * places).sum()])


@pytest.mark.parametrize(("top", "left"), [(22, 22), (10, 30), (33, 8)])
def test_the_enlarged_mirror_image_moves_what_is_seen_outwards_and_to_the_other_side(top: int, left: int) -> None:
    face = face_with_a_spot(top, left)
    seen = mirrored_and_enlarged(face)
    assert seen.dtype == np.uint8
    np.testing.assert_allclose(centre(seen[0]), ZOOM * centre(face[0]) * [1, -1], atol=0.1)
    assert seen.sum() == pytest.approx(ZOOM**2 * face.sum(), rel=0.03)


def test_the_enlarged_mirror_image_takes_no_faces() -> None:
    assert mirrored_and_enlarged(np.zeros((0, SIDE, SIDE), np.uint8)).shape == (0, SIDE, SIDE)


@pytest.mark.parametrize("name", FOLDED_VIEWS)
def test_a_checkpoint_averages_the_probabilities_of_its_views(name: str, tiny_checkpoint: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(tiny_checkpoint, tmp_path / "seen"))
    update_card(folder, temperature=1.0)
    plain = load_classifier(folder, backend="torch")
    update_card(folder, views=name)
    faces = np.random.default_rng(0).integers(0, 256, (5, SIDE, SIDE), np.uint8)
    views = [plain.predict_proba(np.ascontiguousarray(view(faces))) for view in FOLDED_VIEWS[name].views]
    np.testing.assert_allclose(
        load_classifier(folder, backend="torch").predict_proba(faces), np.mean(views, 0), atol=1e-5
    )


def test_a_card_that_asks_for_other_views_is_refused(tiny_checkpoint: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(tiny_checkpoint, tmp_path / "seen"))
    update_card(folder, views="thirty")
    with pytest.raises(CheckpointError, match="asks for views 'thirty'; it must be one of single, flip, flip_zoom"):
        load_classifier(folder)
