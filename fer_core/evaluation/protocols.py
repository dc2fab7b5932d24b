"""Ways to divide a dataset into what a model learns and what it is judged on, and what each of them lets leak.

A published figure means little without its protocol. FER2013's official split keeps 3,589 faces for PrivateTest;
figures well above it may stand for another division: all rows shuffled and split anew, faces of rare emotions copied
before the split so that copies lie on both sides, or a test set from which the hard faces were cleaned away.

Two numbers must be kept apart. A protocol's own leak is the number of its test images of which a byte-identical copy is
in its own training part; a model that is trained under the protocol profits from no more than that. What a model has
learnt is the number of test images of which a copy is in the faces that this model was trained on. A model that was
trained on the official Training has learnt four fifths of a re-split's test part, which says nothing about those who
train on the re-split's own training part: that one leaks no more than the official split does.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from fer_core.data.audit.duplicates import conflicting, exact_groups, pixel_hashes
from fer_core.data.audit.leakage import twins_in_training
from fer_core.data.clean import clean
from fer_core.data.table import FaceDataset
from fer_core.errors import DataError
from fer_core.registry import Registry

ALL = "all"
"""In place of a split's name: every face, for datasets without official splits."""

TEST_SHARE = 0.2
"""Of all rows, where a protocol splits anew."""

FEWEST = 40
"""Labelled faces that can be split anew, so that each of eight emotions has a place in the test part."""


@dataclass(frozen=True)
class Parts:
    """A dataset divided.

    Attributes:
        dataset: all faces.
        train: int (n,) positions in the dataset that a model learns from; a face may occur more than once.
        test: int (m,) positions that it is judged on; a face may occur more than once.
    """

    dataset: FaceDataset
    train: np.ndarray
    test: np.ndarray

    @property
    def train_faces(self) -> FaceDataset:
        """What a model learns from."""
        return self.dataset.select(self.train)

    @property
    def test_faces(self) -> FaceDataset:
        """What it is judged on."""
        return self.dataset.select(self.test)

    @property
    def leaked(self) -> np.ndarray:
        """bool (m,): test images of which a copy, or the very row, is in the training part."""
        return copies_in(self.dataset, self.test, self.train)


Protocol = Callable[[FaceDataset, str, int], Parts]
"""(dataset, test split or `all`, seed of whatever is random) -> its parts."""

PROTOCOLS: Registry[Protocol] = Registry("protocol")

ORDER = ("official", "deduplicated", "cleaned", "resplit", "oversampled", "cleaned_oversampled")
"""From the published division to the most generous one, as tables show them."""


CLAIMS: dict[str, str] = {"cleaned_oversampled": "82.7 %: a CNN-LSTM on cleaned and re-sampled data (source not known)"}
"""What others report under a protocol, from a model that they trained under it; hearsay where no source is known."""


def describe(name: str) -> str:
    """What a protocol does, in a sentence."""
    return (inspect.getdoc(PROTOCOLS[name]) or "").split("\n\n")[0].replace("\n", " ")


def copies_in(dataset: FaceDataset, these: np.ndarray, others: np.ndarray) -> np.ndarray:
    """bool (m,): which faces at positions `these` (m,) are byte for byte one at a position in `others` (n,)."""
    hashes = pixel_hashes(dataset.pixels)
    found: np.ndarray = np.isin(hashes[these].astype(str), np.unique(hashes[others].astype(str)))
    return found


def deduplicated(dataset: FaceDataset, split: str) -> FaceDataset:
    """The faces of a split whose pixels are not, byte for byte, also in Training."""
    return without_twins(dataset, split, 0).test_faces


@PROTOCOLS.register("official")
def official(dataset: FaceDataset, split: str, seed: int = 0) -> Parts:
    """The split as it was published."""
    return Parts(dataset, _positions(dataset, "Training"), _judged(dataset, split))


@PROTOCOLS.register("deduplicated")
def without_twins(dataset: FaceDataset, split: str, seed: int = 0) -> Parts:
    """The published split without the test faces that are, byte for byte, also in Training."""
    judged = _judged(dataset, split)
    return Parts(dataset, _positions(dataset, "Training"), judged[~twins_in_training(dataset)[judged]])


