"""Grid-wise attention on low-level features (Huang et al. 2021, https://doi.org/10.1016/j.ins.2021.08.043).

The paper lays a grid over the face, lets the cells attend to one another, and weighs the low-level features by the
outcome. Details here are ours: a cell is described by its mean, cells attend by scaled dot products in one head, and a
sigmoid of what a cell gathers gates all of its pixels.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from fer_core.models.attention import AttentionKind, note


class GridAttention(nn.Module):
    """Gates each cell of a grid over the map by what all cells show; a cell that is gated by one half stays as it is.

    Args:
        channels: of the map.
        cells: rows and columns of the grid.
        width: of queries, keys and values.
    """

    def __init__(self, channels: int, cells: int = 8, width: int = 16) -> None:
        super().__init__()
        self.cells, self.width = cells, width
        self.pool = nn.AdaptiveAvgPool2d(cells)
        self.place = nn.Parameter(0.02 * torch.randn(1, cells * cells, channels))
        self.query = nn.Linear(channels, width)
        self.key = nn.Linear(channels, width, bias=False)  # a bias would add the same to all scores of a query
        self.value = nn.Linear(channels, width)
        self.gate = nn.Linear(width, 1)

    def forward(self, x: Tensor) -> Tensor:
        """(B, K, h, w) -> (B, K, h, w)."""
        cells = self.pool(x).flatten(2).transpose(1, 2) + self.place  # (B, g * g, K)
        scores = self.query(cells) @ self.key(cells).transpose(1, 2) / self.width**0.5
        weights = torch.softmax(scores, dim=-1)  # (B, g * g, g * g)
        gate = torch.sigmoid(self.gate(weights @ self.value(cells)))  # (B, g * g, 1)
        gate = gate.transpose(1, 2).unflatten(2, (self.cells, self.cells))  # (B, 1, g, g)
        note(self, AttentionKind.GRID, weights[:, None], grid=(self.cells, self.cells), values=gate[:, 0])
        return x * functional.interpolate(2 * gate, size=(x.shape[-2], x.shape[-1]), mode="nearest")
