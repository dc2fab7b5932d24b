"""Models: how good each checkpoint is, how sure that is, what it costs."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import streamlit as st

from fer_core.artifacts import DEDUPLICATED, PROTOCOLS, ROBUSTNESS, Card, megabytes
from fer_core.figures import evaluation, prediction_tables
from fer_core.figures import models as figures
from fer_core.labels import SPLITS, TESTS, judged_by
from fer_core.metrics import PairedDifference
from webapp.dashboard import resources, state
from webapp.dashboard.components import layout, lists

SETS = (*TESTS, DEDUPLICATED)


def leaderboard(cards: dict[str, Card], folders: dict[str, Path]) -> pd.DataFrame:
    lines = []
    for name, card in cards.items():
        private = card.metrics.get("PrivateTest", {})
        lines.append(
            {
                "checkpoint": name,
                "architecture": card.title,
                "labels": judged_by(card.labels),
                **{part: card.metrics.get(part, {}).get("accuracy") for part in SETS},
                "macro F1": private.get("macro_f1"),
                "ECE": private.get("ece"),
                "parameters": card.parameters,
                "MB": megabytes(folders[name], card),
                "paper": card.paper,
            }
        )
    return pd.DataFrame(lines).sort_values(["labels", "PublicTest"], ascending=[False, False], na_position="last")


def intervals(cards: dict[str, Card]) -> pd.DataFrame:
    """One line per checkpoint and evaluation set: labels, accuracy, low, high (0 to 1)."""
    lines = [
        {"checkpoint": name, "labels": judged_by(card.labels), "set": part, "accuracy": card.metrics[part]["accuracy"],
         "low": card.metrics[part]["accuracy_interval"][0], "high": card.metrics[part]["accuracy_interval"][1]}
        for part in SETS
        for name, card in cards.items()
        if part in card.metrics
    ]  # fmt: skip
    return pd.DataFrame(lines)


def show_leaderboard(cards: dict[str, Card]) -> None:
    table = leaderboard(cards, resources.checkpoints())
    config = lists.formats(table) | {
        **{
            part: st.column_config.NumberColumn(part.replace("deduplicated", "dedup."), format="percent")
            for part in SETS
        },
        "MB": st.column_config.NumberColumn(format="%.1f"),
        "paper": st.column_config.LinkColumn(),
    }
    st.dataframe(table, hide_index=True, column_config=config, key="leaderboard")
    st.caption(
        "Accuracy on PublicTest, on PrivateTest, and on PrivateTest without byte-identical twins of training images; "
        "macro F1 and calibration error (ECE) on PrivateTest. Selected on PublicTest. Figures by FER2013's labels and "
        "by the majorities of FER+'s voters cannot be compared with each other."
    )
    lists.download(table, "checkpoints.csv", "leaderboard_csv")
    measured = intervals({name: cards[name] for name in table["checkpoint"]})
    if not measured.empty:
        layout.figure(
            figures.accuracies(measured),
            "accuracies",
            "Accuracy with its 95 % interval: what the choice of these test faces leaves open about each checkpoint by "
            "itself. Whether two intervals overlap does not decide which of two checkpoints is better; they were "
            "judged on the same faces, so compare them there, below. The grey band is human accuracy by FER2013's "
            "labels, 65 ± 5 %; it is no measure for checkpoints that are judged by FER+'s voters.",
        )


def show_differences() -> None:
    names = [name for name in resources.checkpoints() if resources.answers(name) is not None]
    if len(names) < 2:
        return
    st.subheader("Differences on the same faces")
    state.keep_valid(state.AGAINST, names)
    with st.container(horizontal=True, vertical_alignment="bottom"):
        against = st.selectbox("Compared with", names, width=240, **state.kept(state.AGAINST))
        split = st.selectbox("Faces of", SPLITS[1:], index=1, width=170, **state.kept(state.AGAINST_SPLIT))
    found = resources.differences(against, split)
    if not found:
        st.info(f"No other checkpoint was judged by the labels that {against} was judged by.")
        return
    table = difference_table(found)
    config = lists.formats(table) | {
        **{name: st.column_config.NumberColumn(format="%+.1f") for name in ("points", "from (95 %)", "to (95 %)")},
        "p": st.column_config.NumberColumn(format="%.2g"),
    }
    st.dataframe(table, hide_index=True, column_config=config, key="differences")
    st.caption(
        f"Accuracy of each checkpoint minus that of {against}, in points of percent, on the faces of {split} that both "
        "were judged on by the same labels, with the 95 % interval of that difference (Agresti and Min). `right alone` "
        f"counts the faces that the checkpoint reads rightly and {against} does not, `wrong alone` the reverse. `p` "
        "(McNemar's exact test) is how often two equally good checkpoints would differ at least so much by the chance "
        "choice of faces; of twenty such comparisons one falls below 0.05 by chance alone. All this is about these "
        "weights, not about what the same recipe would give with another seed (see Studies, table of chance)."
    )
    lists.download(table, f"differences_to_{against}_{split}.csv", "differences_csv")


def difference_table(found: dict[str, PairedDifference]) -> pd.DataFrame:
    """One line per checkpoint, the best first; points are of percent."""
    lines = [
        {
            "checkpoint": name,
            "points": 100 * one.difference,
            "from (95 %)": 100 * one.interval[0],
            "to (95 %)": 100 * one.interval[1],
            "p": one.p_value,
            "right alone": one.only_first,
            "wrong alone": one.only_second,
            "faces": one.n,
        }
        for name, one in found.items()
    ]
    return pd.DataFrame(lines).sort_values("points", ascending=False, kind="stable")


def show_training(name: str) -> None:
    st.subheader("Training")
    history = resources.history(name)
    if history is None or "epoch" not in history:
        st.info(f"{name} ships no training history.")
        return
    shown = [column for column in ("train_accuracy", "public_accuracy", "public_macro_f1") if column in history]
    losses = [column for column in history if column.endswith("loss")]
    left, right = st.columns(2, gap="large")
    with left:
        layout.figure(
            figures.training_curves(history, shown, percent=True),
            "training_scores",
            "Scores after each epoch. Training accuracy is measured on augmented images, so it may lie below the "
            "others; the epoch that ships is the best one on PublicTest.",
        )
    with right:
        layout.figure(figures.training_curves(history, losses), "training_loss", "The loss after each epoch.")


def show_test(name: str) -> None:
    examined = resources.examined(name, SPLITS[2], state.OFFICIAL)
    if examined is None:
        st.info(f"{name} ships no predictions for {SPLITS[2]}.")
        return
    answers, report = examined
    calibration, classes = st.columns(2, gap="large")
    with calibration:
        st.subheader("Calibration")
        layout.figure(
            figures.reliability(prediction_tables.reliability(answers)),
            "reliability",
            "PrivateTest images by the confidence of the answer. A bar below the dashed line is overconfident, one "
            f"above it underconfident. Expected calibration error: {report['ece']:.3f}.",
        )
    with classes:
        st.subheader("Per emotion")
        layout.figure(
            figures.per_class_f1(prediction_tables.per_class_table(report["per_class"])),
            "models_per_class",
            "F1 (bar), precision (triangle) and recall (circle) on PrivateTest. Those of rare emotions are of few "
            "faces, and so less certain.",
        )


def show_protocols(name: str, card: Card) -> None:
    record = resources.record(name, PROTOCOLS)
    if record is None:
        return
    st.subheader("Under other protocols")
    table = evaluation.protocol_table(record["rows"])
    layout.figure(
        evaluation.protocols(table, judged_by(card.labels)),
        "protocols",
        "One model, judged in the ways that publications use. Own leak: test images with a copy in what the protocol "
        "itself trains on; it belongs to the protocol. Learnt: test images with a copy in what these weights were "
        "trained on; it belongs to the weights. Where learnt is far above own leak, accuracy is largely memory and "
        "says nothing about those who train under the protocol; rows “retrained” do as they do. Intervals give an "
        "image that was copied the weight of one.",
    )
    shares = ("accuracy", "low", "high", "macro F1", "own leak share", "learnt share")
    config = {share: st.column_config.NumberColumn(format="percent") for share in shares}
    shown = table if table["checkpoint"].nunique() > 1 else table.drop(columns=["checkpoint"])
    st.dataframe(shown, hide_index=True, column_config=lists.formats(shown) | config, key="protocols_table")
    lists.download(shown, f"protocols_{name}.csv", "protocols_csv")


def show_robustness(name: str) -> None:
    record = resources.record(name, ROBUSTNESS)
    if record is None:
        return
    st.subheader("On corrupted faces")
    layout.figure(
        evaluation.robustness(pd.DataFrame(record["by_strength"])),
        "robustness",
        f"{record['n']:,} faces of {record['split']}, corrupted in six ways at five strengths; strength 0 is the face "
        f"as it is. Mean accuracy over all of them: {record['accuracy']['mean']:.1%}.",
    )


def show_card(card: Card) -> None:
    with st.expander("The whole card"):
        st.json({key: value for key, value in vars(card).items() if key != "metrics"}, expanded=1)


def show() -> None:
    cards = resources.cards()
    if not cards:
        layout.no_checkpoints()
        return
    show_leaderboard(cards)
    show_differences()
    state.keep_valid(state.CHECKPOINT, cards)
    st.subheader("One checkpoint in detail")
    name = st.selectbox("Checkpoint", list(cards), width=240, **state.kept(state.CHECKPOINT))
    show_training(name)
    show_test(name)
    show_protocols(name, cards[name])
    show_robustness(name)
    show_card(cards[name])


layout.heading("Models", "How good is each checkpoint, how sure is that, and what does it cost?")
show()
