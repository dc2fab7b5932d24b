"""Guided Grad-CAM (Selvaraju et al. 2017, https://arxiv.org/abs/1610.02391)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fer_core.explain.base import Explainer, register_explainer
from fer_core.explain.methods.grad_cam import region_of, require_map
from fer_core.explain.probe import require_relu_modules
from fer_core.explain.quiet import captum_quiet

if TYPE_CHECKING:
    from torch import Tensor

    from fer_core.models.base import FerModel


@register_explainer
class GuidedGradCam(Explainer):
    """Grad-CAM times guided backpropagation, absolute."""

    name = "guided_grad_cam"
    title = "Guided Grad-CAM"
    description = "Keeps, of the lines that excite the network, those in the regions that speak for the emotion."
    paper = "https://arxiv.org/abs/1610.02391"

    def check(self, model: FerModel) -> None:
        require_map(model, self.title)
        require_relu_modules(model, self.title)

    def attribute(self, model: FerModel, faces: Tensor, targets: list[int], **options: Any) -> Tensor:
        from captum.attr import GuidedBackprop

        region = region_of(model, faces, targets)
        with captum_quiet():
            lines: Tensor = GuidedBackprop(model).attribute(faces, target=targets)
        return (region * lines).abs()
