"""Class balance per split."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from fer_core.data.audit.imbalance import class_balance, class_counts, imbalance_ratios
from fer_core.data.table import FaceDataset
from fer_core.labels import EMOTIONS


def _table(split: str, labels: list[int]) -> pd.DataFrame:
    return pd.DataFrame({"row": np.arange(len(labels)), "split": split, "label": labels})


def test_faces_and_shares_of_a_balanced_dataset(dataset: FaceDataset) -> None:
    balance = class_balance(dataset.table)
    assert len(balance) == 21
    assert (balance["faces"] == 4).all()
    assert balance.groupby("split")["share"].sum().tolist() == pytest.approx([1, 1, 1])
    assert imbalance_ratios(class_counts(dataset.table)).tolist() == [1, 1, 1]


def test_the_ratio_is_most_by_fewest_of_the_classes_that_occur() -> None:
    table = _table("Training", [0] * 6 + [1] * 2 + [3] * 3 + [-1] * 50)
    assert imbalance_ratios(class_counts(table)).to_dict() == {"Training": 3.0}
    balance = class_balance(table).set_index("emotion")
    assert balance.at["happy", "faces"] == 3
    assert balance.at["disgust", "share"] == pytest.approx(2 / 61)
    assert balance.at["unlabelled", "faces"] == 50
    assert balance.at["fear", "faces"] == 0


def test_a_split_without_labels_has_no_ratio() -> None:
    assert imbalance_ratios(class_counts(_table("PublicTest", [-1, -1]))).isna().all()


def test_counts_keep_the_order_of_splits_and_emotions() -> None:
    parts = (_table("PrivateTest", [2]), _table("Training", [2, 3, 3]), _table("PublicTest", [6, -1]))
    counts = class_counts(pd.concat(parts))
    assert list(counts.index) == ["Training", "PublicTest", "PrivateTest"]
    assert list(counts.columns) == [*EMOTIONS, "unlabelled"]
    assert counts.loc["Training"].tolist() == [0, 0, 1, 2, 0, 0, 0, 0]
    assert counts["unlabelled"].tolist() == [0, 1, 0]


def test_contempt_is_the_eighth_class() -> None:
    assert class_counts(_table("PublicTest", [7])).at["PublicTest", "contempt"] == 1
