"""Matrices as figures whose cells can be clicked, and the same as a picture.

A click on a Plotly heatmap reaches no selection event in some toolkits, so invisible square markers lie over the cells:
they carry the click, and in `customdata` the cell's two names.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
import plotly.graph_objects as go
from PIL import Image, ImageDraw, ImageFont

from fer_core.figures.style import ACCENT, INK, TILES, TRANSPARENT, WARNING, finish, readable

DARK = 0.7
"""From this part of the largest value on a cell is so dark that a white number reads better on it."""
WIDE = 8
"""Matrices with more columns get smaller and shorter numbers."""
CELLS = "cells"
"""Name of the trace of markers that carries the clicks."""


def confusion_matrix(
    counts: np.ndarray,
    labels: tuple[str, ...],
    *,
    normalise: bool = False,
    hide_diagonal: bool = False,
    threshold: int = 0,
    chosen: tuple[str, str] | None = None,
) -> go.Figure:
    """True emotions (rows) against predicted ones (columns).

    Args:
        counts: int (K, K), rows true, columns predicted.
        labels: the K emotions.
        normalise: show each cell as percent of its row instead of as a count.
        hide_diagonal: leave the right answers out, so that the colours compare the mistakes.
        threshold: leave out cells with fewer images than this.
        chosen: (true, predicted) of the cell to outline.
    """
    table = pd.DataFrame(counts, index=list(labels), columns=list(labels))
    shown = table.to_numpy() >= max(threshold, 0)
    if hide_diagonal:
        shown &= ~np.eye(len(labels), dtype=bool)
    return cross_table(table, shown=shown, normalise=normalise, chosen=chosen, titles=("predicted", "true"))


def cross_table(
    table: pd.DataFrame,
    *,
    shown: np.ndarray | None = None,
    normalise: bool = False,
    chosen: tuple[str, str] | None = None,
    titles: tuple[str, str] = ("", ""),
    unit: str = "images",
) -> go.Figure:
    """Counts of one category (index) against another (columns), darker where there are more.

    Args:
        table: int counts.
        shown: bool, the table's shape; cells to leave empty are False (default: all shown).
        normalise: show each cell as percent of its row instead of as a count.
        chosen: (row name, column name) of the cell to outline.
        titles: of the horizontal and of the vertical axis.
        unit: what is counted, for the hover text.
    """
    counts = table.to_numpy(float)
    share = 100 * counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    values = np.where(np.ones_like(counts, bool) if shown is None else shown, share if normalise else counts, np.nan)
    columns = [readable(str(name)) for name in table.columns]
    rows = [readable(str(name)) for name in table.index]
    figure = go.Figure(_heat(values, columns, rows))
    for trace in _numbers(values, columns, rows, normalise):
        figure.add_trace(trace)
    figure.add_trace(_markers(table, share, columns, rows, titles, unit))
    if chosen is not None and chosen[0] in table.index and chosen[1] in table.columns:
        _outline(figure, x=list(table.columns).index(chosen[1]), y=list(table.index).index(chosen[0]))
    finish(figure, height=120 + 52 * len(rows), x_title=titles[0], y_title=titles[1])
    figure.update_xaxes(showgrid=False, tickangle=-40)
    figure.update_yaxes(showgrid=False, autorange="reversed")
    return figure.update_layout(clickmode="event+select", hovermode="closest", hoverdistance=80)


def clicked_cell(point: dict[str, object]) -> tuple[str, str] | None:
    """(row name, column name) of a selected point of such a figure; None where it is no cell."""
    names = point.get("customdata")
    if isinstance(names, dict):  # some front ends number the fields: {"0": ..., "1": ...}
        names = [names[key] for key in sorted(names, key=int)]
    if not isinstance(names, list | tuple) or len(names) < 2:
        return None
    return str(names[0]), str(names[1])


def confusion_picture(counts: np.ndarray, labels: tuple[str, ...], *, normalise: bool = False) -> Image.Image:
    """The confusion matrix as a picture (RGB, white ground) for a paper or a slide; needs no browser."""
    size, left, top = 84, 130, 24
    side = size * len(labels)
    picture = Image.new("RGB", (left + side + 24, top + side + 84), "white")
    draw, font = ImageDraw.Draw(picture), ImageFont.load_default(18)
    share = counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    for (row, column), value in np.ndenumerate(share):
        x, y = left + column * size, top + row * size
        draw.rectangle((x, y, x + size - 2, y + size - 2), fill=_blend(float(value)))
        text = f"{100 * value:.1f}" if normalise else f"{int(counts[row, column]):,}"
        draw.text((x + size / 2, y + size / 2), text, "white" if value > 0.45 else "black", font=font, anchor="mm")
    for index, name in enumerate(labels):
        draw.text((left - 10, top + (index + 0.5) * size), readable(name), "black", font=font, anchor="rm")
        draw.text((left + (index + 0.5) * size, top + side + 16), readable(name), "black", font=font, anchor="mm")
    unit = "percent of the true emotion" if normalise else "images"
    caption = f"rows: true, columns: predicted; {unit}"
    draw.text((left + side / 2, top + side + 56), caption, "black", font=font, anchor="mm")
    return picture


def _heat(values: np.ndarray, columns: list[str], rows: list[str]) -> go.Heatmap:
    scale = [[0, TILES[0]], [1, TILES[1]]]
    return go.Heatmap(
        z=values, x=columns, y=rows, zmin=0, colorscale=scale, showscale=False, hoverinfo="skip", xgap=2, ygap=2
    )


def _numbers(values: np.ndarray, columns: list[str], rows: list[str], percent: bool) -> list[go.Scatter]:
    """Dark figures on the light cells, light ones on the dark."""
    top = np.nanmax(values) if np.isfinite(values).any() else 1.0
    wide = len(columns) > WIDE
    traces = []
    for on_dark, colour in ((False, INK), (True, "white")):
        places = np.argwhere(np.isfinite(values) & ((values > DARK * top) == on_dark))
        text = [f"{values[r, c]:.1f}" if percent else _count(int(values[r, c]), wide) for r, c in places]
        font = {"size": 10 if wide else 13, "color": colour}
        x, y = [columns[c] for _, c in places], [rows[r] for r, _ in places]
        traces.append(go.Scatter(x=x, y=y, text=text, mode="text", textfont=font, hoverinfo="skip", name="numbers"))
    return traces


def _count(value: int, short: bool) -> str:
    """`1,395`, or `1.4k` where a phone has no room for that."""
    return f"{value / 1000:.1f}k" if short and value >= 1000 else f"{value:,}"


def _markers(
    table: pd.DataFrame, share: np.ndarray, columns: list[str], rows: list[str], titles: tuple[str, str], unit: str
) -> go.Scatter:
    places = list(np.ndindex(table.shape))
    data = [
        [str(table.index[r]), str(table.columns[c]), f"{int(table.iat[r, c]):,}", f"{share[r, c]:.1f}"]
        for r, c in places
    ]
    across, down = titles[0] or "column", titles[1] or "row"
    hover = f"{down} %{{y}}, {across} %{{x}}<br>%{{customdata[2]}} {unit}, %{{customdata[3]}} % of the row"
    unseen = {"marker": {"opacity": 0}}
    return go.Scatter(
        x=[columns[c] for _, c in places],
        y=[rows[r] for r, _ in places],
        customdata=data,
        mode="markers",
        marker={"symbol": "square", "size": 36, "color": TRANSPARENT, "opacity": 0},
        selected=unseen,
        unselected=unseen,
        hovertemplate=hover + "<extra></extra>",
        name=CELLS,
    )


def _outline(figure: go.Figure, *, x: int, y: int) -> None:
    line = {"color": WARNING, "width": 3}
    figure.add_shape(type="rect", x0=x - 0.48, x1=x + 0.48, y0=y - 0.48, y1=y + 0.48, line=line)


def _blend(share: float) -> tuple[int, int, int]:
    """White at 0, the accent colour at 1."""
    accent = tuple(int(ACCENT[i : i + 2], 16) for i in (1, 3, 5))
    red, green, blue = (round(255 + (channel - 255) * share) for channel in accent)
    return red, green, blue
