"""What ships about FER2013: right, quick, small, and without anything that shows a face."""

from __future__ import annotations

import json
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from fer_core.data.audit import audit
from fer_core.data.audit.duplicates import pixel_hashes, shortened
from fer_core.data.audit.label_noise import vote_doubts, vote_summary
from fer_core.data.profiles import FOLDER, ROWS, SUMMARY, Profile, load_profile, make_profile, save_profile
from fer_core.data.table import FaceDataset, counts
from fer_core.errors import DataError
from fer_core.labels import EMOTIONS, VOTE_COLUMNS
from tests.fer_core.data.audit.planting import copied, places, without_votes

COLUMNS = [
    "row",
    "split",
    "label",
    *VOTE_COLUMNS,
    "pixel_hash",
    "exact_group",
    "near_group",
    "constant",
    "outlier_score",
    "outlier_reason",
    "twin_in_training",
    "near_twin_in_training",
    "conflicting",
]


def test_the_published_counts_are_in_it() -> None:
    rows = load_profile().rows
    assert counts(rows)["Training"] == dict(zip(EMOTIONS, (3995, 436, 4097, 7215, 4830, 3171, 4965), strict=True))
    assert len(rows) == 35_887
    assert rows["constant"].sum() == 12
    assert rows["conflicting"].sum() == 164
    assert rows.loc[rows["exact_group"] >= 0, "exact_group"].nunique() == 1518
    assert rows["twin_in_training"].groupby(rows["split"]).sum().to_dict() == {
        "Training": 0,
        "PublicTest": 280,
        "PrivateTest": 288,
    }


def test_rows_and_summary_agree() -> None:
    profile = load_profile()
    rows, summary = profile.rows, profile.summary
    members = rows[rows["near_group"] >= 0]
    assert summary["near_duplicates"]["groups"] == members["near_group"].nunique()
    assert summary["near_duplicates"]["extra_rows"] == len(members) - members["near_group"].nunique()
    assert summary["outliers"] == (rows["outlier_reason"] != "").sum()
    assert summary["near_leakage"] == {
        split: int((rows["near_twin_in_training"] & (rows["split"] == split)).sum())
        for split in ("PublicTest", "PrivateTest")
    }
    assert summary["vote_doubts"] == vote_summary(vote_doubts(rows))
    assert {"source", "licence"} <= set(profile.about)


def test_the_twin_free_rows_of_each_test_split() -> None:
    profile = load_profile()
    assert len(profile.twin_free("PrivateTest")) == 3589 - 288
    assert len(profile.twin_free("PublicTest")) == 3589 - 280
    assert not np.isin(
        profile.rows.loc[profile.rows["twin_in_training"], "row"], profile.twin_free("PrivateTest")
    ).any()


def test_it_holds_what_is_documented_and_nothing_that_shows_a_face() -> None:
    rows = load_profile().rows
    assert rows.columns.tolist() == COLUMNS
    assert (rows["pixel_hash"].str.fullmatch("[0-9a-f]{16}")).all()
    words = {"row", "label", "exact_group", "near_group", *VOTE_COLUMNS}
    assert all(rows[name].dtype == np.int64 for name in words)
    assert sum(path.stat().st_size for path in (FOLDER / "fer2013").iterdir()) < 1_000_000
    # one float a face, rounded: far too little to describe a picture
    assert np.allclose(rows["outlier_score"], rows["outlier_score"].round(2), atol=1e-4)
    assert [name for name in rows if rows[name].dtype.kind == "f"] == ["outlier_score"]


def test_what_ships_is_that_of_fer2013(real_dataset: FaceDataset) -> None:
    profile = load_profile()
    assert profile.fingerprint == real_dataset.fingerprint
    check_rows(profile, real_dataset)


def test_a_profile_is_that_of_its_dataset(dataset: FaceDataset) -> None:
    check_rows(make_profile("drawn", dataset, audit(dataset)), dataset)


def check_rows(profile: Profile, dataset: FaceDataset) -> None:
    """The profile's rows are those of the dataset."""
    assert profile.rows["pixel_hash"].tolist() == shortened(pixel_hashes(dataset.pixels)).tolist()
    assert (profile.rows[VOTE_COLUMNS[0]].to_numpy() == dataset.table[VOTE_COLUMNS[0]].to_numpy()).all()


def test_a_profile_knows_its_dataset_again_with_or_without_votes(dataset: FaceDataset) -> None:
    profile = make_profile("drawn", dataset, audit(dataset))
    assert profile.is_of(dataset)
    plain = replace(without_votes(dataset), fingerprint="another")
    assert profile.is_of(plain)
    assert not profile.is_of(plain.select(np.arange(len(plain))[::-1]))
    assert not profile.is_of(replace(plain, pixels=255 - plain.pixels))


def test_faces_are_found_by_content_in_another_dataset(dataset: FaceDataset) -> None:
    profile = make_profile("drawn", dataset, audit(dataset))
    part = dataset.select(np.arange(len(dataset))[::-2])
    places = profile.places_in(part)
    rows = dataset.table["row"].tolist()
    assert set(places) == set(part.table["row"])
    assert all(np.array_equal(part.pixels[place], dataset.pixels[rows.index(row)]) for row, place in places.items())


def test_a_profile_comes_back_as_it_was_saved(dataset: FaceDataset, tmp_path: Path) -> None:
    train, private = places(dataset, "Training"), places(dataset, "PrivateTest")
    leaky = copied(dataset, [(train[0], private[0])])
    profile = make_profile("drawn", leaky, audit(leaky), about={"source": "drawn by code"})
    folder = save_profile(profile, tmp_path)
    again = load_profile("drawn", folder=tmp_path)
    assert sorted(path.name for path in folder.iterdir()) == [ROWS, SUMMARY]
    pd.testing.assert_frame_equal(again.rows, profile.rows, check_dtype=False, rtol=1e-6)
    assert (again.summary, again.about) == (profile.summary, profile.about)
    assert dataset.table["row"].to_numpy()[private[0]] not in again.twin_free("PrivateTest")
    assert len(again.twin_free("PrivateTest")) == len(private) - 1
    assert "seconds" not in again.summary


def test_a_dataset_without_votes_has_a_profile_too(dataset: FaceDataset, tmp_path: Path) -> None:
    plain = without_votes(dataset)
    save_profile(make_profile("plain", plain, audit(plain)), tmp_path)
    assert VOTE_COLUMNS[0] not in load_profile("plain", folder=tmp_path).rows


def test_what_is_missing_or_damaged_is_said(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="fer2013"):
        load_profile("fer2031")
    broken = tmp_path / "broken"
    broken.mkdir()
    (broken / SUMMARY).write_text(json.dumps({"name": "broken", "fingerprint": "", "summary": {}}))
    (broken / ROWS).write_bytes(b"not parquet")
    with pytest.raises(DataError, match="damaged"):
        load_profile("broken", folder=tmp_path)


def test_loading_is_quick() -> None:
    load_profile()  # the first one imports the reader
    start = time.process_time()
    load_profile()
    assert time.process_time() - start < 0.2
