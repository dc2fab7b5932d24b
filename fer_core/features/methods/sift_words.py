"""Dense SIFT as a bag of visual words, with a spatial pyramid.

Lowe 2004 (https://doi.org/10.1023/B:VISI.0000029664.99615.94) describes patches, Csurka et al. 2004 count them as
words, Lazebnik et al. 2006 (https://doi.org/10.1109/CVPR.2006.68) count them in parts of the picture; on FER2013:
Georgescu et al. 2019 (https://arxiv.org/abs/1804.10892).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from fer_core.config import SIDE
from fer_core.errors import ConfigError, DataError
from fer_core.features.base import Arrays, Extractor, register_features

LENGTH = 128
"""Numbers of a SIFT descriptor."""
BINS_ACROSS = 4
WIDTHS_PER_SIZE = 1.5
"""OpenCV: a bin of the descriptor is 3 x size / 2 pixels wide."""


@register_features
@dataclass(frozen=True)
class SiftWords(Extractor):
    """A grid of SIFT descriptors, each replaced by the nearest of a codebook's words, counted over parts of the face.

    The counts of each part are scaled to sum to 1 and their square roots are taken, so that a dot product compares them
    by Hellinger's kernel. The codebook is k-means over a sample of Training's descriptors.

    Attributes:
        words: size of the codebook.
        step: distance of the grid's points in pixels.
        patch: side of a described patch in pixels.
        levels: of the pyramid; level l parts the face into 2^l x 2^l, so D = words x (1 + 4 + ...).
        sample: faces that the codebook is learnt from.
        seed: of the sample and of k-means.
    """

    name = "sift_words"
    title = "Dense SIFT, bag of visual words"
    paper = "https://arxiv.org/abs/1804.10892"

    words: int = 256
    step: int = 4
    patch: int = 16
    levels: int = 2
    sample: int = 1500
    seed: int = 0

    def __post_init__(self) -> None:
        if self.words < 2 or self.step < 1 or not 4 <= self.patch <= SIDE or self.levels < 1 or self.sample < 1:
            raise ConfigError("sift_words needs two words or more, a step and levels from 1, and patches of 4 to 48")

    def fit(self, faces: np.ndarray) -> Arrays:
        """{"codebook": float32 (words, 128)} of descriptors of length 1."""
        from sklearn.cluster import MiniBatchKMeans

        chosen = np.random.default_rng(self.seed).permutation(len(faces))[: self.sample]
        descriptors = self.descriptors(np.asarray(faces[np.sort(chosen)])).reshape(-1, LENGTH)
        if len(descriptors) < self.words:
            raise DataError(f"{len(faces)} faces are too few for {self.words} visual words; ask for fewer words")
        found = MiniBatchKMeans(self.words, batch_size=4096, n_init=1, random_state=self.seed).fit(descriptors)
        return {"codebook": found.cluster_centers_.astype(np.float32)}

    def describe(self, faces: np.ndarray, learnt: Mapping[str, np.ndarray]) -> np.ndarray:
        """uint8 (N, 48, 48) -> float32 (N, D) in [0, 1]."""
        nearest = nearest_words(self.descriptors(faces), learnt["codebook"])  # (N, P)
        parts = [self._counts(nearest, cell) for cell in self._cells()]
        return np.sqrt(np.concatenate(parts, axis=1)).astype(np.float32)

    def descriptors(self, faces: np.ndarray) -> np.ndarray:
        """uint8 (N, 48, 48) -> float32 (N, P, 128) of length 1, or 0 where a patch has no edge."""
        import cv2

        size = self.patch / BINS_ACROSS / WIDTHS_PER_SIZE
        points = [cv2.KeyPoint(float(x), float(y), size, 0.0) for y, x in self.grid()]
        sift = cv2.SIFT_create()  # type: ignore[attr-defined]  # OpenCV's stubs leave it out
        raw = np.stack([sift.compute(np.ascontiguousarray(face), points)[1] for face in faces])
        length = np.linalg.norm(raw, axis=2, keepdims=True)
        return np.divide(raw, length, out=np.zeros_like(raw), where=length > 0)

    def grid(self) -> np.ndarray:
        """int (P, 2): y and x of the patches' centres, the outer ones half a patch from the edge."""
        line = np.arange(self.patch // 2, SIDE - self.patch // 2 + 1, self.step)
        return np.stack(np.meshgrid(line, line, indexing="ij"), axis=-1).reshape(-1, 2)

    def _cells(self) -> list[np.ndarray]:
        """bool (P,) masks: the whole face, then its quarters, and so on."""
        place = self.grid()
        masks = []
        for level in range(self.levels):
            parts = 2**level
            cell = np.minimum(place * parts // SIDE, parts - 1)
            masks += [(cell == (row, column)).all(1) for row in range(parts) for column in range(parts)]
        return masks

    def _counts(self, nearest: np.ndarray, cell: np.ndarray) -> np.ndarray:
        """float64 (N, words): shares of the words in one part of the face."""
        inside = nearest[:, cell]
        flat = inside + self.words * np.arange(len(inside))[:, None]
        counts = np.bincount(flat.ravel(), minlength=self.words * len(inside)).reshape(len(inside), self.words)
        shares: np.ndarray = counts / max(1, inside.shape[1])
        return shares


def nearest_words(descriptors: np.ndarray, codebook: np.ndarray) -> np.ndarray:
    """(N, P, 128) and (K, 128) -> int64 (N, P), index of the nearest word."""
    distance = (codebook**2).sum(1) - 2 * descriptors @ codebook.T  # less the descriptor's own length, which is common
    found: np.ndarray = distance.argmin(-1)
    return found
