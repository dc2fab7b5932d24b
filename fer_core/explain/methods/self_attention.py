"""Self-attention over the places of a map (Zhang et al. 2019, https://arxiv.org/abs/1805.08318)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fer_core.explain.attention import (
    ALL,
    COLUMN,
    HEAD,
    LAYER,
    ONE,
    ROW,
    AttentionExplainer,
    asked_by,
    chosen_head,
    chosen_layer,
    query_control,
)
from fer_core.explain.base import register_explainer

if TYPE_CHECKING:
    from torch import Tensor

    from fer_core.explain.tracing import PlacedMap


@register_explainer
class SelfAttention(AttentionExplainer):
    """What the places of a convolutional map attend to: all of them on average, or one that is chosen."""

    name = "self_attention"
    title = "Self-attention"
    description = "Shows which places of the face the others attend to, or where one looks; the same for all emotions."
    paper = "https://arxiv.org/abs/1805.08318"
    kind = "positions"
    noun = "self-attention over the places of a map"
    controls = (query_control(ALL, ONE), LAYER, HEAD, ROW, COLUMN)

    def heat(self, maps: list[PlacedMap], **options: Any) -> Tensor:
        found = chosen_layer(maps, options["layer"])
        weights = chosen_head(found, options["head"])
        return asked_by(weights, found, options["query"], options["row"], options["column"])
