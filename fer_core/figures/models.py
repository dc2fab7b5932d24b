"""Figures about checkpoints: accuracy with its interval, training curves, calibration, F1 per class."""

from __future__ import annotations

import pandas as pd
import plotly.graph_objects as go

from fer_core.figures.style import ACCENT, INK, MUTED, SERIES, WARNING, colour_of, finish, readable
from fer_core.labels import EMOTIONS, judged_by

SYMBOLS = ("circle", "diamond", "square")
FER2013 = judged_by(EMOTIONS)
HUMAN_ACCURACY = (60.0, 70.0)
"""Percent: human accuracy on FER2013 is about 65 +- 5 (Goodfellow et al. 2013, https://arxiv.org/abs/1307.0414)."""


def accuracies(table: pd.DataFrame) -> go.Figure:
    """Accuracy of each checkpoint with its 95 % interval, by evaluation set.

    Checkpoints that are judged by FER2013's labels stand first, on a band of human accuracy; people were asked for
    those labels, so the band says nothing of the others, which are named with the labels that judge them.

    Args:
        table: columns checkpoint, labels (from `judged_by`), set, accuracy, low, high (0 to 1).
    """
    by_others = table["labels"] != FER2013
    table = pd.concat([table[~by_others], table[by_others]])
    names, sets = list(dict.fromkeys(table["checkpoint"])), list(dict.fromkeys(table["set"]))
    figure = go.Figure()
    for index, name in enumerate(sets):
        part = table[table["set"] == name]
        lane = 0.22 * (index - (len(sets) - 1) / 2)
        places = [names.index(checkpoint) + lane for checkpoint in part["checkpoint"]]
        figure.add_trace(_with_interval(part, places, SERIES[index % len(SERIES)], SYMBOLS[index % len(SYMBOLS)]))
    finish(figure, height=140 + 64 * len(names), x_title="accuracy in percent (band: human accuracy)", legend=True)
    if banded := table.loc[~by_others, "checkpoint"].nunique():
        _human_band(figure, banded)
    judges = dict(zip(table["checkpoint"], table["labels"], strict=True))
    text = [name if judges[name] == FER2013 else f"{name}<br>by {judges[name]}" for name in names]
    ticks = {"tickvals": list(range(len(names))), "ticktext": text}
    return figure.update_yaxes(range=[len(names) - 0.5, -0.5], showgrid=False, **ticks)


def _human_band(figure: go.Figure, rows: int) -> None:
    """Lays human accuracy under the first `rows` rows."""
    low, high = HUMAN_ACCURACY
    across = {"x0": low, "x1": high, "y0": -0.5, "y1": rows - 0.5}
    figure.add_shape(type="rect", fillcolor=MUTED, opacity=0.16, line_width=0, layer="below", **across)


def accuracy_and_cost(table: pd.DataFrame, cost: str, title: str) -> go.Figure:
    """Accuracy on PrivateTest with its 95 % interval against what a row costs, on a logarithmic scale.

    Args:
        table: columns row, title, labels, PrivateTest, low, high (0 to 1), and `cost`; rows without one are left out.
        cost: the column to draw along.
        title: of that axis.
    """
    part, figure = table[table[cost].notna() & (table[cost] > 0)], go.Figure()
    for index, (labels, rows) in enumerate(part.groupby("labels", sort=False)):
        value, low, high = (100 * rows[column] for column in ("PrivateTest", "low", "high"))
        figure.add_scatter(
            x=rows[cost], y=value, mode="markers", name=f"judged by {labels}",
            marker={"size": 10, "color": SERIES[index], "symbol": SYMBOLS[index]},
            error_y={"type": "data", "array": high - value, "arrayminus": value - low, "thickness": 1, "width": 0},
            customdata=list(zip(rows["row"], rows["title"], strict=True)),
            hovertemplate="%{customdata[0]}: %{customdata[1]}<br>%{y:.1f} %, %{x:,.0f}<extra></extra>",
        )  # fmt: skip
    several = part["labels"].nunique() > 1  # figures by other labels cannot be compared
    finish(figure, height=420, x_title=title, y_title="PrivateTest accuracy in percent", legend=several)
    return figure.update_xaxes(type="log")


