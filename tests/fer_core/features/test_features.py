"""Features: shapes, ranges and what they must not notice, for every entry of the registry."""

from __future__ import annotations

import numpy as np
import pytest

from fer_core.data.table import FaceDataset
from fer_core.errors import ConfigError, DataError, UnknownNameError
from fer_core.features import FEATURES, Extractor, create_extractor
from fer_core.features.methods.sift_words import SiftWords, nearest_words

SMALL = {"sift_words": {"words": 8, "sample": 10, "step": 8}}
WIDTHS = {"hog": 5 * 5 * 2 * 2 * 8, "sift_words": 8 * 5, "network": 48}


def brightness_of_columns(faces: np.ndarray) -> np.ndarray:
    """Stands in for a network."""
    found: np.ndarray = faces.mean(1, dtype=np.float32)
    return found


@pytest.fixture(scope="module")
def faces(dataset: FaceDataset) -> np.ndarray:
    return np.asarray(dataset.pixels[:12])


def extractor(name: str) -> Extractor:
    embed = brightness_of_columns if name == "network" else None
    return create_extractor(name, embed=embed, **SMALL.get(name, {}))


@pytest.mark.parametrize("name", FEATURES)
def test_every_face_is_described_by_itself(name: str, faces: np.ndarray) -> None:
    made = extractor(name)
    learnt = made.fit(faces)
    found = made.transform(faces, learnt)
    assert found.dtype == np.float32
    assert found.shape == (12, WIDTHS[name])
    assert np.isfinite(found).all()
    np.testing.assert_allclose(made.transform(faces[3:4], learnt)[0], found[3], atol=1e-6)
    assert not np.allclose(found[0], found[1])


@pytest.mark.parametrize("name", FEATURES)
def test_a_grey_face_has_finite_features(name: str, faces: np.ndarray) -> None:
    made = extractor(name)
    assert np.isfinite(made.transform(np.full((1, 48, 48), 127, np.uint8), made.fit(faces))).all()


@pytest.mark.parametrize("name", ["hog", "sift_words"])
def test_light_and_contrast_change_little(name: str, faces: np.ndarray) -> None:
    made = extractor(name)
    learnt = made.fit(faces)
    dark = (faces * 0.5 + 20).round().astype(np.uint8)
    plain, dimmed = made.transform(faces, learnt), made.transform(dark, learnt)
    change = np.linalg.norm(plain - dimmed, axis=1)
    apart = np.linalg.norm(plain[:, None] - plain[None], axis=2)[~np.eye(12, dtype=bool)]
    assert change.mean() < 0.5 * apart.mean()


def test_hog_is_mirrored_with_the_face(faces: np.ndarray) -> None:
    """Mirrored cells hold mirrored directions; with one direction, they are the same cells in another order."""
    made = create_extractor("hog", orientations=1, block=1)
    plain, mirrored = (made.transform(part, {}).reshape(12, 6, 6) for part in (faces, faces[:, :, ::-1]))
    np.testing.assert_allclose(mirrored, plain[:, :, ::-1], atol=0.05)


def test_descriptors_have_length_one_on_a_grid_inside_the_face(faces: np.ndarray) -> None:
    made = SiftWords(step=8, patch=16)
    found = made.descriptors(faces)
    assert found.shape == (12, 25, 128)
    length = np.linalg.norm(found, axis=2)
    assert (np.isclose(length, 1, atol=1e-5) | (length == 0)).all()
    assert (made.grid() >= 8).all()
    assert (made.grid() <= 40).all()


def test_words_of_the_whole_face_and_of_its_quarters(faces: np.ndarray) -> None:
    made = SiftWords(words=8, sample=10, step=8, levels=2)
    learnt = made.fit(faces)
    assert learnt["codebook"].shape == (8, 128)
    shares = made.transform(faces, learnt).reshape(12, 5, 8) ** 2
    np.testing.assert_allclose(shares.sum(2), 1, atol=1e-5)


def test_a_change_in_one_quarter_stays_there(faces: np.ndarray) -> None:
    made = SiftWords(words=8, sample=10, step=8, patch=8, levels=2)
    learnt = made.fit(faces)
    changed = faces.copy()
    changed[:, 30:, 30:] = np.random.default_rng(0).integers(0, 256, changed[:, 30:, 30:].shape)
    before, after = (made.transform(part, learnt).reshape(12, 5, 8) for part in (faces, changed))
    np.testing.assert_allclose(before[:, 1], after[:, 1], atol=1e-6)  # upper left
    assert not np.allclose(before[:, 4], after[:, 4])  # lower right


def test_the_nearest_word_is_the_nearest() -> None:
    random = np.random.default_rng(0)
    points, words = random.normal(size=(3, 5, 128)), random.normal(size=(7, 128))
    exact = np.linalg.norm(points[:, :, None] - words, axis=3).argmin(2)
    np.testing.assert_array_equal(nearest_words(points, words), exact)


def test_the_same_faces_give_the_same_codebook(faces: np.ndarray) -> None:
    made = extractor("sift_words")
    np.testing.assert_array_equal(made.fit(faces)["codebook"], made.fit(faces)["codebook"])


def test_wrong_requests_are_named(faces: np.ndarray) -> None:
    with pytest.raises(UnknownNameError, match="closest: 'hog'"):
        create_extractor("hogs")
    with pytest.raises(ConfigError, match="no option 'cells'"):
        create_extractor("hog", cells=4)
    with pytest.raises(ConfigError, match="blocks that fit"):
        create_extractor("hog", cell=24, block=3)
    with pytest.raises(ConfigError, match="two words or more"):
        create_extractor("sift_words", words=1)
    with pytest.raises(ConfigError, match="trained network"):
        create_extractor("network")
    with pytest.raises(DataError, match="too few"):
        create_extractor("sift_words", words=200).fit(faces[:1])
