"""Figures about a dataset: class balance, duplicates, leakage, outliers, crowd votes."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from fer_core.figures.style import ACCENT, MUTED, SPLIT_COLOURS, SPLIT_OPACITY, WARNING, colour_of, finish, readable
from fer_core.labels import ink_on


def class_counts(counts: pd.DataFrame) -> go.Figure:
    """Faces per emotion, the splits stacked from dark to pale.

    Args:
        counts: index split, columns emotion.
    """
    figure = go.Figure()
    colours = [colour_of(name) for name in counts.columns]
    names = [readable(name) for name in counts.columns]
    for split, line in counts.iterrows():
        marker = {"color": colours, "opacity": SPLIT_OPACITY[str(split)]}
        hover = f"%{{x}}, {split}: %{{y:,}} faces<extra></extra>"
        figure.add_bar(x=names, y=line.to_numpy(), name=str(split), marker=marker, hovertemplate=hover)
    figure.update_layout(barmode="stack", bargap=0.25)
    return finish(figure, height=380, y_title="faces")


def class_shares(shares: pd.DataFrame) -> go.Figure:
    """What part of each split each emotion is: one bar a split, its parts sum to 100 %.

    Args:
        shares: index split, columns emotion, values 0 to 1.
    """
    figure = go.Figure()
    splits = [str(split) for split in shares.index]
    for emotion in shares.columns:
        percent = 100 * shares[emotion].to_numpy(float)
        text = [f"{value:.0f} %" if value >= 6 else "" for value in percent]
        hover = f"{readable(emotion)}: %{{x:.1f}} % of %{{y}}<extra></extra>"
        colour = colour_of(emotion)
        figure.add_bar(
            x=percent, y=splits, orientation="h", name=readable(emotion), marker_color=colour, text=text,
            textposition="inside", insidetextanchor="middle", textangle=0, textfont={"color": ink_on(colour)},
            hovertemplate=hover,
        )  # fmt: skip
    figure.update_layout(barmode="stack", bargap=0.3)
    finish(figure, height=120 + 70 * len(splits), x_title="percent of the split", legend=True)
    figure.update_yaxes(autorange="reversed")
    return figure.update_xaxes(range=[0, 100])


def votes_against_labels(labels: pd.Series, votes: pd.Series) -> go.Figure:
    """Shares of the labels (solid) beside shares of the crowd's votes (pale).

    Args:
        labels: index emotion, values 0 to 1.
        votes: index answer, values 0 to 1.
    """
    names = list(votes.index)
    figure = go.Figure()
    for series, title, opacity in ((labels.reindex(names), "labels", 1.0), (votes, "FER+ votes", 0.45)):
        marker = {"color": [colour_of(name) for name in names], "opacity": opacity}
        hover = f"%{{x}}: %{{y:.1f}} % of the {title}<extra></extra>"
        x, y = [readable(name) for name in names], 100 * series.to_numpy(float)
        figure.add_bar(x=x, y=y, name=title, marker=marker, hovertemplate=hover)
    figure.update_layout(barmode="group", bargap=0.2)
    return finish(figure, height=360, y_title="percent")


def group_sizes(sizes: pd.Series) -> go.Figure:
    """How many groups of identical images there are of each size, on a logarithmic axis.

    Args:
        sizes: index group size, values number of groups.
    """
    figure = go.Figure()
    hover = "%{y:,} groups of %{x} images<extra></extra>"
    x = [str(size) for size in sizes.index]
    figure.add_bar(x=x, y=sizes.to_numpy(), marker_color=ACCENT, text=[f"{value:,}" for value in sizes],
                   textposition="outside", cliponaxis=False, hovertemplate=hover)  # fmt: skip
    finish(figure, height=320, x_title="images in the group", y_title="groups")
    figure.update_xaxes(type="category")
    top = float(np.log10(max(sizes.max(), 1))) if len(sizes) else 1.0
    return figure.update_yaxes(type="log", range=[-0.3, top + 0.4], dtick=1)


def leakage(table: pd.DataFrame) -> go.Figure:
    """Share of each test split that has a byte-identical twin in Training.

    Args:
        table: index split, columns images, twins, share (0 to 1).
    """
    percent = 100 * table["share"].to_numpy(float)
    splits = [str(split) for split in table.index]
    text = [f"{twins:,} of {images:,}" for twins, images in zip(table["twins"], table["images"], strict=True)]
    figure = go.Figure()
    colours = [SPLIT_COLOURS.get(split, MUTED) for split in splits]
    figure.add_bar(x=percent, y=splits, orientation="h", marker_color=colours, text=text, textposition="outside",
                   cliponaxis=False, hovertemplate="%{y}: %{x:.1f} % (%{text})<extra></extra>")  # fmt: skip
    finish(figure, height=110 + 50 * len(splits), x_title="percent of the split")
    figure.update_yaxes(autorange="reversed")
    return figure.update_xaxes(range=[0, max(float(percent.max(initial=0)) * 1.45, 1)])


def outlier_scores(scores: pd.Series, *, threshold: float, end: float = 15.0) -> go.Figure:
    """Histogram of the outlier score, counts on a logarithmic axis, with a line at the threshold.

    Args:
        scores: one per image; larger is odder.
        threshold: from here on an image counts as an outlier.
        end: larger scores are counted in the last bar.
    """
    counts, edges = np.histogram(np.minimum(scores.dropna().to_numpy(float), end), bins=60, range=(0, end))
    centres = (edges[:-1] + edges[1:]) / 2
    spans = [f"{low:.2f} to {high:.2f}" for low, high in pairwise(edges)]
    spans[-1] = f"{edges[-2]:.2f} and more"
    figure = go.Figure()
    figure.add_bar(x=centres, y=counts, width=np.diff(edges), marker_color=ACCENT, customdata=spans,
                   hovertemplate="score %{customdata}: %{y:,} images<extra></extra>")  # fmt: skip
    figure.add_vline(x=threshold, line={"color": WARNING, "width": 2, "dash": "dot"})
    finish(figure, height=300, x_title="outlier score", y_title="images")
    return figure.update_yaxes(type="log", dtick=1)


def agreement(crowd: pd.DataFrame) -> go.Figure:
    """Mean share of a face's FER+ votes that went to its FER2013 label, per label.

    Args:
        crowd: from `dataset_tables.crowd_view`.
    """
    means = crowd.groupby("label")["agreement"].mean().mul(100).sort_values()
    figure = go.Figure()
    figure.add_bar(
        x=means.to_numpy(), y=[readable(name) for name in means.index], orientation="h",
        marker_color=[colour_of(str(name)) for name in means.index], text=[f"{value:.0f} %" for value in means],
        textposition="outside", cliponaxis=False, hovertemplate="%{y}: %{x:.1f} % of the votes<extra></extra>",
    )  # fmt: skip
    finish(figure, height=110 + 34 * len(means), x_title="percent of the votes that went to the label")
    return figure.update_xaxes(range=[0, 105])
