"""Accuracy by who is shown."""

from __future__ import annotations

import numpy as np
import pandas as pd

from fer_core.data.table import FaceDataset
from fer_core.evaluation.subjects import SubjectScore, by_subject


def drawn(subjects: list[str] | None) -> FaceDataset:
    table = pd.DataFrame({"row": [4, 7, 9, 11], "split": "PrivateTest", "label": [0, 1, 0, 1]})
    if subjects is not None:
        table["subject"] = subjects
    return FaceDataset(table, np.zeros((4, 48, 48), np.uint8))


def test_each_subject_has_its_faces_and_its_share_of_right_answers() -> None:
    dataset = drawn(["aia", "mery", "aia", ""])
    predictions = pd.DataFrame({"row": [9, 4, 7, 11], "label": [0, 0, 1, 1]})
    predictions["p_a"], predictions["p_b"] = [0.9, 0.2, 0.1, 0.9], [0.1, 0.8, 0.9, 0.1]
    assert by_subject(predictions, ("a", "b"), dataset) == {"aia": SubjectScore(2, 0.5), "mery": SubjectScore(1, 1.0)}


def test_faces_that_are_judged_several_times_count_as_often() -> None:
    dataset = drawn(["aia", "mery", "aia", ""])
    copied = dataset.select(np.array([0, 0, 1, 2, 3]))
    predictions = pd.DataFrame({"row": [4, 4, 7], "label": [0, 0, 1]})
    predictions["p_a"], predictions["p_b"] = [0.9, 0.9, 0.9], [0.1, 0.1, 0.1]
    found = by_subject(predictions, ("a", "b"), copied)
    assert found == {"aia": SubjectScore(2, 1.0), "mery": SubjectScore(1, 0.0)}


def test_a_dataset_that_names_nobody_has_no_subjects() -> None:
    predictions = pd.DataFrame({"row": [4], "label": [0], "p_a": [0.9], "p_b": [0.1]})
    assert by_subject(predictions, ("a", "b"), drawn(None)) == {}
