"""SmoothGrad (Smilkov et al. 2017, https://arxiv.org/abs/1706.03825)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fer_core.explain.base import Explainer, register_explainer
from fer_core.explain.controls import FloatControl, IntControl

if TYPE_CHECKING:
    from torch import Tensor

    from fer_core.models.base import FerModel

SEED = 0


@register_explainer
class SmoothGrad(Explainer):
    """The gradient averaged over noisy copies of the face, then its absolute value.

    Captum's NoiseTunnel draws from torch's global generator: its answer would change from call to call, and seeding
    that generator would reach into other threads. The noise here comes from a generator of its own, the same for every
    face of a batch; the gradients come from Captum.
    """

    name = "smooth_grad"
    title = "SmoothGrad"
    description = "Averages saliency over noisy copies of the face, which calms its speckle."
    paper = "https://arxiv.org/abs/1706.03825"
    controls = (
        IntControl("n_samples", "Noisy copies", 24, 1, 100, "More copies give a calmer picture and take longer."),
        FloatControl(
            "noise", "Noise", 0.15, 0.0, 0.5, "Standard deviation of the noise, as a share of the face's range of grey."
        ),
    )

    def attribute(self, model: FerModel, faces: Tensor, targets: list[int], **options: Any) -> Tensor:
        import torch
        from captum.attr import Saliency

        saliency, noise, plain = Saliency(model), _noise(options["n_samples"], faces), faces.detach()
        spread = (plain.amax((1, 2, 3)) - plain.amin((1, 2, 3))) * options["noise"]
        heats = [
            saliency.attribute((face + width * noise).requires_grad_(), target=target, abs=False).mean(0)
            for face, width, target in zip(plain, spread, targets, strict=True)
        ]
        return torch.stack(heats).abs()


def _noise(samples: int, faces: Tensor) -> Tensor:
    """(S, 1, H, W) standard normal, the same at every call."""
    import torch

    drawn = torch.randn((samples, *faces.shape[1:]), generator=torch.Generator().manual_seed(SEED))
    return drawn.to(faces)
