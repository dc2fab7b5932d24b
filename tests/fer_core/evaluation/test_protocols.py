"""Protocols divide as they say, and their leaks are counted in images against a plain search."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from fer_core.data.table import FaceDataset
from fer_core.errors import DataError
from fer_core.evaluation.comparison import compare_protocols, divided, retrain_protocols
from fer_core.evaluation.protocols import ORDER, PROTOCOLS, Parts, describe
from fer_core.labels import EMOTIONS, FERPLUS_EMOTIONS, VOTE_COLUMNS
from fer_core.metrics import wilson_interval


class Guesser:
    """Says the emotion that is drawn into the first pixel, angry where that is beyond its classes."""

    device = "nowhere"

    def __init__(self, labels: tuple[str, ...] = EMOTIONS) -> None:
        self.labels = labels
        self.asked = 0

    def predict_proba(self, faces: np.ndarray) -> np.ndarray:
        self.asked += len(faces)
        found = np.where(faces[:, 0, 0] < len(self.labels), faces[:, 0, 0], 0)
        return np.eye(len(self.labels), dtype=np.float32)[found]


@pytest.fixture(scope="module")
def planted(dataset: FaceDataset) -> FaceDataset:
    """Drawn faces of uneven emotions; three test faces have a twin in Training, one of them with another label, one is
    constant, one is no face by its votes."""
    keep = np.ones(len(dataset), bool)
    keep[np.flatnonzero(dataset.labels == 1)[::2]] = False
    faces = dataset.select(keep)
    pixels, table = np.array(faces.pixels), faces.table.copy()
    pixels[:, 0, 0] = faces.labels
    split = table["split"].to_numpy()
    training, private = np.flatnonzero(split == "Training"), np.flatnonzero(split == "PrivateTest")
    same = [np.flatnonzero((split == "Training") & (faces.labels == faces.labels[place]))[0] for place in private[:2]]
    pixels[private[:2]] = pixels[same]
    other = training[faces.labels[training] != faces.labels[private[2]]][-1]
    pixels[private[2]] = pixels[other]
    pixels[private[3]] = faces.labels[private[3]]
    table.loc[private[4], list(VOTE_COLUMNS)] = [0] * 9 + [10]
    return FaceDataset(table, pixels)


def leak_by_search(parts: Parts) -> int:
    known = {parts.dataset.pixels[place].tobytes() for place in parts.train}
    return sum(parts.dataset.pixels[place].tobytes() in known for place in parts.test)


@pytest.mark.parametrize("name", PROTOCOLS)
def test_every_protocol_divides_and_counts_its_leak(name: str, planted: FaceDataset) -> None:
    parts = PROTOCOLS[name](planted, "PrivateTest", 0)
    assert int(parts.leaked.sum()) == leak_by_search(parts)
    assert len(parts.test_faces) == len(parts.test) > 0
    assert len(parts.train_faces) == len(parts.train) >= len(parts.test)
    again, other = PROTOCOLS[name](planted, "PrivateTest", 0), PROTOCOLS[name](planted, "PrivateTest", 1)
    assert np.array_equal(parts.test, again.test)
    assert np.array_equal(parts.test, other.test) == (name in ("official", "deduplicated", "cleaned"))
    assert describe(name).endswith(".")
    assert "\n" not in describe(name)


def test_published_divisions(planted: FaceDataset) -> None:
    private = np.flatnonzero(planted.table["split"] == "PrivateTest")
    official = PROTOCOLS["official"](planted, "PrivateTest", 0)
    assert np.array_equal(official.test, private)
    assert np.array_equal(np.flatnonzero(official.leaked), [0, 1, 2])
    deduplicated = PROTOCOLS["deduplicated"](planted, "PrivateTest", 0)
    assert np.array_equal(deduplicated.test, private[3:])
    assert not deduplicated.leaked.any()
    cleaned = PROTOCOLS["cleaned"](planted, "PrivateTest", 0)
    assert np.array_equal(cleaned.test, np.delete(private, [2, 3, 4]))
    assert len(PROTOCOLS["official"](planted, "all", 0).test) == len(planted)


def test_a_new_split_keeps_every_row_once_and_every_share(planted: FaceDataset) -> None:
    parts = PROTOCOLS["resplit"](planted, "PrivateTest", 0)
    assert np.array_equal(np.sort(np.concatenate([parts.train, parts.test])), np.arange(len(planted)))
    assert len(parts.test) == pytest.approx(0.2 * len(planted), abs=1)
    counts = np.bincount(planted.labels, minlength=7)
    assert np.abs(np.bincount(planted.labels[parts.test], minlength=7) - 0.2 * counts).max() <= 1


def test_copies_made_before_the_split_lie_on_both_sides(planted: FaceDataset) -> None:
    parts = PROTOCOLS["oversampled"](planted, "PrivateTest", 0)
    drawn = np.concatenate([parts.train, parts.test])
    counts = np.bincount(planted.labels, minlength=7)
    assert set(np.bincount(planted.labels[drawn], minlength=7)) == {counts.max()}
    assert set(drawn) == set(range(len(planted)))
    assert set(parts.test) & set(parts.train)
    assert parts.leaked.sum() > PROTOCOLS["resplit"](planted, "PrivateTest", 0).leaked.sum()
    cleaned = PROTOCOLS["cleaned_oversampled"](planted, "PrivateTest", 0)
    gone = np.flatnonzero(planted.table["split"] == "PrivateTest")[2:5]
    assert not set(gone) & {*cleaned.test, *cleaned.train}


def test_one_table_asks_about_each_face_once(planted: FaceDataset) -> None:
    guesser = Guesser()
    rows = {row["protocol"]: row for row in compare_protocols(guesser, divided(planted, EMOTIONS))}
    assert list(rows) == list(ORDER)
    assert set(ORDER) == set(PROTOCOLS)
    assert guesser.asked <= len(planted)
    private = int((planted.table["split"] == "PrivateTest").sum())
    assert (rows["official"]["n"], rows["official"]["leak"], rows["official"]["own_leak"]) == (private, 3, 3)
    assert rows["official"]["accuracy"] == pytest.approx(1 - 1 / private)
    assert rows["cleaned"]["accuracy"] == rows["cleaned"]["macro_f1"] == 1
    assert rows["deduplicated"]["leak"] == 0
    parts = PROTOCOLS["resplit"](planted, "PrivateTest", 0)
    trained = np.flatnonzero(planted.table["split"] == "Training")
    assert rows["resplit"]["leak"] == leak_by_search(Parts(planted, trained, parts.test)) > rows["resplit"]["own_leak"]
    assert all(row["distinct"] <= row["n"] for row in rows.values())


def test_an_image_that_is_judged_several_times_weighs_as_one(planted: FaceDataset) -> None:
    parts = divided(planted, EMOTIONS)
    rows = {row["protocol"]: row for row in compare_protocols(Guesser(), parts)}
    for name, row in rows.items():
        copies = np.unique(parts[name].test, return_counts=True)[1]
        effective = copies.sum() ** 2 / (copies**2).sum()
        assert row["effective"] == round(effective) <= row["distinct"] == len(copies) <= row["n"]
        expected = wilson_interval(row["accuracy"] * effective, effective)
        assert row["accuracy_interval"] == pytest.approx(expected)
    assert rows["official"]["effective"] == rows["official"]["n"]


def test_copies_widen_the_interval(planted: FaceDataset) -> None:
    official = divided(planted, EMOTIONS, names=("official",))["official"]
    copied = {"once": official, "often": replace(official, test=np.repeat(official.test, 9))}
    once, often = compare_protocols(Guesser(), copied)
    assert (often["n"], often["distinct"], often["effective"]) == (9 * once["n"], once["n"], once["n"])
    assert often["accuracy_interval"] == pytest.approx(once["accuracy_interval"])


def test_eight_classes_are_compared_on_votes(planted: FaceDataset) -> None:
    rows = compare_protocols(Guesser(FERPLUS_EMOTIONS), divided(planted, FERPLUS_EMOTIONS))
    assert rows[0]["n"] < (planted.table["split"] == "PrivateTest").sum()


def test_a_limit_judges_fewer_images(planted: FaceDataset) -> None:
    rows = compare_protocols(Guesser(), divided(planted, EMOTIONS, limit=5))
    assert {row["n"] for row in rows} == {5}
    assert all(row["leak"] <= 5 for row in rows)


def test_models_trained_under_a_protocol_leak_its_own_part(planted: FaceDataset) -> None:
    learned: dict[str, int] = {}

    def retrain(name: str, faces: FaceDataset) -> Guesser:
        learned[name] = len(faces)
        return Guesser()

    parts = divided(planted, EMOTIONS)
    rows = retrain_protocols(retrain, parts)
    once = ("official", "resplit", "oversampled", "cleaned_oversampled")  # the second and third train as the first does
    assert learned == {name: len(parts[name].train) for name in once}
    assert [row["protocol"] for row in rows] == list(parts)
    assert all(row["leak"] == row["own_leak"] == leak_by_search(parts[row["protocol"]]) for row in rows)
    judged = compare_protocols(Guesser(), parts)
    assert [row["accuracy"] for row in rows] == [row["accuracy"] for row in judged]


def test_unlabelled_faces_and_an_emotion_of_one_face_are_split_anew(planted: FaceDataset) -> None:
    labels = np.array(planted.labels)
    labels[labels == 1] = -1
    labels[0] = 1
    changed = FaceDataset(planted.table.assign(label=labels), planted.pixels)
    for name in ("resplit", "oversampled"):
        parts = PROTOCOLS[name](changed, "all", 0)
        assert set(parts.test) | set(parts.train) == set(np.flatnonzero(labels >= 0))


def test_few_faces_cannot_be_split_anew(dataset: FaceDataset) -> None:
    with pytest.raises(DataError, match="7 labelled faces are too few to be split anew"):
        PROTOCOLS["resplit"](dataset.select(np.arange(7)), "all", 0)
