"""Looking at how a model computes, by running it: whether a method suits it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fer_core.config import SIDE
from fer_core.errors import UnsupportedError

if TYPE_CHECKING:
    from torch import Tensor, nn

    from fer_core.models.base import FerModel


def probe_faces(model: FerModel) -> Tensor:
    """(2, 1, 48, 48) smooth random patterns of unit variance on the model's device, the same at every call."""
    import torch
    from torch.nn import functional

    coarse = torch.randn((2, 1, 12, 12), generator=torch.Generator().manual_seed(0))
    faces = functional.interpolate(coarse, size=(SIDE, SIDE), mode="bicubic")
    return faces.to(next(model.parameters()).device)


def output_of(model: FerModel, layer: nn.Module) -> tuple[int, ...] | None:
    """Shape of the layer's output for the probes, None where the layer does not run or gives no tensor."""
    import torch

    shapes: list[tuple[int, ...] | None] = []

    def remember(_module: Any, _inputs: Any, output: Any) -> None:
        shapes.append(tuple(output.shape) if isinstance(output, torch.Tensor) else None)

    handle = layer.register_forward_hook(remember)
    try:
        with torch.no_grad():
            model(probe_faces(model))
    finally:
        handle.remove()
    return shapes[-1] if shapes else None


def require_relu_modules(model: FerModel, title: str) -> None:
    """Raises UnsupportedError where the model has no ReLU, others beside it, or calls one that no hook can reach."""
    modules, calls = _relu_counts(model)
    if not modules:
        raise UnsupportedError(f"{title} guides gradients at ReLUs, and this model has none; use saliency")
    if others := _other_rectifiers(model):
        raise UnsupportedError(f"{title} guides gradients at ReLUs, and this model has {others} as well; use saliency")
    if calls > modules:
        raise UnsupportedError(
            f"{title} must reach every ReLU, and this model calls {calls - modules} of {calls} as functions; "
            "use saliency"
        )


def _other_rectifiers(model: FerModel) -> str:
    """Names of the activations that rectify as a ReLU does and that guiding leaves as they are."""
    from torch import nn

    kinds = (nn.GELU, nn.SiLU, nn.ELU, nn.LeakyReLU, nn.PReLU, nn.Hardswish)
    return ", ".join(sorted({type(module).__name__ for module in model.modules() if isinstance(module, kinds)}))


def _relu_counts(model: FerModel) -> tuple[int, int]:
    """(runs of ReLU modules, runs of ReLU in all) in one forward."""
    import torch
    from torch import nn
    from torch.nn import functional
    from torch.overrides import TorchFunctionMode

    functions = {functional.relu, torch.relu, torch.relu_, torch.Tensor.relu, torch.Tensor.relu_, functional.relu_}
    counts = {"modules": 0, "calls": 0}

    class Count(TorchFunctionMode):
        depth = 0

        def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            counts["calls"] += func in functions
            with torch._C.DisableTorchFunction():  # functional.relu calls torch.relu: count one
                return func(*args, **(kwargs or {}))

    def count(_module: Any, _inputs: Any, _output: Any) -> None:
        counts["modules"] += 1

    handles = [m.register_forward_hook(count) for m in model.modules() if isinstance(m, nn.ReLU)]
    with torch.no_grad(), Count():
        model(probe_faces(model))
    for handle in handles:
        handle.remove()
    return counts["modules"], counts["calls"]
