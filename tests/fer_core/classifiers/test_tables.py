"""Ensembles judged from recorded predictions: known answers, fits that see PublicTest only."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from fer_core.classifiers.combination import COMBINATIONS
from fer_core.classifiers.combinations.weighted_vote import mixture_weights
from fer_core.classifiers.tables import combine
from fer_core.data.predictions import predictions_table, probabilities_of
from fer_core.errors import DataError
from fer_core.labels import EMOTIONS

N = 240
FROM_TABLES = ("soft_vote", "weighted_vote", "stacking", "snapshot")


def member(seed: int, knowing: float) -> pd.DataFrame:
    """Predictions of a member that knows so much, on the same faces for every seed."""
    labels = np.random.default_rng(0).integers(0, 7, N)
    noise = np.random.default_rng(seed).normal(size=(N, 7))
    scores = np.exp(noise + knowing * np.eye(7)[labels])
    found = (scores / scores.sum(1, keepdims=True)).astype(np.float32)
    split = np.where(np.arange(N) < N // 2, "PublicTest", "PrivateTest")
    table = pd.DataFrame({"row": np.arange(N) + 7, "split": split, "label": labels})
    return predictions_table(table, EMOTIONS, found)


@pytest.fixture(scope="module")
def tables() -> list[pd.DataFrame]:
    return [member(1, 2.0), member(2, 1.5), member(3, 0.0)]


@pytest.mark.parametrize("method", FROM_TABLES)
def test_answers_are_probabilities_in_the_first_members_order(method: str, tables: list[pd.DataFrame]) -> None:
    found = combine(tables, method)
    pd.testing.assert_frame_equal(found[["row", "split", "label"]], tables[0][["row", "split", "label"]])
    np.testing.assert_allclose(probabilities_of(found).sum(1), 1, rtol=1e-5)
    assert list(found.columns) == list(tables[0].columns)


@pytest.mark.parametrize("method", FROM_TABLES)
def test_private_faces_do_not_influence_the_fit(method: str, tables: list[pd.DataFrame]) -> None:
    spoilt = [table.copy() for table in tables]
    private = (spoilt[0]["split"] == "PrivateTest").to_numpy()
    for table in spoilt:
        table.loc[private, "label"] = (table.loc[private, "label"] + 3) % 7
    columns = [f"p_{name}" for name in EMOTIONS]
    spoilt[0].loc[private, columns] = np.roll(spoilt[0].loc[private, columns].to_numpy(), 1, axis=1)
    honest, other = combine(tables, method), combine(spoilt, method)
    np.testing.assert_array_equal(honest[~private][columns], other[~private][columns])
    assert not np.allclose(honest[private][columns], other[private][columns])


@pytest.mark.parametrize("method", ["weighted_vote", "stacking"])
def test_public_labels_do_influence_the_fit(method: str, tables: list[pd.DataFrame]) -> None:
    public = (tables[0]["split"] == "PublicTest").to_numpy()
    turned = [table.assign(label=np.where(public, (table["label"] + 1) % 7, table["label"])) for table in tables]
    columns = [f"p_{name}" for name in EMOTIONS]
    honest, other = combine(tables, method, calibrate=False), combine(turned, method, calibrate=False)
    assert not np.allclose(honest[columns], other[columns])


def test_soft_vote_is_the_mean(tables: list[pd.DataFrame]) -> None:
    mean = np.mean([probabilities_of(table) for table in tables], axis=0)
    np.testing.assert_allclose(probabilities_of(combine(tables, "soft_vote", calibrate=False)), mean, rtol=1e-5)


def test_calibration_changes_no_answer(tables: list[pd.DataFrame]) -> None:
    plain, calibrated = (probabilities_of(combine(tables, "soft_vote", calibrate=flag)) for flag in (False, True))
    np.testing.assert_array_equal(plain.argmax(1), calibrated.argmax(1))
    assert not np.allclose(plain, calibrated)


def test_weights_are_a_mixture_and_leave_out_who_knows_nothing(tables: list[pd.DataFrame]) -> None:
    members, labels = np.stack([probabilities_of(table) for table in tables]), tables[0]["label"].to_numpy()
    weights = COMBINATIONS["weighted_vote"].fit(members, labels)["weights"]
    assert weights.sum() == pytest.approx(1)
    assert (weights >= 0).all()
    assert weights[0] > weights[1] > weights[2]
    assert weights[2] < 0.01


def test_weights_are_the_likeliest_on_a_grid() -> None:
    likelihood = np.random.default_rng(0).random((2, 50))
    grid = np.linspace(0, 1, 10_001)
    scores = np.log(grid[:, None] * likelihood[0] + (1 - grid[:, None]) * likelihood[1]).mean(1)
    assert mixture_weights(likelihood)[0] == pytest.approx(grid[scores.argmax()], abs=1e-3)


def test_stacking_learns_a_relabelling() -> None:
    """A member that says the next emotion each time is as good as one that is right."""
    right = member(1, 3.0)
    columns = [f"p_{name}" for name in EMOTIONS]
    turned = right.copy()
    turned[columns] = np.roll(right[columns].to_numpy(), 1, axis=1)
    private = (right["split"] == "PrivateTest").to_numpy()
    found = probabilities_of(combine([turned], "stacking"))[private].argmax(1)
    straight = probabilities_of(right)[private].argmax(1)
    label = right["label"].to_numpy()[private]
    assert (found == label).mean() > (straight == label).mean() - 0.15
    assert (probabilities_of(turned)[private].argmax(1) == label).mean() < 0.1


def test_stacking_works_where_a_class_has_no_face(tables: list[pd.DataFrame]) -> None:
    kept = [table[table["label"] != 1].reset_index(drop=True) for table in tables]
    found = probabilities_of(combine(kept, "stacking"))
    assert found.shape == (len(kept[0]), 7)
    assert found[:, 1].max() < 0.01


def test_rows_in_another_order_are_put_right(tables: list[pd.DataFrame]) -> None:
    shuffled = [tables[0], tables[1].sample(frac=1, random_state=0), tables[2]]
    pd.testing.assert_frame_equal(combine(shuffled, "soft_vote"), combine(tables, "soft_vote"))


def test_tables_that_do_not_fit_together_are_named(tables: list[pd.DataFrame]) -> None:
    with pytest.raises(DataError, match="different faces"):
        combine([tables[0], tables[1].iloc[1:]], "soft_vote")
    with pytest.raises(DataError, match="different faces or labels"):
        combine([tables[0], tables[1].assign(label=0)], "soft_vote")
    with pytest.raises(DataError, match="different classes"):
        combine([tables[0], tables[1].drop(columns="p_sad")], "soft_vote")
    with pytest.raises(DataError, match="at least one member"):
        combine([], "soft_vote")
    private = [table[table["split"] == "PrivateTest"] for table in tables]
    with pytest.raises(DataError, match="PublicTest"):
        combine(private, "soft_vote")


@pytest.mark.parametrize("method", FROM_TABLES)
def test_public_faces_can_be_answered_by_fits_that_did_not_see_them(method: str, tables: list[pd.DataFrame]) -> None:
    """With labels that say nothing, a fit looks better than chance on the faces that it saw, and not on others."""
    noise = np.random.default_rng(5).integers(0, 7, N)
    told = [table.assign(label=noise) for table in tables * 4]
    public = (told[0]["split"] == "PublicTest").to_numpy()
    seen, honest = (combine(told, method, calibrate=False, held_out=flag) for flag in (False, True))
    np.testing.assert_array_equal(probabilities_of(seen)[~public], probabilities_of(honest)[~public])
    if method in ("soft_vote", "snapshot"):  # nothing is fitted
        np.testing.assert_allclose(probabilities_of(seen), probabilities_of(honest), rtol=1e-5)
    else:
        likelihood = [probabilities_of(found)[public, noise[public]] for found in (seen, honest)]
        assert np.log(likelihood[0]).mean() > np.log(likelihood[1]).mean()
