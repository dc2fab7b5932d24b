"""Integrated gradients (Sundararajan, Taly, Yan 2017, https://arxiv.org/abs/1703.01365)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fer_core.explain.base import Explainer, register_explainer
from fer_core.explain.baselines import BASELINE, reference
from fer_core.explain.controls import IntControl

if TYPE_CHECKING:
    from torch import Tensor

    from fer_core.models.base import FerModel

AT_ONCE = 50
"""Steps in one forward; bounds the memory, whatever the number of steps."""


@register_explainer
class IntegratedGradients(Explainer):
    """Gradients summed along the straight way from a reference face; they add up to the difference of the logits."""

    name = "integrated_gradients"
    title = "Integrated gradients"
    description = "Fades the face in from an empty one and adds up what each pixel gave to or took from the answer."
    paper = "https://arxiv.org/abs/1703.01365"
    signed = True
    controls = (
        IntControl("n_steps", "Steps", 50, 10, 300, "More steps add up more exactly and take longer.", step=10),
        BASELINE,
    )

    def attribute(self, model: FerModel, faces: Tensor, targets: list[int], **options: Any) -> Tensor:
        from captum.attr import IntegratedGradients as CaptumIntegratedGradients

        heat: Tensor = CaptumIntegratedGradients(model).attribute(
            faces,
            baselines=reference(faces, options["baseline"]),
            target=targets,
            n_steps=options["n_steps"],
            internal_batch_size=max(AT_ONCE, len(faces)),
        )
        return heat
