"""Region-based attention (Wang et al. 2020, https://arxiv.org/abs/1905.04075)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fer_core.explain.attention import AttentionExplainer
from fer_core.explain.base import register_explainer

if TYPE_CHECKING:
    from torch import Tensor

    from fer_core.explain.tracing import PlacedMap


@register_explainer
class RegionAttention(AttentionExplainer):
    """For every place the mean weight of the regions that hold it: the factor by which the network weighs it."""

    name = "region_attention"
    title = "Region attention"
    description = "Shows how much each of the overlapping regions of the face counts; the same for all emotions."
    paper = "https://arxiv.org/abs/1905.04075"
    kind = "regions"
    noun = "the weights of regions"

    def heat(self, maps: list[PlacedMap], **options: Any) -> Tensor:
        import torch

        found = maps[-1]
        assert found.values is not None
        return torch.einsum("nr,rhw->nhw", found.weights, found.values) / found.values.sum(0)

    def quantity(self, **options: Any) -> str:
        return "weights"