@PROTOCOLS.register("cleaned")
def cleaned(dataset: FaceDataset, split: str, seed: int = 0) -> Parts:
    """The published split without test faces that carry different labels in different copies, or show no face."""
    judged = _judged(dataset, split)
    return Parts(dataset, _positions(dataset, "Training"), judged[_is_clean(dataset)[judged]])


@PROTOCOLS.register("resplit")
def resplit(dataset: FaceDataset, split: str, seed: int = 0) -> Parts:
    """All rows shuffled and split anew, 80 to 20, every emotion in the same share on both sides."""
    return _split_anew(dataset, _labelled(dataset), seed)


@PROTOCOLS.register("oversampled")
def oversampled(dataset: FaceDataset, split: str, seed: int = 0) -> Parts:
    """Faces of rarer emotions copied until all are as common, and only then split anew, 80 to 20."""
    return _split_anew(dataset, _balanced(dataset, _labelled(dataset), seed), seed)


@PROTOCOLS.register("cleaned_oversampled")
def cleaned_oversampled(dataset: FaceDataset, split: str, seed: int = 0) -> Parts:
    """All rows cleaned, then oversampled, then split anew, 80 to 20: data cleaned and re-sampled before the split."""
    labelled = _labelled(dataset)
    kept = labelled[_is_clean(dataset)[labelled]]
    return _split_anew(dataset, _balanced(dataset, kept, seed), seed)


def _positions(dataset: FaceDataset, split: str) -> np.ndarray:
    return np.flatnonzero((dataset.table["split"] == split).to_numpy())


def _labelled(dataset: FaceDataset) -> np.ndarray:
    return np.flatnonzero(dataset.labels >= 0)


def _judged(dataset: FaceDataset, split: str) -> np.ndarray:
    if split == ALL:
        return np.arange(len(dataset))
    dataset.split(split)  # raises where it has no such faces
    return _positions(dataset, split)


def _is_clean(dataset: FaceDataset) -> np.ndarray:
    """bool (N,): faces whose copies agree on the label, and that are faces by their pixels and FER+ votes."""
    groups = exact_groups(pixel_hashes(dataset.pixels))
    splits = tuple(dataset.table["split"].unique())
    faces = clean(dataset, duplicates=None, groups=groups, protect=(), splits=splits)
    gone = dataset.table["row"].isin(faces.dropped["row"]).to_numpy()
    kept: np.ndarray = ~gone & ~conflicting(groups, dataset.labels)
    return kept


def _balanced(dataset: FaceDataset, positions: np.ndarray, seed: int) -> np.ndarray:
    """The positions, and copies drawn from each rarer emotion until all are as many as the commonest."""
    from imblearn.over_sampling import RandomOverSampler

    labels = dataset.labels[positions]
    if len(np.unique(labels)) < 2:
        return positions  # one emotion is even already
    sampler = RandomOverSampler(random_state=seed)
    sampler.fit_resample(np.zeros((len(labels), 1)), labels)
    drawn: np.ndarray = positions[sampler.sample_indices_]
    return drawn


def _split_anew(dataset: FaceDataset, positions: np.ndarray, seed: int) -> Parts:
    """The positions of labelled faces shuffled and split; raises DataError where an emotion could miss a side."""
    from sklearn.model_selection import train_test_split

    if len(positions) < FEWEST:
        raise DataError(f"{len(positions)} labelled faces are too few to be split anew; take at least {FEWEST}")
    strata = _strata(dataset.labels[positions])
    train, test = train_test_split(positions, test_size=TEST_SHARE, random_state=seed, stratify=strata)
    return Parts(dataset, train, test)


def _strata(labels: np.ndarray) -> np.ndarray:
    """The labels (n,) to split by; one that occurs once cannot be on both sides and goes with the commonest."""
    counts = np.bincount(labels)
    return np.where(counts[labels] == 1, counts.argmax(), labels)
