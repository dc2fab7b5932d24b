"""Saliency (Simonyan, Vedaldi, Zisserman 2014, https://arxiv.org/abs/1312.6034)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fer_core.explain.base import Explainer, register_explainer

if TYPE_CHECKING:
    from torch import Tensor

    from fer_core.models.base import FerModel


@register_explainer
class Saliency(Explainer):
    """The absolute gradient of the target's logit with respect to each pixel."""

    name = "saliency"
    title = "Saliency"
    description = "Shows the pixels whose slightest change would change the answer most."
    paper = "https://arxiv.org/abs/1312.6034"

    def attribute(self, model: FerModel, faces: Tensor, targets: list[int], **options: Any) -> Tensor:
        from captum.attr import Saliency as CaptumSaliency

        heat: Tensor = CaptumSaliency(model).attribute(faces, target=targets, abs=True)
        return heat
