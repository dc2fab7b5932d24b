"""Multiply-adds of a network, counted operation by operation without computing anything.

PyTorch's counter sees every matrix product, convolution and attention of one forward pass; normalisation, activations,
pooling and resampling are left out, as in the published figures that these are compared with. One multiply-add is two
floating-point operations.
"""

from __future__ import annotations

import copy
from typing import Any

import torch
from torch import nn

from fer_core.config import SIDE
from fer_core.models.base import create_model


def count(model: nn.Module, side: int = SIDE) -> int:
    """Multiply-adds of a forward pass of one face of side x side pixels, in eval mode.

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
    return sum(flops // 2 for flops in counter.get_flop_counts().get("Global", {}).values())


def model_cost(name: str, num_classes: int = 7, *, field: int | None = None, **options: Any) -> int:
    """Multiply-adds of a registered architecture, whose weights are not made; arguments as for `create_model`."""
    with torch.device("meta"):
        model = create_model(name, num_classes, field=field, initialise=False, **options)
    return count(model)
