"""Exact duplicates: groups, their numbers, and what labels say of them."""

from __future__ import annotations

import hashlib

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from fer_core.data.audit.duplicates import conflicting, exact_groups, pixel_hashes, summarise
from fer_core.data.table import FaceDataset


def test_a_pixel_hash_is_the_sha256_of_the_bytes(dataset: FaceDataset) -> None:
    assert pixel_hashes(dataset.pixels[:2]).tolist() == [
        hashlib.sha256(face.tobytes()).hexdigest() for face in dataset.pixels[:2]
    ]
    upside_down = dataset.pixels[:2, ::-1]  # not contiguous
    assert pixel_hashes(upside_down)[0] == hashlib.sha256(upside_down[0].tobytes()).hexdigest()


def test_one_different_pixel_makes_another_face(dataset: FaceDataset) -> None:
    pixels = np.stack([dataset.pixels[0]] * 3)
    pixels[1, 47, 47] ^= 1
    assert exact_groups(pixel_hashes(pixels)).tolist() == [0, -1, 0]


def test_groups_are_numbered_by_first_appearance() -> None:
    hashes = np.array(["c", "a", "b", "a", "c", "d", "c"], dtype=object)
    groups = exact_groups(hashes)
    assert groups.tolist() == [0, 1, -1, 1, 0, -1, 0]
    assert summarise(groups) == {"groups": 2, "extra_rows": 3}


@given(st.lists(st.integers(0, 6), max_size=40))
def test_two_faces_share_a_group_exactly_when_their_hashes_are_equal(values: list[int]) -> None:
    hashes = np.array([str(value) for value in values], dtype=object)
    groups = exact_groups(hashes)
    for i in range(len(values)):
        for j in range(len(values)):
            together = groups[i] == groups[j] != -1
            assert together == (values[i] == values[j] and values.count(values[i]) > 1)


def test_conflicts_count_faces_and_leave_unlabelled_ones_out() -> None:
    groups = np.array([0, 0, 1, 1, 2, 2, 2, -1, -1])
    labels = np.array([3, 3, 1, 2, 4, -1, 5, 0, 6])
    assert conflicting(groups, labels).tolist() == [False, False, True, True, True, False, True, False, False]


def test_no_faces_have_no_groups() -> None:
    empty = exact_groups(pixel_hashes(np.zeros((0, 48, 48), np.uint8)))
    assert empty.shape == (0,)
    assert summarise(empty) == {"groups": 0, "extra_rows": 0}
    assert conflicting(empty, np.zeros(0, np.int64)).shape == (0,)