def _with_interval(part: pd.DataFrame, places: list[float], colour: str, symbol: str) -> go.Scatter:
    values, low, high = (100 * part[column] for column in ("accuracy", "low", "high"))
    interval = "95 % interval %{customdata[0]:.2f} to %{customdata[1]:.2f}"
    return go.Scatter(
        x=values,
        y=places,
        mode="markers",
        name=str(part["set"].iloc[0]),
        marker={"size": 11, "color": colour, "symbol": symbol},
        error_x={"type": "data", "array": high - values, "arrayminus": values - low, "thickness": 1.6, "width": 5},
        customdata=list(zip(low, high, part["checkpoint"], part["set"], strict=True)),
        hovertemplate=f"%{{customdata[2]}}, %{{customdata[3]}}: %{{x:.2f}} %<br>{interval}<extra></extra>",
    )


def training_curves(history: pd.DataFrame, columns: list[str], *, percent: bool = False) -> go.Figure:
    """Columns of a training history over the epochs.

    Args:
        history: column epoch, and the ones asked for.
        columns: which to draw.
        percent: the columns are fractions, to be shown in percent.
    """
    figure = go.Figure()
    for index, column in enumerate(columns):
        values = history[column] * (100 if percent else 1)
        figure.add_scatter(x=history["epoch"], y=values, mode="lines", name=readable(column),
                           line={"color": SERIES[index % len(SERIES)], "width": 2.2})  # fmt: skip
    title = "percent" if percent else ""
    finish(figure, height=340, x_title="epoch", y_title=title, legend=True)
    return figure.update_layout(hovermode="x unified")


def reliability(table: pd.DataFrame) -> go.Figure:
    """Accuracy against confidence: on the diagonal a model is as often right as it says it is.

    Args:
        table: from `prediction_tables.reliability`: lower, upper, confidence, accuracy (0 to 1), images.
    """
    figure = go.Figure()
    centres = 50 * (table["lower"] + table["upper"])
    hover = "said %{x:.0f} %, right %{y:.1f} %<br>%{customdata:,} images<extra></extra>"
    figure.add_bar(x=centres, y=100 * table["accuracy"], width=100 * (table["upper"] - table["lower"]) * 0.92,
                   marker_color=ACCENT, opacity=0.75, customdata=table["images"], name="accuracy",
                   hovertemplate=hover)  # fmt: skip
    diagonal = {"color": WARNING, "width": 2, "dash": "dash"}
    figure.add_scatter(
        x=[0, 100], y=[0, 100], mode="lines", line=diagonal, hoverinfo="skip", name="perfectly calibrated"
    )
    finish(figure, height=360, x_title="confidence in percent", y_title="accuracy in percent", legend=True)
    figure.update_xaxes(range=[0, 100])
    return figure.update_yaxes(range=[0, 100])


def per_class_f1(table: pd.DataFrame) -> go.Figure:
    """F1, precision and recall of each emotion: a bar with two marks.

    Args:
        table: from `prediction_tables.per_class_table`.
    """
    names = [readable(name) for name in table["emotion"]]
    figure = go.Figure()
    figure.add_bar(x=names, y=table["f1"], marker_color=[colour_of(name) for name in table["emotion"]], name="F1",
                   hovertemplate="%{x}: F1 %{y:.3f}<extra></extra>")  # fmt: skip
    for column, symbol in (("precision", "triangle-up"), ("recall", "circle")):
        marker = {"symbol": symbol, "size": 9, "color": "white", "line": {"color": INK, "width": 1.5}}
        hover = f"%{{x}}: {column} %{{y:.3f}}<extra></extra>"
        figure.add_scatter(x=names, y=table[column], mode="markers", marker=marker, name=column, hovertemplate=hover)
    finish(figure, height=340, legend=True)
    return figure.update_yaxes(range=[0, 1])
