"""Models are compared face by face, and only where they were judged alike."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from fer_core.artifacts import list_checkpoints, load_card
from fer_core.evaluation.pairs import differences
from fer_core.evaluation.predictions import load_predictions
from fer_core.labels import EMOTIONS, FERPLUS_EMOTIONS


def table(answers: list[int], labels: list[int], names: tuple[str, ...] = EMOTIONS) -> pd.DataFrame:
    """Predictions of PrivateTest's rows 0, 1, ... with these answers."""
    scores = np.eye(len(names), dtype=np.float32)[answers]
    faces = pd.DataFrame({"row": range(len(labels)), "split": "PrivateTest", "label": labels})
    return faces.assign(**{f"p_{name}": scores[:, index] for index, name in enumerate(names)})


def test_rows_are_matched_by_number_whatever_their_order() -> None:
    labels = [0, 1, 2, 3, 4]
    good, poor = table([0, 1, 2, 3, 0], labels), table([0, 0, 0, 3, 4], labels)
    found = differences({"good": good.iloc[::-1], "poor": poor}, "poor")
    assert list(found) == ["good"]
    assert (found["good"].only_first, found["good"].only_second, found["good"].n) == (2, 1, 5)
    assert found["good"].difference == pytest.approx(0.2)


def test_only_faces_of_both_count() -> None:
    labels = [0, 1, 2, 3, 4]
    part = table([0, 1, 0, 0, 0], labels).head(3)
    assert differences({"part": part, "all": table(labels, labels)}, "all")["part"].n == 3


def test_models_judged_by_other_labels_are_no_rivals() -> None:
    labels = [0, 1, 2]
    others = {
        "base": table(labels, labels),
        "voters": table(labels, labels, FERPLUS_EMOTIONS),
        "relabelled": table(labels, [0, 1, 3]),
        "elsewhere": table(labels, labels).assign(row=[7, 8, 9]),
    }
    assert differences(others, "base") == {}


def test_what_ships_agrees_with_its_cards() -> None:
    found = list_checkpoints()
    tables = {folder.name: load_predictions(folder).query("split == 'PrivateTest'") for folder in found}
    accuracy = {folder.name: load_card(folder).metrics["PrivateTest"]["accuracy"] for folder in found}
    against = found[0].name
    compared = differences(tables, against)
    assert len(compared) >= 2
    for name, one in compared.items():
        assert one.difference == pytest.approx(accuracy[name] - accuracy[against], abs=1e-5)
        assert one.interval[0] < one.difference < one.interval[1]
