"""timm's squeeze-and-excitation, whose gates can be looked at; imported when such a network is built, not before."""

from __future__ import annotations

from timm.models._efficientnet_blocks import SqueezeExcite
from torch import Tensor

from fer_core.models.attention import AttentionKind, note


class NotedSqueezeExcite(SqueezeExcite):
    """The same layer with the same weights; it notes its gates as this project's own does."""

    def forward(self, x: Tensor) -> Tensor:
        """(B, K, H, W) -> (B, K, H, W)."""
        squeezed = self.act1(self.conv_reduce(x.mean((2, 3), keepdim=True)))
        gate: Tensor = self.gate(self.conv_expand(squeezed))  # (B, K, 1, 1)
        note(self, AttentionKind.CHANNELS, gate.flatten(1), grid=(x.shape[-2], x.shape[-1]), values=x)
        return x * gate
