"""The frame of a page: heading, figure with its explanation, key figures, empty states."""

from __future__ import annotations

from collections.abc import Sequence
from math import isnan

import plotly.graph_objects as go
import streamlit as st

from webapp.dashboard import resources, state

CHART_OPTIONS = {"displaylogo": False, "scrollZoom": False, "displayModeBar": False}


def heading(title: str, lead: str) -> None:
    """The page's title and one sentence on what it answers."""
    st.title(title)
    st.markdown(lead)
    if problem := resources.dataset_problem():
        st.warning(f"The dataset that the app was started with cannot be shown, so this is what ships. {problem}")


def figure(chart: go.Figure, key: str, explanation: str) -> None:
    """A figure, and under it what is seen and what it means, which is also its text for those who do not see it."""
    st.plotly_chart(chart, key=key, config=CHART_OPTIONS, alt=explanation)
    st.caption(explanation)


def key_figures(figures: Sequence[tuple[str, str, str]]) -> None:
    """(name, value, explanation) of each, side by side where there is room and wrapped where there is not."""
    with st.container(horizontal=True):
        for name, value, explanation in figures:
            st.metric(name, value, help=explanation or None, border=True, width=146)


def imbalance(ratio: float) -> tuple[str, str]:
    """A split's ratio of its largest class to its smallest, and what that says, as `key_figures` takes them."""
    if isnan(ratio):
        return "–", "no image of this split has a label"
    return f"{ratio:.1f} : 1", "faces of the largest class for one of the smallest; 1 is balanced"


def reset_button(page: str) -> None:
    """Puts the page's filters back."""
    st.button("Reset filters", key=f"reset_{page}", on_click=state.reset, args=(page,))


def no_dataset() -> None:
    """What a dataset page says where there is neither a profile nor a dataset."""
    st.info(
        "There is nothing to show yet: the profile of FER2013 is not part of this copy, and no dataset was named. "
        "Start the app with one: `python -m webapp --data PATH`."
    )


def no_checkpoints() -> None:
    """What a model page says where there is no checkpoint with predictions."""
    st.info(
        "There is no checkpoint with predictions yet. Train one with `python -m scripts.train vgg_se --data DIR --out "
        "runs/NAME`, then `python -m scripts.publish runs/NAME --data DIR --name NAME`."
    )


def no_faces() -> None:
    """What stands where faces would be."""
    st.caption("The faces themselves appear here once the app is started with a copy of the dataset (`--data PATH`).")
