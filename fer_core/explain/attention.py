"""What the methods that show a model's own attention share: which layer, which head, who asks, how it becomes heat.

Attention says what the network let through or mixed, in one pass, whatever it answered; it is no proof that the answer
hangs on it (Jain & Wallace 2019, https://arxiv.org/abs/1902.10186). The heat is the attention above its mean on the
face: what is attended to no more than on average, or everything alike, gives no heat.
"""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar

from fer_core.errors import ConfigError, UnsupportedError
from fer_core.explain.base import Explainer
from fer_core.explain.controls import ChoiceControl, Control, IntControl
from fer_core.explain.probe import SIDE, probe_faces

if TYPE_CHECKING:
    from torch import Tensor

    from fer_core.explain.placement import Placement
    from fer_core.explain.tracing import PlacedMap
    from fer_core.models.base import FerModel

MOST_LAYERS, MOST_HEADS = 48, 32
"""Ranges before a model is known; `controls_for` narrows them."""

LAYER = IntControl("layer", "Layer", 0, 0, MOST_LAYERS, "From the input on; 0 is the last.")
HEAD = IntControl("head", "Head", 0, 0, MOST_HEADS, "One of the layer's heads; 0 is the mean of all.")
ROW = IntControl("row", "Row", 30, 0, SIDE - 1, "Where the one place lies, in pixels from the top.")
COLUMN = IntControl("column", "Column", 24, 0, SIDE - 1, "Where the one place lies, in pixels from the left.")

ROUNDING = 1e-5
"""Differences below this share of the greatest attention come from float32."""

ALL, ONE, CLASS_TOKEN = "all places", "one place", "class token"


def query_control(*choices: str) -> ChoiceControl:
    """Who asks; the first choice is the default."""
    return ChoiceControl("query", "Who asks", choices[0], choices, "Whose attention is shown; of several, the mean.")


class AttentionExplainer(Explainer):
    """A method that shows one kind of attention, for the models that have it.

    Attributes:
        kind: the name of an `AttentionKind`.
        noun: what the model must have, for the sentence that refuses others.
    """

    kind: ClassVar[str]
    noun: ClassVar[str]
    targeted = False

    def check(self, model: FerModel) -> None:
        if not self.maps(model, probe_faces(model)):
            raise UnsupportedError(f"{self.title} shows {self.noun}, and this model has none; use grad_cam")

    def controls_for(self, model: FerModel) -> tuple[Control, ...]:
        maps = self.maps(model, probe_faces(model))
        most = {LAYER.name: len(maps), HEAD.name: max(found.heads for found in maps)}
        return tuple(
            replace(one, maximum=most[one.name]) if isinstance(one, IntControl) and one.name in most else one
            for one in self.controls
        )

    def attribute(self, model: FerModel, faces: Tensor, targets: list[int], **options: Any) -> Tensor:
        maps = self.maps(model, faces.detach())
        heat = self.heat(maps, **options)  # (N, h, w)
        shown = chosen_layer(maps, options.get(LAYER.name, LAYER.default))
        return on_face(above_average(heat), faces, model.field, shown.placement)

    def maps(self, model: FerModel, faces: Tensor) -> list[PlacedMap]:
        """The model's attention of this kind, from the input on."""
        from fer_core.explain.tracing import placed_maps
        from fer_core.models.attention import AttentionKind

        return placed_maps(model, faces, AttentionKind(self.kind))

    def numbers(self, model: FerModel, faces: Tensor, **options: Any) -> dict[str, Any]:
        heat = self.heat(self.maps(model, faces), **options)
        return {"range": {"of": self.quantity(**options), "lowest": float(heat.min()), "highest": float(heat.max())}}

    def quantity(self, **options: Any) -> str:
        """What `heat` holds, in a word or two."""
        return "attention"

    @abstractmethod
    def heat(self, maps: list[PlacedMap], **options: Any) -> Tensor:
        """The maps, at least one, of N faces -> (N, h, w), not negative."""


def chosen_layer(maps: list[PlacedMap], layer: int) -> PlacedMap:
    """The layer of that number, from 1; 0 is the last. Raises ConfigError where the model has fewer."""
    if layer > len(maps):
        raise ConfigError(f"layer must be from 0 to {len(maps)} for this model, not {layer}")
    return maps[layer - 1]


def chosen_head(found: PlacedMap, head: int) -> Tensor:
    """(N, Q, K): that head, from 1; 0 is the mean of all. Raises ConfigError where the layer has fewer."""
    if head > found.heads:
        raise ConfigError(f"head must be from 0 to {found.heads} for this layer, not {head}")
    return found.weights[:, head - 1] if head else found.weights.mean(1)


def asked_by(weights: Tensor, found: PlacedMap, query: str, row: int, column: int) -> Tensor:
    """(N, Q, K) weights among the places of a grid -> (N, h, w): what all of them, or one, attend to.

    Args:
        weights: as many queries and keys as the map's grid has places; both in rows.
        found: the map that they are of.
        query: `ALL` or `ONE`.
        row, column: a pixel of the face (behind a spatial transformer: of its crop); the nearest place is the one.
    """
    if query == ALL:
        return weights.mean(1).unflatten(1, found.grid)
    place = found.placement.rows.nearest(row) * found.grid[1] + found.placement.columns.nearest(column)
    return weights[:, place].unflatten(1, found.grid)


def above_average(heat: Tensor) -> Tensor:
    """(N, h, w) -> each face's attention above its mean, else zero; equal attention gives zeros, not its rounding."""
    rise = heat - heat.mean((1, 2), keepdim=True)
    return rise * (rise > ROUNDING * heat.amax((1, 2), keepdim=True))


def on_face(heat: Tensor, faces: Tensor, field: int | None, placement: Placement | None = None) -> Tensor:
    """(N, h, w) over places of the face -> (N, 1, H, W) over its pixels; zero where the model does not look.

    Args:
        heat: a number for each place.
        faces: (N, 1, H, W).
        field: of the model.
        placement: where the places lie; None divides evenly what the model sees.
    """
    from torch.nn import functional

    from fer_core.explain.placement import stretched

    side = faces.shape[-1]
    seen = side if field is None else min(field, side)
    before = (side - seen) // 2
    after = side - seen - before
    place = placement or stretched((heat.shape[1], heat.shape[2]), side, seen)
    laid = place.laid(heat)
    if laid.shape[-1] == side:
        laid = laid[..., before : side - after, before : side - after]
    return functional.pad(laid, (before, after, before, after))
