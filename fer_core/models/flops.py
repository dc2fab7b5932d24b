"""Multiply-adds of a network, counted operation by operation without computing anything.

PyTorch's counter sees every matrix product, convolution and attention of one forward pass; normalisation, activations,
pooling and resampling are left out, as in the published figures that these are compared with. One multiply-add is two
floating-point operations.
"""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from fer_core.models.base import MODELS, create_model


@dataclass(frozen=True)
class Cost:
    """What one face costs in one forward pass.

    Attributes:
        multiply_adds: pairs of a multiplication and an addition.
        by_operation: {name of PyTorch's operation: its multiply-adds}, the dearest first.
    """

    multiply_adds: int
    by_operation: dict[str, int]

    @property
    def flops(self) -> int:
        """Floating-point operations: two for each multiply-add."""
        return 2 * self.multiply_adds


def count(model: nn.Module, side: int = 48) -> Cost:
    """Counts a forward pass of one face of side x side pixels, in eval mode.

    A copy is counted on the meta device, which has shapes and no values: there attention and recurrent layers fall
    apart into products that the counter knows, where a CPU runs them as one operation that it does not see into.

    Args:
        model: maps (1, 1, side, side) to logits.
        side: height and width of the face.
    """
    from torch.utils.flop_counter import FlopCounterMode

    shapes = copy.deepcopy(model).to("meta").eval()
    # gradients stay on: without them PyTorch's attention takes a fused path, which is not counted either
    with FlopCounterMode(display=False) as counter, torch.enable_grad():
        shapes(torch.zeros(1, 1, side, side, device="meta"))
    halves = {str(name): flops // 2 for name, flops in counter.get_flop_counts().get("Global", {}).items()}
    dearest_first = dict(sorted(halves.items(), key=lambda item: -item[1]))
    return Cost(sum(halves.values()), dearest_first)


def model_cost(name: str, num_classes: int = 7, *, field: int | None = None, **options: Any) -> Cost:
    """Counts a registered architecture without making its weights; arguments as for `create_model`."""
    with torch.device("meta"):
        model = create_model(name, num_classes, field=field, initialise=False, **options)
    return count(model, MODELS[name].input_side)
