"""The same picture cropped, compressed, lit or mirrored a little differently.

Three steps, from cheap to sure. Perceptual hashes of 64 bits (the pHash of the ImageHash library) of all faces are
compared with each other, and with those of the mirrored faces: pairs that differ in at most `HASH_BITS` bits are
candidates. Of these, pairs that correlate by less than `HINT` at a quarter of the resolution go. The rest counts where
the pixels correlate by at least `CORRELATION` once one face is moved by the best of all shifts of up to `SHIFT` pixels;
correlation does not feel brightness and contrast.

In FER2013 all of the hundred pairs looked at, mirrored ones included, were the same photograph, mostly cropped a pixel
or two elsewhere or with another stock agency's watermark.

All faces are compared with all: seconds for tens of thousands, minutes for hundreds of thousands.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Final

import numpy as np
import pandas as pd

from fer_core.data.audit.duplicates import NONE, shared_groups
from fer_core.data.progress import Progress, unshown
from fer_core.errors import ConfigError

HASH_BITS: Final = 12
HINT: Final = 0.85
CORRELATION: Final = 0.95
SHIFT: Final = 2

_HASH_SIDE, _KEPT = 32, 8
_COARSE = 4  # pixels that a hint averages over, each way
_BLOCK = 8  # rows compared with all others at a time: the distances stay in the processor's cache
_MIRROR = np.where(np.arange(_KEPT) % 2, -1.0, 1.0)  # mirroring a picture turns the sign of its odd waves


def perceptual_hashes(pixels: np.ndarray) -> np.ndarray:
    """uint8 (N, H, W) -> uint64 (N,): ImageHash's `phash` of 8x8 bits, the first bit the highest."""
    return _signs(_waves(pixels))


def near_pairs(pixels: np.ndarray, *, progress: Progress = unshown) -> pd.DataFrame:
    """All pairs of faces that show the same picture.

    Args:
        pixels: uint8 (N, H, W), no two the same and none constant.
        progress: wraps the blocks of the comparison.

    Returns:
        left, right (positions, left < right), bits (by which the hashes differ), correlation (at the best shift, in
        [-1, 1]) and mirrored (bool: the right face is a mirror image).
    """
    candidates = _candidates(_waves(pixels), progress)
    tables = [_confirmed(pixels, candidates[mirrored], mirrored) for mirrored in (False, True)]
    table = pd.concat(tables, ignore_index=True).drop_duplicates(["left", "right"])
    return table.sort_values(["left", "right"], ignore_index=True)


def one_of_each(exact: np.ndarray, constant: np.ndarray) -> np.ndarray:
    """Positions of the faces to compare: the first of each exact group, and none of the constant ones.

    Constant pictures look alike without being the same face; they are left to exact comparison.

    Args:
        exact: group ids of `exact_groups` (N,).
        constant: bool (N,), faces without content.
    """
    if len(exact) != len(constant):
        raise ConfigError("exact groups and constant marks must have one entry a face")
    _, first = np.unique(np.where(exact == NONE, -2 - np.arange(len(exact)), exact), return_index=True)
    first = np.sort(first)
    return first[~constant[first]]


def join(exact: np.ndarray, left: np.ndarray, right: np.ndarray) -> np.ndarray:
    """Exact groups (N,) and pairs of faces -> int64 (N,) groups of whatever is connected, -1 for a face alone."""
    from scipy.sparse import coo_array
    from scipy.sparse.csgraph import connected_components

    links = np.concatenate([np.stack([left, right], axis=1), _chains(exact)])
    graph = coo_array((np.ones(len(links), bool), (links[:, 0], links[:, 1])), shape=(len(exact),) * 2)
    _, component = connected_components(graph, directed=False)
    return shared_groups(component, np.bincount(component))


def _waves(pixels: np.ndarray) -> np.ndarray:
    """The lowest 8x8 cosine waves of each face: float64 (N, 8, 8)."""
    from scipy.fft import dct

    parts = [np.zeros((0, _KEPT, _KEPT))]
    for start in range(0, len(pixels), 2048):  # in parts, so that memory stays bounded
        small = _narrowed(_narrowed(pixels[start : start + 2048])).astype(np.float64)
        parts.append(dct(dct(small, axis=1)[:, :_KEPT], axis=2)[:, :, :_KEPT])
    return np.concatenate(parts)


def _narrowed(faces: np.ndarray) -> np.ndarray:
    """(N, H, W) -> (N, 32, H), transposed: Pillow's Lanczos filter along the rows of all faces at once."""
    from PIL import Image

    n, height, width = faces.shape
    tall = Image.fromarray(np.ascontiguousarray(faces).reshape(n * height, width))
    small = np.asarray(tall.resize((_HASH_SIDE, n * height), Image.Resampling.LANCZOS))
    return small.reshape(n, height, _HASH_SIDE).transpose(0, 2, 1)


def _signs(waves: np.ndarray) -> np.ndarray:
    flat = waves.reshape(len(waves), _KEPT * _KEPT)
    if not len(flat):
        return np.zeros(0, np.uint64)
    bits = flat > np.median(flat, axis=1, keepdims=True)
    return np.packbits(bits, axis=1).view(">u8").astype(np.uint64).ravel()


