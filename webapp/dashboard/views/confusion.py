"""Confusion matrix: which emotions a checkpoint confuses, and on which images."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pandas as pd
import streamlit as st

from fer_core.data.predictions import classes_of
from fer_core.evaluation.crowd import CrowdReport
from fer_core.figures import matrix, models, prediction_tables
from fer_core.labels import SPLITS, judged_by
from webapp.dashboard import resources, state
from webapp.dashboard.components import layout, lists


def matrix_filter(key: str) -> dict[str, Any]:
    return state.kept(key, turns=state.CELL_PAGE)


def choose_run(names: list[str]) -> tuple[str, str, str]:
    state.keep_valid(state.CHECKPOINT, names)
    explanation = "deduplicated leaves out the test images that have a byte-identical twin in Training"
    with st.container(horizontal=True, vertical_alignment="bottom"):
        name = st.selectbox("Checkpoint", names, width=220, **matrix_filter(state.CHECKPOINT))
        protocols = [state.OFFICIAL, *([state.DEDUPLICATED] if resources.can_deduplicate(name) else [])]
        state.keep_valid(state.PROTOCOL, protocols)
        split = st.selectbox("Split", SPLITS[1:], index=1, width=170, **matrix_filter(state.SPLIT))
        protocol = st.selectbox("Protocol", protocols, width=170, help=explanation, **matrix_filter(state.PROTOCOL))
        layout.reset_button("confusion")
    return name, split, protocol


def show_scores(report: dict[str, Any]) -> None:
    low, high = report["accuracy_interval"]
    layout.key_figures(
        [
            ("Accuracy", f"{report['accuracy']:.2%}", f"95 % interval {low:.2%} to {high:.2%}"),
            (
                "95 % interval",
                f"{100 * low:.1f}–{100 * high:.1f}",
                "of the accuracy, in percent: what the chance choice of test images leaves open (Wilson)",
            ),
            ("Macro F1", f"{report['macro_f1']:.3f}", "mean F1 over the emotions, each counting the same"),
            (
                "ECE",
                f"{report['ece']:.3f}",
                "expected calibration error: mean distance of confidence from accuracy; 0 is best",
            ),
            ("Images", f"{report['n']:,}", "in this split under this protocol"),
        ]
    )


def show_crowd(crowd: CrowdReport | None) -> None:
    if crowd is None:
        return
    st.subheader("What FER+'s voters say")
    layout.key_figures(
        [
            (
                "Label leads",
                f"{crowd.label_leads:.1%}",
                "images whose label has more of the votes than any other answer",
            ),
            (
                "Answer leads",
                f"{crowd.answer_leads:.1%}",
                "images where the checkpoint's answer has more of the votes than any other",
            ),
            (
                "Error leads",
                f"{crowd.errors_that_lead:.1%}",
                f"of the {crowd.errors:,} errors on images with votes: it is the voters' first choice",
            ),
            (
                "No vote",
                f"{crowd.errors_without_vote:.1%}",
                f"of the {crowd.errors:,} errors: not one voter chose the label that the answer is judged by",
            ),
        ]
    )
    st.caption(
        f"Ten people voted on each of {crowd.faces:,} of these images; an answer leads where it has more votes than "
        "any other. An error that leads, or whose label has no vote, says more of the label than of the checkpoint."
    )


def display_options(largest: int) -> None:
    if state.THRESHOLD in st.session_state:  # the slider has another range now, and would forget its value
        st.session_state[state.THRESHOLD] = min(st.session_state[state.THRESHOLD], largest)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        st.toggle("Percent of the row", **state.kept(state.NORMALISE))
        st.toggle("Hide the diagonal", **state.kept(state.HIDE_DIAGONAL))
        st.slider("Hide cells below", 0, max(largest, 1), width=240, **state.kept(state.THRESHOLD))


def choose_cell(labels: tuple[str, ...]) -> tuple[str | None, str | None]:
    options = [state.ANY, *labels]
    state.keep_valid(state.TRUE, options)
    state.keep_valid(state.PREDICTED, options)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        true = st.selectbox("True emotion", options, width=180, **matrix_filter(state.TRUE))
        predicted = st.selectbox("Predicted emotion", options, width=180, **matrix_filter(state.PREDICTED))
    return (None if true == state.ANY else true, None if predicted == state.ANY else predicted)


def show_matrix(counts: np.ndarray, labels: tuple[str, ...]) -> None:
    off_diagonal = counts[~np.eye(len(labels), dtype=bool)]
    display_options(int(off_diagonal.max(initial=0)))
    chart = matrix.confusion_matrix(
        counts,
        labels,
        normalise=st.session_state[state.NORMALISE],
        hide_diagonal=st.session_state[state.HIDE_DIAGONAL],
        threshold=st.session_state[state.THRESHOLD],
        chosen=(st.session_state[state.TRUE], st.session_state[state.PREDICTED]),
    )
    keys = (state.MATRIX, state.TRUE, state.PREDICTED, state.CELL_PAGE)
    st.plotly_chart(
        chart,
        key=state.MATRIX,
        config=layout.CHART_OPTIONS,
        selection_mode="points",
        on_select=lambda: state.take_click(*keys),
        alt="Confusion matrix; the table below and the two choices under it give the same by keyboard",
    )
    st.caption(
        f"Rows are the true emotions ({judged_by(labels)}), columns the predicted ones; the diagonal is right. "
        "Click a cell, or choose it below, to list its images."
    )


def show_downloads(counts: np.ndarray, labels: tuple[str, ...], name: str) -> None:
    def picture() -> bytes:
        buffer = io.BytesIO()
        chosen = st.session_state.get(state.NORMALISE, False)
        matrix.confusion_picture(counts, labels, normalise=chosen).save(buffer, "PNG")
        return buffer.getvalue()

    table = pd.DataFrame(counts, columns=list(labels)).assign(true=list(labels))[["true", *labels]]
    with st.container(horizontal=True):
        st.download_button("Download PNG", picture, file_name=f"{name}.png", mime="image/png", key="matrix_png",
                           on_click="ignore")  # fmt: skip
        lists.download(table, f"{name}.csv", "matrix_csv")


def show_cell(answers: pd.DataFrame, true: str | None, predicted: str | None, name: str) -> None:
    if true is None and predicted is None:
        st.caption("Choose a true or a predicted emotion, or click a cell of the matrix.")
        return
    rows = prediction_tables.cell(answers, true, predicted)
    what = f"true **{true or 'anything'}**, predicted **{predicted or 'anything'}**"
    st.markdown(f"{len(rows):,} images: {what}, most confident first.")
    if rows.empty:
        return
    part = lists.page_of(rows.drop(columns=["split", "doubt"]), state.CELL_PAGE)
    lists.table_and_faces(part, resources.judged_faces(name), label="true", key="cell_table")
    lists.download(
        rows, f"{name}_{true or 'any'}_as_{predicted or 'any'}.csv", "cell_csv", "Download these images' rows"
    )


def show_classes(report: dict[str, Any]) -> None:
    st.subheader("Per emotion")
    table = prediction_tables.per_class_table(report["per_class"])
    layout.figure(
        models.per_class_f1(table),
        "per_class",
        "F1 of each emotion (bar), with precision (triangle: how many of its answers are right) and recall (circle: "
        "how many of its faces are found).",
    )
    st.dataframe(table, hide_index=True, column_config=lists.formats(table), key="per_class_table")


def show() -> None:
    names = [name for name in resources.checkpoints() if resources.answers(name) is not None]
    if not names:
        layout.no_checkpoints()
        return
    name, split, protocol = choose_run(names)
    examined = resources.examined(name, split, protocol)
    if examined is None:
        st.info(f"{name} ships no predictions for {split}.")
        return
    answers, report = examined
    labels, counts = classes_of(answers), np.asarray(report["confusion"])
    show_scores(report)
    above = st.container()
    st.subheader("Images of a cell")
    true, predicted = choose_cell(labels)
    with above:  # the matrix marks the chosen cell
        show_matrix(counts, labels)
        show_downloads(counts, labels, f"confusion_{name}_{split}_{protocol}")
    show_cell(answers, true, predicted, name)
    show_classes(report)
    show_crowd(resources.crowd_report(name, split, protocol))


layout.heading("Confusion matrix", "Which emotions does a checkpoint confuse, and on which images?")
show()
