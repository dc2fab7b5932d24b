"""Spatial transformer (Jaderberg et al. 2015, https://arxiv.org/abs/1506.02025)."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from fer_core.models.attention import AttentionKind, note


class SpatialTransformer(nn.Module):
    """Looks at the input, decides on an affine crop of it, and hands that on at the same size.

    Args:
        localisation: (B, K, H, W) -> (B, width), what the crop is decided from.
        width: its number of outputs; the last layer maps them to the six affine numbers and starts at the identity.
    """

    def __init__(self, localisation: nn.Module, width: int) -> None:
        super().__init__()
        self.localisation = localisation
        self.affine = nn.Linear(width, 6)
        nn.init.zeros_(self.affine.weight)
        with torch.no_grad():
            self.affine.bias.copy_(torch.tensor([1.0, 0, 0, 0, 1, 0]))

    def theta(self, x: Tensor) -> Tensor:
        """(B, K, H, W) -> (B, 2, 3): where in the input each output pixel looks, in [-1, 1] coordinates."""
        return self.affine(self.localisation(x)).view(-1, 2, 3).float()

    def forward(self, x: Tensor) -> Tensor:
        """(B, K, H, W) -> (B, K, H, W)."""
        grid = functional.affine_grid(self.theta(x), list(x.shape), align_corners=False)
        crop = functional.grid_sample(x.float(), grid, align_corners=False)
        note(self, AttentionKind.SPATIAL_TRANSFORMER, grid, grid=(x.shape[-2], x.shape[-1]), values=crop)
        return crop
