"""The face without information that some methods compare with."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fer_core.explain.controls import ChoiceControl

if TYPE_CHECKING:
    from torch import Tensor

BASELINE = ChoiceControl(
    "baseline",
    "Compared with",
    "grey",
    ("grey", "dark", "blurred"),
    "The face without information: the training faces' mean grey, the face's own darkest grey, or the face blurred.",
)
BLUR_SIGMA = 6.0
"""Pixels; at 48 pixels a side it leaves the shading of a head and no feature of the face."""


def reference(faces: Tensor, kind: str) -> Tensor:
    """(N, 1, H, W) normalised faces -> (N, 1, H, W), each face's reference of that kind."""
    import torch

    faces = faces.detach()
    if kind == "grey":
        return torch.zeros_like(faces)  # normalised by the training faces' mean: zero is that mean
    if kind == "dark":
        return faces.amin(dim=(1, 2, 3), keepdim=True).expand_as(faces).contiguous()
    return blur(faces, BLUR_SIGMA)


def blur(faces: Tensor, sigma: float) -> Tensor:
    """Gaussian blur; the border repeats the outermost pixels."""
    import torch
    from torch.nn import functional

    radius = round(3 * sigma)
    offsets = torch.arange(-radius, radius + 1, dtype=faces.dtype, device=faces.device)
    kernel = torch.exp(-0.5 * (offsets / sigma) ** 2)
    kernel = kernel / kernel.sum()
    padded = functional.pad(faces, (radius,) * 4, mode="replicate")
    rows = functional.conv2d(padded, kernel.view(1, 1, -1, 1))
    return functional.conv2d(rows, kernel.view(1, 1, 1, -1))
