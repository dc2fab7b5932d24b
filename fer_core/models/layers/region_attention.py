"""Region-based attention (Wang et al. 2020, Region Attention Networks, https://arxiv.org/abs/1905.04075).

The paper weighs crops of the face, each by a sigmoid of its own features, and then again beside the weighted mean of
all. Here the regions are windows of one feature map, so that one trunk serves them all: the four corners and the
centre, as the paper's fixed crops, each of three quarters of the side, and the whole. A place counts by the mean weight
of the regions that hold it.

Not built: the region-biased loss, which asks that some crop weigh more than the whole face by a margin, and the paper's
descriptor of a face, the weighted sum of the regions' features, each beside the mean of all, divided by the sum of the
weights. Here the weighted map goes on to the network's own layers, and nothing but the labels teaches the weights.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from fer_core.models.attention import AttentionKind, note

SHARE = 0.75
"""Side of a region per side of the map."""
CORNERS = ((0.0, 0.0), (0.0, 1.0), (1.0, 0.0), (1.0, 1.0), (0.5, 0.5))
"""Where the regions lie: share of the free room above and left of them."""


class RegionAttention(nn.Module):
    """Weighs a map by the weights of six overlapping regions.

    Args:
        channels: of the map.
        side: rows and columns of the map.
    """

    footprints: Tensor

    def __init__(self, channels: int, side: int) -> None:
        super().__init__()
        self.register_buffer("footprints", region_footprints(side), persistent=False)  # (R, h, w)
        self.own = nn.Linear(channels, 1)
        self.beside_all = nn.Linear(2 * channels, 1)

    def forward(self, x: Tensor) -> Tensor:
        """(B, K, h, w) -> (B, K, h, w)."""
        areas = self.footprints.sum((1, 2))  # (R,)
        means = torch.einsum("bkhw,rhw->brk", x, self.footprints) / areas[:, None]  # (B, R, K)
        weights = self._weights(means)
        note(
            self,
            AttentionKind.REGIONS,
            weights,
            grid=(self.footprints.shape[1], self.footprints.shape[2]),
            values=self.footprints,
        )
        factor = torch.einsum("br,rhw->bhw", weights, self.footprints) / self.footprints.sum(0)
        return x * factor[:, None]

    def _weights(self, means: Tensor) -> Tensor:
        """(B, R, K) -> (B, R): the product of a region's own weight and its weight beside the mean of all."""
        own = torch.sigmoid(self.own(means))  # (B, R, 1)
        summary = (own * means).sum(1, keepdim=True) / own.sum(1, keepdim=True)
        both = torch.cat([means, summary.expand_as(means)], dim=2)
        return (own * torch.sigmoid(self.beside_all(both))).squeeze(2)


def region_footprints(side: int) -> Tensor:
    """(6, side, side), 1 inside a region and 0 outside: four corners, the centre, the whole."""
    length = round(SHARE * side)
    marks = torch.zeros(len(CORNERS) + 1, side, side)
    for mark, (down, across) in zip(marks, CORNERS, strict=False):
        top, left = round(down * (side - length)), round(across * (side - length))
        mark[top : top + length, left : left + length] = 1
    marks[-1] = 1
    return marks
