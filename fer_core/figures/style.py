"""The look of every figure: transparent ground, quiet axes, colours that hold on light and dark pages."""

from __future__ import annotations

from typing import Final

import plotly.graph_objects as go

from fer_core.labels import COLOURS, SPLITS

TRANSPARENT: Final = "rgba(0, 0, 0, 0)"
ACCENT: Final = "#3a7ca5"
WARNING: Final = "#d1495b"
MUTED: Final = "#8d93a1"
TILES: Final = ("#e4ecf1", "#2a6489")
"""Ground of a matrix cell with nothing and with the most in it: opaque, so that its number reads on any page."""
INK: Final = "#1d2733"
GRID: Final = "rgba(128, 132, 149, 0.22)"

SPLIT_COLOURS: Final = dict(zip(SPLITS, ("#3a7ca5", "#e9a820", "#d1495b"), strict=True))
SPLIT_OPACITY: Final = dict(zip(SPLITS, (1.0, 0.65, 0.4), strict=True))

EXTRA_COLOURS: Final = {"unlabelled": MUTED, "unknown": "#b8bcc6", "not_a_face": "#5c6170", "tie": "#9a8c98"}
"""Colours of the answers that are no emotion."""

SERIES: Final = ("#3a7ca5", "#e07a3f", "#6a994e", "#7b5ea7", "#d1495b", "#e9a820", "#7d8597")
"""Colours of things that are neither emotions nor splits, such as checkpoints."""


def colour_of(name: str) -> str:
    """The colour of an emotion or of an answer that is none."""
    return COLOURS.get(name) or EXTRA_COLOURS.get(name, MUTED)


def readable(name: str) -> str:
    """`not_a_face` -> `not a face`."""
    return name.replace("_", " ")


def finish(figure: go.Figure, *, height: int, x_title: str = "", y_title: str = "", legend: bool = False) -> go.Figure:
    """Gives a figure the shared look; a page may still lay its own font and theme over it."""
    figure.update_layout(
        height=height,
        paper_bgcolor=TRANSPARENT,
        plot_bgcolor=TRANSPARENT,
        margin={"l": 8, "r": 8, "t": 36 if legend else 12, "b": 8},
        showlegend=legend,
        legend={"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom", "title": ""},
        dragmode=False,
        hoverlabel={"align": "left"},
    )
    figure.update_xaxes(title=x_title or None, gridcolor=GRID, zeroline=False, automargin=True, fixedrange=True)
    figure.update_yaxes(title=y_title or None, gridcolor=GRID, zeroline=False, automargin=True, fixedrange=True)
    return figure
