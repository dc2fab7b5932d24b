"""Erasing attention consistency (Zhang et al. 2022, https://arxiv.org/abs/2207.10299).

A network that learns a wrong label by heart looks at whatever tells that face apart. Here parts of each face are erased
at random, and the class activation maps of the face and of its mirror image must be mirror images, so that no single
patch can carry the label.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn
from torch.nn import functional

from fer_core.data.transforms import random_erasing
from fer_core.errors import ConfigError
from fer_core.models.base import FerModel
from fer_core.training.step import STEPS, Batch, Setting, require_share
from fer_core.training.voting import VotingStep


@STEPS.register("eac")
class EacStep(VotingStep):
    """The loss of the erased faces, plus the inconsistency of their class activation maps under a flip.

    The maps are those of the model's `cam_layer`, weighed by its linear head; where another pool follows that layer,
    the maps before it are taken.

    The authors erase otherwise (https://github.com/zyh-uaiaaaa/Erasing-Attention-Consistency): torchvision's
    RandomErasing(scale=(0.02, 0.25)) after normalisation, by which half of the faces lose 2 to 25 % of their area, at
    an aspect of 0.3 to 3.3, to ImageNet's mean colour. Here every face (`erase` 0.5: half of them) loses 2 to 20 %, at
    an aspect of 1/e to e, to a random grey of its own. The mirror image is that of the erased face, as in their runs on
    clean labels; on noisy ones they erase face and mirror image each on its own. With `ferplus_weight` the loss of the
    votes, of the erased faces as well, is added.

    Args:
        setting: the run's.
        weight: of the inconsistency; the paper's 5.
        erase: probability that a face has a part erased; 0.5 in the authors' code.
    """

    def __init__(self, setting: Setting, weight: float = 5.0, erase: float = 1.0) -> None:
        super().__init__(setting)
        self.weight, self.erase = weight, require_share("erase", erase)
        _require_maps(setting)

    def forward(self, batch: Batch) -> dict[str, Tensor]:
        """A batch -> loss and logits of the faces that were not mirrored."""
        generator = torch.Generator().manual_seed(int(torch.randint(2**62, ())))
        faces = random_erasing(batch.faces, self.erase, generator)
        head = self.model.head
        assert isinstance(head, nn.Linear)
        with maps_of(self.model) as seen:
            both = self.answer(torch.cat([faces, faces.flip(-1)]))
        maps, mirrored = class_maps(seen[-1], head.weight).chunk(2)  # (B, C, h, w) each
        upright = both.first(len(faces))
        loss = self.loss_of(upright, batch) + self.weight * flip_inconsistency(maps, mirrored)
        return {"loss": loss, "logits": upright.logits}


def class_maps(maps: Tensor, weight: Tensor) -> Tensor:
    """Maps (B, K, h, w) and the head's weight (C, K) -> class activation maps (B, C, h, w)."""
    return torch.einsum("bkhw,ck->bchw", maps.float(), weight.float())


def flip_inconsistency(maps: Tensor, mirrored: Tensor) -> Tensor:
    """Mean square of the difference between maps and those of the mirrored faces, mirrored back."""
    return functional.mse_loss(maps, mirrored.flip(-1))


@contextmanager
def maps_of(model: FerModel) -> Iterator[list[Tensor]]:
    """Collects what the model's `cam_layer` gives while the context is open."""
    seen: list[Tensor] = []
    handle = model.cam_layer.register_forward_hook(lambda module, inputs, output: seen.append(output))
    try:
        yield seen
    finally:
        handle.remove()


@torch.no_grad()
def _require_maps(setting: Setting) -> None:
    """Raises ConfigError where a model has no maps that its head weighs."""
    model, name = setting.model, setting.config.model
    problem = f"eac needs a map in front of pooling and one linear layer; {name} has none"
    if not isinstance(model.head, nn.Linear):
        raise ConfigError(problem)
    side, was_training = setting.config.crop, model.training
    faces = torch.randn(2, 1, side, side, generator=torch.Generator().manual_seed(0))
    try:
        with maps_of(model.eval()) as seen:
            logits = model(faces)
    except TypeError as error:
        raise ConfigError(problem) from error
    finally:
        model.train(was_training)
    if not seen or seen[-1].ndim != 4 or seen[-1].shape[1] != model.head.in_features or seen[-1].shape[-1] < 2:
        raise ConfigError(problem)
    ways = (seen[-1], functional.max_pool2d(seen[-1], 2))  # what lies between map and head at most
    if not any(torch.allclose(model.head(way.mean((2, 3))), logits, rtol=1e-3, atol=1e-4) for way in ways):
        raise ConfigError(problem)
