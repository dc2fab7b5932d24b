"""Tables about predictions, on four images."""

import pandas as pd
import pytest

from fer_core.figures import prediction_tables as tables
from fer_core.labels import EMOTIONS


@pytest.fixture
def predictions() -> pd.DataFrame:
    """Rows 10 to 13: fear right, fear as sad twice (0.6, 0.9), happy right."""
    scores = pd.DataFrame(0.0, index=range(4), columns=[f"p_{name}" for name in EMOTIONS])
    for line, (emotion, score) in enumerate([("fear", 0.7), ("sad", 0.6), ("sad", 0.9), ("happy", 1.0)]):
        scores.loc[line, f"p_{emotion}"] = score
    scores.loc[1, "p_fear"] = 0.4
    scores.loc[[0, 2], "p_neutral"] = [0.3, 0.1]
    given = pd.DataFrame({"row": [10, 11, 12, 13], "split": "PrivateTest", "label": [2, 2, 2, 3]})
    return pd.concat([given, scores], axis=1)


def test_answers_name_emotions_and_doubt(predictions: pd.DataFrame) -> None:
    table = tables.answers(predictions)
    assert table["true"].tolist() == ["fear", "fear", "fear", "happy"]
    assert table["predicted"].tolist() == ["fear", "sad", "sad", "happy"]
    assert table["doubt"].tolist() == pytest.approx([0, 0.2, 0.9, 0])


def test_a_cell_lists_its_rows_by_confidence(predictions: pd.DataFrame) -> None:
    table = tables.answers(predictions)
    assert tables.cell(table, "fear", "sad")["row"].tolist() == [12, 11]
    assert tables.cell(table, "fear", None)["row"].tolist() == [12, 10, 11]
    assert tables.cell(table, "angry", "sad").empty


def test_most_doubted_leaves_right_answers_out(predictions: pd.DataFrame) -> None:
    assert tables.most_doubted(tables.answers(predictions))["row"].tolist() == [12, 11]


def test_no_predictions_give_an_empty_table(predictions: pd.DataFrame) -> None:
    assert tables.answers(predictions.iloc[:0]).empty


def test_reliability_bins_hold_every_image_once(predictions: pd.DataFrame) -> None:
    bins = tables.reliability(tables.answers(predictions))
    assert bins["images"].sum() == 4
    last = bins.iloc[-1]
    assert (last["upper"], last["confidence"], last["accuracy"], last["images"]) == pytest.approx((1, 1, 1, 1))
    assert ((bins["confidence"] > bins["lower"]) & (bins["confidence"] <= bins["upper"] + 1e-9)).all()


def test_per_class_table_keeps_the_order_of_the_report() -> None:
    given = {name: {"precision": 0.5, "recall": 0.25, "f1": 1 / 3, "support": 8.0} for name in ("sad", "angry")}
    table = tables.per_class_table(given)
    assert table["emotion"].tolist() == ["sad", "angry"]
    assert table["support"].tolist() == [8, 8]
