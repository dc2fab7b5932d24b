"""Attention over the rows that a recurrent layer reads (Bahdanau et al. 2015, https://arxiv.org/abs/1409.0473)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fer_core.explain.attention import AttentionExplainer
from fer_core.explain.base import register_explainer

if TYPE_CHECKING:
    from torch import Tensor

    from fer_core.explain.tracing import PlacedMap


@register_explainer
class LstmAttention(AttentionExplainer):
    """The weight of each row of the face, from forehead to chin; the same across a row."""

    name = "lstm_attention"
    title = "Attention over rows"
    description = "Shows which rows of the face count, read from forehead to chin; the same for all emotions."
    paper = "https://arxiv.org/abs/1409.0473"
    kind = "sequence"
    noun = "attention over the rows of the face"

    def heat(self, maps: list[PlacedMap], **options: Any) -> Tensor:
        return maps[-1].weights[:, :, None]

    def quantity(self, **options: Any) -> str:
        return "weights of the rows"
