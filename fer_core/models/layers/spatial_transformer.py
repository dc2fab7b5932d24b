"""Spatial transformer (Jaderberg et al. 2015, https://arxiv.org/abs/1506.02025)."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from fer_core.models.attention import AttentionKind, note

IDENTITY = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0)
CAUTION = 0.1
"""Share of the decision that counts.

The crop depends on every output of the localisation at once. Where it follows them in full, the first steps of an
optimiser that moves all weights alike (Adam) throw it far off, the localisation's units fall silent one after the
other, and the crop ends up as the same for all faces.
"""


class SpatialTransformer(nn.Module):
    """Looks at the input, decides on an affine crop of it, and hands that on at the same size.

    Args:
        localisation: (B, K, H, W) -> (B, width), what the crop is decided from.
        width: its number of outputs; the last layer maps them to what is added to `start`, and begins at zero.
        start: the six numbers of the crop that it begins with.
    """

    def __init__(self, localisation: nn.Module, width: int, start: Sequence[float] = IDENTITY) -> None:
        super().__init__()
        self.localisation = localisation
        self.affine = nn.Linear(width, 6)
        nn.init.zeros_(self.affine.weight)
        nn.init.zeros_(self.affine.bias)
        self.register_buffer("start", torch.tensor(start, dtype=torch.float32), persistent=False)

    def theta(self, x: Tensor) -> Tensor:
        """(B, K, H, W) -> (B, 2, 3): where in the input each output pixel looks, in [-1, 1] coordinates."""
        decision = CAUTION * self.affine(self.localisation(x)).float()
        return (self.get_buffer("start") + decision).view(-1, 2, 3)

    def forward(self, x: Tensor) -> Tensor:
        """(B, K, H, W) -> (B, K, H, W)."""
        grid = functional.affine_grid(self.theta(x), list(x.shape), align_corners=False)
        crop = functional.grid_sample(x.float(), grid, align_corners=False)
        note(self, AttentionKind.SPATIAL_TRANSFORMER, grid, grid=(x.shape[-2], x.shape[-1]), values=crop)
        return crop
