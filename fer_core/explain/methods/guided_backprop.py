"""Guided backpropagation (Springenberg et al. 2015, https://arxiv.org/abs/1412.6806)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fer_core.explain.base import Explainer, register_explainer
from fer_core.explain.probe import require_relu_modules
from fer_core.explain.quiet import captum_quiet

if TYPE_CHECKING:
    from torch import Tensor

    from fer_core.models.base import FerModel


@register_explainer
class GuidedBackprop(Explainer):
    """The absolute gradient, where every ReLU lets only positive gradients back."""

    name = "guided_backprop"
    title = "Guided backpropagation"
    description = "Draws the lines and edges that excite the network; crisp, but it often looks alike for all emotions."
    paper = "https://arxiv.org/abs/1412.6806"

    def check(self, model: FerModel) -> None:
        require_relu_modules(model, self.title)

    def attribute(self, model: FerModel, faces: Tensor, targets: list[int], **options: Any) -> Tensor:
        from captum.attr import GuidedBackprop as CaptumGuidedBackprop

        with captum_quiet():
            heat: Tensor = CaptumGuidedBackprop(model).attribute(faces, target=targets)
        return heat.abs()
