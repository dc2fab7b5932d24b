"""Squeeze-and-excitation (Hu, Shen, Sun 2018, https://arxiv.org/abs/1709.01507)."""

from __future__ import annotations

from torch import Tensor, nn

from fer_core.models.attention import AttentionKind, note


class SqueezeExcite(nn.Module):
    """Weighs each channel by a gate in (0, 1) computed from all channels' means.

    Args:
        channels: channels of the map.
        reduction: the bottleneck has `channels / reduction` units, at least 4.
    """

    def __init__(self, channels: int, reduction: int = 8) -> None:
        super().__init__()
        hidden = max(4, channels // reduction)
        self.squeeze = nn.AdaptiveAvgPool2d(1)
        self.gate = nn.Sequential(
            nn.Conv2d(channels, hidden, 1), nn.ReLU(), nn.Conv2d(hidden, channels, 1), nn.Sigmoid()
        )

    def forward(self, x: Tensor) -> Tensor:
        """(B, K, H, W) -> (B, K, H, W)."""
        gate: Tensor = self.gate(self.squeeze(x))  # (B, K, 1, 1)
        note(self, AttentionKind.CHANNELS, gate.flatten(1), grid=(x.shape[-2], x.shape[-1]), values=x)
        return x * gate
