"""Augmentation of whole batches, normalisation, ten-crop, order of epochs."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from fer_core.data.drawn import drawn_dataset
from fer_core.data.loaders import batches, epoch_order, measure_normalisation, to_faces, vote_shares
from fer_core.data.table import FaceDataset
from fer_core.data.transforms import (
    AUGMENTATIONS,
    Augmentation,
    Normalisation,
    _Draw,
    _erase,
    random_erasing,
    ten_crop,
    to_unit,
)
from fer_core.errors import ConfigError, DataError


def unit_faces(n: int = 8) -> torch.Tensor:
    return to_unit(torch.from_numpy(np.array(drawn_dataset(2).pixels[:n])))


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("name", AUGMENTATIONS)
@pytest.mark.parametrize("crop", [40, 48])
def test_augmentations_keep_shape_and_range(name: str, crop: int) -> None:
    out = AUGMENTATIONS[name](unit_faces(), crop, seeded())
    assert out.shape == (8, 1, crop, crop)
    assert out.min() >= 0
    assert out.max() <= 1


def test_none_changes_nothing() -> None:
    faces = unit_faces()
    torch.testing.assert_close(AUGMENTATIONS["none"](faces, 48, seeded()), faces, rtol=0, atol=1e-5)


@pytest.mark.parametrize("name", ["light", "medium", "strong"])
def test_the_generator_decides_everything(name: str) -> None:
    faces = unit_faces()
    augment = AUGMENTATIONS[name]
    assert torch.equal(augment(faces, 44, seeded(1)), augment(faces, 44, seeded(1)))
    assert not torch.equal(augment(faces, 44, seeded(1)), augment(faces, 44, seeded(2)))


def test_flip_mirrors() -> None:
    faces = unit_faces()
    torch.testing.assert_close(Augmentation(flip=1.0)(faces, 48, seeded()), faces.flip(-1), rtol=0, atol=1e-5)


def test_crop_takes_whole_pixels_of_the_face_at_its_own_scale() -> None:
    ramp = (torch.arange(48.0) / 47).expand(4, 1, 48, 48)
    crop = AUGMENTATIONS["none"](ramp, 40, seeded())
    steps = crop[..., 1:] - crop[..., :-1]
    torch.testing.assert_close(steps, torch.full_like(steps, 1 / 47), rtol=0, atol=1e-5)


def test_contrast_keeps_the_mean_of_each_face() -> None:
    faces = 0.4 + 0.2 * unit_faces()
    out = Augmentation(contrast=0.3)(faces, 48, seeded())
    torch.testing.assert_close(out.mean((1, 2, 3)), faces.mean((1, 2, 3)), rtol=0, atol=1e-4)
    assert (out.std((1, 2, 3)) - faces.std((1, 2, 3))).abs().max() > 0.01


def test_erasing_covers_two_to_twenty_percent_with_one_grey() -> None:
    faces = torch.full((200, 1, 48, 48), 2.0)  # above 1, so that no grey equals it
    out = _erase(faces, 1.0, _draws(200))
    erased = (out != 2.0).flatten(1)
    share = erased.float().mean(1)
    assert 0.01 < share.min() < 0.06
    assert 0.12 < share.max() < 0.24
    for face, hole in zip(out.flatten(1), erased, strict=True):
        assert face[hole].unique().numel() == 1


def _draws(n: int) -> _Draw:
    return _Draw(n, seeded(), torch.device("cpu"))


def test_erasing_takes_normalised_faces_too() -> None:
    faces = torch.randn(64, 1, 48, 48)
    out = random_erasing(faces, 0.5, seeded())
    touched = (out - faces).abs().flatten(1).amax(1) > 1e-3
    assert 16 < touched.sum() < 48
    assert out.min() >= faces.min() - 1e-4
    assert out.max() <= faces.max() + 1e-4
    torch.testing.assert_close(out[~touched], faces[~touched], rtol=0, atol=1e-5)


def test_cutting_shows_a_part_enlarged() -> None:
    ramp = (torch.arange(48.0) / 47).expand(64, 1, 48, 48)
    steps = Augmentation(cut=0.5)(ramp, 48, seeded()).diff(dim=-1)[..., 5:-5].mean((1, 2, 3)) * 47
    assert 0.5 < steps.min() < 0.6
    assert 0.9 < steps.max() < 1.0


def at_most(kind: str, amount: float, faces: torch.Tensor, draw: float = 1.0) -> torch.Tensor:
    """Faces under one change of exactly `draw` times its greatest amount."""

    class Same(_Draw):
        def unit(self) -> torch.Tensor:
            return torch.full((self.n,), (draw + 1) / 2)

    augmentation = Augmentation(**{kind: amount})
    return augmentation._warp(faces, 48, Same(len(faces), seeded(), torch.device("cpu")))


def plane(x: float, y: float) -> torch.Tensor:
    """A face whose grey at (column, row), both -1 to 1 from edge to edge, is a slope in x and y plus 0.5."""
    line = (torch.arange(48.0) + 0.5) / 24 - 1
    return (0.5 + x * line + y * line[:, None]).view(1, 1, 48, 48)


def slopes(face: torch.Tensor) -> tuple[float, float, float]:
    """(x, y, grey in the middle) of a plane, away from the border."""
    inner = face[0, 0, 12:36, 12:36]
    return inner.diff(dim=1).mean().item() * 24, inner.diff(dim=0).mean().item() * 24, inner.mean().item()


@pytest.mark.parametrize("draw", [1.0, -1.0, 0.5])
@pytest.mark.parametrize(("x", "y"), [(0.1, 0.0), (0.0, 0.1), (0.05, -0.1)])
def test_each_change_of_place_has_its_geometry(x: float, y: float, draw: float) -> None:
    """Where an output pixel looks in the face is what the change says, so a plane's slopes follow by the chain rule."""
    angle = torch.deg2rad(torch.tensor(15.0 * draw)).item()
    zoomed = 1 / (1 + 0.15 * draw)
    expected = {
        ("rotate", 15.0): (
            x * np.cos(angle) + y * np.sin(angle), -x * np.sin(angle) + y * np.cos(angle), 0.5
        ),
        ("scale", 0.15): (x * zoomed, y * zoomed, 0.5),
        ("shift", 0.1): (x, y, 0.5 + (x + y) * 2 * 0.1 * draw),
        ("shear", 15.0): (x, -x * np.sin(angle) + y * np.cos(angle), 0.5),
    }  # fmt: skip
    for (kind, amount), wanted in expected.items():
        found = slopes(at_most(kind, amount, plane(x, y), draw))
        np.testing.assert_allclose(found, wanted, atol=2e-4, err_msg=kind)