def _candidates(waves: np.ndarray, progress: Progress) -> dict[bool, np.ndarray]:
    """Pairs (P, 3) of left, right and bits, by whether the right face is mirrored."""
    hashes = _signs(waves)
    others = {False: hashes, True: _signs(waves * _MIRROR)}
    found = {mirrored: [np.zeros((0, 3), np.int64)] for mirrored in others}
    blocks = range(0, len(hashes), _BLOCK)
    for start in progress(blocks, len(blocks), "near duplicates"):
        for mirrored, other in others.items():
            found[mirrored].append(_close(hashes[start : start + _BLOCK], other[start:]) + np.array([start, start, 0]))
    return {mirrored: np.concatenate(parts) for mirrored, parts in found.items()}


def _close(block: np.ndarray, others: np.ndarray) -> np.ndarray:
    """Pairs (P, 3) of position in the block, position in the others (which start with the block), bits."""
    bits = np.bitwise_count(block[:, None] ^ others)
    left, right = np.divmod(np.flatnonzero(bits <= HASH_BITS), max(1, len(others)))
    upper = right > left
    left, right = left[upper], right[upper]
    return np.stack([left, right, bits[left, right]], axis=1).astype(np.int64)


def _confirmed(pixels: np.ndarray, pairs: np.ndarray, mirrored: bool) -> pd.DataFrame:
    pairs = pairs[_hints(_coarse(pixels), pairs, mirrored) >= HINT]
    parts = [np.zeros(0, np.float32)]
    for left, right in _chunks(pairs, 256):
        others = pixels[right][:, :, ::-1] if mirrored else pixels[right]
        parts.append(best_correlation(pixels[left], others))
    table = pd.DataFrame(pairs, columns=["left", "right", "bits"])
    table = table.assign(correlation=np.concatenate(parts), mirrored=mirrored)
    return table[table["correlation"] >= CORRELATION]


def _hints(coarse: np.ndarray, pairs: np.ndarray, mirrored: bool) -> np.ndarray:
    """Correlation of each pair (P,) at low resolution."""
    others = np.ascontiguousarray(coarse[:, :, ::-1]) if mirrored else coarse
    parts = [np.zeros(0, np.float32)]
    parts += [np.einsum("pij,pij->p", coarse[left], others[right]) for left, right in _chunks(pairs, 4096)]
    return np.concatenate(parts)


def _coarse(pixels: np.ndarray) -> np.ndarray:
    """float32 (N, H/4, W/4) of mean 0 and length 1."""
    n, height, width = len(pixels), pixels.shape[1] // _COARSE, pixels.shape[2] // _COARSE
    even = pixels[:, : height * _COARSE, : width * _COARSE].reshape(n, height, _COARSE, width, _COARSE)
    flat = _flat(even.mean((2, 4), dtype=np.float32).reshape(n, height * width))
    flat /= np.maximum(np.linalg.norm(flat, axis=1, keepdims=True), 1e-6)
    return flat.reshape(n, height, width)


def _chunks(pairs: np.ndarray, size: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    for start in range(0, len(pairs), size):
        part = pairs[start : start + size]
        yield part[:, 0], part[:, 1]


def best_correlation(faces: np.ndarray, others: np.ndarray, shift: int = SHIFT) -> np.ndarray:
    """Correlation of pixels at the best of all shifts of up to `shift` pixels either way.

    Args:
        faces: uint8 (P, H, W), of which the middle without a border of `shift` pixels is compared.
        others: uint8 (P, H, W), face by face.
        shift: 0 compares the whole faces as they lie.

    Returns:
        float32 (P,) in [-1, 1]; near 0 where a window has next to no contrast.
    """
    _, height, width = faces.shape
    rows, columns = height - 2 * shift, width - 2 * shift
    middle = _flat(faces[:, shift : shift + rows, shift : shift + columns])
    middle /= np.maximum(np.linalg.norm(middle, axis=1, keepdims=True), 1)
    best = np.full(len(faces), -1, np.float32)
    for down in range(2 * shift + 1):
        for right in range(2 * shift + 1):
            window = _flat(others[:, down : down + rows, right : right + columns])
            length = np.sqrt(np.maximum(np.einsum("pi,pi->p", window, window), 1))
            best = np.maximum(best, np.einsum("pi,pi->p", middle, window) / length)
    return best


def _flat(faces: np.ndarray) -> np.ndarray:
    flat: np.ndarray = faces.reshape(len(faces), math.prod(faces.shape[1:])).astype(np.float32)
    flat -= flat.mean(1, keepdims=True)
    return flat


def _chains(groups: np.ndarray) -> np.ndarray:
    """Links (L, 2) from each member of a group to the next."""
    order = np.argsort(groups, kind="stable")
    order = order[groups[order] != NONE]
    same = groups[order[1:]] == groups[order[:-1]]
    return np.stack([order[:-1][same], order[1:][same]], axis=1)
