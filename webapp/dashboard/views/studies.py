"""Studies: what was trained and measured alike, row by row, with others' figures in a column of their own."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from fer_core.evaluation.robustness import CORRUPTIONS
from fer_core.figures import models as figures
from fer_core.studies import BUDGETS, TABLES
from fer_core.studies.chance import Chance, chance
from fer_core.studies.leaderboard import leaderboard
from webapp.dashboard import resources, state
from webapp.dashboard.components import layout, lists

EVERY = "all studies"
UNKNOWN = "what another seed changes is not measured yet"
PERCENT = (
    *("PublicTest", "PrivateTest", "low", "high", "without_twins", "clean_sample", "robustness", "published"),
    *CORRUPTIONS,
)
# headings of columns whose names do not say it all
LABELS = {
    "low": "PrivateTest from (95 %)",
    "high": "to (95 %)",
    "macro_f1": "macro F1",
    "without_twins": "PrivateTest without twins",
    "clean_sample": "sample, clean",
    "robustness": "sample, corrupted",
    "multiply_adds": "multiply-adds",
    "training_speed": "training, faces/s",
    "inference_speed": "inference, faces/s",
    "images_seen": "images seen",
    "seconds": "training, s",
    "own_settings": "settings of its own",
    "published": "published by others",
    "published_note": "about that figure",
}
SPEEDS = ("training_speed", "inference_speed", "seconds")
COSTS = {
    "parameters": "parameters",
    "inference speed": "faces a second on one core",
    "training time": "seconds of training",
}
COLUMNS = {"parameters": "parameters", "inference speed": "inference_speed", "training time": "seconds"}


def choose(board: pd.DataFrame) -> pd.DataFrame:
    """The rows of the study that the reader picked."""
    titles = {EVERY: "Everything"} | {name: table.title for name, table in TABLES.items()}
    state.keep_valid(state.STUDY, titles)
    name = st.selectbox("Study", list(titles), format_func=titles.__getitem__, width=380, **state.kept(state.STUDY))
    if name == EVERY:
        return board.assign(title=board["title"] + " (" + board["row"].map(_study) + ")")
    st.markdown(TABLES[name].question)
    return board[board["row"].isin([row.name for row in TABLES[name].rows])]


def _study(row: str) -> str:
    """The first study that a row stands in."""
    return next(table.title for _, table in TABLES.items() if row in [one.name for one in table.rows])


def show_table(board: pd.DataFrame, found: Chance | None) -> None:
    shown = board.drop(columns=["kind"])
    config = lists.formats(shown) | {
        **{name: st.column_config.NumberColumn(LABELS.get(name, name), format="percent") for name in PERCENT},
        **{name: st.column_config.NumberColumn(LABELS[name], format="%.0f") for name in SPEEDS},
        **{name: st.column_config.Column(LABELS[name]) for name in LABELS if name not in (*PERCENT, *SPEEDS)},
        "published_source": st.column_config.LinkColumn("published in"),
        "row": st.column_config.Column("row", pinned=True),
    }
    st.dataframe(shown, hide_index=True, column_config=config, key="studies_table")
    st.caption(
        "Sorted by PublicTest, which selects; PrivateTest with its 95 % interval. From one seed each: "
        f"{found or UNKNOWN}. Intervals that overlap do not by themselves make a tie. The small budget is "
        f"{BUDGETS['small'].title}: how far a method gets on little. The sample is {BUDGETS['small'].sample}; clean "
        "and corrupted in six ways. Speeds are of one core. `published by others` follows their own protocols and is "
        "never a figure of this project."
    )
    lists.download(shown, "studies.csv", "studies_csv")


def show_cost(board: pd.DataFrame) -> None:
    st.subheader("Accuracy and cost")
    cost = st.segmented_control("Cost", list(COSTS), default="parameters", **state.kept(state.COST)) or "parameters"
    layout.figure(
        figures.accuracy_and_cost(board, COLUMNS[cost], COSTS[cost]),
        "studies_accuracy_cost",
        "Every row with its 95 % interval; better is higher. Point at a mark to see which row it is.",
    )


def show() -> None:
    results = resources.studies()
    if not results:
        st.info(
            "No row has been recorded yet. Run some with "
            "`python -m scripts.reproduce all --data DIR --budget small --record`."
        )
        return
    board = choose(leaderboard(results))
    if board.empty:
        st.info("No row of this study has been recorded yet; choose another study.")
        return
    show_table(board, chance(results))
    show_cost(board)


layout.heading("Studies", "How do the field's methods compare when all are trained and measured alike?")
show()
