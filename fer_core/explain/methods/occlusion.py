"""Occlusion (Zeiler, Fergus 2014, https://arxiv.org/abs/1311.2901)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fer_core.errors import ConfigError
from fer_core.explain.base import Explainer, register_explainer
from fer_core.explain.baselines import BASELINE, reference
from fer_core.explain.controls import IntControl

if TYPE_CHECKING:
    from torch import Tensor

    from fer_core.models.base import FerModel

AT_ONCE = 64
"""Hidden copies in one forward."""


@register_explainer
class Occlusion(Explainer):
    """How much the target's logit falls where a sliding window hides the face, averaged over the windows of a pixel."""

    name = "occlusion"
    title = "Occlusion"
    description = "Hides the face piece by piece and shows where hiding weakens or strengthens the answer."
    paper = "https://arxiv.org/abs/1311.2901"
    signed = True
    controls = (
        IntControl("window", "Window", 8, 3, 24, "Side of the hidden square, in the model's pixels (the face has 48)."),
        IntControl("stride", "Stride", 4, 2, 12, "Pixels between two windows; smaller is finer and slower."),
        BASELINE,
    )

    def options(self, **given: Any) -> dict[str, Any]:
        chosen = super().options(**given)
        if chosen["stride"] > chosen["window"]:
            raise ConfigError(
                f"stride ({chosen['stride']}) must be at most the window ({chosen['window']}), or pixels are left out"
            )
        return chosen

    def attribute(self, model: FerModel, faces: Tensor, targets: list[int], **options: Any) -> Tensor:
        from captum.attr import Occlusion as CaptumOcclusion

        heat: Tensor = CaptumOcclusion(model).attribute(
            faces,
            sliding_window_shapes=(1, options["window"], options["window"]),
            strides=(1, options["stride"], options["stride"]),
            baselines=reference(faces, options["baseline"]),
            target=targets,
            perturbations_per_eval=max(1, AT_ONCE // len(faces)),
        )
        return heat
