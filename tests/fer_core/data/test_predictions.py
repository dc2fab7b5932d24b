"""The predictions table: what goes in comes out, in the order that is asked for."""

from __future__ import annotations

import numpy as np

from fer_core.data.predictions import classes_of, predictions_table, probabilities_of, probability_columns
from fer_core.data.table import FaceDataset
from fer_core.labels import EMOTIONS


def test_probabilities_come_back(dataset: FaceDataset) -> None:
    given = np.random.default_rng(0).dirichlet(np.ones(7), len(dataset))
    table = predictions_table(dataset.table, EMOTIONS, given)
    assert list(table.columns) == ["row", "split", "label", *(f"p_{name}" for name in EMOTIONS)]
    assert list(table.columns)[3:] == probability_columns(table)
    assert classes_of(table) == EMOTIONS
    assert probabilities_of(table).dtype == np.float32
    np.testing.assert_array_equal(probabilities_of(table), given.astype(np.float32))
    np.testing.assert_array_equal(probabilities_of(table, EMOTIONS[::-1]), given.astype(np.float32)[:, ::-1])


def test_the_face_table_stays_as_it_is(dataset: FaceDataset) -> None:
    columns = list(dataset.table.columns)
    predictions_table(dataset.table, EMOTIONS, np.zeros((len(dataset), 7)))
    assert list(dataset.table.columns) == columns