def test_a_marked_pixel_goes_where_each_change_sends_it() -> None:
    face = torch.zeros(1, 1, 48, 48)
    face[..., 8:11, 33:36] = 1  # its centre lies at column 34, row 9: 10.5 right of the middle and 14.5 above it
    angle = np.deg2rad(15)
    right, up = 10.5, 14.5
    goes = {
        ("rotate", 15.0): (right * np.cos(angle) - up * np.sin(angle), up * np.cos(angle) + right * np.sin(angle)),
        ("scale", 0.15): (right * 1.15, up * 1.15),
        ("shift", 0.1): (right - 4.8, up + 4.8),  # a tenth of 48 pixels
        ("shear", 15.0): (right - up * np.tan(angle), up / np.cos(angle)),
    }
    line = torch.arange(48.0) - 23.5
    for (kind, amount), (wanted_right, wanted_up) in goes.items():
        out = at_most(kind, amount, face)[0, 0]
        found = (out.sum(0) @ line / out.sum()).item(), -(out.sum(1) @ line / out.sum()).item()
        np.testing.assert_allclose(found, (wanted_right, wanted_up), atol=0.15, err_msg=kind)


SINGLES = {"flip", "rotate", "shift", "zoom", "shear", "crop", "erase", "contrast", "brightness"}


