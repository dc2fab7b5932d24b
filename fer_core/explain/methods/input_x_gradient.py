"""Input times gradient (Shrikumar et al. 2016, https://arxiv.org/abs/1605.01713)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fer_core.explain.base import Explainer, register_explainer

if TYPE_CHECKING:
    from torch import Tensor

    from fer_core.models.base import FerModel


@register_explainer
class InputXGradient(Explainer):
    """The normalised pixel times the gradient of the target's logit: its share, were the network linear."""

    name = "input_x_gradient"
    title = "Input × gradient"
    description = "Multiplies each pixel by its gradient: a quick estimate of what it adds to or takes from the answer."
    paper = "https://arxiv.org/abs/1605.01713"
    signed = True

    def attribute(self, model: FerModel, faces: Tensor, targets: list[int], **options: Any) -> Tensor:
        from captum.attr import InputXGradient as CaptumInputXGradient

        heat: Tensor = CaptumInputXGradient(model).attribute(faces, target=targets)
        return heat
