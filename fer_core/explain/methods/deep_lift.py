"""DeepLIFT (Shrikumar, Greenside, Kundaje 2017, https://arxiv.org/abs/1704.02685)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from fer_core.errors import UnsupportedError
from fer_core.explain.base import Explainer, register_explainer
from fer_core.explain.baselines import BASELINE, reference
from fer_core.explain.probe import probe_faces
from fer_core.explain.products import product_rule
from fer_core.explain.quiet import captum_quiet

if TYPE_CHECKING:
    from torch import Tensor

    from fer_core.models.base import FerModel

PROBE_BASELINE = "dark"
"""Not grey: that is zero, where the gradient of an uncovered ReLU happens to be right."""
TOLERANCE = 0.02
"""Share of the logits' difference that the attributions of a suitable model may miss."""


@register_explainer
class DeepLift(Explainer):
    """Differences from a reference face, sent back through the network by the rescale rule; they add up as well.

    Captum knows the rule of activations and max-pools that are modules used once; `products.py` adds the rule of
    products (squeeze-and-excitation and other gates). Whether that covers a model is measured on a probe, not guessed:
    where the attributions do not add up to the difference of the logits, the method is not offered.
    """

    name = "deep_lift"
    title = "DeepLIFT"
    description = "Compares with an empty face, layer by layer: what each pixel gave to or took from the answer."
    paper = "https://arxiv.org/abs/1704.02685"
    signed = True
    controls = (BASELINE,)

    def check(self, model: FerModel) -> None:
        try:
            missing = self.missing_share(model)
        except RuntimeError:  # Captum's word for a module that is used twice
            missing = float("inf")
        if not missing <= TOLERANCE:
            raise UnsupportedError(
                "DeepLIFT does not add up for this model, which has operations that its rules do not cover; "
                "use integrated_gradients"
            )

    def missing_share(self, model: FerModel) -> float:
        """Share of the most changed logit's difference that the attributions miss, the larger of two probes."""
        import torch

        probes = probe_faces(model).requires_grad_()
        with torch.no_grad():
            changes = model(probes) - model(reference(probes, PROBE_BASELINE))  # (2, C)
        targets = changes.abs().argmax(1)
        change = changes.gather(1, targets[:, None])[:, 0]
        total = self.attribute(model, probes, targets.tolist(), baseline=PROBE_BASELINE).sum((1, 2, 3))
        return float(((total - change).abs() / change.abs().clamp_min(1e-6)).max())

    def attribute(self, model: FerModel, faces: Tensor, targets: list[int], **options: Any) -> Tensor:
        import torch
        from captum.attr import DeepLift as CaptumDeepLift

        _teach_relu6()
        baselines = reference(faces, options["baseline"])
        explainer = CaptumDeepLift(model)
        with captum_quiet(), product_rule(), _separate_modules(model):
            # one by one: Captum takes the first gradient of a batch for all (pytorch/captum#1276)
            heats = [
                explainer.attribute(faces[i : i + 1], baselines=baselines[i : i + 1], target=target).detach()
                for i, target in enumerate(targets)
            ]
        return torch.cat(heats)


def _teach_relu6() -> None:
    """Adds the ReLU of small networks to Captum's table: the rescale rule holds for it as for any other activation."""
    from captum.attr._core.deep_lift import SUPPORTED_NON_LINEAR, nonlinear
    from torch import nn

    SUPPORTED_NON_LINEAR.setdefault(nn.ReLU6, nonlinear)


def _own_input(_module: Any, inputs: tuple[Any, ...]) -> tuple[Any, ...]:
    return inputs[0].clone(), *inputs[1:]


@contextmanager
def _separate_modules(model: FerModel) -> Iterator[None]:
    """Gives every module an input tensor of its own.

    Captum hooks a module's output and the next module's input. Where a max-pool directly follows a ReLU both are one
    tensor, and the ReLU reads the gradient before the max-pool's rule has changed it: the attributions come out wrong.
    """
    leaves = [module for module in model.modules() if not list(module.children())]
    handles = [leaf.register_forward_pre_hook(_own_input) for leaf in leaves]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()
