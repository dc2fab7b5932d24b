"""Self-attention over the places of a map (Zhang et al. 2019, SAGAN, https://arxiv.org/abs/1805.08318)."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from fer_core.models.attention import AttentionKind, note


class SelfAttention2d(nn.Module):
    """Adds to every place what it finds at the places that resemble what it looks for.

    Queries, keys and values are 1x1 convolutions; the sum is scaled by a number that starts at zero, so that a fresh
    block changes nothing.

    Args:
        channels: of the map.
        reduction: queries and keys have `channels / reduction` numbers, at least 4.
    """

    def __init__(self, channels: int, reduction: int = 8) -> None:
        super().__init__()
        inner = max(4, channels // reduction)
        self.query = nn.Conv2d(channels, inner, 1)
        self.key = nn.Conv2d(channels, inner, 1, bias=False)  # a bias would add the same to all scores of a query
        self.value = nn.Conv2d(channels, channels, 1)
        self.scale = nn.Parameter(torch.zeros(1))

    def forward(self, x: Tensor) -> Tensor:
        """(B, K, h, w) -> (B, K, h, w)."""
        queries, keys, values = (part(x).flatten(2) for part in (self.query, self.key, self.value))  # (B, ., h * w)
        weights = torch.softmax(queries.transpose(1, 2) @ keys, dim=-1)  # (B, h * w, h * w)
        note(self, AttentionKind.POSITIONS, weights[:, None], grid=(x.shape[-2], x.shape[-1]))
        return x + self.scale * (values @ weights.transpose(1, 2)).view_as(x)
