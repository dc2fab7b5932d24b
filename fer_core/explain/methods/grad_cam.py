"""Grad-CAM (Selvaraju et al. 2017, https://arxiv.org/abs/1610.02391)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fer_core.errors import UnsupportedError
from fer_core.explain.attention import on_face
from fer_core.explain.base import Explainer, register_explainer
from fer_core.explain.probe import output_of

if TYPE_CHECKING:
    from torch import Tensor, nn

    from fer_core.models.base import FerModel


@register_explainer
class GradCam(Explainer):
    """The last map of features, weighted by the mean gradients of its channels, positive part, enlarged to the face."""

    name = "grad_cam"
    title = "Grad-CAM"
    description = "Shows the regions of the face where the network's last features speak for the emotion."
    paper = "https://arxiv.org/abs/1610.02391"

    def check(self, model: FerModel) -> None:
        require_map(model, self.title)

    def attribute(self, model: FerModel, faces: Tensor, targets: list[int], **options: Any) -> Tensor:
        return region_of(model, faces, targets)


def region_of(model: FerModel, faces: Tensor, targets: list[int]) -> Tensor:
    """(N, 1, H, W): the weighted map, laid where its places lie on the faces; several networks' maps are added up."""
    first, *others = [_region_of(model, layer, faces, targets) for layer in model.cam_layers]
    return sum(others, first)


def _region_of(model: FerModel, layer: nn.Module, faces: Tensor, targets: list[int]) -> Tensor:
    from captum.attr import LayerGradCam

    from fer_core.explain.tracing import placement_of

    coarse = LayerGradCam(model, layer).attribute(faces, target=targets, relu_attributions=True)
    return on_face(coarse[:, 0], faces, model.field, placement_of(model, layer, faces))


def require_map(model: FerModel, title: str) -> None:
    """Raises UnsupportedError where the model offers no map of features with height and width."""
    try:
        layers = model.cam_layers
    except TypeError:
        raise UnsupportedError(f"{title} needs a map of features, and this model names none; use saliency") from None
    for layer in layers:
        shape = output_of(model, layer)
        if shape is None or len(shape) != 4 or min(shape[2:]) < 2:
            raise UnsupportedError(f"{title} needs a map of features with height and width, and this model has none")
