"""Channel attention: the gates of squeeze-and-excitation (Hu, Shen, Sun 2018, https://arxiv.org/abs/1709.01507)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fer_core.errors import ConfigError
from fer_core.explain.attention import LAYER, AttentionExplainer, chosen_layer
from fer_core.explain.bars import bars, between
from fer_core.explain.base import register_explainer
from fer_core.explain.controls import IntControl

if TYPE_CHECKING:
    import numpy as np
    from torch import Tensor

    from fer_core.explain.tracing import PlacedMap
    from fer_core.models.base import FerModel

MOST_CHANNELS = 8


@register_explainer
class ChannelAttention(AttentionExplainer):
    """The strength of the map behind its gates: the mean over the channels of gate times absolute value, or one.

    A gate holds for a whole channel, so that what is shown is where the open channels are active.
    """

    name = "channel_attention"
    title = "Channel attention"
    description = "Shows where the features lie that squeeze-and-excitation lets through; the same for all emotions."
    paper = "https://arxiv.org/abs/1709.01507"
    kind = "channels"
    noun = "the gates of squeeze-and-excitation"
    controls = (
        LAYER,
        IntControl(
            "channel",
            "Channel",
            0,
            0,
            MOST_CHANNELS,
            "1 is the channel with the widest open gate; 0 shows all channels.",
        ),
    )

    def numbers(self, model: FerModel, faces: Tensor, **options: Any) -> dict[str, Any]:
        """`layer`: its number, from 1; `gates`: of its channels in their order, each in [0, 1]."""
        maps = self.maps(model, faces)
        gates = chosen_layer(maps, options["layer"]).weights[0]
        return {"layer": options["layer"] or len(maps), "gates": gates.tolist()}

    def pictures(self, model: FerModel, faces: Tensor, crop: np.ndarray, **options: Any) -> dict[str, np.ndarray]:
        gates = chosen_layer(self.maps(model, faces), options["layer"]).weights[0].cpu().numpy()
        span = between(float(gates.min()), float(gates.max()))
        return {f"gates of {len(gates)} channels, widest first: {span}": bars(gates)}

    def heat(self, maps: list[PlacedMap], **options: Any) -> Tensor:
        found = chosen_layer(maps, options["layer"])
        assert found.values is not None
        passed = found.weights[:, :, None, None] * found.values.abs()  # (N, K, h, w)
        if not options["channel"]:
            return passed.mean(1)
        if options["channel"] > passed.shape[1]:
            raise ConfigError(f"channel ({options['channel']}) must be at most {passed.shape[1]} in this layer")
        widest = found.weights.argsort(1, descending=True)[:, options["channel"] - 1]  # (N,)
        return passed[range(len(passed)), widest]
