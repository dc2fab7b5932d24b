"""From the rows of a profile (or of an audited dataset) to the small tables that pages show and figures draw.

The rows are those of `fer_core.data.profiles`: row, split, label, votes_*, exact_group, near_group (-1: none),
constant, outlier_score, twin_in_training, conflicting.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
import pandas as pd

from fer_core.data.audit.duplicates import conflicting
from fer_core.data.audit.label_noise import ANSWERS, vote_doubts
from fer_core.data.audit.leakage import leakage_by_split
from fer_core.labels import EMOTIONS, FERPLUS_EMOTIONS, SPLITS, UNLABELLED, VOTE_COLUMNS, labels_for

TIE = "tie"
"""In place of a majority where several answers share the most votes."""


def class_names(rows: pd.DataFrame) -> tuple[str, ...]:
    """The emotions that the labels stand for: seven, or eight where a row is labelled contempt."""
    return labels_for(8 if (rows["label"] == len(EMOTIONS)).any() else 7)


def label_names(rows: pd.DataFrame) -> pd.Series:
    """Each row's emotion as a word; `unlabelled` where it has none."""
    names = dict(enumerate(class_names(rows))) | {UNLABELLED: "unlabelled"}
    return rows["label"].map(names).astype(str)


def shares(counts: pd.DataFrame) -> pd.DataFrame:
    """Each split's counts as fractions of the split, 0 to 1."""
    return counts.div(counts.sum(axis=1).replace(0, 1), axis=0)


def has_votes(rows: pd.DataFrame) -> bool:
    """Whether FER+ votes were joined."""
    return set(VOTE_COLUMNS) <= set(rows.columns)


def vote_shares(rows: pd.DataFrame) -> pd.DataFrame:
    """Per split (index) the fraction of all FER+ votes that fell to each answer (columns `ANSWERS`), 0 to 1."""
    sums = rows.groupby("split")[list(VOTE_COLUMNS)].sum()
    sums = sums.reindex([split for split in SPLITS if split in sums.index])
    sums.columns = pd.Index(ANSWERS, name="answer")
    return sums.div(sums.sum(axis=1).replace(0, 1), axis=0)


def crowd_view(rows: pd.DataFrame) -> pd.DataFrame:
    """What FER+'s voters say of each labelled row that has votes: `label_noise.vote_doubts` in words and shares.

    Returns:
        columns row, split, label (word), majority (one of `ANSWERS`, or `tie`), votes (how many), disagrees (bool:
        another answer has more votes than the label), agreement (fraction of the votes that went to the row's label,
        0 to 1), majority_share (0 to 1).
    """
    doubts = vote_doubts(rows)
    return pd.DataFrame(
        {
            "row": doubts["row"],
            "split": doubts["split"],
            "label": label_names(doubts),
            "majority": np.array([*ANSWERS, TIE], dtype=object)[doubts["majority"].to_numpy()],
            "votes": doubts["votes"],
            "disagrees": doubts["disagrees"],
            "agreement": doubts["votes_for_label"] / doubts["votes"],
            "majority_share": doubts["votes_for_majority"] / doubts["votes"],
        }
    )


def label_against_majority(crowd: pd.DataFrame) -> pd.DataFrame:
    """Rows per label (index) and crowd majority (columns, only those that occur)."""
    table = pd.crosstab(crowd["label"], crowd["majority"])
    order = [name for name in (*ANSWERS, TIE) if name in table.columns]
    rows = [name for name in FERPLUS_EMOTIONS if name in table.index]
    return table.reindex(index=rows, columns=order, fill_value=0)


def groups(rows: pd.DataFrame, kind: Literal["exact", "near"] = "exact") -> pd.DataFrame:
    """Groups of images that are the same (exact: byte by byte; near: by appearance), largest first.

    Returns:
        index: the group's number; columns size, labels and splits (words with counts, such as `fear 2, sad 1`),
        conflicting (more than one label, unlabelled rows aside), crosses_splits (bool), rows (tuple of row numbers).
    """
    column = f"{kind}_group"
    members = rows.loc[rows[column] >= 0, ["row", "split", "label", column]].copy()
    members["conflicting"] = conflicting(members[column].to_numpy(), members["label"].to_numpy())
    members["label"] = label_names(rows).loc[members.index]
    if members.empty:
        return _no_groups()
    grouped = members.groupby(column)
    table = pd.DataFrame(
        {
            "size": grouped.size(),
            "labels": _tally(members, column, "label", FERPLUS_EMOTIONS),
            "splits": _tally(members, column, "split", SPLITS),
            "conflicting": grouped["conflicting"].any(),
            "crosses_splits": grouped["split"].nunique() > 1,
            "rows": grouped["row"].agg(tuple),
        }
    ).rename_axis("group")
    return table.sort_values(["size", "group"], ascending=[False, True])


def group_sizes(table: pd.DataFrame) -> pd.Series:
    """How many groups there are of each size, smallest size first."""
    return table["size"].value_counts().sort_index()


def leakage(rows: pd.DataFrame) -> pd.DataFrame:
    """Per test split that there is: images, how many have a byte-identical twin in Training, their share (0 to 1)."""
    found = leakage_by_split(rows)
    return found[found["images"] > 0]


def near_leakage(rows: pd.DataFrame) -> dict[str, int]:
    """Per test split the images that look like one of Training, equal or not; empty where that is unknown."""
    if "near_twin_in_training" not in rows:
        return {}
    found = leakage_by_split(rows, "near_twin_in_training")
    twins: dict[str, int] = found.loc[found["images"] > 0, "twins"].to_dict()
    return twins


def conflict_pairs(rows: pd.DataFrame) -> pd.DataFrame:
    """Groups of identical images that carry both labels of a pair: a symmetric table emotion x emotion, diagonal 0."""
    names = class_names(rows)
    members = rows[(rows["exact_group"] >= 0) & (rows["label"] >= 0)]
    present = pd.crosstab(members["exact_group"], members["label"]).reindex(columns=range(len(names)), fill_value=0) > 0
    together = present.to_numpy(int).T @ present.to_numpy(int)
    np.fill_diagonal(together, 0)
    return pd.DataFrame(together, index=list(names), columns=list(names))


def outliers(rows: pd.DataFrame) -> pd.DataFrame:
    """Rows by how odd they are, oddest first: constant images, then by score."""
    measures = [name for name in ("brightness", "contrast", "sharpness", "strangeness") if name in rows]
    reason = [name for name in ("outlier_reason",) if name in rows]
    table = rows[["row", "split", "constant", "outlier_score", *reason, *measures]]
    table.insert(2, "label", label_names(rows))
    return table.sort_values(["constant", "outlier_score"], ascending=False, kind="stable").reset_index(drop=True)


def _tally(members: pd.DataFrame, group: str, column: str, order: Sequence[str]) -> pd.Series:
    """Per group `name count` for each name that occurs, in `order`, joined by commas."""
    table = pd.crosstab(members[group], members[column])
    table = table.reindex(columns=[*order, *(name for name in table.columns if name not in order)], fill_value=0)
    names = list(table.columns)
    words = [
        ", ".join(f"{name} {count}" for name, count in zip(names, line, strict=True) if count)
        for line in table.to_numpy()
    ]
    return pd.Series(words, index=table.index)


def _no_groups() -> pd.DataFrame:
    columns = ["size", "labels", "splits", "conflicting", "crosses_splits", "rows"]
    return pd.DataFrame(columns=columns).rename_axis("group").astype({"size": int, "conflicting": bool})
