"""Studies: what was trained and measured alike, row by row, with others' figures in a column of their own."""

from __future__ import annotations

import pandas as pd
import streamlit as st

from fer_core.evaluation.robustness import CORRUPTIONS
from fer_core.figures import models as figures
from fer_core.studies import BUDGETS, TABLES
from fer_core.studies.leaderboard import leaderboard
from webapp.dashboard import resources, state
from webapp.dashboard.components import layout, lists

EVERY = "all studies"
PERCENT = (
    *("PublicTest", "PrivateTest", "low", "high", "macro_f1", "without_twins", "robustness", "published"),
    *CORRUPTIONS,
)
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
    name = st.selectbox("Study", list(titles), format_func=titles.__getitem__, key=state.STUDY, width=380)
    if name == EVERY:
        return board
    st.markdown(TABLES[name].question)
    return board[board["row"].isin([row.name for row in TABLES[name].rows])]


def show_table(board: pd.DataFrame) -> None:
    shown = board.drop(columns=["kind"])
    config = lists.formats(shown) | {
        **{name: st.column_config.NumberColumn(name.replace("_", " "), format="percent") for name in PERCENT},
        "published_source": st.column_config.LinkColumn("published in"),
        "row": st.column_config.Column("row", pinned=True),
    }
    st.dataframe(shown, hide_index=True, column_config=config, key="studies_table")
    st.caption(
        "Accuracy on PublicTest (which selects) and on PrivateTest with its 95 % interval; macro F1 and robustness as "
        f"measured here, too. The small budget is {BUDGETS['small'].title}: its order says more than its height. "
        "`published` is what others report, by their own protocols; it is never a figure of this project."
    )
    lists.download(shown, "studies.csv", "studies_csv")


def show_cost(board: pd.DataFrame) -> None:
    st.subheader("Accuracy and cost")
    cost = st.segmented_control("Cost", list(COSTS), default="parameters", key="studies_cost") or "parameters"
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
        st.info("No row of this study has been recorded yet; take another one.")
        return
    show_table(board)
    show_cost(board)


layout.heading("Studies", "How do the field's methods compare when all are trained and measured alike?")
show()
