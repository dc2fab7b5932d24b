"""Several networks as one model, so that what looks into a network can look into an ensemble of them, too."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from fer_core.models.base import FerModel


@dataclass(frozen=True)
class Seat:
    """A network in a committee.

    Attributes:
        model: the network, in eval mode.
        weight: of its logits in the committee's.
        gain, offset: turn the committee's input into the network's own, x * gain + offset, where the two were
            normalised by other means.
    """

    model: FerModel
    weight: float = 1.0
    gain: float = 1.0
    offset: float = 0.0


class Committee(FerModel):
    """The weighted sum of its members' logits.

    Such a sum stands for the weighted geometric mean of their probabilities. Because it is linear in the members, its
    gradients are the same sum of theirs.

    Args:
        seats: at least one; all members have the same classes.
    """

    def __init__(self, seats: Sequence[Seat]) -> None:
        super().__init__()
        self.members = nn.ModuleList(seat.model for seat in seats)
        self.inputs = [(seat.gain, seat.offset) for seat in seats]
        fields = [seat.model.field for seat in seats]
        self.field = None if None in fields else max(field for field in fields if field is not None)
        self.head = WeightedSum(torch.tensor([seat.weight for seat in seats]))

    def features(self, x: Tensor) -> Tensor:
        """(B, 1, H, W) -> (B, members * C): what each member says."""
        said = []
        for member, (gain, offset) in zip(self.members, self.inputs, strict=True):
            own = x if (gain, offset) == (1.0, 0.0) else x * gain + offset
            said.append(member(own))
        return torch.cat(said, 1)

    @property
    def cam_layers(self) -> tuple[nn.Module, ...]:
        return tuple(layer for member in self.members for layer in member.cam_layers)  # type: ignore[union-attr]


class WeightedSum(nn.Module):
    """(B, M * C) -> (B, C).

    Args:
        weights: (M,).
    """

    weights: Tensor

    def __init__(self, weights: Tensor) -> None:
        super().__init__()
        self.register_buffer("weights", weights)

    def forward(self, said: Tensor) -> Tensor:
        """(B, M * C) logits of the members, one after another -> (B, C)."""
        each = said.unflatten(1, (len(self.weights), -1))
        return (each * self.weights[:, None]).sum(1)
