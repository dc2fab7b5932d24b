"""Grid-wise attention (Huang et al. 2021, https://doi.org/10.1016/j.ins.2021.08.043)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fer_core.explain.attention import ALL, COLUMN, ONE, ROW, AttentionExplainer, asked_by, query_control
from fer_core.explain.base import register_explainer

if TYPE_CHECKING:
    from torch import Tensor

    from fer_core.explain.tracing import PlacedMap

GATES = "gates"


@register_explainer
class GridAttention(AttentionExplainer):
    """The gates that the cells of the grid end up with, or which cells attend to which."""

    name = "grid_attention"
    title = "Grid-wise attention"
    description = "Shows which cells of a grid over the face are strengthened; the same for all emotions."
    paper = "https://doi.org/10.1016/j.ins.2021.08.043"
    kind = "grid"
    noun = "attention among the cells of a grid"
    controls = (query_control(GATES, ALL, ONE), ROW, COLUMN)

    def heat(self, maps: list[PlacedMap], **options: Any) -> Tensor:
        found = maps[-1]
        if options["query"] == GATES:
            assert found.values is not None
            return found.values
        return asked_by(found.weights.mean(1), found, options["query"], options["row"], options["column"])

    def quantity(self, **options: Any) -> str:
        return GATES if options["query"] == GATES else super().quantity(**options)
