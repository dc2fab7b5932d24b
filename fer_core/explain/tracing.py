"""Follows a model's operations from the face to its maps and keeps book of where their places lie.

Convolutions, pools, resizing, padding, cutting and a transformer's sampling move the places; all else (norms, sums, a
map flattened to tokens, attention among them) leaves them where they are. It works on what the model does, so that a
new architecture needs no description of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.weak import WeakTensorKeyDictionary

from fer_core.explain.placement import Placement, axes_of, stretched, whole
from fer_core.models.attention import AttentionKind, AttentionMap, maps_of_kind
from fer_core.models.base import FerModel

_Arguments = dict[str, Any]


@dataclass(frozen=True)
class PlacedMap(AttentionMap):
    """What one layer weighed, and where.

    Attributes:
        placement: where the places of `grid` lie on the faces.
    """

    placement: Placement = field(kw_only=True)


def placed_maps(model: FerModel, faces: Tensor, kind: AttentionKind) -> list[PlacedMap]:
    """The model's attention of one kind, from the input on; faces (N, 1, H, W)."""
    with torch.inference_mode(), _Trace() as trace:
        found = list(maps_of_kind(model, trace.begin(faces), kind).values())
        places = [trace.placement(one.values) or trace.placement(one.weights) for one in found]
    side = faces.shape[-1]
    seen = min(model.field or side, side)
    return [_placed(one, place or stretched(one.grid, side, seen)) for one, place in zip(found, places, strict=True)]


def placement_of(model: FerModel, layer: nn.Module, faces: Tensor) -> Placement | None:
    """Where the places of a layer's output lie on the faces; None where the layer gives no map made from them."""
    given: list[Any] = []
    handle = layer.register_forward_hook(lambda _module, _inputs, output: given.append(output))
    try:
        with torch.inference_mode(), _Trace() as trace:
            model(trace.begin(faces))
            place = trace.placement(given[-1] if given else None)
    finally:
        handle.remove()
    return place and _usable(place)


def _placed(found: AttentionMap, place: Placement) -> PlacedMap:
    """Copies of the tensors, because autograd refuses those of inference mode."""
    values = None if found.values is None else found.values.clone()
    return PlacedMap(found.kind, found.weights.clone(), found.grid, values, placement=_usable(place))


def _usable(place: Placement) -> Placement:
    return place if place.crop is None else replace(place, crop=place.crop.clone())


class _Trace(TorchDispatchMode):
    """Knows the placement of every tensor that was made from the faces."""

    def __init__(self) -> None:
        super().__init__()
        self.places: Any = WeakTensorKeyDictionary()

    @classmethod
    def _should_skip_dynamo(cls) -> bool:
        """Not to be hidden from torch's compiler, which would be imported for that: four seconds."""
        return False

    def begin(self, faces: Tensor) -> Tensor:
        """The same faces, each pixel at its own place."""
        start = faces.detach().clone()
        self.places[start] = whole(start.shape[-2], start.shape[-1])
        return start

    def placement(self, value: Any) -> Placement | None:
        """Of a tensor; None where it was not made from the faces, or is no tensor."""
        return self.places.get(value) if isinstance(value, Tensor) else None

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        out = func(*args, **(kwargs or {}))
        source = self._source((args, kwargs))
        if source is not None:
            place = self.places[source]
            rule = _RULES.get(func.overloadpacket.__name__)
            for result in _tensors(out):
                self.places[result] = rule(place, source, result, _bound(func, args, kwargs)) if rule else place
        return out

    def _source(self, inputs: Any) -> Tensor | None:
        """The largest input with a place, of equals the first: a map rather than the gate that weighs it."""
        known = [tensor for tensor in _tensors(inputs) if tensor in self.places]
        return max(known, key=Tensor.numel, default=None)


def _tensors(values: Any) -> Iterator[Tensor]:
    return (leaf for leaf in tree_leaves(values) if isinstance(leaf, Tensor))


