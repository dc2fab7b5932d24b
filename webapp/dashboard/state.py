"""Every session-state key of the dashboard, its default, and the callbacks that write them.

The filters of a page are bound to its address under these keys: they outlast a visit to another page and a reload, and
a link carries them. An address leaves out what a widget shows by default, so a filter's default must be its widget's
own, and what a filter says is known only after its widget was drawn. When a page is left, Streamlit 1.67 adds its
address without filters to the browser's history, so Back brings them back at its second press only.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

import streamlit as st

from fer_core.figures.matrix import clicked_cell
from fer_core.labels import SPLITS

ANY: Final = "any"
"""Choice of a selectbox that filters nothing."""
OFFICIAL: Final = "official"
DEDUPLICATED: Final = "deduplicated"

BALANCE_SPLITS: Final = "balance_splits"
BALANCE_SHARES: Final = "balance_view"
GROUP_KIND: Final = "group_kind"
GROUP_SCOPE: Final = "group_scope"
GROUP_PAGE: Final = "group_page"
GROUP_CHOSEN: Final = "group_chosen"
OUTLIER_SPLIT: Final = "outlier_split"
OUTLIER_LABEL: Final = "outlier_label"
OUTLIER_PAGE: Final = "outlier_page"
CROWD_CHART: Final = "crowd_chart"
CROWD_LABEL: Final = "crowd_label"
CROWD_MAJORITY: Final = "crowd_majority"
CROWD_SPLIT: Final = "crowd_split"
CROWD_DIAGONAL: Final = "crowd_hide_agreement"
CROWD_PAGE: Final = "crowd_page"
DOUBT_PAGE: Final = "doubt_page"
CHECKPOINT: Final = "checkpoint"
SPLIT: Final = "split"
PROTOCOL: Final = "protocol"
NORMALISE: Final = "normalise"
HIDE_DIAGONAL: Final = "hide_diagonal"
THRESHOLD: Final = "threshold"
MATRIX: Final = "confusion_chart"
TRUE: Final = "true_emotion"
PREDICTED: Final = "predicted_emotion"
CELL_PAGE: Final = "cell_page"
AGAINST: Final = "against"
AGAINST_SPLIT: Final = "against_split"
STUDY: Final = "study"
COST: Final = "cost"

COUNTS: Final = "Counts"
SHARES: Final = "Shares"

DEFAULTS: Final[Mapping[str, Mapping[str, Any]]] = {
    "balance": {BALANCE_SPLITS: list(SPLITS), BALANCE_SHARES: COUNTS},
    "duplicates": {GROUP_KIND: "exact", GROUP_SCOPE: "all groups"},
    "outliers": {OUTLIER_SPLIT: ANY, OUTLIER_LABEL: ANY},
    "noise": {CROWD_SPLIT: ANY, CROWD_DIAGONAL: True, CROWD_LABEL: ANY, CROWD_MAJORITY: ANY},
    "confusion": {
        SPLIT: SPLITS[2],
        PROTOCOL: OFFICIAL,
        NORMALISE: False,
        HIDE_DIAGONAL: False,
        THRESHOLD: 0,
        TRUE: ANY,
        PREDICTED: ANY,
    },
}
"""Per page what its filters are before anyone touched them, as their widgets say it, too."""

LISTS: Final[Mapping[str, str]] = {
    "duplicates": GROUP_PAGE,
    "outliers": OUTLIER_PAGE,
    "noise": CROWD_PAGE,
    "confusion": CELL_PAGE,
}
"""Per page the list that its filters narrow."""


def reset(page: str) -> None:
    """Callback: puts the page's filters back."""
    for key, value in DEFAULTS[page].items():
        st.session_state[key] = value
    if page in LISTS:
        to_first_page(LISTS[page])


def page_key(name: str) -> str:
    """Key of the page buttons of a list; it changes when the list is to start over, so that they do too."""
    return f"{name}_{st.session_state.get(f'{name}_starts', 0)}"


def to_first_page(name: str) -> None:
    """Callback: turns a list back to its first page, for when its filter changed."""
    counter = f"{name}_starts"
    st.session_state[counter] = st.session_state.get(counter, 0) + 1


def kept(key: str, *, turns: str = "") -> dict[str, Any]:
    """Arguments of a filter's widget: session and address keep its value.

    Args:
        key: of the value; also its name in the address.
        turns: the list that it narrows, which a change turns back to its first page.
    """
    turning = {"on_change": to_first_page, "args": (turns,)} if turns else {}
    return {"key": key, "bind": "query-params", **turning}


def take_click(chart: str, row_key: str, column_key: str, list_name: str) -> None:
    """Callback of a clickable matrix: writes the clicked cell into the two selectboxes; a second click lets it go."""
    points = st.session_state[chart]["selection"]["points"]
    cell = next((cell for cell in map(clicked_cell, points) if cell), None)
    st.session_state[row_key], st.session_state[column_key] = cell or (ANY, ANY)
    to_first_page(list_name)


def keep_valid(key: str, options: Iterable[Any]) -> None:
    """Forgets a choice that the present data does not offer."""
    options = list(options)
    if key in st.session_state and st.session_state[key] not in options:
        st.session_state[key] = options[0]
