"""Faces that occur more than once: the same bytes, or the same picture cropped, compressed or lit a little differently.

Near duplicates are found in two steps. Perceptual hashes of 64 bits (the pHash of the ImageHash library) name
candidates: pairs that differ in at most `HASH_BITS` bits. A pair counts where the pixels, after both faces are brought
to the same mean and contrast, correlate by at least `CORRELATION`. Groups are connected pairs, and hold exact
duplicates too. Constant pictures look alike without being the same face; they are left to exact comparison.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
import pandas as pd

from fer_core.errors import ConfigError

NONE = -1
"""Group of a face that is in no group."""

HASH_BITS = 6
CORRELATION = 0.97

_HASH_SIDE, _KEPT = 32, 8
_BLOCK = 1024

Progress = Callable[[Iterable[int], int, str], Iterable[int]]
"""(items, their number, what they are) -> the same items, shown as they pass."""


def pixel_hashes(pixels: np.ndarray) -> np.ndarray:
    """uint8 (N, H, W) -> str (N,): SHA-256 of each face's bytes, in hex."""
    return np.array([hashlib.sha256(np.ascontiguousarray(face)).hexdigest() for face in pixels], dtype=object)


def exact_groups(hashes: np.ndarray) -> np.ndarray:
    """Equal hashes (N,) -> group ids int64 (N,), numbered by first appearance; -1 for a face that occurs once."""
    codes, names = pd.factorize(hashes)
    return _number(codes, np.bincount(codes, minlength=len(names)))


def perceptual_hashes(pixels: np.ndarray) -> np.ndarray:
    """uint8 (N, H, W) -> uint64 (N,): ImageHash's `phash` of 8x8 bits, the first bit the highest."""
    from PIL import Image
    from scipy.fft import dct

    size = (_HASH_SIDE, _HASH_SIDE)
    if not len(pixels):
        return np.zeros(0, np.uint64)
    hashes = []
    for start in range(0, len(pixels), 4096):  # in parts, so that memory stays bounded
        small = [
            np.asarray(Image.fromarray(face).resize(size, Image.Resampling.LANCZOS))
            for face in pixels[start : start + 4096]
        ]
        waves = dct(dct(np.stack(small).astype(np.float64), axis=1), axis=2)[:, :_KEPT, :_KEPT].reshape(len(small), -1)
        bits = waves > np.median(waves, axis=1, keepdims=True)
        hashes.append(np.packbits(bits, axis=1).view(">u8").astype(np.uint64).ravel())
    return np.concatenate(hashes)


def near_groups(
    pixels: np.ndarray, exact: np.ndarray, *, constant: np.ndarray, progress: Progress | None = None
) -> np.ndarray:
    """Groups of faces that look alike, exact duplicates included.

    Args:
        pixels: uint8 (N, H, W).
        exact: group ids of `exact_groups`.
        constant: bool (N,), faces without content.
        progress: wraps the blocks of the comparison.

    Returns:
        int64 (N,) group ids, -1 for a face that is like no other.
    """
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    if len(exact) != len(pixels) or len(constant) != len(pixels):
        raise ConfigError("exact groups and constant marks must have one entry a face")
    _, first = np.unique(np.where(exact == NONE, -2 - np.arange(len(exact)), exact), return_index=True)
    lone = first[~constant[first]]  # one face of each exact group, so that twins are compared once
    pairs = lone[_confirm(pixels[lone], _candidates(perceptual_hashes(pixels[lone]), progress))]
    links = np.concatenate([pairs, _chains(exact)])
    graph = coo_array((np.ones(len(links), bool), (links[:, 0], links[:, 1])), shape=(len(pixels),) * 2)
    _, component = connected_components(graph, directed=False)
    return _number(component, np.bincount(component))


def summarise(groups: np.ndarray) -> dict[str, int]:
    """{"groups", "extra_rows"}: groups, and faces beyond the first of each."""
    members = groups[groups != NONE]
    number = len(np.unique(members))
    return {"groups": number, "extra_rows": len(members) - number}


def conflicting(groups: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """bool (N,): faces of a group whose labels (N,) differ; unlabelled faces (-1) neither agree nor differ."""
    known = (groups != NONE) & (labels >= 0)
    table = pd.DataFrame({"group": groups[known], "label": labels[known]})
    different = table.groupby("group")["label"].nunique()
    return known & np.isin(groups, different.index[different > 1])


def _candidates(hashes: np.ndarray, progress: Progress | None) -> np.ndarray:
    blocks: Any = range(0, len(hashes), _BLOCK)
    shown = progress(blocks, len(blocks), "near duplicates") if progress else blocks
    found = []
    for start in shown:
        block = hashes[start : start + _BLOCK]
        close = np.bitwise_count(block[:, None] ^ hashes[None, start:]) <= HASH_BITS
        left, right = np.nonzero(close)
        upper = right > left
        found.append(np.stack([left[upper], right[upper]], axis=1) + start)
    return np.concatenate(found) if found else np.zeros((0, 2), np.int64)


def _confirm(pixels: np.ndarray, pairs: np.ndarray) -> np.ndarray:
    """The pairs (P, 2) whose faces correlate enough."""
    kept = [np.zeros((0, 2), np.int64)]
    for start in range(0, len(pairs), _BLOCK):
        part = pairs[start : start + _BLOCK]
        left, right = (_standard(pixels[part[:, side]]) for side in (0, 1))
        kept.append(part[(left * right).mean(1) >= CORRELATION])
    return np.concatenate(kept)


def _standard(faces: np.ndarray) -> np.ndarray:
    flat = faces.reshape(len(faces), -1).astype(np.float32)
    flat -= flat.mean(1, keepdims=True)
    return flat / np.maximum(flat.std(1, keepdims=True), 1e-6)


def _chains(groups: np.ndarray) -> np.ndarray:
    """Links (L, 2) from each member of a group to the next."""
    order = np.argsort(groups, kind="stable")
    order = order[groups[order] != NONE]
    same = groups[order[1:]] == groups[order[:-1]]
    return np.stack([order[:-1][same], order[1:][same]], axis=1)


def _number(codes: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    shared = sizes[codes] > 1
    groups = np.full(len(codes), NONE, np.int64)
    groups[shared] = pd.factorize(codes[shared])[0]
    return groups
