"""The masks of a residual masking network (Pham, Vu & Tran 2020, https://doi.org/10.1109/ICPR48806.2021.9411919)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fer_core.explain.attention import LAYER, AttentionExplainer, chosen_layer
from fer_core.explain.base import register_explainer

if TYPE_CHECKING:
    from torch import Tensor

    from fer_core.explain.tracing import PlacedMap


@register_explainer
class MaskAttention(AttentionExplainer):
    """The mean over the channels of the mask that one stage lays over its map."""

    name = "mask_attention"
    title = "Attention masks"
    description = "Shows the mask that the network lays over its features, stage by stage; the same for all emotions."
    paper = "https://doi.org/10.1109/ICPR48806.2021.9411919"
    kind = "mask"
    noun = "masks over its features"
    controls = (LAYER,)

    def heat(self, maps: list[PlacedMap], **options: Any) -> Tensor:
        return chosen_layer(maps, options["layer"]).weights.mean(1)

    def quantity(self, **options: Any) -> str:
        return "mask"
