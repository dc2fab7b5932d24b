"""Faces as tensors: normalisation, augmentation of whole batches, ten-crop.

Everything here works on (B, 1, H, W) float tensors on any device, with no loop over the batch.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from fer_core.errors import ConfigError
from fer_core.registry import Registry


@dataclass(frozen=True)
class Normalisation:
    """(x / 255 - mean) / std."""

    mean: float = 0.5
    std: float = 0.25

    def __call__(self, unit: Tensor) -> Tensor:
        """(B, 1, H, W) in [0, 1] -> the network's input."""
        return (unit - self.mean) / self.std


def to_unit(pixels: Tensor) -> Tensor:
    """uint8 (B, H, W) -> float32 (B, 1, H, W) in [0, 1]."""
    return pixels.unsqueeze(1).float() / 255


@dataclass(frozen=True)
class Augmentation:
    """Ranges of a random change; 0 turns a part off.

    Attributes:
        flip: probability of a mirror image.
        rotate: degrees, both ways.
        scale: relative, both ways (0.1: 0.9 to 1.1).
        shift: share of the side, both ways.
        shear: degrees, both ways.
        brightness: added, both ways, in [0, 1] units.
        contrast: relative to the face's mean, both ways.
        erase: probability of a grey rectangle of 2 to 20 % of the area.
        cut: largest share of the side that a random part of the face leaves out; the part is enlarged again.
    """

    flip: float = 0.0
    rotate: float = 0.0
    scale: float = 0.0
    shift: float = 0.0
    shear: float = 0.0
    brightness: float = 0.0
    contrast: float = 0.0
    erase: float = 0.0
    cut: float = 0.0

    def __call__(self, unit: Tensor, crop: int, generator: torch.Generator) -> Tensor:
        """(B, 1, H, W) in [0, 1] -> (B, 1, crop, crop) in [0, 1]; `generator` decides everything."""
        draw = _Draw(len(unit), generator, unit.device)
        faces = self._warp(unit, crop, draw)
        faces = self._light(faces, draw)
        return _erase(faces, self.erase, draw).clamp_(0, 1)

    def _warp(self, unit: Tensor, crop: int, draw: _Draw) -> Tensor:
        side = unit.shape[-1]
        angle, shear = torch.deg2rad(draw.around(self.rotate)), torch.deg2rad(draw.around(self.shear))
        zoom = (crop / side) / (1 + draw.around(self.scale))
        mirror = torch.where(draw.unit() < self.flip, -1.0, 1.0)
        slack: float | Tensor = 1 - crop / side  # in the warp's units, where the face spans -1 to 1
        if self.cut:
            part = 1 - self.cut * draw.unit()
            zoom, slack = zoom * part, 1 - part * crop / side
        theta = torch.zeros(len(unit), 2, 3, device=unit.device)
        theta[:, 0, 0] = mirror * zoom * torch.cos(angle)
        theta[:, 0, 1] = -zoom * torch.sin(angle + shear)
        theta[:, 1, 0] = mirror * zoom * torch.sin(angle)
        theta[:, 1, 1] = zoom * torch.cos(angle + shear)
        theta[:, :, 2] = torch.stack([draw.around(2 * self.shift + slack) for _ in "xy"], dim=1)
        grid = functional.affine_grid(theta, [len(unit), 1, crop, crop], align_corners=False)
        return functional.grid_sample(unit, grid, padding_mode="border", align_corners=False)

    def _light(self, faces: Tensor, draw: _Draw) -> Tensor:
        gain = (1 + draw.around(self.contrast)).view(-1, 1, 1, 1)
        offset = draw.around(self.brightness).view(-1, 1, 1, 1)
        mean = faces.mean(dim=(1, 2, 3), keepdim=True)
        return (faces - mean) * gain + mean + offset


def random_erasing(faces: Tensor, probability: float, generator: torch.Generator) -> Tensor:
    """(B, 1, H, W) -> the same with a rectangle of one grey of its own in some (Zhong et al. 2020, arXiv 1708.04896).

    Greys lie between the darkest and the brightest pixel of the batch, so that normalised faces may come, too.
    """
    low, high = faces.amin(), faces.amax()
    unit = (faces - low) / (high - low).clamp(min=1e-6)
    return _erase(unit, probability, _Draw(len(faces), generator, faces.device)) * (high - low) + low


def _erase(faces: Tensor, probability: float, draw: _Draw) -> Tensor:
    """A rectangle of 2 to 20 % of the area, and of one grey, in some of the faces."""
    side = faces.shape[-1]
    area, aspect = 0.02 + 0.18 * draw.unit(), torch.exp(draw.around(1.0))
    height, width = (area * aspect).sqrt() * side, (area / aspect).sqrt() * side
    top, left = draw.unit() * (side - height), draw.unit() * (side - width)
    line = torch.arange(side, device=faces.device)
    rows = (line >= top[:, None]) & (line < (top + height)[:, None])  # (B, H)
    columns = (line >= left[:, None]) & (line < (left + width)[:, None])  # (B, W)
    chosen = (draw.unit() < probability)[:, None, None]
    hole = (rows[:, :, None] & columns[:, None, :] & chosen).unsqueeze(1)
    grey = draw.unit().view(-1, 1, 1, 1)
    return torch.where(hole, grey, faces)


class _Draw:
    """Random numbers, one a face."""

    def __init__(self, n: int, generator: torch.Generator, device: torch.device) -> None:
        self.n, self.generator, self.device = n, generator, device

    def unit(self) -> Tensor:
        return torch.rand(self.n, generator=self.generator).to(self.device)

    def around(self, spread: float | Tensor) -> Tensor:
        return (self.unit() * 2 - 1) * spread


AUGMENTATIONS: Registry[Augmentation] = Registry("augmentation")
AUGMENTATIONS.add("none", Augmentation())
AUGMENTATIONS.add("light", Augmentation(flip=0.5, rotate=8, scale=0.08, shift=0.05))
AUGMENTATIONS.add(
    "medium",
    Augmentation(flip=0.5, rotate=12, scale=0.12, shift=0.06, shear=5, brightness=0.06, contrast=0.2, erase=0.1),
)
AUGMENTATIONS.add(
    "strong",
    Augmentation(flip=0.5, rotate=15, scale=0.15, shift=0.08, shear=8, brightness=0.12, contrast=0.3, erase=0.25),
)
for _name, _single in {
    "flip": Augmentation(flip=0.5),
    "rotate": Augmentation(rotate=15),
    "shift": Augmentation(shift=0.1),
    "zoom": Augmentation(scale=0.15),
    "shear": Augmentation(shear=10),
    "crop": Augmentation(cut=0.2),
    "erase": Augmentation(erase=0.5),
    "contrast": Augmentation(contrast=0.3),
    "brightness": Augmentation(brightness=0.12),
}.items():
    AUGMENTATIONS.add(_name, _single)


def ten_crop(unit: Tensor, crop: int) -> Tensor:
    """(B, 1, H, W) -> (10, B, 1, crop, crop): four corners and the centre, each also mirrored."""
    side = unit.shape[-1]
    if not 0 < crop <= side:
        raise ConfigError(f"the crop ({crop}) must be between 1 and the face's side ({side})")
    end, middle = side - crop, (side - crop) // 2
    corners = [(0, 0), (0, end), (end, 0), (end, end), (middle, middle)]
    views = torch.stack([unit[..., top : top + crop, left : left + crop] for top, left in corners])
    return torch.cat([views, views.flip(-1)])
