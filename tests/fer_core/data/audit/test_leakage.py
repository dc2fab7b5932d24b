"""Test faces that are in Training too."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from fer_core.data.audit.leakage import in_training, leakage_by_split, leaked_rows, twins_in_training
from fer_core.data.table import FaceDataset
from tests.fer_core.data.audit.planting import copied, places


def test_planted_twins_are_all_found(dataset: FaceDataset) -> None:
    train, public, private = (places(dataset, name) for name in ("Training", "PublicTest", "PrivateTest"))
    leaky = copied(dataset, [(train[0], public[3]), (train[0], private[1]), (train[4], private[2])])
    assert np.flatnonzero(twins_in_training(leaky)).tolist() == sorted([public[3], private[1], private[2]])
    assert not twins_in_training(dataset).any()


def test_copies_among_tests_or_among_training_faces_are_no_leak(dataset: FaceDataset) -> None:
    train, public, private = (places(dataset, name) for name in ("Training", "PublicTest", "PrivateTest"))
    assert not twins_in_training(copied(dataset, [(train[0], train[1]), (public[0], private[0])])).any()


def test_every_leaked_face_counts_and_absent_splits_count_nothing() -> None:
    split = np.array(["Training", "PrivateTest", "PrivateTest", "PrivateTest"])
    groups = np.array([4, 4, 4, -1])
    assert in_training(groups, split).tolist() == [False, True, True, False]
    rows = pd.DataFrame({"row": range(4), "split": split, "twin_in_training": in_training(groups, split)})
    found = leakage_by_split(rows)
    assert found["images"].to_dict() == {"PublicTest": 0, "PrivateTest": 3}
    assert found["twins"].to_dict() == {"PublicTest": 0, "PrivateTest": 2}
    assert found["share"].tolist() == pytest.approx([0, 2 / 3])
    assert leaked_rows(rows).tolist() == [1, 2]
    assert not leakage_by_split(rows.assign(split="Training")).to_numpy().any()
