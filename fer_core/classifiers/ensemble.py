"""Several checkpoints that answer together."""

from __future__ import annotations

import platform
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from fer_core.artifacts import ENSEMBLE, NETWORK, Card, load_arrays, load_card, save_arrays, told_name, update_card
from fer_core.classifiers.base import CheckpointClassifier, log_probabilities, mean_over_views
from fer_core.classifiers.calibration import fit_temperature
from fer_core.classifiers.combination import COMBINATIONS, Arrays, Combination, cross_fits
from fer_core.classifiers.folded_views import folded_view
from fer_core.classifiers.parts import OpenPart, adopt, open_parts
from fer_core.data.ferplus import as_ferplus
from fer_core.data.table import SIDE, FaceDataset
from fer_core.errors import ConfigError, DataError, UnsupportedError
from fer_core.labels import FERPLUS_EMOTIONS

if TYPE_CHECKING:
    from torch import Tensor

    from fer_core.models.base import FerModel

PUBLIC = "PublicTest"
MOST_COMPARED = 10
"""Members of which every choice is compared; each more doubles their number."""
SHOWN = 16
"""The card shows arrays of at most so many numbers beside keeping them with the weights."""


class EnsembleClassifier(CheckpointClassifier):
    """An ensemble: one forward of each member for each batch of faces.

    Args:
        folder: the ensemble's folder.
        open_part: opens a member's folder.
    """

    def __init__(self, folder: Path, open_part: OpenPart) -> None:
        card = load_card(folder)
        self.members = open_parts(folder, card, open_part)
        if not self.members:
            raise ConfigError(f"{card.name} names no member; build it again with scripts.ensemble")
        super().__init__(folder, self.members[0].device)
        self.learnt = load_arrays(folder)
        self._lock = threading.Lock()

    def forward(self, faces: np.ndarray) -> np.ndarray:
        """uint8 (N, 48, 48) -> float32 (N, C): logarithms of the combined probabilities."""
        answer = COMBINATIONS[self.card.model].apply(self.member_answers(faces), self.learnt)
        return log_probabilities(answer).astype(np.float32)

    def member_answers(self, faces: np.ndarray) -> np.ndarray:
        """uint8 (N, 48, 48) -> float32 (M, N, C), every member asked once."""
        return ask(self.members, faces, self.labels)

    def held_out_logits(self, faces: np.ndarray, labels: np.ndarray) -> np.ndarray:
        """uint8 (N, 48, 48) of PublicTest, int (N,) -> (N, C): each face's logits by a fit that did not see it."""
        seen = [self.member_answers(view(faces)) for view in folded_view(self.card).views]
        return _held_out(COMBINATIONS[self.card.model], seen, labels)

    @property
    def learns(self) -> bool:
        """Whether the labels of PublicTest taught it."""
        return COMBINATIONS[self.card.model].learns

    def torch_model(self) -> FerModel:
        """The networks of an ensemble that averages them as one model, for explanation; in eval mode.

        Where the ensemble averages probabilities, this model averages logits, each member's over its temperature: what
        is explained of a face is then the mean of what would be explained of each network.

        Raises:
            UnsupportedError: the members' answers are not averaged, or not all of them are networks that know the same
                emotions.
        """
        with self._lock:
            return self._committee

    def normalise(self, faces: np.ndarray) -> Tensor:
        """uint8 (N, 48, 48) -> what `torch_model` takes, (N, 1, 48, 48): faces as the first member has them."""
        self.torch_model()  # refuses what has no input of its own
        return self.members[0].normalise(faces)

    @cached_property
    def _committee(self) -> FerModel:
        from fer_core.models.committee import Committee, Seat

        shares = COMBINATIONS[self.card.model].shares(self.learnt)
        if shares is None or any(part.card.kind != NETWORK or part.labels != self.labels for part in self.members):
            names = ", ".join(member.name for member in self.members)
            raise UnsupportedError(
                f"{self.name} is an ensemble that is no mean of networks, so there is nothing inside to look at; "
                f"explain one of its members: {names}"
            )
        first = self.members[0].card.input
        seats = []
        for member, share in zip(self.members, shares, strict=True):
            own = member.card.input
            gain, offset = first["std"] / own["std"], (first["mean"] - own["mean"]) / own["std"]
            seats.append(Seat(member.torch_model(), float(share) / member.card.temperature, gain, offset))
        return Committee(seats).eval()


