"""Cleaning: one copy stays, labels decide which, tests are protected, every loss is explained."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fer_core.data.audit.duplicates import conflicting, exact_groups, pixel_hashes
from fer_core.data.audit.leakage import twins_in_training
from fer_core.data.clean import POLICIES, clean
from fer_core.data.table import FaceDataset
from fer_core.errors import ConfigError, DataError, UnknownNameError
from tests.fer_core.data.audit.planting import copied, dataset_of, places, with_labels, with_pixels

LABELS = st.lists(st.integers(-1, 3), min_size=2, max_size=8).map(np.array)


@pytest.mark.parametrize(
    ("policy", "labels", "kept"),
    [
        ("keep_majority_label", [4, 2, 2], 1),
        ("keep_majority_label", [4, 2, 2, 4], 0),
        ("keep_majority_label", [-1, -1, 2], 2),
        ("keep_majority_label", [-1, -1], 0),
        ("drop_conflicting", [4, 2, 2], None),
        ("drop_conflicting", [2, 2, 2], 0),
        ("drop_conflicting", [-1, 2], 1),
        ("drop_conflicting", [-1, -1], 0),
    ],
)
def test_who_stays(policy: str, labels: list[int], kept: int | None) -> None:
    assert POLICIES[policy](np.array(labels)) == kept


@pytest.mark.parametrize("policy", POLICIES)
@given(labels=LABELS)
def test_only_drop_conflicting_drops_everybody_and_only_in_conflict(policy: str, labels: np.ndarray) -> None:
    kept = POLICIES[policy](labels)
    agreed = len(set(labels[labels >= 0].tolist())) <= 1
    if kept is None:
        assert policy == "drop_conflicting"
        assert not agreed
    else:
        assert 0 <= kept < len(labels)


@pytest.fixture
def messy(dataset: FaceDataset) -> FaceDataset:
    """In Training: three happy copies, of which the first is labelled sad; a twin of a test face; a constant face."""
    train, happy = places(dataset, "Training", 0), places(dataset, "Training", 3)
    private = places(dataset, "PrivateTest", 0)
    changed = copied(dataset, [(happy[0], happy[1]), (happy[0], happy[2]), (private[0], train[0])])
    changed = with_labels(changed, {int(happy[0]): 4})
    return with_pixels(changed, {int(train[1]): np.zeros((48, 48), np.uint8)})


def test_the_majority_stays_and_every_loss_is_explained(messy: FaceDataset) -> None:
    cleaned = clean(messy)
    train = places(messy, "Training", 0)
    assert cleaned.reasons == {
        "copy (keep_majority_label)": 2,
        "constant picture": 1,
        "twin of a face in PrivateTest": 1,
    }
    dropped = cleaned.dropped.set_index("row")
    copies = dropped[dropped["reason"].str.startswith("copy")]
    assert len(cleaned.dataset) + len(dropped) == len(messy)
    assert copies["kept_row"].nunique() == 1
    kept = int(copies["kept_row"].iloc[0])
    assert messy.labels[kept] == 3
    assert set(copies.index) | {kept} <= set(np.flatnonzero(exact_groups(pixel_hashes(messy.pixels)) >= 0).tolist())
    assert dropped.at[train[0], "kept_row"] == places(messy, "PrivateTest", 0)[0]
    assert dropped.at[train[1], "kept_row"] == -1


def test_afterwards_there_is_no_leak_no_copy_and_no_conflict(messy: FaceDataset) -> None:
    for policy in POLICIES:
        rest = clean(messy, duplicates=policy).dataset
        groups = exact_groups(pixel_hashes(rest.pixels))
        assert not twins_in_training(rest).any()
        assert (groups == -1).all()
        assert not conflicting(groups, rest.labels).any()


def test_every_group_keeps_a_face_unless_it_conflicts(messy: FaceDataset) -> None:
    before = set(pixel_hashes(messy.pixels))
    kept = clean(messy, duplicates="keep_majority_label", non_faces=False).dataset
    assert set(pixel_hashes(kept.pixels)) == before
    strict = clean(messy, duplicates="drop_conflicting", non_faces=False)
    assert len(before - set(pixel_hashes(strict.dataset.pixels))) == 1
    assert strict.reasons["copies with different labels (drop_conflicting)"] == 3


def test_test_splits_and_the_given_dataset_stay_as_they_are(messy: FaceDataset) -> None:
    before = messy.table.copy()
    rest = clean(messy).dataset
    for split in ("PublicTest", "PrivateTest"):
        assert (rest.split(split).pixels == messy.split(split).pixels).all()
    assert messy.table.equals(before)
    assert rest.fingerprint == ""


def test_everything_can_be_switched_off(messy: FaceDataset) -> None:
    assert clean(messy, duplicates=None, protect=(), non_faces=False).dropped.empty


def test_voted_non_faces_go(dataset: FaceDataset) -> None:
    votes = dict.fromkeys((c for c in dataset.table if c.startswith("votes_")), 0) | {"votes_not_a_face": 10}
    table = dataset.table.copy()
    train = places(dataset, "Training")[:2]
    table.loc[train, list(votes)] = list(votes.values())
    judged = FaceDataset(table, dataset.pixels)
    assert clean(judged).reasons == {"voted not a face": 2}
    assert clean(judged, non_faces=False).reasons == {}


def test_an_audit_s_near_groups_can_take_the_place_of_exact_ones(dataset: FaceDataset) -> None:
    groups = np.full(len(dataset), -1)
    groups[places(dataset, "Training", 5)] = 0
    cleaned = clean(dataset, groups=groups)
    assert cleaned.reasons == {"copy (keep_majority_label)": 3}


def test_copies_between_protected_splits_lose_none_of_them_twice(dataset: FaceDataset) -> None:
    train, public, private = (int(places(dataset, s)[0]) for s in ("Training", "PublicTest", "PrivateTest"))
    leaky = copied(dataset, [(private, public), (private, train)])
    splits = ("Training", "PublicTest", "PrivateTest")
    cleaned = clean(leaky, protect=("PrivateTest", "PublicTest"), splits=splits)
    assert cleaned.dropped["row"].tolist() == [train, public]
    assert set(cleaned.dropped["kept_row"]) == {private}


def test_what_cannot_work_is_said(dataset: FaceDataset) -> None:
    with pytest.raises(UnknownNameError, match="keep_majority_label"):
        clean(dataset, duplicates="keep_majority_lable")
    with pytest.raises(ConfigError, match="no split 'Test'"):
        clean(dataset, protect=("Test",))
    with pytest.raises(ConfigError, match="one entry a face"):
        clean(dataset, groups=np.zeros(3, np.int64))
    with pytest.raises(DataError, match="no face"):
        clean(dataset_of(np.zeros((4, 48, 48), np.uint8)))
