"""CNN-LSTM: the rows of the feature map, from forehead to chin, read as a sequence.

The studies of FER2013 that report a "CNN-LSTM" hand the map of a small CNN to a recurrent layer as a sequence; the
recurrent cell is that of Hochreiter & Schmidhuber 1997 (https://doi.org/10.1162/neco.1997.9.8.1735). Here: a trunk of
three stages, its 12 rows of 12x128 numbers, one recurrent layer, the last state (of a two-way one: both ends). The
variants: both directions (Schuster & Paliwal 1997), gated recurrent units (Cho et al. 2014), and additive attention
over the rows in place of the last state (Bahdanau et al. 2015).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from fer_core.models.attention import AttentionKind, note
from fer_core.models.base import FerModel, register_model
from fer_core.models.layers.trunk import conv_trunk, trunk_side

WIDTHS = (32, 64, 128)
SMALL = {"widths": (8, 8, 16), "hidden": 16}


class CnnRecurrent(FerModel):
    """A trunk, a recurrent layer over its rows, a linear head.

    Args:
        num_classes: of the head.
        widths: channels of the trunk's stages.
        hidden: width of the recurrent state, of each direction.
        cell: `nn.LSTM` or `nn.GRU`.
        both_ways: whether it also reads from the chin up.
        attention: whether all rows' states count, weighed, and not only the last.
        dropout: in front of the head; half of it between the trunk's stages.
    """

    def __init__(
        self,
        num_classes: int,
        widths: tuple[int, ...],
        hidden: int,
        *,
        cell: type[nn.LSTM] | type[nn.GRU] = nn.LSTM,
        both_ways: bool = False,
        attention: bool = False,
        dropout: float,
    ) -> None:
        super().__init__()
        widths = tuple(widths)
        self.trunk = conv_trunk(widths, dropout / 2)
        self.recurrent = cell(widths[-1] * trunk_side(widths), hidden, batch_first=True, bidirectional=both_ways)
        self.hidden, self.both_ways = hidden, both_ways
        self.feature_width = hidden * (2 if both_ways else 1)
        self.attention = RowAttention(self.feature_width) if attention else None
        self.dropout = nn.Dropout(dropout)
        self.head = nn.Linear(self.feature_width, num_classes)

    def features(self, x: Tensor) -> Tensor:
        """(B, 1, 48, 48) -> (B, D)."""
        rows = self.trunk(x).transpose(1, 2).flatten(2)  # (B, h, K * w)
        states, _ = self.recurrent(rows)  # (B, h, D)
        read: Tensor = self.attention(states) if self.attention is not None else self._last(states)
        features: Tensor = self.dropout(read)
        return features

    def _last(self, states: Tensor) -> Tensor:
        """The states after the last row that each direction read."""
        if not self.both_ways:
            return states[:, -1]
        return torch.cat([states[:, -1, : self.hidden], states[:, 0, self.hidden :]], dim=1)

    @property
    def cam_layer(self) -> nn.Module:
        return self.trunk


class RowAttention(nn.Module):
    """Additive attention: a weight for each row's state, and their weighted sum."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.score = nn.Sequential(nn.Linear(width, width), nn.Tanh(), nn.Linear(width, 1, bias=False))

    def forward(self, states: Tensor) -> Tensor:
        """(B, T, D) -> (B, D)."""
        weights = torch.softmax(self.score(states).squeeze(2), dim=1)  # (B, T)
        note(self, AttentionKind.SEQUENCE, weights, grid=(states.shape[1], 1))
        return (weights[:, None] @ states).squeeze(1)


@register_model(
    "cnn_lstm",
    title="CNN-LSTM over the rows of the face",
    paper="https://doi.org/10.1162/neco.1997.9.8.1735",
    small=SMALL,
)
def cnn_lstm(
    num_classes: int = 7, widths: tuple[int, ...] = WIDTHS, hidden: int = 128, dropout: float = 0.3
) -> FerModel:
    """Rows from the forehead to the chin; what the LSTM remembers at the end."""
    return CnnRecurrent(num_classes, widths, hidden, dropout=dropout)


@register_model(
    "cnn_bilstm",
    title="CNN-LSTM that reads the rows both ways",
    paper="https://doi.org/10.1109/78.650093",
    small=SMALL,
)
def cnn_bilstm(
    num_classes: int = 7, widths: tuple[int, ...] = WIDTHS, hidden: int = 128, dropout: float = 0.3
) -> FerModel:
    """As `cnn_lstm`, and from the chin up as well."""
    return CnnRecurrent(num_classes, widths, hidden, both_ways=True, dropout=dropout)


@register_model(
    "cnn_gru",
    title="CNN with gated recurrent units over the rows",
    paper="https://arxiv.org/abs/1406.1078",
    small=SMALL,
)
def cnn_gru(
    num_classes: int = 7, widths: tuple[int, ...] = WIDTHS, hidden: int = 128, dropout: float = 0.3
) -> FerModel:
    """As `cnn_lstm` with the simpler cell."""
    return CnnRecurrent(num_classes, widths, hidden, cell=nn.GRU, dropout=dropout)


@register_model(
    "cnn_lstm_attention",
    title="CNN-LSTM with attention over the rows",
    paper="https://arxiv.org/abs/1409.0473",
    small=SMALL,
)
def cnn_lstm_attention(
    num_classes: int = 7, widths: tuple[int, ...] = WIDTHS, hidden: int = 128, dropout: float = 0.3
) -> FerModel:
    """As `cnn_bilstm`, with the weighted sum of all rows' states."""
    return CnnRecurrent(num_classes, widths, hidden, both_ways=True, attention=True, dropout=dropout)
