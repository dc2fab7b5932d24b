"""A private copy of a model for one explanation, so that hooks, gradients and modes never touch the one that serves."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import Tensor, nn

    from fer_core.models.base import FerModel


def private_copy(model: FerModel) -> FerModel:
    """The same network with modules of its own and the same weights in memory.

    Captum hangs hooks on modules, which other threads that run the same model would trip over; it also leaves the
    modules' modes and the parameters' gradients to the caller. The copy has its own modules (about a millisecond),
    without the original's hooks, in eval mode, with no ReLU in place; its parameters share the original's memory and
    need no gradient, so nothing is computed for them. A model compiled by torch is explained as the plain one inside,
    because hooks of a compiled one are ignored in silence.
    """
    plain = getattr(model, "_orig_mod", model)
    shared: dict[int, Any] = {id(p): _parameter(p) for p in plain.parameters()}
    shared |= {id(b): _usable(b) for b in plain.buffers()}
    twin: FerModel = copy.deepcopy(plain, shared).eval()
    for module in twin.modules():
        _clean(module)
    return twin


def _parameter(parameter: Tensor) -> nn.Parameter:
    from torch import nn

    return nn.Parameter(_usable(parameter), requires_grad=False)


def _usable(tensor: Tensor) -> Tensor:
    return tensor.detach().clone() if tensor.is_inference() else tensor.detach()  # autograd refuses inference tensors


def _clean(module: nn.Module) -> None:
    for hooks in (module._forward_hooks, module._forward_pre_hooks, module._backward_hooks, module._backward_pre_hooks):
        hooks.clear()
    if getattr(module, "inplace", False):
        module.inplace = False  # type: ignore[assignment]  # backward hooks refuse views that are changed in place
