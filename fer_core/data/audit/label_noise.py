"""Labels in doubt: by FER+'s voters, and by a model's predictions through cleanlab."""

from __future__ import annotations

from typing import Final

import numpy as np
import pandas as pd

from fer_core.data.predictions import probability_columns
from fer_core.errors import DataError
from fer_core.labels import FERPLUS_EMOTIONS, VOTE_COLUMNS

ANSWERS: Final = (*FERPLUS_EMOTIONS, "unknown", "not_a_face")
"""What a FER+ voter could answer, in the order of the vote columns; a majority is named by its place here."""
TIE: Final = len(ANSWERS)
"""In place of a majority where several answers share the most votes."""


def vote_doubts(table: pd.DataFrame) -> pd.DataFrame:
    """What FER+'s voters make of each label.

    Args:
        table: a face table with votes; raises DataError where it has none.

    Returns:
        One row per labelled face that was voted on: row, split, label, majority (class id of most votes, more than
        half of them or not; 8 unknown, 9 not a face, 10 a tie), votes (how many), votes_for_label and
        votes_for_majority (of them), disagrees (bool: another answer has more votes than the label, which a tie with
        the label has not).
    """
    if VOTE_COLUMNS[0] not in table.columns:
        raise DataError("the dataset has no FER+ votes; prepare it with --ferplus fer2013new.csv")
    votes = table[list(VOTE_COLUMNS)].to_numpy(np.int64)
    voted = (votes.sum(1) > 0) & (table["label"] >= 0).to_numpy()
    votes, faces = votes[voted], table.loc[voted, ["row", "split", "label"]].reset_index(drop=True)
    most, for_label = votes.max(1), votes[np.arange(len(votes)), faces["label"].to_numpy()]
    return faces.assign(
        majority=np.where((votes == most[:, None]).sum(1) > 1, TIE, votes.argmax(1)),
        votes=votes.sum(1),
        votes_for_label=for_label,
        votes_for_majority=most,
        disagrees=most > for_label,
    )


def vote_summary(doubts: pd.DataFrame) -> dict[str, int]:
    """Counts over `vote_doubts`: voted, disagreeing; unknown and not_a_face majorities, and ties."""
    majority = doubts["majority"].to_numpy()
    return {
        "voted": len(doubts),
        "disagreeing": int(doubts["disagrees"].sum()),
        "unknown": int((majority == ANSWERS.index("unknown")).sum()),
        "not_a_face": int((majority == ANSWERS.index("not_a_face")).sum()),
        "ties": int((majority == TIE).sum()),
    }


def check_predictions(predictions: pd.DataFrame, table: pd.DataFrame) -> None:
    """Raises DataError where a predictions table has a row that the face table has not, or another label for it."""
    truth = table.set_index("row")["label"].reindex(predictions["row"])
    if truth.isna().any() or (truth.to_numpy() != predictions["label"].to_numpy()).any():
        raise DataError(
            "the predictions are of another dataset (rows or labels differ); make them with "
            "`python -m scripts.evaluate CHECKPOINT --data DIR --record` on this one"
        )


def model_doubts(predictions: pd.DataFrame) -> pd.DataFrame:
    """Labels that confident learning takes for wrong, the surest first.

    Northcutt, Jiang & Chuang 2021, https://arxiv.org/abs/1911.00068, through cleanlab. The predictions must come from a
    model that was not trained on these faces. Unlabelled faces, and those of a class that the model does not know, are
    left out.

    Args:
        predictions: a predictions table (row, split, label, p_*).

    Returns:
        row, split, label, predicted (class ids), quality (probability of the given label, in [0, 1]).

    Raises:
        DataError: fewer than two emotions occur.
    """
    from cleanlab.filter import find_label_issues

    columns = probability_columns(predictions)
    predictions = predictions[predictions["label"].between(0, len(columns) - 1)]
    probabilities = predictions[columns].to_numpy(np.float64)
    labels = predictions["label"].to_numpy(np.int64)
    present = np.unique(labels)
    if len(present) < 2:
        raise DataError("label noise can be judged only where at least two emotions occur")
    known = probabilities[:, present]  # cleanlab wants every class to occur
    known = known / np.maximum(known.sum(1, keepdims=True), 1e-12)
    suspects = find_label_issues(
        np.searchsorted(present, labels), known, return_indices_ranked_by="self_confidence", n_jobs=1
    )
    found = predictions.iloc[suspects][["row", "split", "label"]].reset_index(drop=True)
    quality = probabilities[suspects, labels[suspects]]
    return found.assign(predicted=probabilities[suspects].argmax(1), quality=quality)
