"""Rare emotions: weights, and samplers that see Training alone."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import torch

from fer_core.config import SAMPLERS, TrainConfig
from fer_core.data.balance import RESAMPLERS, class_weights, resample
from fer_core.data.loaders import Faces, to_faces
from fer_core.data.table import FaceDataset
from fer_core.errors import DataError
from fer_core.training.material import gather


@pytest.fixture
def uneven(dataset: FaceDataset) -> FaceDataset:
    """The drawn dataset with some of Training's rarer classes left out: 4 4 4 4 4 4 2 faces."""
    places = np.flatnonzero((dataset.table["split"] == "Training") & (dataset.labels == 6))
    return dataset.select(np.delete(np.arange(len(dataset)), places[2:]))


@pytest.fixture
def faces(uneven: FaceDataset) -> Faces:
    return to_faces(uneven.split("Training"))


def test_class_weights_follow_their_formulas() -> None:
    labels = torch.tensor([0] * 1000 + [1] * 100 + [2] * 10)
    assert class_weights(labels, 3, "none") is None
    counts = np.array([1000.0, 100, 10])
    for kind, raw in {"inverse": 1 / counts, "effective_number": 0.001 / (1 - 0.999**counts)}.items():
        weights = class_weights(labels, 3, kind)
        assert weights is not None
        np.testing.assert_allclose(weights, raw / raw.mean(), rtol=1e-5)
    with_absent = class_weights(labels, 4, "inverse")
    assert with_absent is not None
    assert with_absent.isfinite().all()


@pytest.mark.parametrize("name", RESAMPLERS)
def test_classes_are_even_afterwards(name: str, faces: Faces) -> None:
    out = resample(faces, name, seed=0)
    assert torch.bincount(out.labels).unique().tolist() == [2 if name == "undersample" else 4]
    assert out.pixels.dtype == torch.uint8
    assert len(out.pixels) == len(out.labels) == len(out)
    assert out.shares is not None
    assert len(out.shares) == len(out)
    again = resample(faces, name, seed=0)
    assert torch.equal(out.pixels, again.pixels)


@pytest.mark.parametrize("name", ["oversample", "undersample"])
def test_resampled_rows_stay_whole(name: str, faces: Faces) -> None:
    marked = replace(faces, shares=torch.arange(len(faces))[:, None].expand(-1, 8).float())
    out = resample(marked, name, seed=3)
    assert out.shares is not None
    places = out.shares[:, 0].long()
    assert torch.equal(out.pixels, faces.pixels[places])
    assert torch.equal(out.labels, faces.labels[places])
    assert len(places.unique()) == (len(faces) if name == "oversample" else len(out))


def test_smote_adds_faces_between_two_of_the_class(faces: Faces) -> None:
    soft = replace(faces, targets=torch.full((len(faces), 7), 1 / 7))
    out = resample(soft, "smote", seed=0)
    assert torch.equal(out.pixels[: len(faces)], faces.pixels)
    made = out.pixels[len(faces) :].double()
    first, second = faces.pixels[faces.labels == 6].double()
    for face in made:
        share = ((face - first) * (second - first)).sum() / ((second - first) ** 2).sum()
        assert -0.01 <= share <= 1.01
        assert (face - first - share * (second - first)).abs().max() < 2
    assert out.shares is not None
    assert out.targets is not None
    assert (out.shares[len(faces) :] == 0).all()
    assert torch.equal(out.targets[len(faces) :].argmax(1), out.labels[len(faces) :])


def test_smote_needs_a_neighbour(faces: Faces) -> None:
    lonely = faces.select(torch.cat([(faces.labels != 6).nonzero()[:, 0], (faces.labels == 6).nonzero()[:1, 0]]))
    with pytest.raises(DataError, match="two faces of each class"):
        resample(lonely, "smote", seed=0)


@pytest.mark.parametrize("name", ["shuffle", "balanced"])
def test_samplers_that_only_order_leave_the_faces_alone(name: str, faces: Faces) -> None:
    assert resample(faces, name, seed=0) is faces


@pytest.mark.parametrize("options", [{"sampler": name} for name in RESAMPLERS], ids=lambda value: value["sampler"])
def test_validation_rows_are_never_touched(options: dict[str, Any], uneven: FaceDataset) -> None:
    plain, changed = (gather(TrainConfig("vgg_se", **values), uneven) for values in ({}, options))
    assert torch.equal(plain.public.pixels, changed.public.pixels)
    assert torch.equal(plain.public.labels, changed.public.labels)
    assert len(plain.training) != len(changed.training) == changed.facts["faces"]
    # nothing of PublicTest or PrivateTest has come into Training: drawn faces differ from each other
    tests = np.concatenate([uneven.split(name).pixels for name in ("PublicTest", "PrivateTest")])
    known = {face.tobytes() for face in tests}
    assert not [face for face in changed.training.pixels.numpy() if face.tobytes() in known]


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_training_is_the_same_whatever_the_tests_hold(sampler: str, uneven: FaceDataset) -> None:
    """A made-up face between two must not have a face of a test split for its neighbour."""
    tests = (uneven.table["split"] != "Training").to_numpy()
    pixels, table = np.array(uneven.pixels), uneven.table.copy()
    pixels[tests] = 255 - pixels[tests][::-1]
    table.loc[tests, "label"] = (table.loc[tests, "label"] + 3) % 7
    other = FaceDataset(table, pixels)
    config = TrainConfig("vgg_se", sampler=sampler)
    before, after = gather(config, uneven), gather(config, other)
    assert not torch.equal(before.public.pixels, after.public.pixels)
    assert torch.equal(before.training.pixels, after.training.pixels)
    assert torch.equal(before.training.labels, after.training.labels)


def test_every_resampler_is_a_sampler_of_the_commands() -> None:
    assert set(RESAMPLERS) == set(SAMPLERS) - {"shuffle", "balanced"}


@pytest.mark.parametrize("sampler", RESAMPLERS)
def test_one_emotion_is_even_already(sampler: str, dataset: FaceDataset) -> None:
    faces = to_faces(dataset.select(dataset.labels == 3))
    assert len(resample(faces, sampler, 0)) == len(faces)
