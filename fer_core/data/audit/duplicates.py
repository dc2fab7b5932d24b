"""Faces that occur more than once, byte for byte, and what a group of copies says about its labels."""

from __future__ import annotations

import hashlib

import numpy as np
import pandas as pd

NONE = -1
"""Group of a face that is in no group."""


def pixel_hashes(pixels: np.ndarray) -> np.ndarray:
    """uint8 (N, H, W) -> str (N,): SHA-256 of each face's bytes, in hex."""
    return np.array([hashlib.sha256(np.ascontiguousarray(face).data).hexdigest() for face in pixels], dtype=object)


def shortened(hashes: np.ndarray) -> np.ndarray:
    """The first 16 hex digits of each hash (N,): what audits and profiles keep, enough to know a face again."""
    return np.array([name[:16] for name in hashes], dtype=object)


def exact_groups(hashes: np.ndarray) -> np.ndarray:
    """Equal hashes (N,) -> group ids int64 (N,), numbered by first appearance; -1 for a face that occurs once."""
    codes, names = pd.factorize(hashes)
    return shared_groups(codes, np.bincount(codes, minlength=len(names)))


def shared_groups(codes: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    """Codes (N,) and the size of each code -> group ids int64 (N,), -1 where a code has one member."""
    shared = sizes[codes] > 1
    groups = np.full(len(codes), NONE, np.int64)
    groups[shared] = pd.factorize(codes[shared])[0]
    return groups


def summarise(groups: np.ndarray) -> dict[str, int]:
    """{"groups", "extra_rows"}: groups, and faces beyond the first of each (faces, not pairs)."""
    members = groups[groups != NONE]
    number = len(np.unique(members))
    return {"groups": number, "extra_rows": len(members) - number}


def conflicting(groups: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """bool (N,): faces of a group whose labels (N,) differ; unlabelled faces (-1) neither agree nor differ."""
    known = (groups != NONE) & (labels >= 0)
    table = pd.DataFrame({"group": groups[known], "label": labels[known]})
    different = table.groupby("group")["label"].nunique()
    return known & np.isin(groups, different.index[different > 1])
