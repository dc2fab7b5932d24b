"""From the rows of a profile (or of an audited dataset) to the small tables that pages show and figures draw.

The rows are those of `fer_core.data.profiles`: row, split, label, votes_*, exact_group, near_group (-1: none),
constant, outlier_score, twin_in_training, conflicting.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
import pandas as pd

from fer_core.labels import EMOTIONS, FERPLUS_EMOTIONS, SPLITS, UNLABELLED, VOTE_COLUMNS, labels_for

ANSWERS = (*FERPLUS_EMOTIONS, "unknown", "not_a_face")
"""What a FER+ voter could answer, in the order of the vote columns."""
TIE = "tie"


def class_names(rows: pd.DataFrame) -> tuple[str, ...]:
    """The emotions that the labels stand for: seven, or eight where a row is labelled contempt."""
    return labels_for(8 if (rows["label"] == len(EMOTIONS)).any() else 7)


def label_names(rows: pd.DataFrame) -> pd.Series:
    """Each row's emotion as a word; `unlabelled` where it has none."""
    names = dict(enumerate(class_names(rows))) | {UNLABELLED: "unlabelled"}
    return rows["label"].map(names).astype(str)


def class_counts(rows: pd.DataFrame) -> pd.DataFrame:
    """Faces per split (index, in the usual order) and emotion (columns), with `unlabelled` where there are such."""
    columns = [*class_names(rows), *(["unlabelled"] if (rows["label"] == UNLABELLED).any() else [])]
    table = pd.crosstab(rows["split"], label_names(rows))
    splits = [split for split in SPLITS if split in table.index]
    table = table.reindex(index=splits, columns=columns, fill_value=0).astype(int)
    return table.rename_axis(index="split", columns="emotion")


def shares(counts: pd.DataFrame) -> pd.DataFrame:
    """Each split's counts as fractions of the split, 0 to 1."""
    return counts.div(counts.sum(axis=1).replace(0, 1), axis=0)


def imbalance_ratio(counts: pd.DataFrame) -> pd.Series:
    """Per split: faces of the largest class for one face of the smallest that occurs (1 is balanced)."""
    known = counts.drop(columns="unlabelled", errors="ignore")
    return known.max(axis=1) / known.where(known > 0).min(axis=1)


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
    """What FER+'s voters say of each row that has votes.

    Returns:
        columns row, split, label (word), majority (one of `ANSWERS`, or `tie`), votes (how many), disagrees (bool:
        another answer has more votes than the label), agreement (fraction of the votes that went to the row's label,
        0 to 1), majority_share (0 to 1). Rows without a label are left out.
    """
    votes = rows[list(VOTE_COLUMNS)].to_numpy(float)
    total = votes.sum(axis=1)
    best = votes.max(axis=1)
    majority = np.array([*ANSWERS, TIE], dtype=object)[
        np.where((votes == best[:, None]).sum(axis=1) > 1, len(ANSWERS), votes.argmax(axis=1))
    ]
    labels = rows["label"].to_numpy()
    own = votes[np.arange(len(votes)), np.maximum(labels, 0)]
    kept = (total > 0) & (labels >= 0)
    safe = np.where(kept, total, 1.0)
    table = pd.DataFrame(
        {
            "row": rows["row"].to_numpy(),
            "split": rows["split"].to_numpy(),
            "label": label_names(rows).to_numpy(),
            "majority": majority,
            "votes": total.astype(int),
            "disagrees": best > own,
            "agreement": own / safe,
            "majority_share": best / safe,
        }
    )
    return table[kept].reset_index(drop=True)


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
    members["known"] = members["label"].where(members["label"] >= 0)
    members["label"] = label_names(rows).loc[members.index]
    if members.empty:
        return _no_groups()
    grouped = members.groupby(column)
    table = pd.DataFrame(
        {
            "size": grouped.size(),
            "labels": _tally(members, column, "label", FERPLUS_EMOTIONS),
            "splits": _tally(members, column, "split", SPLITS),
            "conflicting": grouped["known"].nunique() > 1,
            "crosses_splits": grouped["split"].nunique() > 1,
            "rows": grouped["row"].agg(tuple),
        }
    ).rename_axis("group")
    return table.sort_values(["size", "group"], ascending=[False, True])


def group_sizes(table: pd.DataFrame) -> pd.Series:
    """How many groups there are of each size, smallest size first."""
    return table["size"].value_counts().sort_index()


def leakage(rows: pd.DataFrame) -> pd.DataFrame:
    """Per test split: images, how many have a byte-identical twin in Training, and their share (0 to 1)."""
    held_out = rows[rows["split"] != SPLITS[0]]
    grouped = held_out.groupby("split")["twin_in_training"]
    table = pd.DataFrame({"images": grouped.size(), "twins": grouped.sum().astype(int), "share": grouped.mean()})
    return table.reindex([split for split in SPLITS if split in table.index])


def near_leakage(rows: pd.DataFrame) -> dict[str, int]:
    """Per test split the images that look like one of Training, equal or not; empty where that is unknown."""
    if "near_twin_in_training" not in rows:
        return {}
    held_out = rows[rows["split"] != SPLITS[0]]
    return {str(split): int(count) for split, count in held_out.groupby("split")["near_twin_in_training"].sum().items()}


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
