"""The whole audit: what is known of FER2013, what was planted elsewhere, and datasets of odd shapes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from fer_core.data.audit import AuditReport, audit
from fer_core.data.table import FaceDataset
from fer_core.errors import DataError
from tests.fer_core.data.audit.planting import (
    brighter,
    copied,
    dataset_of,
    places,
    with_labels,
    with_pixels,
    without_votes,
)

PUBLISHED = {
    "rows": 35_887,
    "exact_duplicates": {"groups": 1518, "extra_rows": 1855, "conflicting_groups": 59, "conflicting_rows": 164},
    "leakage": {"PublicTest": 280, "PrivateTest": 288},
    "constant_images": 12,
    "almost_constant_images": 1,
}
PLANTED = {
    "rows": 84,
    "exact_duplicates": {"groups": 2, "extra_rows": 3, "conflicting_groups": 1, "conflicting_rows": 3},
    "leakage": {"PublicTest": 1, "PrivateTest": 1},
    "constant_images": 1,
    "almost_constant_images": 0,
}


def planted(dataset: FaceDataset) -> FaceDataset:
    """Three fearful faces of Training, both tests and one label changed; a pair in Training; a constant face."""
    train, public, private = (places(dataset, name, 2) for name in ("Training", "PublicTest", "PrivateTest"))
    happy = places(dataset, "Training", 3)
    leaky = copied(dataset, [(train[0], public[0]), (train[0], private[0]), (happy[0], happy[1])])
    return with_labels(with_pixels(leaky, {int(happy[2]): np.full((48, 48), 9, np.uint8)}), {int(private[0]): 6})


@pytest.fixture(scope="module", params=["drawn", "fer2013"])
def known(request: pytest.FixtureRequest) -> tuple[AuditReport, dict[str, Any]]:
    """A report and the truth: of drawn faces with planted copies, and of FER2013."""
    if request.param == "fer2013":
        return audit(request.getfixturevalue("real_dataset")), PUBLISHED
    return audit(planted(request.getfixturevalue("dataset"))), PLANTED


def test_known_figures_are_found(known: tuple[AuditReport, dict[str, Any]]) -> None:
    report, truth = known
    document = report.to_dict()
    assert {key: document[key] for key in truth} == truth


def test_copies_and_votes_are_counted(dataset: FaceDataset) -> None:
    document = audit(planted(dataset)).to_dict()
    assert document["near_duplicates"]["extra_rows"] >= document["exact_duplicates"]["extra_rows"]
    assert document["vote_doubts"]["voted"] == len(dataset)


def test_near_groups_hold_the_exact_ones(known: tuple[AuditReport, dict[str, Any]]) -> None:
    rows = known[0].rows
    members = rows[rows["exact_group"] >= 0]
    assert (members.groupby("exact_group")["near_group"].nunique() == 1).all()
    assert (members["near_group"] >= 0).all()
    document = known[0].to_dict()
    for split in ("PublicTest", "PrivateTest"):
        assert document["near_leakage"][split] >= document["leakage"][split]
    assert not (rows["twin_in_training"] & ~rows["near_twin_in_training"]).any()


def test_constant_pictures_lead_the_outliers(known: tuple[AuditReport, dict[str, Any]]) -> None:
    rows = known[0].rows
    leading = rows.sort_values("outlier_score", ascending=False).head(int(rows["constant"].sum()))
    assert leading["constant"].all()
    assert 0 < known[0].to_dict()["outliers"] < 0.05 * len(rows) + 5


def test_disguised_copies_leak_too(dataset: FaceDataset) -> None:
    train, private = places(dataset, "Training"), places(dataset, "PrivateTest")
    rng = np.random.default_rng(0)
    leaky = with_pixels(dataset, {int(private[i]): brighter(dataset.pixels[train[i]], rng) for i in range(5)})
    report = audit(leaky)
    assert report.to_dict()["leakage"]["PrivateTest"] == 0
    assert report.rows["near_twin_in_training"].to_numpy()[private[:5]].all()
    assert report.to_dict()["near_duplicates"]["groups_beyond_exact"] >= 5
    linked = set(zip(report.near_pairs["row"], report.near_pairs["other_row"], strict=True))
    numbers = dataset.table["row"].to_numpy()
    assert {(int(numbers[train[i]]), int(numbers[private[i]])) for i in range(5)} <= linked


def test_row_numbers_are_kept_where_they_have_gaps(dataset: FaceDataset) -> None:
    part = copied(dataset, [(3, 9)]).select(np.arange(1, len(dataset), 2))
    report = audit(part)
    assert report.rows["row"].tolist() == part.table["row"].tolist()
    assert report.rows.loc[report.rows["exact_group"] == 0, "row"].tolist() == [3, 9]


@pytest.mark.parametrize("number", [1, 2, 5])
def test_tiny_datasets(number: int, dataset: FaceDataset) -> None:
    document = audit(dataset_of(dataset.pixels[:number])).to_dict()
    assert document["rows"] == number
    assert document["leakage"] == {"PublicTest": 0, "PrivateTest": 0}
    assert document["outliers"] == 0
    assert "vote_doubts" not in document
    assert document["imbalance_ratio"] == {"Training": 1.0}


def test_nothing_but_copies_and_nothing_but_constant_pictures(dataset: FaceDataset) -> None:
    same = audit(dataset_of(np.repeat(dataset.pixels[:1], 30, axis=0))).to_dict()
    assert same["exact_duplicates"]["extra_rows"] == same["near_duplicates"]["extra_rows"] == 29
    assert same["near_duplicates"]["groups_beyond_exact"] == same["outliers"] == 0
    grey = np.stack([np.full((48, 48), value, np.uint8) for value in range(20)])
    blank = audit(dataset_of(grey)).to_dict()
    assert (blank["constant_images"], blank["outliers"], blank["near_duplicates"]["groups"]) == (20, 20, 0)


def test_unlabelled_faces_without_votes_and_with_a_class_missing(dataset: FaceDataset) -> None:
    plain = without_votes(dataset)
    plain = plain.select(plain.labels != 1)
    plain = with_labels(plain, dict.fromkeys(places(plain, "PublicTest").tolist(), -1))
    report = audit(plain)
    document = report.to_dict()
    assert document["balance"]["PublicTest"]["unlabelled"] == 24
    assert document["balance"]["Training"]["disgust"] == 0
    assert set(document["imbalance_ratio"]) == {"Training", "PrivateTest"}
    assert report.vote_doubts.empty
    assert report.model_doubts is None


def test_the_dataset_stays_as_it_is(dataset: FaceDataset) -> None:
    columns = dataset.table.columns.tolist()
    audit(dataset)
    assert dataset.table.columns.tolist() == columns


def test_predictions_are_judged_and_must_fit(dataset: FaceDataset) -> None:
    rng = np.random.default_rng(0)
    table = dataset.table[["row", "split", "label"]]
    answers = np.eye(7)[dataset.labels] * 0.8 + rng.dirichlet(np.ones(7), len(table)) * 0.2
    wrong = with_labels(dataset, {5: (dataset.labels[5] + 1) % 7, 40: (dataset.labels[40] + 2) % 7})
    columns = {f"p_{name}": answers[:, i] for i, name in enumerate(dataset.class_names)}
    report = audit(wrong, predictions=wrong.table[["row", "split", "label"]].assign(**columns))
    assert report.model_doubts is not None
    assert {5, 40} <= set(report.model_doubts["row"])
    assert report.to_dict()["model_doubts"] == len(report.model_doubts) <= 4
    with pytest.raises(DataError, match="another dataset"):
        audit(wrong, predictions=table.assign(**columns))


def test_an_empty_dataset_is_refused(dataset: FaceDataset) -> None:
    with pytest.raises(DataError, match="no face"):
        audit(dataset.select(np.zeros(len(dataset), bool)))


def test_stages_add_up(dataset: FaceDataset) -> None:
    report = audit(dataset)
    assert set(report.stages) == {"exact duplicates", "outliers", "near duplicates", "balance and label noise"}
    assert report.to_dict()["seconds"] == pytest.approx(sum(report.stages.values()), abs=0.01)
    assert isinstance(report.balance, pd.DataFrame)
