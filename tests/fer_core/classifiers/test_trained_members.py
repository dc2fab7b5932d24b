"""Methods that train their members: SAMME against scikit-learn, single emotions, trees of pairs."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from fer_core.classifiers.binary import branches, single_emotion, train_single_emotions, train_tree, tree_of_opposites
from fer_core.classifiers.combination import COMBINATIONS
from fer_core.classifiers.combinations.pair_tree import forks, leaves, opposed_tree
from fer_core.classifiers.samme import boost, resample, samme_round
from fer_core.data.table import FaceDataset
from fer_core.errors import ConfigError, DataError
from fer_core.labels import EMOTIONS, FERPLUS_EMOTIONS

ROUNDS = 6


@pytest.fixture(scope="module")
def toy() -> FaceDataset:
    """Faces whose six first pixels say, with noise, which of seven classes they are."""
    random = np.random.default_rng(0)
    labels = random.integers(0, 7, 210)
    pixels = np.zeros((210, 48, 48), np.uint8)
    pixels[:, 0, :6] = np.clip(random.normal(90 + 40 * np.eye(7)[labels][:, :6], 30), 0, 255)
    split = np.where(np.arange(210) < 180, "Training", "PublicTest")
    return FaceDataset(pd.DataFrame({"row": np.arange(210), "split": split, "label": labels}), pixels)


class Stump:
    """A shallow tree on the pixels."""

    labels, device = EMOTIONS, "cpu"

    def __init__(self, faces: FaceDataset, weights: np.ndarray) -> None:
        from sklearn.tree import DecisionTreeClassifier

        self.tree = DecisionTreeClassifier(max_depth=2, random_state=0)
        self.tree.fit(faces.pixels.reshape(len(faces), -1), faces.labels, sample_weight=weights)

    def predict_proba(self, faces: np.ndarray) -> np.ndarray:
        found: np.ndarray = self.tree.predict_proba(faces.reshape(len(faces), -1))
        return found


def test_boosting_is_scikit_learns(toy: FaceDataset) -> None:
    from sklearn.ensemble import AdaBoostClassifier
    from sklearn.tree import DecisionTreeClassifier

    training = toy.split("Training")
    inputs = training.pixels.reshape(len(training), -1)
    theirs = AdaBoostClassifier(DecisionTreeClassifier(max_depth=2), n_estimators=ROUNDS, random_state=0)
    theirs.fit(inputs, training.labels)
    members, rounds = boost(toy, lambda data, weights, name: Stump(data.split("Training"), weights), ROUNDS)
    np.testing.assert_allclose([one.vote for one in rounds], theirs.estimator_weights_, rtol=1e-10)
    np.testing.assert_allclose([one.error for one in rounds], theirs.estimator_errors_, rtol=1e-10)
    answers = np.stack([member.predict_proba(toy.pixels) for member in members])
    boosting = COMBINATIONS["boosting"]
    learnt = boosting.fit(answers, toy.labels, weights=[one.vote for one in rounds])
    expected = theirs.predict_proba(toy.pixels.reshape(len(toy), -1))
    np.testing.assert_allclose(boosting.apply(answers, learnt), expected, atol=1e-6)


def test_a_round_weighs_what_was_wrong_until_chance(toy: FaceDataset) -> None:
    wrong = np.arange(10) < 3
    found = samme_round(np.full(10, 0.1), wrong, 7)
    assert found.error == pytest.approx(0.3)
    assert found.vote == pytest.approx(np.log(7 / 3) + np.log(6))
    assert found.weights.sum() == pytest.approx(1)
    assert found.weights[wrong].sum() == pytest.approx(6 / 7)  # against these weights the member is at chance
    with pytest.raises(ConfigError, match="no better than chance"):
        samme_round(np.full(10, 0.1), np.arange(10) < 9, 7)


def test_boosting_stops_after_a_member_without_error(toy: FaceDataset) -> None:
    class Oracle(Stump):
        def predict_proba(self, faces: np.ndarray) -> np.ndarray:
            return np.eye(7)[toy.split("Training").labels]

    members, rounds = boost(toy, lambda data, weights, name: Oracle(data.split("Training"), weights), 5)
    assert len(members) == 1
    assert rounds[0].vote == 1.0


def test_resampling_follows_the_weights_and_touches_training_only(dataset: FaceDataset) -> None:
    training = dataset.split("Training")
    weights = np.zeros(len(training))
    weights[[2, 5]] = (0.25, 0.75)
    found = resample(dataset, weights, seed=0)
    assert set(found.split("Training").table["row"]) == set(training.table["row"].iloc[[2, 5]])
    assert len(found) == len(dataset)
    assert (found.split("Training").table["row"] == training.table["row"].iloc[5]).mean() > 0.5
    for split in ("PublicTest", "PrivateTest"):
        pd.testing.assert_frame_equal(found.split(split).table, dataset.split(split).table)
    assert resample(dataset, weights, seed=0).fingerprint == found.fingerprint != dataset.fingerprint


def test_boosting_without_weights_says_so() -> None:
    with pytest.raises(ConfigError, match="each of its 2 rounds"):
        COMBINATIONS["boosting"].fit(np.ones((2, 3, 7)), np.zeros(3, int))


def test_one_emotion_against_the_rest(dataset: FaceDataset) -> None:
    found = single_emotion(dataset, "neutral")
    np.testing.assert_array_equal(found.labels == 6, dataset.labels == 6)
    assert set(found.labels) == {6, 0}
    assert not found.has_votes
    assert len(found) == len(dataset)
    asked: list[str] = []
    assert train_single_emotions(dataset, lambda data, name: asked.append(name)) == list(EMOTIONS) == asked


def test_two_branches_leave_out_the_others(dataset: FaceDataset) -> None:
    found = branches(dataset, (3, 4), (0,))
    kept = np.isin(dataset.labels, (0, 3, 4))
    np.testing.assert_array_equal(found.labels, np.where(dataset.labels[kept] == 0, 0, 3))
    with pytest.raises(DataError, match="cannot be learnt"):
        branches(dataset.select(dataset.labels != 4), (3,), (4,))


def test_single_claims_are_scaled_and_joined() -> None:
    labels = np.random.default_rng(0).integers(0, 7, 60)
    claims = np.full((7, 60, 7), 0.1, np.float32)
    claims[np.arange(7), :, np.arange(7)] = np.where(np.arange(7)[:, None] == labels, 0.8, 0.1)
    combination = COMBINATIONS["one_vs_rest"]
    alone = combination.apply(claims, combination.fit(claims, labels))
    np.testing.assert_allclose(alone[np.arange(60), labels], 0.8 / 1.4, rtol=1e-5)
    blind = np.full((1, 60, 7), 1 / 7, np.float32)
    joined = np.concatenate([claims, blind])
    assert combination.fit(joined, labels)["weights"][0] > 0.99
    with pytest.raises(ConfigError, match="7 emotions"):
        combination.fit(claims[:6], labels)


@pytest.mark.parametrize("names", [EMOTIONS, FERPLUS_EMOTIONS])
def test_opposites_share_the_lowest_forks(names: tuple[str, ...]) -> None:
    tree = tree_of_opposites(names)
    assert sorted(leaves(tree)) == list(range(len(names)))
    found = list(forks(tree))
    assert len(found) == len(names) - 1
    assert ((names.index("happy"),), (names.index("sad"),)) in found


def test_a_tree_of_perfect_members_is_right(dataset: FaceDataset) -> None:
    tree = tree_of_opposites(EMOTIONS)
    labels = np.arange(7)
    members = []
    for left, right in forks(tree):
        answer = np.full((7, 7), 0.001)
        answer[np.isin(labels, left), left[0]] = 1
        answer[np.isin(labels, right), right[0]] = 1
        members.append(answer)
    combination = COMBINATIONS["pair_tree"]
    found = combination.apply(np.stack(members), combination.fit(np.stack(members), labels, tree=tree))
    np.testing.assert_allclose(found.sum(1), 1)
    np.testing.assert_array_equal(found.argmax(1), labels)
    assert found.max(1).min() > 0.95
    names = train_tree(dataset, tree, lambda data, name: None)
    assert len(names) == 6
    assert "happy_vs_sad" in names
    with pytest.raises(ConfigError, match="6 forks"):
        combination.fit(np.stack(members[1:]), labels, tree=tree)


def test_a_tree_by_confusions_pairs_what_is_never_confused() -> None:
    confusion = np.array([[50, 0, 25, 25], [10, 50, 20, 20], [30, 20, 50, 0], [30, 20, 5, 45]])
    tree = opposed_tree(confusion)
    assert sorted(leaves(tree)) == [0, 1, 2, 3]
    assert ((2,), (3,)) in list(forks(tree))
    assert ((0,), (1,)) in list(forks(tree))
