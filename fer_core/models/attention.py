"""Attention that can be looked at: layers note what they weigh, and one call collects the notes.

A layer that attends says so in its own `forward`, with one line that costs nothing unless somebody asks:

    weights = torch.softmax(query @ key, dim=-1)  # (B, heads, Q, K)
    note(self, AttentionKind.POSITIONS, weights, grid=(h, w))

`attention_maps(model, faces)` runs the model once and hands out all notes by the layers' names. Nothing is hooked and
nothing stays behind: the request lives in a context variable, so other threads that run the same model note nothing.
A layer whose fast path hides its weights (fused attention) takes the explicit one while `asked()`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from enum import StrEnum

import torch
from torch import Tensor, nn

from fer_core.errors import ConfigError
from fer_core.models.base import FerModel


class AttentionKind(StrEnum):
    """What is weighed, and so what `AttentionMap.weights` and `.values` hold (B faces).

    | kind | weights | values |
    | --- | --- | --- |
    | `SPATIAL_TRANSFORMER` | (B, H, W, 2) where each output pixel looks, x and y in [-1, 1] | (B, K, H, W) the crop |
    | `CHANNELS` | (B, K) a gate in [0, 1] for each channel | (B, K, h, w) the map that they weigh |
    | `POSITIONS` | (B, heads, Q, K) rows sum to 1; keys in rows of `grid`, and queries where Q = K | - |
    | `TOKENS` | (B, heads, T, T) rows sum to 1; a class token, then the patches in rows of `grid` | - |
    | `GRID` | (B, heads, G, G) rows sum to 1; the cells in rows of `grid` | (B, g, g) gate of each cell in [0, 1] |
    | `REGIONS` | (B, R) a weight in [0, 1] for each region | (R, h, w) footprint of each region in [0, 1] |
    | `SEQUENCE` | (B, T) sums to 1; the rows of the map from the top, `grid` = (T, 1) | - |
    | `MASK` | (B, K, h, w) a factor for each place, not negative; K may be 1 | - |
    """

    SPATIAL_TRANSFORMER = "spatial_transformer"
    CHANNELS = "channels"
    POSITIONS = "positions"
    TOKENS = "tokens"
    GRID = "grid"
    REGIONS = "regions"
    SEQUENCE = "sequence"
    MASK = "mask"


@dataclass(frozen=True)
class AttentionMap:
    """What one layer weighed in one pass.

    Attributes:
        kind: what is weighed.
        weights: float32, without gradient; shape by kind.
        grid: rows and columns into which the positions, tokens, cells, regions or the mask divide what the model sees.
        values: what comes with the weights, by kind.
    """

    kind: AttentionKind
    weights: Tensor
    grid: tuple[int, int]
    values: Tensor | None = None

    @property
    def heads(self) -> int:
        """Heads where there are several maps, else 1."""
        return self.weights.shape[1] if self.kind in _HEADED else 1


_HEADED = frozenset({AttentionKind.POSITIONS, AttentionKind.TOKENS, AttentionKind.GRID})

_Notes = list[tuple[nn.Module, AttentionMap]]
_ASKED: ContextVar[_Notes | None] = ContextVar("notes of attention", default=None)


def asked() -> bool:
    """Whether somebody wants to see the attention of this forward; never while a compiler or exporter traces it."""
    return not torch.compiler.is_compiling() and _ASKED.get() is not None


def note(
    layer: nn.Module, kind: AttentionKind, weights: Tensor, *, grid: tuple[int, int], values: Tensor | None = None
) -> None:
    """Notes what `layer` weighs, if somebody asked; arguments as in `AttentionMap`."""
    if not asked():
        return
    notes = _ASKED.get()
    assert notes is not None
    seen = None if values is None else values.detach().float()
    notes.append((layer, AttentionMap(kind, weights.detach().float(), grid, seen)))


def attention_maps(model: FerModel, faces: Tensor) -> dict[str, AttentionMap]:
    """All attention of one pass over the faces.

    Args:
        model: any model; it computes as in eval mode and is left as it was.
        faces: (B, 1, H, W) normalised.

    Returns:
        Maps by the names of their layers (`"stages.0.2"`; the second use of one layer is `"stages.0.2#2"`), in order of
        use; empty for a model without attention.
    """
    plain: FerModel = getattr(model, "_orig_mod", model)  # a compiled model notes nothing
    notes: _Notes = []
    token = _ASKED.set(notes)
    try:
        with torch.no_grad(), _evaluating(plain):
            plain(faces)
    finally:
        _ASKED.reset(token)
    return dict(zip(_names(plain, [layer for layer, _ in notes]), (found for _, found in notes), strict=True))


def maps_of_kind(model: FerModel, faces: Tensor, kind: AttentionKind) -> dict[str, AttentionMap]:
    """The `attention_maps` of one kind."""
    return {name: found for name, found in attention_maps(model, faces).items() if found.kind == kind}


def rollout(layers: Sequence[Tensor]) -> Tensor:
    """Attention followed through all layers (Abnar & Zuidema 2020, https://arxiv.org/abs/2005.00928).

    Every layer's heads are averaged, the residual connection counts as half of the identity, and the layers are
    multiplied from the first to the last.

    Args:
        layers: (B, heads, T, T) of each layer, the first one first; rows sum to 1.

    Returns:
        (B, T, T): how much of each input token (columns) reaches each output token (rows); rows sum to 1.
    """
    if not layers:
        raise ConfigError("rollout needs the attention of at least one layer")
    eye = torch.eye(layers[0].shape[-1], dtype=layers[0].dtype, device=layers[0].device)
    total = eye.expand(len(layers[0]), -1, -1)
    for weights in layers:
        total = (weights.mean(1) + eye) / 2 @ total
    return total


def _names(model: nn.Module, layers: list[nn.Module]) -> Iterator[str]:
    known = {id(module): name for name, module in model.named_modules()}
    uses: Counter[str] = Counter()
    for layer in layers:
        name = known[id(layer)]
        uses[name] += 1
        yield name if uses[name] == 1 else f"{name}#{uses[name]}"


@contextmanager
def _evaluating(model: nn.Module) -> Iterator[None]:
    """Eval mode, and each module's own mode again afterwards."""
    training = [module for module in model.modules() if module.training]
    for module in training:
        module.training = False
    try:
        yield
    finally:
        for module in training:
            module.training = True