def ask(members: Sequence[CheckpointClassifier], faces: np.ndarray, labels: tuple[str, ...]) -> np.ndarray:
    """float32 (M, N, C): each member's probabilities in the columns of `labels`; 0 for a class it does not know."""
    found = np.zeros((len(members), len(faces), len(labels)), np.float32)
    for answer, member in zip(found, members, strict=True):
        answer[:, [labels.index(name) for name in member.labels]] = member.predict_proba(faces)
    return found


def build_ensemble(
    folder: Path,
    method: str,
    members: Sequence[Path],
    dataset: FaceDataset,
    open_part: OpenPart,
    *,
    views: str = "single",
    notes: str = "",
    training: dict[str, Any] | None = None,
    **options: Any,
) -> Card:
    """Fits an ensemble and its temperature on PublicTest and writes it into `folder`.

    Where the labels of PublicTest teach the ensemble, temperature and selection value come from answers that were held
    out: each fifth of the faces by what the other four taught.

    Args:
        folder: where the checkpoint goes.
        method: a name in COMBINATIONS.
        members: checkpoint folders; those that do not ship are copied into `folder`.
        dataset: faces; Training and PrivateTest are not looked at.
        open_part: opens a member's folder.
        views: how each face is seen (see `Card.views`).
        notes: for the card.
        training: what the card tells of how the members came about, where they were trained for this.
        options: the method's own.

    Raises:
        ConfigError, DataError, CheckpointError: a member, an option or the dataset does not fit.
    """
    start = time.perf_counter()
    opened = [open_part(member) for member in members]
    if not opened:
        raise ConfigError("an ensemble needs members; name them with --members")
    card = _draft(folder.name, method, opened, views)
    public = _public(dataset, card.labels)
    learnt, logits = _fit(card, opened, public, options)
    save_arrays(folder, card, learnt)
    return update_card(
        folder,
        members=adopt(folder, members),
        temperature=fit_temperature(logits, public.labels),
        options={name: array.round(6).tolist() for name, array in learnt.items() if array.size <= SHOWN},
        data={"fingerprint": dataset.fingerprint, "source_format": dataset.source_format, "faces": len(public)},
        selection={"split": PUBLIC, "metric": _metric(method), "value": _accuracy(logits, public.labels)},
        training=training or {"seconds": round(time.perf_counter() - start, 1), "fitted_on": PUBLIC},
        notes=" ".join(filter(None, (notes, *(() if training else _strangers(opened, dataset))))),
    )


@dataclass(frozen=True)
class Choice:
    """What some of several checkpoints reach together on PublicTest.

    Attributes:
        members: their names.
        accuracy: 0..1; of answers that were held out, where labels teach the combination.
        all_wrong: share of the faces that none of them answers rightly alone.
    """

    members: tuple[str, ...]
    accuracy: float
    all_wrong: float


def compare_choices(
    method: str,
    members: Sequence[CheckpointClassifier],
    dataset: FaceDataset,
    *,
    views: str = "single",
    **options: Any,
) -> list[Choice]:
    """Every choice of one or more of the members, the most accurate first; each member is asked once.

    Args:
        method: a name in COMBINATIONS.
        members: at most MOST_COMPARED, which know the same emotions.
        dataset: faces; Training and PrivateTest are not looked at.
        views: how each face is seen (see `Card.views`).
        options: the method's own.

    Raises:
        ConfigError, DataError: there are too many members, or they or the dataset do not fit.
    """
    if len(members) > MOST_COMPARED:
        raise ConfigError(f"of at most {MOST_COMPARED} members every choice is compared; there are {len(members)}")
    if len({member.labels for member in members}) > 1:
        raise ConfigError("only members that know the same emotions can be compared; leave the others out")
    card = _draft(method, method, members, views)
    public = _public(dataset, card.labels)
    seen = _seen(card, members, public)
    alone = np.stack([mean_over_views(log_probabilities(np.stack(said))).argmax(1) for said in zip(*seen, strict=True)])
    wrong = alone != public.labels
    found = []
    for size in range(1, len(members) + 1):
        for chosen in map(list, combinations(range(len(members)), size)):
            logits = _held_out(COMBINATIONS[method], [said[chosen] for said in seen], public.labels, **options)
            names = tuple(told_name(members[place].folder, members[place].card) for place in chosen)
            all_wrong = round(float(wrong[chosen].all(0).mean()), 6)
            found.append(Choice(names, _accuracy(logits, public.labels), all_wrong))
    return sorted(found, key=lambda choice: (-choice.accuracy, len(choice.members)))


