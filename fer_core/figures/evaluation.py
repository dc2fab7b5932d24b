"""Figures about ways to judge a model: one model under every protocol, and how it bears corrupted faces."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from fer_core.evaluation.protocols import CLAIMS
from fer_core.figures.models import FER2013, accuracies
from fer_core.figures.style import SERIES, finish, readable

CLEAN: Final = "clean"
PROTOCOL_COLUMNS: Final = (
    *("checkpoint", "protocol", "images", "distinct", "accuracy", "low", "high", "macro F1"),
    *("own leak", "own leak share", "learnt", "learnt share", "published by others"),
)


def protocol_table(rows: Sequence[dict[str, Any]]) -> pd.DataFrame:
    """The rows of `scripts.protocols` as a table for people.

    Returns:
        `PROTOCOL_COLUMNS`: test images and how many of them differ; accuracy, its interval low to high and macro F1
        from 0 to 1; `own leak`, the test images with a copy in what the protocol trains on; `learnt`, those with a copy
        in what this model was trained on; both as shares of the test images, too; what others report.
    """
    table = pd.DataFrame(list(rows))
    bounds = table.pop("accuracy_interval")
    table = table.assign(low=[low for low, _ in bounds], high=[high for _, high in bounds])
    table = table.rename(columns={"n": "images", "macro_f1": "macro F1", "own_leak": "own leak", "leak": "learnt"})
    for count in ("own leak", "learnt"):
        table[f"{count} share"] = table[count] / table["images"]
    table["published by others"] = [CLAIMS.get(name, "") for name in table["protocol"]]
    return table[list(PROTOCOL_COLUMNS)]


def protocols(table: pd.DataFrame, judge: str = FER2013) -> go.Figure:
    """Accuracy under each protocol with its 95 % interval; under its name the share of its test images that leak.

    Besides the protocol's own leak each name says what part of the test images the first model of the table has learnt;
    a model that was trained under the protocol has learnt its own leak.

    Args:
        table: from `protocol_table`.
        judge: the labels that its models are judged by, from `judged_by`.
    """
    first = table.groupby("protocol").first()
    lanes = {
        str(name): f"{readable(str(name))}<br>own leak {own:.0%}, learnt {learnt:.0%}"
        for name, own, learnt in zip(first.index, first["own leak share"], first["learnt share"], strict=True)
    }
    return accuracies(table.assign(set=table["checkpoint"], checkpoint=table["protocol"].map(lanes), labels=judge))


def robustness(table: pd.DataFrame) -> go.Figure:
    """Accuracy over the strength of each corruption; strength 0 is the face as it is.

    Args:
        table: columns corruption (`clean` for faces as they are), strength, accuracy (0 to 1).
    """
    figure = go.Figure()
    clean = table.loc[table["corruption"] == CLEAN, "accuracy"]
    corrupted = table[table["corruption"] != CLEAN]
    for index, (name, part) in enumerate(corrupted.groupby("corruption", sort=False)):
        figure.add_scatter(
            x=[*[0] * len(clean), *part["strength"]],
            y=100 * np.concatenate([clean, part["accuracy"]]),
            mode="lines+markers",
            name=readable(str(name)),
            line={"color": SERIES[index % len(SERIES)], "width": 2.2},
            hovertemplate=f"{readable(str(name))}, strength %{{x}}: %{{y:.1f}} %<extra></extra>",
        )
    return finish(figure, height=360, x_title="strength", y_title="accuracy in percent", legend=True)
