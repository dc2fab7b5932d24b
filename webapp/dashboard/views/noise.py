"""Label noise: where ten voters, or a model, disagree with the label."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from fer_core.data.predictions import classes_of
from fer_core.figures import dataset as figures
from fer_core.figures import dataset_tables, matrix, prediction_tables
from fer_core.figures.style import readable
from fer_core.labels import SPLITS, judged_by
from webapp.dashboard import resources, state
from webapp.dashboard.components import layout, lists


def crowd_filter(key: str) -> dict[str, Any]:
    return state.kept(key, turns=state.CROWD_PAGE)


def crowd_filters(table: pd.DataFrame, splits: list[str]) -> str:
    """Shows the filters; returns the split."""
    labels, majorities, splits = [state.ANY, *table.index], [state.ANY, *table.columns], [state.ANY, *splits]
    state.keep_valid(state.CROWD_LABEL, labels)
    state.keep_valid(state.CROWD_MAJORITY, majorities)
    state.keep_valid(state.CROWD_SPLIT, splits)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.selectbox("Label", labels, width=160, **crowd_filter(state.CROWD_LABEL))
        st.selectbox(
            "Voters' first choice",
            majorities,
            width=200,
            format_func=readable,
            **crowd_filter(state.CROWD_MAJORITY),
        )
        split: str = st.selectbox("Split", splits, width=160, **crowd_filter(state.CROWD_SPLIT))
        st.toggle("Hide agreement", value=True, **crowd_filter(state.CROWD_DIAGONAL))
        layout.reset_button("noise")
    return split


def chosen_rows(crowd: pd.DataFrame) -> pd.DataFrame:
    label, majority = st.session_state[state.CROWD_LABEL], st.session_state[state.CROWD_MAJORITY]
    mask = pd.Series(True, index=crowd.index)
    if label != state.ANY:
        mask &= crowd["label"] == label
    if majority != state.ANY:
        mask &= crowd["majority"] == majority
    if st.session_state[state.CROWD_DIAGONAL] and state.ANY in (label, majority):
        mask &= crowd["disagrees"]
    return crowd[mask].sort_values(["agreement", "majority_share"], ascending=[True, False], kind="stable")


def show_matrix(table: pd.DataFrame) -> None:
    agrees = table.index.to_numpy()[:, None] == table.columns.to_numpy()[None, :]
    shown = ~agrees if st.session_state[state.CROWD_DIAGONAL] else np.ones(table.shape, bool)
    cell = (st.session_state[state.CROWD_LABEL], st.session_state[state.CROWD_MAJORITY])
    titles = ("first choice of FER+'s voters", "FER2013 label")
    keys = (state.CROWD_CHART, state.CROWD_LABEL, state.CROWD_MAJORITY, state.CROWD_PAGE)
    st.plotly_chart(
        matrix.cross_table(table, shown=shown, chosen=cell, titles=titles),
        key=state.CROWD_CHART,
        config=layout.CHART_OPTIONS,
        selection_mode="points",
        on_select=lambda: state.take_click(*keys),
        alt="Labels against the voters' first choices; the choices above and the list below give the same by keyboard",
    )
    st.caption(
        "Images by FER2013 label and by the answer that more of their voters gave than any other. Click a cell to list "
        "its images."
    )


def show_agreement(crowd: pd.DataFrame) -> None:
    layout.key_figures(
        [
            ("With votes", f"{len(crowd):,}", "images; FER+ left some out"),
            (
                "Disagree",
                f"{crowd['disagrees'].mean():.1%}",
                "images where another answer has more votes than the label",
            ),
            (
                "Agreement",
                f"{crowd['agreement'].mean():.1%}",
                "share of the votes that went to the label, mean over the images",
            ),
            ("Ties", f"{int((crowd['majority'] == dataset_tables.TIE).sum()):,}", "no single answer was most frequent"),
        ]
    )


def show_crowd() -> None:
    everyone = resources.crowd()
    table = dataset_tables.label_against_majority(everyone)
    above = st.container()
    split = crowd_filters(table, [name for name in SPLITS if (everyone["split"] == name).any()])
    crowd = everyone if split == state.ANY else everyone[everyone["split"] == split]
    with above:
        show_agreement(crowd)
    show_matrix(dataset_tables.label_against_majority(crowd).reindex(table.index, columns=table.columns, fill_value=0))
    chosen = chosen_rows(crowd)
    if chosen.empty:
        st.info("No image has this label and this first choice.")
    else:
        words = chosen.assign(majority=chosen["majority"].map(readable)).drop(columns="disagrees")
        part = lists.page_of(words, state.CROWD_PAGE)
        lists.table_and_faces(part, resources.faces(), label="label", key="crowd_table")
        lists.download(chosen, "label_against_votes.csv", "crowd_csv")
    st.subheader("How far the crowd agrees with each label")
    layout.figure(
        figures.agreement(crowd),
        "agreement",
        "Of the ten votes a face got, how many went to its FER2013 label, on average. Where the bar is short, a model "
        "that is judged by the labels is judged by noise.",
    )


def show_model_doubt() -> None:
    st.subheader("Labels that a model doubts")
    names = [name for name in resources.checkpoints() if resources.answers(name) is not None]
    if not names:
        layout.no_checkpoints()
        return
    state.keep_valid(state.CHECKPOINT, names)
    name = st.selectbox("Checkpoint", names, width=240, **state.kept(state.CHECKPOINT, turns=state.DOUBT_PAGE))
    answers = resources.answers(name)
    assert answers is not None
    doubted = prediction_tables.most_doubted(answers)
    judge = judged_by(classes_of(answers))
    st.caption(
        f"Test images whose label ({judge}) {name} contradicts, most firmly first: doubt is the probability of its own "
        "answer minus that of the label. The model is often wrong too; what both it and the voters doubt deserves "
        "a look."
    )
    table = doubted[["row", "split", "true", "predicted", "confidence", "doubt"]]
    part = lists.page_of(table, state.DOUBT_PAGE)
    lists.table_and_faces(part, resources.judged_faces(name), label="true", key="doubt_table")
    lists.download(table, f"doubted_{name}.csv", "doubt_csv")


layout.heading("Label noise", "Where do ten voters, or a model, disagree with the label?")
if (source := resources.source()) is None:
    layout.no_dataset()
elif dataset_tables.has_votes(source.rows):
    show_crowd()
else:
    st.info("This dataset has no FER+ votes. Join them with `scripts.prepare_data SOURCE --ferplus fer2013new.csv`.")
show_model_doubt()
