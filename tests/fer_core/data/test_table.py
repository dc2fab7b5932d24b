"""The face table: its schema, its splits, its counts."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from fer_core.data.table import FaceDataset, check, counts
from fer_core.errors import DataError
from fer_core.labels import EMOTIONS, FERPLUS_EMOTIONS


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda table: table.drop(columns="label"), "no column label"),
        (lambda table: table.assign(row=0), "names a row twice"),
        (lambda table: table.assign(split="Test"), "a split other than Training"),
        (lambda table: table.assign(label=8), r"label outside -1\.\.7"),
        (lambda table: table.iloc[1:], r"pixels must be uint8 \(83, 48, 48\)"),
    ],
)
def test_a_table_that_breaks_the_schema_is_refused(change: object, message: str, dataset: FaceDataset) -> None:
    with pytest.raises(DataError, match=message):
        check(replace(dataset, table=change(dataset.table)))  # type: ignore[operator]


def test_pixels_of_another_type_are_refused(dataset: FaceDataset) -> None:
    with pytest.raises(DataError, match="not float32"):
        check(replace(dataset, pixels=dataset.pixels.astype(np.float32)))


def test_a_split_is_a_dataset_of_its_own(dataset: FaceDataset) -> None:
    part = dataset.split("PublicTest")
    assert set(part.table["split"]) == {"PublicTest"}
    assert part.table["row"].tolist() == list(range(28, 56))
    assert np.array_equal(part.pixels, dataset.pixels[28:56])
    with pytest.raises(DataError, match="no split 'Test'"):
        dataset.split("Test")
    with pytest.raises(DataError, match="no face in PublicTest"):
        dataset.split("Training").split("PublicTest")


def test_what_a_model_does_not_know_is_left_out(dataset: FaceDataset) -> None:
    labels = np.resize([-1, 0, 6, 7], len(dataset))
    mixed = replace(dataset, table=dataset.table.assign(label=labels))
    assert set(mixed.known_to(EMOTIONS).labels) == {0, 6}
    assert set(mixed.known_to(FERPLUS_EMOTIONS).labels) == {0, 6, 7}
    assert mixed.known_to(EMOTIONS).table["row"].tolist() == mixed.table["row"][np.isin(labels, [0, 6])].tolist()


def test_rows_are_picked_by_mask_or_by_number(dataset: FaceDataset) -> None:
    numbers = np.array([5, 2, 60])
    picked = dataset.select(numbers)
    assert picked.table["row"].tolist() == [5, 2, 60]
    assert picked.table.index.tolist() == [0, 1, 2]
    assert np.array_equal(picked.pixels, dataset.pixels[numbers])


def test_counts_name_contempt_and_the_unlabelled_only_where_there_are_some() -> None:
    table = pd.DataFrame({"row": range(3), "split": ["Training", "Training", "PrivateTest"], "label": [0, 3, -1]})
    assert counts(table) == {
        "Training": {**dict.fromkeys(EMOTIONS, 0), "angry": 1, "happy": 1},
        "PrivateTest": {**dict.fromkeys(EMOTIONS, 0), "unlabelled": 1},
    }
    contempt = counts(table.assign(label=[7, 3, -1]))
    assert tuple(contempt["Training"]) == FERPLUS_EMOTIONS
    assert contempt["Training"]["contempt"] == 1
