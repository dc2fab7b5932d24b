"""Near duplicates: the hash is ImageHash's, disguised copies are found, unlike faces are left alone."""

from __future__ import annotations

from collections.abc import Callable

import imagehash
import numpy as np
import pytest
from PIL import Image

from fer_core.data.audit.duplicates import exact_groups, pixel_hashes
from fer_core.data.audit.near_duplicates import best_correlation, join, near_pairs, one_of_each, perceptual_hashes
from fer_core.data.drawn import drawn_dataset
from fer_core.data.table import FaceDataset
from fer_core.errors import ConfigError
from tests.fer_core.data.audit.planting import DISGUISES, noisy, shifted

RNG = np.random.default_rng(5)
Disguise = Callable[[np.ndarray, np.random.Generator], np.ndarray]


def test_the_perceptual_hash_of_photographs_is_that_of_imagehash(real_dataset: FaceDataset) -> None:
    check_hashes(np.asarray(real_dataset.pixels[:60]))


def test_the_perceptual_hash_of_drawings_and_noise_is_that_of_imagehash(dataset: FaceDataset) -> None:
    noise = RNG.integers(0, 256, (40, 48, 48), dtype=np.uint8)
    check_hashes(np.concatenate([dataset.pixels[:60], noise, np.full((1, 48, 48), 77, np.uint8)]))


def check_hashes(faces: np.ndarray) -> None:
    expected = [int(str(imagehash.phash(Image.fromarray(face))), 16) for face in faces]
    assert perceptual_hashes(faces).tolist() == expected


def test_hashing_in_parts_changes_nothing(dataset: FaceDataset) -> None:
    many = np.concatenate([dataset.pixels] * 30)  # more than one part
    assert len(many) > 2048
    assert (perceptual_hashes(many) == np.tile(perceptual_hashes(dataset.pixels), 30)).all()


@pytest.mark.parametrize("disguise", DISGUISES, ids=lambda function: function.__name__)
def test_disguised_copies_of_photographs_are_found(disguise: Disguise, real_dataset: FaceDataset) -> None:
    check_that_copies_are_found(np.asarray(real_dataset.pixels[100:140]), disguise, 0.95)


@pytest.mark.parametrize("disguise", DISGUISES, ids=lambda function: function.__name__)
def test_disguised_copies_of_drawings_are_found(disguise: Disguise, dataset: FaceDataset) -> None:
    share = 0.5 if disguise is shifted else 0.95  # the hash of flat drawings minds a shift
    check_that_copies_are_found(np.asarray(dataset.pixels[:40]), disguise, share)


def check_that_copies_are_found(originals: np.ndarray, disguise: Disguise, share: float) -> None:
    """At least `share` of the originals are joined to their disguised copies."""
    copies = np.stack([disguise(face, np.random.default_rng(i)) for i, face in enumerate(originals)])
    pairs = near_pairs(np.concatenate([originals, copies]))
    found = set(zip(pairs["left"], pairs["right"], strict=True))
    n = len(originals)
    assert sum((i, i + n) in found for i in range(n)) >= share * n
    assert bool(pairs.set_index(["left", "right"]).loc[[(0, n)], "mirrored"].iloc[0]) == (
        disguise.__name__ == "mirrored"
    )


def test_unlike_pictures_are_not_joined() -> None:
    noise = RNG.integers(0, 256, (300, 48, 48), dtype=np.uint8)
    assert near_pairs(noise).empty
    faces = drawn_dataset(6, seed=9, votes=False).pixels
    assert len(near_pairs(faces)) <= 0.02 * len(faces)


def test_the_same_photograph_with_another_expression_is_not_joined() -> None:
    rng = np.random.default_rng(2)
    face = np.kron(rng.integers(40, 200, (8, 8)), np.ones((6, 6))).astype(np.uint8)
    other = face.copy()
    other[24:, 12:36] = 255 - other[24:, 12:36]  # another mouth
    assert near_pairs(np.stack([face, other])).empty


def test_correlation_does_not_feel_light_and_finds_the_shift(dataset: FaceDataset) -> None:
    face = dataset.pixels[0]
    moved = shifted((face * 0.5 + 60).astype(np.uint8), RNG)
    as_it_lies = best_correlation(face[None], moved[None], shift=0)[0]
    assert as_it_lies < best_correlation(face[None], moved[None])[0]
    assert best_correlation(face[None], moved[None])[0] == pytest.approx(1, abs=0.01)
    assert best_correlation(face[None], 255 - face[None], shift=0)[0] == pytest.approx(-1, abs=1e-3)


def test_groups_are_what_is_connected_and_hold_exact_copies() -> None:
    exact = np.array([0, -1, 0, -1, 1, 1, -1, -1])
    groups = join(exact, np.array([1, 0]), np.array([3, 1]))
    assert groups.tolist() == [0, 0, 0, 0, 1, 1, -1, -1]


def test_one_face_of_each_exact_group_is_compared_and_no_constant_one() -> None:
    exact = np.array([-1, 0, 1, 0, -1, 1])
    constant = np.array([False, False, True, False, True, True])
    assert one_of_each(exact, constant).tolist() == [0, 1]
    with pytest.raises(ConfigError, match="one entry a face"):
        one_of_each(exact, constant[:2])


@pytest.mark.parametrize("number", [0, 1, 2, 9])
def test_few_faces(number: int, dataset: FaceDataset) -> None:
    faces = dataset.pixels[:number]
    pairs = near_pairs(faces)
    exact = exact_groups(pixel_hashes(faces))
    assert len(join(exact, pairs["left"].to_numpy(), pairs["right"].to_numpy())) == number


def test_pairs_across_blocks_are_found_once(dataset: FaceDataset) -> None:
    faces = np.array(dataset.pixels[:50])
    for target in (1, 7, 8, 49):
        faces[target] = noisy(faces[0], np.random.default_rng(target))
    pairs = near_pairs(faces)
    among = pairs[pairs["left"].isin([0, 1, 7, 8, 49]) & pairs["right"].isin([0, 1, 7, 8, 49])]
    assert len(among) == 10
    assert (pairs["left"] < pairs["right"]).all()
    assert not pairs.duplicated(["left", "right"]).any()


def test_progress_sees_every_block(dataset: FaceDataset) -> None:
    seen: list[tuple[int, int]] = []

    def progress(items, total, text):  # type: ignore[no-untyped-def]
        for item in items:
            seen.append((item, total))
            yield item

    near_pairs(dataset.pixels[:20], progress=progress)
    assert [total for _, total in seen] == [len(seen)] * len(seen)
