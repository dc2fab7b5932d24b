"""Overview: what is in the dataset, how good the default checkpoint is, where to read on."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from fer_core.artifacts import rank
from fer_core.data.audit import imbalance
from fer_core.figures import dataset_tables
from fer_core.labels import judged_by
from webapp.dashboard import resources
from webapp.dashboard.components import layout

PAGES = (
    ("views/balance.py", "Class balance", "How many faces of each emotion are in each split?"),
    ("views/duplicates.py", "Duplicates and leakage", "Which images occur twice, with two labels, or in two splits?"),
    ("views/outliers.py", "Outliers", "Which images are no faces, or unlike all others?"),
    ("views/noise.py", "Label noise", "Where do ten voters, or a model, disagree with the label?"),
    ("views/confusion.py", "Confusion matrix", "Which emotions does a checkpoint confuse, and on which images?"),
    ("views/models.py", "Models", "How good is each checkpoint, how sure is that, what does it cost?"),
    ("views/studies.py", "Studies", "How do the field's methods compare when all are trained and measured alike?"),
)


def show_dataset(source: resources.Source) -> None:
    rows = source.rows
    groups = resources.groups("exact")
    leaked = int(dataset_tables.leakage(rows)["twins"].sum())
    ratio = imbalance.imbalance_ratios(imbalance.class_counts(rows)).max()
    extra = int((groups["size"] - 1).sum())
    layout.key_figures(
        [
            ("Images", f"{len(rows):,}", "all splits together"),
            ("Imbalance", layout.imbalance(ratio)[0], "largest to smallest class in the most unbalanced split"),
            ("Surplus copies", f"{extra:,}", "images beyond the first of a group of byte-identical ones"),
            (
                "Conflicting",
                f"{int(groups['conflicting'].sum()):,}",
                "groups of identical images with more than one label",
            ),
            (
                "Leaked",
                f"{leaked:,}",
                "PublicTest and PrivateTest images with a twin in Training",
            ),
        ]
    )


def show_provenance(source: resources.Source) -> None:
    if source.own:
        st.success(f"Dataset in use: **{source.title}**, with its faces.")
    else:
        st.info(
            f"Dataset in use: the shipped profile of **{source.title}**: labels, votes and hashes of every image, but "
            "not the images, whose licence forbids it. Start the app with `--data PATH` to see the faces, or your own "
            "dataset."
        )


def show_pages() -> None:
    for first in range(0, len(PAGES), 2):
        for column, (page, title, question) in zip(st.columns(2), PAGES[first : first + 2], strict=False):
            with column.container(border=True, gap=None):
                st.page_link(page, label=f"**{title}**")
                st.caption(question)


def show_models() -> None:
    lines = [
        {
            "checkpoint": name,
            "labels": judged_by(card.labels),
            "PrivateTest accuracy": card.metrics["PrivateTest"]["accuracy"],
            "macro F1": card.metrics["PrivateTest"]["macro_f1"],
            "parameters": card.parameters,
        }
        for name, card in sorted(resources.cards().items(), key=lambda item: rank(item[1]))
        if "PrivateTest" in card.metrics
    ]
    if not lines:
        layout.no_checkpoints()
        return
    table = pd.DataFrame(lines)
    config = {
        "PrivateTest accuracy": st.column_config.NumberColumn(format="percent"),
        "macro F1": st.column_config.NumberColumn(format="%.3f"),
        "parameters": st.column_config.NumberColumn(format="localized"),
    }
    st.dataframe(table, hide_index=True, column_config=config, key="overview_models")
    st.caption(
        "Chosen on PublicTest; PrivateTest was looked at once for each model. Figures by FER+'s labels cannot be "
        "compared with the others. Human accuracy on FER2013 is about 65 ± 5 %."
    )


layout.heading("FER dashboard", "What is in the dataset, and how well the checkpoints read it.")
if (source := resources.source()) is None:
    layout.no_dataset()
else:
    show_provenance(source)
    show_dataset(source)
st.subheader("What each page answers")
show_pages()
st.subheader("Checkpoints")
show_models()
