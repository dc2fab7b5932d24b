"""How a model's answers and its errors stand to FER+'s votes: what the labels leave to be had.

FER2013's labels are noisy (Barsoum et al. 2016, https://arxiv.org/abs/1608.01041). An error whose label not one of ten
voters chose says more of the label than of the model; one that is the voters' first choice is no failure to see. An
answer leads where it has more votes than any other, be it half of them or not.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd

from fer_core.data.audit.label_noise import ANSWERS, vote_doubts
from fer_core.data.predictions import classes_of, probabilities_of
from fer_core.labels import VOTE_COLUMNS


@dataclass(frozen=True)
class CrowdReport:
    """A model's answers beside the votes on the same faces; shares lie in [0, 1], and are 0 where there is no error.

    Attributes:
        faces: judged faces that were voted on.
        label_leads: share of them whose label leads.
        answer_leads: share of them whose answer leads.
        errors: faces whose answer is not the label.
        errors_that_lead: share of the errors whose answer leads.
        errors_without_vote: share of the errors whose label has no vote.
    """

    faces: int
    label_leads: float
    answer_leads: float
    errors: int
    errors_that_lead: float
    errors_without_vote: float


def against_votes(predictions: pd.DataFrame, table: pd.DataFrame) -> CrowdReport | None:
    """Answers against votes; a face that is judged several times counts as often.

    Args:
        predictions: a predictions table.
        table: the face table that the votes come from, by row.

    Returns:
        None where there are no votes on these faces, or the faces are judged by other labels than the table's, such as
        the votes themselves.
    """
    if VOTE_COLUMNS[0] not in table.columns:
        return None
    doubts = vote_doubts(table.drop_duplicates("row")).set_index("row")
    voted = predictions[predictions["row"].isin(doubts.index).to_numpy()]
    crowd = doubts.loc[voted["row"]]
    label = voted["label"].to_numpy()
    if voted.empty or (crowd["label"].to_numpy() != label).any():
        return None
    place = np.array([ANSWERS.index(name) for name in classes_of(voted)])  # of each class among the voters' answers
    answer, majority = probabilities_of(voted).argmax(1), crowd["majority"].to_numpy()
    wrong = answer != label
    agrees, unvoted = place[answer] == majority, crowd["votes_for_label"].to_numpy() == 0
    return CrowdReport(
        faces=len(voted),
        label_leads=float((label == majority).mean()),
        answer_leads=float(agrees.mean()),
        errors=int(wrong.sum()),
        errors_that_lead=_share(agrees[wrong]),
        errors_without_vote=_share(unvoted[wrong]),
    )


def _share(holds: np.ndarray) -> float:
    return float(holds.mean()) if len(holds) else 0.0
