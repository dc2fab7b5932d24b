"""Figures of protocols and of robustness show the figures that they are given."""

from __future__ import annotations

import pandas as pd
import pytest

from fer_core.figures.evaluation import protocol_table, protocols, robustness

ROWS = [
    {
        "checkpoint": checkpoint,
        "protocol": protocol,
        "n": 200,
        "distinct": 180,
        "accuracy": accuracy,
        "accuracy_interval": [accuracy - 0.1, accuracy + 0.1],
        "macro_f1": accuracy - 0.05,
        "leak": leak,
        "own_leak": 10,
    }
    for checkpoint in ("one", "two")
    for protocol, accuracy, leak in (("official", 0.6, 16), ("cleaned_oversampled", 0.8, 150))
]


def test_the_table_keeps_the_figures() -> None:
    table = protocol_table(ROWS)
    assert table["learnt share"].tolist() == pytest.approx([0.08, 0.75] * 2)
    assert table["own leak share"].tolist() == pytest.approx([0.05] * 4)
    assert table["learnt"].tolist() == [16, 150] * 2
    assert table["distinct"].tolist() == [180] * 4
    assert [text[:6] for text in table["published by others"]] == ["", "82.7 %"] * 2
    assert table[["low", "high"]].iloc[1].tolist() == pytest.approx([0.7, 0.9])
    assert table["images"].tolist() == [200] * 4


def test_a_trace_a_checkpoint_and_a_leak_a_protocol() -> None:
    figure = protocols(protocol_table(ROWS))
    assert [trace.name for trace in figure.data] == ["one", "two"]
    assert list(figure.data[0].x) == pytest.approx([60, 80])
    assert list(figure.layout.yaxis.ticktext) == [
        "official<br>own leak 5%, learnt 8%",
        "cleaned oversampled<br>own leak 5%, learnt 75%",
    ]


def test_lanes_tell_what_the_first_model_has_learnt() -> None:
    anew = [row | {"checkpoint": "one, retrained", "leak": row["own_leak"]} for row in ROWS[:2]]
    figure = protocols(protocol_table([*ROWS[:2], *anew]))
    assert figure.layout.yaxis.ticktext[1].endswith("own leak 5%, learnt 75%")
    assert len(figure.layout.yaxis.ticktext) == 2


def test_a_line_a_corruption_from_the_clean_face_on() -> None:
    spoilt = [(name, strength, 0.6 - 0.1 * strength) for name in ("blur", "noise") for strength in range(1, 6)]
    table = pd.DataFrame([("clean", 0, 0.7), *spoilt], columns=["corruption", "strength", "accuracy"])
    figure = robustness(table)
    assert [trace.name for trace in figure.data] == ["blur", "noise"]
    assert list(figure.data[1].x) == [0, 1, 2, 3, 4, 5]
    assert list(figure.data[1].y) == pytest.approx([70, 50, 40, 30, 20, 10])
