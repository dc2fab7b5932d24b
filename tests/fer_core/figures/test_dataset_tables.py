"""Tables about a dataset, on a handful of rows whose answers are known by hand."""

import numpy as np
import pandas as pd
import pytest

from fer_core.data.audit.imbalance import class_counts
from fer_core.figures import dataset_tables as tables
from fer_core.labels import VOTE_COLUMNS


def votes(**given: int) -> dict[str, int]:
    return {column: given.get(column.removeprefix("votes_"), 0) for column in VOTE_COLUMNS}


@pytest.fixture
def rows() -> pd.DataFrame:
    """Eight images: 0, 1 and 5 are one picture (labels fear, sad, fear), 2 and 6 another, 7 is constant."""
    lines = [
        (0, "Training", 2, votes(fear=8, sad=2), 0, -1, False, 0.1, False, True),
        (1, "Training", 4, votes(fear=6, sad=4), 0, -1, False, 0.2, False, True),
        (2, "Training", 3, votes(happy=10), 1, 0, False, 0.3, False, False),
        (3, "Training", 3, votes(happy=5, neutral=5), -1, 0, False, 0.9, False, False),
        (4, "Training", 3, votes(), -1, -1, False, 0.4, False, False),
        (5, "PrivateTest", 2, votes(fear=1, surprise=9), 0, -1, False, 0.5, True, True),
        (6, "PublicTest", 3, votes(happy=10), 1, -1, False, 0.6, True, False),
        (7, "PublicTest", 6, votes(not_a_face=10), -1, -1, True, 0.0, False, False),
    ]
    return pd.DataFrame(
        [
            {"row": row, "split": split, "label": label, **ballot, "exact_group": exact, "near_group": near,
             "constant": constant, "outlier_score": score, "twin_in_training": twin, "conflicting": conflicting}
            for row, split, label, ballot, exact, near, constant, score, twin, conflicting in lines
        ]
    )  # fmt: skip


def test_shares_of_a_split_sum_to_one(rows: pd.DataFrame) -> None:
    assert np.allclose(tables.shares(class_counts(rows)).sum(axis=1), 1)


def test_crowd_view_names_majorities_ties_and_agreement(rows: pd.DataFrame) -> None:
    crowd = tables.crowd_view(rows).set_index("row")
    assert 4 not in crowd.index  # nobody voted
    assert crowd["majority"].to_dict() == {
        0: "fear", 1: "fear", 2: "happy", 3: "tie", 5: "surprise", 6: "happy", 7: "not_a_face",
    }  # fmt: skip
    assert crowd.index[crowd["disagrees"]].tolist() == [1, 5, 7]  # a tie with the label is no disagreement
    assert crowd.at[1, "agreement"] == pytest.approx(0.4)
    assert crowd.at[5, "majority_share"] == pytest.approx(0.9)


def test_label_against_majority_counts_each_image_once(rows: pd.DataFrame) -> None:
    table = tables.label_against_majority(tables.crowd_view(rows))
    assert table.at["sad", "fear"] == 1
    assert table.at["happy", "tie"] == 1
    assert table.to_numpy().sum() == 7
    assert list(table.columns) == ["fear", "happy", "surprise", "not_a_face", "tie"]


def test_vote_shares_are_of_all_votes_of_the_split(rows: pd.DataFrame) -> None:
    shares = tables.vote_shares(rows)
    assert shares.at["PublicTest", "not_a_face"] == pytest.approx(0.5)
    assert np.allclose(shares.sum(axis=1), 1)


def test_groups_tell_sizes_labels_and_splits(rows: pd.DataFrame) -> None:
    groups = tables.groups(rows)
    assert groups["size"].to_dict() == {0: 3, 1: 2}
    assert groups.at[0, "labels"] == "fear 2, sad 1"
    assert groups.at[0, "splits"] == "Training 2, PrivateTest 1"
    assert groups.at[0, "rows"] == (0, 1, 5)
    assert groups["conflicting"].tolist() == [True, False]
    assert groups["crosses_splits"].tolist() == [True, True]
    assert tables.group_sizes(groups).to_dict() == {2: 1, 3: 1}


def test_a_missing_label_is_no_conflict(rows: pd.DataFrame) -> None:
    rows.loc[1, "label"] = -1
    assert not tables.groups(rows).at[0, "conflicting"]
    assert 1 not in tables.crowd_view(rows)["row"].tolist()


def test_near_groups_are_read_from_their_own_column(rows: pd.DataFrame) -> None:
    assert tables.groups(rows, "near")["rows"].tolist() == [(2, 3)]


def test_a_dataset_without_duplicates_has_an_empty_table_with_the_same_columns(rows: pd.DataFrame) -> None:
    none = tables.groups(rows.assign(exact_group=-1))
    assert none.empty
    assert list(none.columns) == list(tables.groups(rows).columns)
    assert tables.group_sizes(none).empty
    assert int(none["conflicting"].sum()) == 0


def test_leakage_is_counted_per_test_split(rows: pd.DataFrame) -> None:
    leaked = tables.leakage(rows)
    assert leaked["twins"].to_dict() == {"PublicTest": 1, "PrivateTest": 1}
    assert leaked.at["PublicTest", "share"] == pytest.approx(0.5)


def test_conflict_pairs_count_groups_not_images(rows: pd.DataFrame) -> None:
    pairs = tables.conflict_pairs(rows)
    assert pairs.at["fear", "sad"] == pairs.at["sad", "fear"] == 1
    assert pairs.to_numpy().sum() == 2


def test_outliers_start_with_constant_images(rows: pd.DataFrame) -> None:
    assert tables.outliers(rows)["row"].tolist()[:3] == [7, 3, 6]


def test_look_alikes_in_training_are_counted_where_they_are_known() -> None:
    rows = pd.DataFrame({"split": ["Training", "PublicTest", "PrivateTest", "PrivateTest"]})
    assert tables.near_leakage(rows) == {}
    rows["near_twin_in_training"] = [False, False, True, True]
    assert tables.near_leakage(rows) == {"PublicTest": 0, "PrivateTest": 2}