def _metric(method: str) -> str:
    return "cross-fitted accuracy" if COMBINATIONS[method].learns else "accuracy"


def _strangers(members: Sequence[CheckpointClassifier], dataset: FaceDataset) -> Iterator[str]:
    """A sentence for each member that learnt from other data, which may hold faces of this one's test splits."""
    for member in members:
        if member.card.data.get("fingerprint", dataset.fingerprint) != dataset.fingerprint:
            yield (
                f"{member.name} was trained on another dataset or division than the one that this ensemble was fitted "
                "and judged on; where that held faces of PublicTest or PrivateTest, its figures say nothing."
            )


def _public(dataset: FaceDataset, labels: tuple[str, ...]) -> FaceDataset:
    """The faces of PublicTest whose label is known; eight classes are judged by FER+'s majorities, as everywhere."""
    public = dataset.split(PUBLIC)
    if len(labels) == len(FERPLUS_EMOTIONS) and public.has_votes:
        public = as_ferplus(public)
    public = public.known_to(labels)
    if not len(public):
        raise DataError(f"the dataset has no labelled face in {PUBLIC} to fit the ensemble on")
    return public


def _fit(
    card: Card, members: Sequence[CheckpointClassifier], public: FaceDataset, options: dict[str, Any]
) -> tuple[Arrays, np.ndarray]:
    """What the combination learns from the faces as they are, and the logits (N, C) over all views, held out."""
    combination = COMBINATIONS[card.model]
    seen = _seen(card, members, public)
    learnt = combination.fit(seen[0], public.labels, **options)
    return learnt, _held_out(combination, seen, public.labels, **options)


def _seen(card: Card, members: Sequence[CheckpointClassifier], public: FaceDataset) -> list[np.ndarray]:
    """Of each view of the faces what the members say, float32 (M, N, C)."""
    return [ask(members, view(np.asarray(public.pixels)), card.labels) for view in folded_view(card).views]


def _held_out(combination: Combination, seen: Sequence[np.ndarray], labels: np.ndarray, **options: Any) -> np.ndarray:
    """(M, N, C) of each view -> (N, C): logits of each face by a fit that did not see it, where labels teach it."""
    found = np.zeros(seen[0].shape[1:])
    for held_out, learnt in cross_fits(combination, seen[0], labels, **options):
        answers = [log_probabilities(combination.apply(said[:, held_out], learnt)) for said in seen]
        found[held_out] = mean_over_views(np.stack(answers))
    return found


def _draft(name: str, method: str, members: Sequence[CheckpointClassifier], views: str) -> Card:
    combination = COMBINATIONS[method]
    parameters = {member.card.weights_sha256: member.card.parameters for member in members}
    return Card(
        name=name,
        model=method,
        labels=max((member.labels for member in members), key=len),
        input={"side": SIDE, "channels": 1},
        parameters=sum(parameters.values()),
        title=combination.title,
        paper=combination.paper,
        versions={"python": platform.python_version(), "numpy": np.__version__},
        kind=ENSEMBLE,
        views=views,
    )


def _accuracy(logits: np.ndarray, labels: np.ndarray) -> float:
    return round(float((logits.argmax(1) == labels).mean()), 6)
