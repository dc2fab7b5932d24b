"""Attention rollout (Abnar & Zuidema 2020, https://arxiv.org/abs/2005.00928)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fer_core.explain.attention import AttentionExplainer
from fer_core.explain.base import register_explainer

if TYPE_CHECKING:
    from torch import Tensor

    from fer_core.explain.tracing import PlacedMap


@register_explainer
class AttentionRollout(AttentionExplainer):
    """How much of each patch reaches the class token through all blocks, residual connections counted as half."""

    name = "attention_rollout"
    title = "Attention rollout"
    description = "Follows a transformer's attention through all blocks back to the patches; the same for all emotions."
    paper = "https://arxiv.org/abs/2005.00928"
    kind = "tokens"
    noun = "the way through a transformer with a class token"

    def heat(self, maps: list[PlacedMap], **options: Any) -> Tensor:
        from fer_core.models.attention import rollout

        total = rollout([found.weights for found in maps])  # (N, T, T)
        return total[:, 0, 1:].unflatten(1, maps[0].grid)
