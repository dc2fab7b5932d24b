"""Measures where FER2013 puts eyes, nose and mouth in its 48x48 faces, for `fer_core.inference.align`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import numpy as np
import typer

from fer_core.errors import DataError
from fer_core.files import write_json
from fer_core.inference import align
from fer_core.inference.mtcnn import Mtcnn
from scripts._cli import JsonOption, emit, run
from scripts._dataset import open_dataset
from scripts._progress import bar

FRAMING = Path("fer_core/inference/framing.json")
ENLARGEMENT = 4
RIM = 14
"""Width of the repeated border around a face, in its own pixels: the detector wants air around a face."""


def main(
    data: Annotated[Path, typer.Argument(help="Prepared FER2013, or a raw form of it.")],
    out: Annotated[Path, typer.Option(help="JSON file to write.")] = FRAMING,
    sample: Annotated[int, typer.Option(min=1, help="How many Training faces to look at.")] = 6000,
    min_score: Annotated[float, typer.Option(min=0, max=1, help="Lowest detection score that counts.")] = 0.95,
    seed: Annotated[int, typer.Option(help="Which faces.")] = 0,
    as_json: JsonOption = False,
) -> None:
    """Measure where FER2013's faces have eyes, nose and mouth, and write it where the crops are made from it."""
    faces = open_dataset(data).split("Training").pixels
    chosen = np.sort(np.random.default_rng(seed).permutation(len(faces))[:sample])
    found = find_landmarks((faces[row] for row in bar(chosen, len(chosen), "faces")), min_score)
    document = {**summarise(found), "looked_at": len(chosen), "min_score": min_score, "seed": seed}
    document["command"] = f"python -m scripts.measure_framing data/fer2013 --sample {sample} --seed {seed}"
    write_json(out, document)
    emit(document, as_json, _lines(document))


def find_landmarks(faces: Any, min_score: float) -> np.ndarray:
    """Landmarks (M, 5, 2), in pixels of the face, of those uint8 (48, 48) in which a face is found with confidence."""
    detector = Mtcnn()
    found = [candidates for face in faces if len(candidates := detector.detect(_enlarged(face), align.SIDE * 2))]
    landmarks = [candidates.landmarks[0] for candidates in found if candidates.scores[0] >= min_score]
    if not landmarks:
        raise DataError("no face was found with confidence in any of these pictures; is this FER2013?")
    return np.array(landmarks) / ENLARGEMENT - RIM


def summarise(landmarks: np.ndarray) -> dict[str, Any]:
    """Median position and spread (median absolute deviation) of each of (M, 5, 2) landmarks."""
    median = np.median(landmarks, axis=0)
    spread = np.median(np.abs(landmarks - median), axis=0)
    return {
        "landmarks": dict(zip(align.LANDMARKS, median.round(2).tolist(), strict=True)),
        "spread": dict(zip(align.LANDMARKS, spread.round(2).tolist(), strict=True)),
        "faces": len(landmarks),
    }


def _enlarged(face: np.ndarray) -> np.ndarray:
    """uint8 (48, 48) -> RGB (H, W, 3), enlarged, with a rim."""
    import cv2

    large = cv2.resize(np.ascontiguousarray(face), None, fx=ENLARGEMENT, fy=ENLARGEMENT, interpolation=cv2.INTER_CUBIC)
    rim = RIM * ENLARGEMENT
    padded = cv2.copyMakeBorder(large, rim, rim, rim, rim, cv2.BORDER_REPLICATE)
    return np.repeat(padded[..., None], 3, axis=2)


def _lines(document: dict[str, Any]) -> list[str]:
    head = f"{document['faces']} of {document['looked_at']} faces found with a score of {document['min_score']} or more"
    spread = document["spread"]
    points = [
        f"{name:12} x {x:5.2f}  y {y:5.2f}  (spread {spread[name][0]:.2f}, {spread[name][1]:.2f})"
        for name, (x, y) in document["landmarks"].items()
    ]
    return [head, *points]


if __name__ == "__main__":
    run(main)