@pytest.mark.parametrize("name", sorted(SINGLES))
def test_single_augmentations_change_faces_in_one_way(name: str) -> None:
    augmentation = AUGMENTATIONS[name]
    assert [value > 0 for value in vars(augmentation).values()].count(True) == 1
    faces = unit_faces()
    assert (augmentation(faces, 48, seeded()) - faces).abs().max() > 0.05


def test_ten_crop_views() -> None:
    faces = torch.arange(48.0 * 48).view(1, 1, 48, 48)
    views = ten_crop(faces, 40)
    assert views.shape == (10, 1, 1, 40, 40)
    assert torch.equal(views[0], faces[..., :40, :40])
    assert torch.equal(views[3], faces[..., 8:, 8:])
    assert torch.equal(views[4], faces[..., 4:44, 4:44])
    assert torch.equal(views[5:], views[:5].flip(-1))
    with pytest.raises(ConfigError, match="between 1 and"):
        ten_crop(faces, 49)


def test_normalisation_is_that_of_the_pixels(dataset: FaceDataset) -> None:
    faces = to_faces(dataset.split("Training"))
    unit = to_unit(faces.pixels).double()
    measured = measure_normalisation(faces)
    assert measured.mean == pytest.approx(unit.mean().item(), abs=1e-5)
    assert measured.std == pytest.approx(unit.std(unbiased=False).item(), abs=1e-5)
    normal = Normalisation(measured.mean, measured.std)(unit)
    assert normal.mean().item() == pytest.approx(0, abs=1e-4)
    assert normal.std().item() == pytest.approx(1, abs=1e-3)


def test_unlabelled_faces_are_left_out(dataset: FaceDataset) -> None:
    table = dataset.table.copy()
    table.loc[:4, "label"] = -1
    assert len(to_faces(FaceDataset(table, dataset.pixels))) == len(dataset) - 5
    table["label"] = -1
    with pytest.raises(DataError, match="no labelled face"):
        to_faces(FaceDataset(table, dataset.pixels))


def test_vote_shares_sum_to_one_or_nothing(dataset: FaceDataset) -> None:
    table = dataset.table.copy()
    table.loc[0, [name for name in table.columns if name.startswith("votes_")]] = 0
    shares = vote_shares(FaceDataset(table, dataset.pixels))
    assert shares[0].sum() == 0
    np.testing.assert_allclose(shares[1:].sum(1), 1, rtol=1e-5)


def test_orders_are_functions_of_seed_and_epoch() -> None:
    labels = torch.arange(50) % 7
    first = epoch_order(labels, sampler="shuffle", seed=1, epoch=0)
    assert torch.equal(first, epoch_order(labels, sampler="shuffle", seed=1, epoch=0))
    assert not torch.equal(first, epoch_order(labels, sampler="shuffle", seed=1, epoch=1))
    assert not torch.equal(first, epoch_order(labels, sampler="shuffle", seed=2, epoch=0))
    assert torch.equal(first.sort().values, torch.arange(50))


def test_balanced_draws_every_class_equally_often() -> None:
    labels = torch.tensor([0] * 900 + [1] * 90 + [2] * 10)
    drawn = labels[epoch_order(labels, sampler="balanced", seed=0, epoch=0)]
    assert torch.bincount(drawn).min() > 270


def test_processes_share_a_batch() -> None:
    order = torch.arange(21)
    mine, theirs = list(batches(order, 6, rank=0, world=2)), list(batches(order, 6, rank=1, world=2))
    assert len(mine) == len(theirs) == 3
    assert sorted(torch.cat([*mine, *theirs]).tolist()) == list(range(18))
    assert [len(batch) for batch in batches(torch.arange(4), 6)] == [4]
