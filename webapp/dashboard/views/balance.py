"""Class balance: faces of each emotion in each split, and what FER+'s voters say instead."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from fer_core.data.audit import imbalance
from fer_core.figures import dataset as figures
from fer_core.figures import dataset_tables
from webapp.dashboard import resources, state
from webapp.dashboard.components import layout, lists


def filters(splits: list[str]) -> tuple[list[str], bool]:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        chosen = st.pills("Splits", splits, selection_mode="multi", default=splits, **state.kept(state.BALANCE_SPLITS))
        views = [state.COUNTS, state.SHARES]
        view = st.segmented_control("Show", views, default=state.COUNTS, **state.kept(state.BALANCE_SHARES))
        layout.reset_button("balance")
    return [split for split in splits if split in chosen], view == state.SHARES


def show_ratios(counts: pd.DataFrame) -> None:
    st.caption("Imbalance: faces of the largest class for one of the smallest.")
    ratios = imbalance.imbalance_ratios(counts)
    layout.key_figures([(str(split), *layout.imbalance(ratio)) for split, ratio in ratios.items()])


def show_chart(counts: pd.DataFrame, as_shares: bool) -> None:
    if as_shares:
        explanation = (
            "Each bar is a whole split. Where the colours line up, the splits have the same make-up, and a "
            "figure measured on one speaks for the others."
        )
        layout.figure(figures.class_shares(dataset_tables.shares(counts)), "balance_shares", explanation)
    else:
        explanation = (
            "Faces of each emotion, Training dark, PublicTest paler, PrivateTest palest. A model that "
            "ignores the shortest column loses little accuracy: that is why macro F1 stands beside it everywhere."
        )
        layout.figure(figures.class_counts(counts), "balance_counts", explanation)


def show_table(counts: pd.DataFrame) -> None:
    shares = dataset_tables.shares(counts)
    table = pd.DataFrame(
        [
            {"split": split, "emotion": emotion, "faces": counts.at[split, emotion], "share": shares.at[split, emotion]}
            for split in counts.index
            for emotion in counts.columns
        ]
    )
    wide = counts.assign(total=counts.sum(axis=1)).reset_index()
    st.dataframe(wide, hide_index=True, column_config=lists.formats(wide), key="balance_table")
    lists.download(table, "class_balance.csv", "balance_csv")


def show_votes(rows: pd.DataFrame, splits: list[str]) -> None:
    st.subheader("What the crowd saw")
    if not dataset_tables.has_votes(rows):
        st.info(
            "This dataset has no FER+ votes. Join them with `scripts.prepare_data SOURCE --ferplus fer2013new.csv`."
        )
        return
    part = rows[rows["split"].isin(splits)].assign(split="Training")  # one group: the chosen splits together
    votes = dataset_tables.vote_shares(part).iloc[0]
    labels = dataset_tables.shares(imbalance.class_counts(part)).iloc[0]
    layout.figure(
        figures.votes_against_labels(labels, votes),
        "balance_votes",
        "Labels (solid) beside the ten FER+ votes of each face (pale), in the chosen splits. The crowd sees more "
        "neutral and less fear and sadness than FER2013's labels claim, and sometimes no face at all.",
    )


def show(rows: pd.DataFrame) -> None:
    counts = imbalance.class_counts(rows)
    chosen, as_shares = filters(list(counts.index))
    if not chosen:
        st.info("Choose at least one split.")
        return
    part = counts.loc[chosen]
    show_ratios(part)
    show_chart(part, as_shares)
    show_table(part)
    show_votes(rows, chosen)


layout.heading("Class balance", "How many faces of each emotion are in each split?")
if (source := resources.source()) is None:
    layout.no_dataset()
else:
    show(source.rows)
