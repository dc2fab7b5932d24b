"""Multi-head self-attention (Vaswani et al. 2017, https://arxiv.org/abs/1706.03762) that can show its maps."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from fer_core.errors import ConfigError
from fer_core.models.attention import AttentionKind, asked, note


class MultiHeadAttention(nn.Module):
    """Every token asks all tokens.

    Args:
        width: of a token.
        heads: how many questions it asks at once.
        key_dim: width of a head's queries, keys and values; `width / heads` unless given.
        kind: `TOKENS` where the first token is a class token, else `POSITIONS`.
    """

    def __init__(
        self, width: int, heads: int, key_dim: int | None = None, kind: AttentionKind = AttentionKind.POSITIONS
    ) -> None:
        super().__init__()
        if key_dim is None and width % heads:
            raise ConfigError(f"width ({width}) must be a multiple of heads ({heads}), or key_dim must be given")
        self.heads, self.kind = heads, kind
        self.key_dim = key_dim or width // heads
        inner = heads * self.key_dim
        self.to_queries = nn.Linear(width, inner)
        self.to_keys = nn.Linear(width, inner, bias=False)  # a bias would add the same to all scores of a query
        self.to_values = nn.Linear(width, inner)
        self.out = nn.Linear(inner, width)

    def forward(self, tokens: Tensor, grid: tuple[int, int]) -> Tensor:
        """(B, T, width) -> (B, T, width).

        Args:
            tokens: the places of `grid` in rows, behind a class token where there is one.
            grid: rows and columns of the places.
        """
        queries, keys, values = (self._split(part(tokens)) for part in (self.to_queries, self.to_keys, self.to_values))
        if asked():
            weights = torch.softmax(queries @ keys.transpose(-2, -1) / self.key_dim**0.5, dim=-1)  # (B, heads, T, T)
            note(self, self.kind, weights, grid=grid)
            mixed = weights @ values
        else:
            mixed = functional.scaled_dot_product_attention(queries, keys, values)
        out: Tensor = self.out(mixed.transpose(1, 2).flatten(2))
        return out

    def _split(self, tokens: Tensor) -> Tensor:
        """(B, T, heads * key_dim) -> (B, heads, T, key_dim)."""
        return tokens.unflatten(2, (self.heads, self.key_dim)).transpose(1, 2)


class TransformerBlock(nn.Module):
    """Attention and a two-layer perceptron, each behind a layer norm and beside a residual connection.

    Args:
        width: of a token.
        heads: of the attention.
        ratio: hidden units of the perceptron per unit of the width.
        skipping: share of the faces for which training skips a block's attention, or its perceptron (Huang et al. 2016,
            https://arxiv.org/abs/1603.09382).
        kind: as in `MultiHeadAttention`.
    """

    def __init__(
        self,
        width: int,
        heads: int,
        ratio: float = 2.0,
        skipping: float = 0.0,
        kind: AttentionKind = AttentionKind.POSITIONS,
    ) -> None:
        from torchvision.ops import StochasticDepth  # takes a second to import, and few models need it

        super().__init__()
        hidden = round(ratio * width)
        self.norm1 = nn.LayerNorm(width)
        self.attention = MultiHeadAttention(width, heads, kind=kind)
        self.skip = StochasticDepth(skipping, mode="row")
        self.norm2 = nn.LayerNorm(width)
        self.perceptron = nn.Sequential(nn.Linear(width, hidden), nn.GELU(), nn.Linear(hidden, width))
        self.shown = TokensAsMap()

    def forward(self, tokens: Tensor, grid: tuple[int, int]) -> Tensor:
        """(B, T, width) -> (B, T, width)."""
        tokens = tokens + self.skip(self.attention(self._place(self.norm1(tokens), grid), grid))
        out: Tensor = tokens + self.skip(self.perceptron(self.norm2(tokens)))
        return out

    def _place(self, tokens: Tensor, grid: tuple[int, int]) -> Tensor:
        """The same tokens, on a way that lets Grad-CAM see the places among them as a map."""
        places = grid[0] * grid[1]
        lead, patches = tokens[:, :-places], tokens[:, -places:]
        return torch.cat([lead, self.shown(patches, grid).flatten(2).transpose(1, 2)], dim=1)


class TokensAsMap(nn.Module):
    """(B, h * w, width) -> (B, width, h, w): what Grad-CAM looks at in a transformer, without the class token."""

    def forward(self, tokens: Tensor, grid: tuple[int, int]) -> Tensor:
        return tokens.transpose(1, 2).unflatten(2, grid)
