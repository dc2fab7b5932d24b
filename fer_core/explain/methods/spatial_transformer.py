"""Where a spatial transformer looks (Jaderberg et al. 2015, https://arxiv.org/abs/1506.02025)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fer_core.explain.attention import AttentionExplainer, on_face
from fer_core.explain.base import register_explainer
from fer_core.explain.controls import ChoiceControl
from fer_core.explain.placement import affine_of

if TYPE_CHECKING:
    import numpy as np
    from torch import Tensor

    from fer_core.explain.tracing import PlacedMap
    from fer_core.models.base import FerModel

GRID, COVERAGE = "grid", "coverage"
MESH = 4
"""Cells of the drawn grid along a side."""


@register_explainer
class SpatialTransformerView(AttentionExplainer):
    """The crop that the network takes of the face, drawn as its grid of lines or as how often each pixel is read.

    Both are the transpose of the sampling: every line, or every pixel, of the crop is laid back to the pixels of the
    face that it was read from, with the same bilinear shares.
    """

    name = "spatial_transformer"
    title = "Spatial transformer"
    description = "Draws the crop that the network takes of the face before it judges; the same for all emotions."
    paper = "https://arxiv.org/abs/1506.02025"
    kind = "spatial_transformer"
    noun = "the crop of a spatial transformer"
    controls = (
        ChoiceControl("show", "Show", GRID, (GRID, COVERAGE), "The crop's grid, or how often each pixel is read."),
    )

    def attribute(self, model: FerModel, faces: Tensor, targets: list[int], **options: Any) -> Tensor:
        return on_face(self.heat(self.maps(model, faces.detach()), **options), faces, model.field)

    def heat(self, maps: list[PlacedMap], **options: Any) -> Tensor:
        import torch

        where = maps[0].weights  # (N, H, W, 2)
        drawn = mesh(*where.shape[1:3]) if options["show"] == GRID else torch.ones(where.shape[1:3])
        return laid_back(drawn.to(where), where)

    def numbers(self, model: FerModel, faces: Tensor, **options: Any) -> dict[str, Any]:
        """`affine`: two rows of three, which turn places (x, y, 1) of the crop into x and y on the face, in [-1, 1]."""
        return {"affine": affine_of(self.maps(model, faces)[0].weights)[0].tolist()}

    def pictures(self, model: FerModel, faces: Tensor, crop: np.ndarray, **options: Any) -> dict[str, np.ndarray]:
        import torch
        from torch.nn import functional

        where = self.maps(model, faces)[0].weights.cpu()
        before = (crop.shape[0] - where.shape[1]) // 2
        seen = torch.from_numpy(crop.copy())[before : before + where.shape[1], before : before + where.shape[2]]
        read = functional.grid_sample(seen[None, None].float(), where, align_corners=False)
        return {"what the crop holds": read[0, 0].round().to(torch.uint8).numpy()}


def mesh(height: int, width: int) -> Tensor:
    """(height, width): ones on the border and on lines in between, zeros elsewhere."""
    import torch

    lines = torch.zeros(height, width)
    lines[torch.linspace(0, height - 1, MESH + 1).round().long()] = 1
    lines[:, torch.linspace(0, width - 1, MESH + 1).round().long()] = 1
    return lines


def laid_back(crop: Tensor, where: Tensor) -> Tensor:
    """(H, W) weights of the crop's pixels -> (N, H, W) on the face, each shared among the pixels it was read from."""
    import torch
    from torch.nn import functional

    face = torch.zeros(len(where), 1, *crop.shape, dtype=where.dtype, device=where.device, requires_grad=True)
    read = (functional.grid_sample(face, where, align_corners=False)[:, 0] * crop).sum()
    (heat,) = torch.autograd.grad(read, face)
    return heat[:, 0]
