"""AdaBoost for several classes: SAMME (Zhu et al. 2009, https://doi.org/10.4310/SII.2009.v2.n3.a8).

A round trains a member on faces weighted by how much those before it got wrong, and gives it a vote. A trainer that
cannot weigh faces draws them: `resample` makes a Training split of the same size in which a face stands as often as its
weight says.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from fer_core.classifiers.base import Classifier
from fer_core.data.store import fingerprint
from fer_core.data.table import FaceDataset
from fer_core.errors import ConfigError

TRAINING = "Training"

TrainMember = Callable[[FaceDataset, np.ndarray, str], Classifier]
"""(whole dataset, weights (N,) of its labelled Training faces that sum to 1, name) -> a member."""


@dataclass(frozen=True)
class Round:
    """What a round found.

    Attributes:
        error: weighted share of Training faces that the member got wrong, [0, 1].
        vote: the member's weight in the vote.
        weights: float64 (N,) of the faces for the next round; they sum to 1.
    """

    error: float
    vote: float
    weights: np.ndarray


def samme_round(weights: np.ndarray, wrong: np.ndarray, classes: int, learning_rate: float = 1.0) -> Round:
    """The member's vote and the faces' weights for the next round.

    Args:
        weights: float (N,), not negative, sum 1.
        wrong: bool (N,), where the member erred.
        classes: number of classes C; a member must err less than chance, 1 - 1 / C.
        learning_rate: shrinks every vote.

    Raises:
        ConfigError: the member is no better than chance.
    """
    error = float(np.average(wrong, weights=weights))
    if error <= 0:
        return Round(0.0, 1.0, weights)
    if error >= 1 - 1 / classes:
        raise ConfigError(f"a member of the boosting errs in {error:.1%} of the weighted faces, no better than chance")
    vote = learning_rate * (np.log((1 - error) / error) + np.log(classes - 1))
    heavier = weights * np.exp(vote * wrong)
    return Round(error, float(vote), heavier / heavier.sum())


def boost(
    dataset: FaceDataset,
    train_member: TrainMember,
    rounds: int,
    *,
    learning_rate: float = 1.0,
    report: Callable[[str], None] = lambda text: None,
) -> tuple[list[Classifier], list[Round]]:
    """Trains members one after the other; stops early after one without error or one that is no better than chance.

    Args:
        dataset: faces; only Training counts here.
        train_member: trains one.
        rounds: how many at most.
        learning_rate: shrinks every vote.
        report: hears a line for each round.

    Raises:
        ConfigError: the first member is no better than chance.
    """
    training = labelled_training(dataset)
    weights = np.full(len(training), 1 / len(training))
    members: list[Classifier] = []
    found: list[Round] = []
    for index in range(rounds):
        member = train_member(dataset, weights, f"round_{index + 1}")
        wrong = _predicted(member, training) != training.labels
        try:
            last = samme_round(weights, wrong, len(member.labels), learning_rate)
        except ConfigError:
            if not members:
                raise
            break
        report(f"round {index + 1}: {last.error:.1%} of the weighted faces wrong, vote {last.vote:.3f}")
        members, found, weights = [*members, member], [*found, last], last.weights
        if last.error == 0:
            break
    return members, found


def labelled_training(dataset: FaceDataset) -> FaceDataset:
    """The faces that the weights belong to."""
    training = dataset.split(TRAINING)
    return training.select(training.labels >= 0)


def resample(dataset: FaceDataset, weights: np.ndarray, seed: int) -> FaceDataset:
    """The dataset with as many Training faces as before, drawn with replacement by their weights.

    Args:
        dataset: faces of all splits; the other splits stay as they are.
        weights: float (N,) of the labelled Training faces, sum 1.
        seed: of the draw.
    """
    mine = np.flatnonzero((dataset.table["split"] == TRAINING).to_numpy() & (dataset.labels >= 0))
    drawn = mine[np.random.default_rng(seed).choice(len(mine), len(mine), p=weights)]
    others = np.flatnonzero((dataset.table["split"] != TRAINING).to_numpy())
    found = dataset.select(np.concatenate([np.sort(drawn), others]))
    return replace(found, fingerprint=fingerprint(found.table, found.pixels))


def _predicted(member: Classifier, faces: FaceDataset) -> np.ndarray:
    found: np.ndarray = member.predict_proba(np.asarray(faces.pixels)).argmax(1)
    return found
