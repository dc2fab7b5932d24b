"""A model's answers beside FER+'s votes."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from fer_core.evaluation.crowd import CrowdReport, against_votes
from fer_core.labels import EMOTIONS, VOTE_COLUMNS

HAPPY, SAD, NEUTRAL = (EMOTIONS.index(name) for name in ("happy", "sad", "neutral"))


def faces(*voted: tuple[int, dict[str, int]]) -> pd.DataFrame:
    """A face table of (label, {answer: votes}); rows are numbered in tens."""
    table = pd.DataFrame(0, index=range(len(voted)), columns=list(VOTE_COLUMNS))
    for place, (_, votes) in enumerate(voted):
        for name, count in votes.items():
            table.loc[place, f"votes_{name}"] = count
    labels = [label for label, _ in voted]
    return table.assign(row=10 * np.arange(len(voted)), split="PrivateTest", label=labels)


def answered(table: pd.DataFrame, *answers: int) -> pd.DataFrame:
    columns = {f"p_{name}": (np.array(answers) == index).astype(np.float32) for index, name in enumerate(EMOTIONS)}
    return table[["row", "split", "label"]].assign(**columns)


FOUR = faces(
    (HAPPY, {"happy": 9, "neutral": 1}),  # right, and the voters' choice
    (SAD, {"neutral": 10}),  # wrong with all voters: the label has no vote
    (SAD, {"neutral": 6, "sad": 4}),  # right against most voters
    (NEUTRAL, {"neutral": 5, "sad": 5}),  # wrong; a tie is nobody's choice
)


def test_answers_and_errors_are_counted_against_the_votes() -> None:
    found = against_votes(answered(FOUR, HAPPY, NEUTRAL, SAD, SAD), FOUR)
    assert found == CrowdReport(4, 0.25, 0.5, 2, 0.5, 0.5)


def test_a_model_without_errors_has_no_shares_of_them() -> None:
    found = against_votes(answered(FOUR, HAPPY, SAD, SAD, NEUTRAL), FOUR)
    assert found is not None
    assert (found.errors, found.errors_that_lead, found.errors_without_vote) == (0, 0.0, 0.0)


def test_faces_without_votes_are_left_out_and_copies_count_as_often() -> None:
    table = faces((HAPPY, {"happy": 10}), (SAD, {}))
    judged = answered(table, SAD, SAD).iloc[[0, 0, 1]]
    assert against_votes(judged, table) == CrowdReport(2, 1.0, 0.0, 2, 0.0, 0.0)


@pytest.mark.parametrize("reason", ["no votes were joined", "no face was voted on", "judged by the votes"])
def test_there_is_nothing_to_tell(reason: str) -> None:
    table = faces((SAD, {"neutral": 0 if reason == "no face was voted on" else 10}))
    judged = answered(table, NEUTRAL)
    if reason == "no votes were joined":
        table = table.drop(columns=list(VOTE_COLUMNS))
    if reason == "judged by the votes":
        judged = judged.assign(label=NEUTRAL)
    assert against_votes(judged, table) is None