def _bound(func: Any, args: Any, kwargs: Any) -> _Arguments:
    """All arguments by their names, the ones left out at their defaults."""
    schema = func._schema.arguments
    given = dict(zip((argument.name for argument in schema), args, strict=False))
    defaults = {argument.name: argument.default_value for argument in schema}
    return defaults | given | (kwargs or {})


def _convolved(place: Placement, source: Tensor, out: Tensor, given: _Arguments) -> Placement:
    if out.ndim != 4:
        return place
    kernel = given["weight"].shape[2:]
    return _through_window(place, out, given | {"kernel_size": list(kernel)})


def _pooled(place: Placement, source: Tensor, out: Tensor, given: _Arguments) -> Placement:
    return _through_window(place, out, given) if out.ndim == 4 else place


def _through_window(place: Placement, out: Tensor, given: _Arguments) -> Placement:
    kernel, dilation = _pair(given["kernel_size"]), _pair(given.get("dilation", 1))
    padding = [(d * (k - 1)) // 2 for k, d in zip(kernel, dilation, strict=True)]  # what "same" means
    if not isinstance(given["padding"], str):
        padding = _pair(given["padding"])
    elif given["padding"] == "valid":
        padding = [0, 0]
    stride = _pair(given["stride"] or kernel)
    return axes_of(place, out.shape[-2:], list(zip(kernel, stride, padding, dilation, strict=True)))


def _resized(place: Placement, source: Tensor, out: Tensor, given: _Arguments) -> Placement:
    if out.ndim != 4:
        return place
    return place.moved(place.rows.resized(out.shape[-2]), place.columns.resized(out.shape[-1]))


def _padded(place: Placement, source: Tensor, out: Tensor, given: _Arguments) -> Placement:
    if source.shape[-2:] != place.size:
        return place
    left, _, top, _ = [*given["pad"], 0, 0][:4]
    return place.moved(place.rows.cut(out.shape[-2], -top), place.columns.cut(out.shape[-1], -left))


def _cut(place: Placement, source: Tensor, out: Tensor, given: _Arguments) -> Placement:
    dim = given["dim"] % source.ndim
    if source.ndim != 4 or dim < 2 or source.shape[-2:] != place.size:
        return place
    start = given["start"] or 0
    start = max(start + source.shape[dim], 0) if start < 0 else start
    axis = (place.rows, place.columns)[dim - 2].cut(out.shape[dim], start, given["step"])
    return place.moved(axis, place.columns) if dim == 2 else place.moved(place.rows, axis)


def _sampled(place: Placement, source: Tensor, out: Tensor, given: _Arguments) -> Placement:
    """A transformer's crop: from here on pixels are counted in it."""
    crop = whole(out.shape[-2], out.shape[-1])
    return Placement(crop.rows, crop.columns, crop.side, given["grid"])


def _pair(value: Any) -> list[int]:
    numbers = [value] if isinstance(value, int) else list(value)
    return numbers * 2 if len(numbers) == 1 else numbers


_RULES: dict[str, Callable[[Placement, Tensor, Tensor, _Arguments], Placement]] = {
    **dict.fromkeys(("conv2d", "convolution"), _convolved),
    **dict.fromkeys(("max_pool2d", "max_pool2d_with_indices", "avg_pool2d"), _pooled),
    **dict.fromkeys(("adaptive_avg_pool2d", "_adaptive_avg_pool2d", "adaptive_max_pool2d"), _resized),
    **dict.fromkeys(("upsample_nearest2d", "upsample_bilinear2d", "upsample_bicubic2d"), _resized),
    **dict.fromkeys(("pad", "constant_pad_nd"), _padded),
    "slice": _cut,
    **dict.fromkeys(("grid_sampler", "grid_sampler_2d"), _sampled),
}
"""The operations that move places; upsampling is taken as `align_corners=False`, the only way in use here."""
