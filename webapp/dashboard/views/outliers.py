"""Outliers: constant images and those unlike all others."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from fer_core.data.audit.outliers import THRESHOLD
from fer_core.figures import dataset as figures
from fer_core.figures import dataset_tables
from fer_core.labels import SPLITS
from webapp.dashboard import resources, state
from webapp.dashboard.components import layout, lists


def filters(rows: pd.DataFrame) -> tuple[str, str]:
    labels = [state.ANY, *dataset_tables.class_names(rows)]
    with st.container(horizontal=True, vertical_alignment="bottom"):
        splits = [state.ANY, *SPLITS]
        split = st.selectbox("Split", splits, width=180, **state.kept(state.OUTLIER_SPLIT, turns=state.OUTLIER_PAGE))
        label = st.selectbox("Label", labels, width=180, **state.kept(state.OUTLIER_LABEL, turns=state.OUTLIER_PAGE))
        layout.reset_button("outliers")
    return split, label


def narrowed(table: pd.DataFrame, split: str, label: str) -> pd.DataFrame:
    mask = pd.Series(True, index=table.index)
    if split != state.ANY:
        mask &= table["split"] == split
    if label != state.ANY:
        mask &= table["label"] == label
    return table[mask]


def show(rows: pd.DataFrame) -> None:
    odd = dataset_tables.outliers(rows)
    constant = int(rows["constant"].sum())
    layout.key_figures(
        [
            (
                "Outliers",
                f"{int((odd['outlier_score'] > THRESHOLD).sum()):,}",
                f"images with a score above {THRESHOLD:g}",
            ),
            ("Constant", f"{constant:,}", "every pixel has the same grey level"),
            ("Median score", f"{odd['outlier_score'].median():.2f}", "half of the images have a lower one"),
        ]
    )
    chosen = narrowed(odd, *filters(rows))
    if chosen.empty:
        st.info("No image has this split and label.")
        return
    layout.figure(
        figures.outlier_scores(chosen["outlier_score"], threshold=THRESHOLD),
        "outlier_scores",
        "How far each image lies from the median in brightness, contrast, sharpness or likeness to other faces, in "
        "robust standard deviations (logarithmic counts). Right of the line are the outliers: text, drawings, blanks.",
    )
    part = lists.page_of(chosen, state.OUTLIER_PAGE)
    lists.table_and_faces(part, resources.faces(), label="label", key="outlier_table")
    lists.download(chosen, "outliers.csv", "outliers_csv")


layout.heading("Outliers", "Which images are no faces, or unlike all others? The oddest come first.")
if (source := resources.source()) is None:
    layout.no_dataset()
else:
    show(source.rows)
