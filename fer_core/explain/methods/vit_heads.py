"""The heads of a vision transformer (Dosovitskiy et al. 2021, https://arxiv.org/abs/2010.11929)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fer_core.explain.attention import (
    ALL,
    CLASS_TOKEN,
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
class VitHeads(AttentionExplainer):
    """What the class token, all patches or one patch attend to in a block's heads; the class token's share left out."""

    name = "vit_heads"
    title = "Transformer heads"
    description = "Shows which patches a head of the transformer attends to, block by block; the same for all emotions."
    paper = "https://arxiv.org/abs/2010.11929"
    kind = "tokens"
    noun = "the heads of a transformer with a class token"
    controls = (query_control(CLASS_TOKEN, ALL, ONE), LAYER, HEAD, ROW, COLUMN)

    def heat(self, maps: list[PlacedMap], **options: Any) -> Tensor:
        found = chosen_layer(maps, options["layer"])
        weights = chosen_head(found, options["head"])
        if options["query"] == CLASS_TOKEN:
            return weights[:, 0, 1:].unflatten(1, found.grid)
        return asked_by(weights[:, 1:, 1:], found, options["query"], options["row"], options["column"])
