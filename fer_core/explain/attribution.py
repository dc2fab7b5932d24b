"""Running a method: model and faces in, heatmaps out."""

from __future__ import annotations

from collections.abc import MutableMapping, Sequence
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import numpy as np

from fer_core.errors import CheckpointError, ConfigError, UnsupportedError
from fer_core.explain.base import EXPLAINERS, Explainer
from fer_core.explain.controls import Control
from fer_core.explain.isolate import private_copy

if TYPE_CHECKING:
    from torch import Tensor

    from fer_core.models.base import FerModel

ROBUST_PERCENTILE = 99.0
"""The heat's scale: 1.0 is this percentile of the absolute attributions, so that one pixel cannot dim all others."""
NOTHING = 1e-12
"""Attributions below this, in logits per pixel, are rounding noise: the heatmap is zero."""

_REASONS: MutableMapping[FerModel, dict[str, str | None]] = WeakKeyDictionary()
"""What `why_not` found, for as long as the model lives: it lies in the model's structure, not in its weights."""

_CONTROLS: MutableMapping[FerModel, dict[str, tuple[Control, ...]]] = WeakKeyDictionary()
_CLASSES: MutableMapping[FerModel, int] = WeakKeyDictionary()


def attribute(method: str, model: FerModel, faces: Tensor, target: int, **controls: Any) -> np.ndarray:
    """One face's heatmap.

    Args:
        method: a name in EXPLAINERS.
        model: any model; it is neither changed nor locked (see `isolate.py`), so other threads may go on using it.
        faces: (1, 1, H, W) normalised.
        target: index of the class whose logit is explained.
        controls: the method's controls; the others keep their defaults.

    Returns:
        float32 (H, W), finite; [-1, 1] where the method is signed, else [0, 1]; all zero where nothing matters.

    Raises:
        UnknownNameError: no such method.
        ConfigError: no such control or class, a value out of range, or a batch in place of one face.
        UnsupportedError: the method does not suit the model.
    """
    if len(faces) != 1:
        raise ConfigError(f"attribute explains one face, not {len(faces)}; use attribute_batch")
    return attribute_batch(method, model, faces, [target], **controls)[0]


def attribute_batch(
    method: str, model: FerModel, faces: Tensor, targets: Sequence[int] | int, **controls: Any
) -> np.ndarray:
    """Heatmaps of several faces, float32 (N, H, W); each is what `attribute` gives for that face alone.

    Args:
        method, model, controls: as in `attribute`.
        faces: (N, 1, H, W) normalised.
        targets: one class for all faces, or one for each.
    """
    explainer = EXPLAINERS[method]
    raw = raw_attributions(method, model, faces, targets, **controls).cpu().numpy()[:, 0]
    return np.stack([normalise_heat(heat, signed=explainer.signed) for heat in raw])


def raw_attributions(
    method: str, model: FerModel, faces: Tensor, targets: Sequence[int] | int, **controls: Any
) -> Tensor:
    """Attributions before normalisation, float32 (N, 1, H, W); arguments as in `attribute_batch`."""
    import torch

    explainer = EXPLAINERS[method]
    options = explainer.options(**controls)
    require(method, model)
    with torch.inference_mode(False), torch.enable_grad():
        twin = private_copy(model)
        inputs = faces.detach().clone().float().to(_device(twin)).requires_grad_()
        raw = explainer.attribute(twin, inputs, _targets(model, inputs, targets), **options).detach().float()
    if not torch.isfinite(raw).all():
        raise CheckpointError(f"{explainer.title} gives values that are not finite: the weights or the face are broken")
    return raw


def methods_for(model: FerModel) -> tuple[str, ...]:
    """Names of the methods that suit the model, in the registry's order."""
    return tuple(name for name in EXPLAINERS if why_not(name, model) is None)


def why_not(method: str, model: FerModel) -> str | None:
    """One sentence on why the method does not suit the model; None where it does. Remembered for each model."""
    explainer, known = EXPLAINERS[method], _REASONS.setdefault(model, {})
    if method not in known:
        known[method] = _reason(explainer, model)
    return known[method]


def controls_for(method: str, model: FerModel) -> tuple[Control, ...]:
    """The method's controls with the ranges that this model has (its layers, its heads); it must suit the model."""
    import torch

    require(method, model)
    known = _CONTROLS.setdefault(model, {})
    if method not in known:
        with torch.inference_mode(False):
            known[method] = EXPLAINERS[method].controls_for(private_copy(model))
    return known[method]


def pictures_of(
    method: str, model: FerModel, faces: Tensor, crop: np.ndarray, **controls: Any
) -> dict[str, np.ndarray]:
    """What the method has to show of one face beside its heatmap; arguments as in `Explainer.pictures`."""
    import torch

    explainer = EXPLAINERS[method]
    with torch.inference_mode(False):
        twin = private_copy(model)
        return explainer.pictures(twin, faces.detach().clone().to(_device(twin)), crop, **explainer.options(**controls))


def numbers_of(method: str, model: FerModel, faces: Tensor, **controls: Any) -> dict[str, Any]:
    """What the method has to tell of one face beside its heatmap; arguments as in `Explainer.numbers`."""
    import torch

    explainer = EXPLAINERS[method]
    with torch.inference_mode(False):
        twin = private_copy(model)
        return explainer.numbers(twin, faces.detach().clone().to(_device(twin)), **explainer.options(**controls))


def require(method: str, model: FerModel) -> None:
    """Raises UnsupportedError, with that sentence, where the method does not suit the model."""
    if (reason := why_not(method, model)) is not None:
        raise UnsupportedError(reason)


def _reason(explainer: Explainer, model: FerModel) -> str | None:
    import captum.attr  # noqa: F401  (here, where it is asked for first, and not in a run that is timed)
    import torch

    with torch.inference_mode(False), torch.enable_grad():
        try:
            explainer.check(private_copy(model))
        except UnsupportedError as error:
            return str(error)
    return None


def normalise_heat(raw: np.ndarray, *, signed: bool) -> np.ndarray:
    """Raw attributions -> float32 of the same shape in [-1, 1] (signed) or [0, 1]; no contrast gives zeros.

    1.0 stands for the 99th percentile of the absolute values, what lies above is cut to it; where fewer than one pixel
    in a hundred is not zero, 1.0 stands for the greatest.
    """
    heat = np.asarray(raw, dtype=np.float64)
    size = np.abs(heat)
    scale = np.percentile(size, ROBUST_PERCENTILE)
    if scale <= NOTHING:
        scale = size.max(initial=0.0)
    if scale <= NOTHING:
        return np.zeros(heat.shape, np.float32)
    return np.clip(heat / scale, -1.0 if signed else 0.0, 1.0).astype(np.float32)


def _device(model: FerModel) -> Any:
    return next(model.parameters()).device


def _targets(model: FerModel, faces: Tensor, targets: Sequence[int] | int) -> list[int]:
    chosen = [targets] * len(faces) if isinstance(targets, int) else [int(target) for target in targets]
    if len(chosen) != len(faces):
        raise ConfigError(f"there are {len(faces)} faces and {len(chosen)} targets; give one target for each, or one")
    classes = _classes(model, faces)
    for target in chosen:
        if not 0 <= target < classes:
            raise ConfigError(f"target must be a class from 0 to {classes - 1}, not {target}")
    return chosen


def _classes(model: FerModel, faces: Tensor) -> int:
    """How many classes the model knows; one forward for each model, then remembered."""
    import torch

    if model not in _CLASSES:
        with torch.no_grad():
            _CLASSES[model] = int(private_copy(model)(faces[:1]).shape[1])
    return _CLASSES[model]
