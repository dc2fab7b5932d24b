"""Small raw datasets in every form that users have, written from a face table so that a reader must give it back."""

from __future__ import annotations

import csv
import gzip
import io
import tarfile
import zipfile
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from fer_core.data.table import FaceDataset
from fer_core.labels import EMOTIONS, FERPLUS_COLUMNS, FERPLUS_EMOTIONS

FERPLUS_ORDER = ("neutral", "happiness", "surprise", "sadness", "anger", "disgust", "fear", "contempt", "unknown", "NF")
FERPLUS_FOLDERS = {"Training": "FER2013Train", "PublicTest": "FER2013Valid", "PrivateTest": "FER2013Test"}


def pixel_text(face: np.ndarray) -> str:
    """A face as the 2,304 numbers of Kaggle's `pixels` column."""
    return " ".join(map(str, face.ravel().tolist()))


def csv_text(dataset: FaceDataset, header: Sequence[str] = ("emotion", "pixels", "Usage")) -> str:
    """Kaggle's CSV with the columns of `header`, in its order (names are compared without blanks and case)."""
    lines = [",".join(header)]
    for label, split, face in zip(dataset.labels, dataset.table["split"], dataset.pixels, strict=True):
        cells = {"emotion": str(label), "usage": split, "pixels": pixel_text(face)}
        lines.append(",".join(cells[name.strip().lower()] for name in header))
    return "\n".join(lines) + "\n"


def write_csv(dataset: FaceDataset, path: Path, header: Sequence[str] = ("emotion", "pixels", "Usage")) -> Path:
    """`csv_text` as a file, compressed as its name says (.csv, .csv.gz, .zip, .tar.gz)."""
    return write_bytes(csv_text(dataset, header).encode(), path)


def write_bytes(content: bytes, path: Path, member: str = "fer2013.csv") -> Path:
    """A file of that content, compressed or archived as the name says."""
    path.parent.mkdir(parents=True, exist_ok=True)
    if path.suffix == ".zip":
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr(member, content)
    elif path.name.endswith((".tar.gz", ".tgz")):
        with tarfile.open(path, "w:gz") as archive:
            entry = tarfile.TarInfo(f"fer2013/{member}")
            entry.size = len(content)
            archive.addfile(entry, io.BytesIO(content))
    elif path.suffix == ".gz":
        path.write_bytes(gzip.compress(content))
    else:
        path.write_bytes(content)
    return path


def write_icml_csv(dataset: FaceDataset, path: Path) -> Path:
    """`icml_face_data.csv`, whose column names carry leading blanks."""
    return write_csv(dataset, path, header=("emotion", " Usage", " pixels"))


def write_train_csv(dataset: FaceDataset, path: Path) -> Path:
    """The competition's `train.csv`: labels and pixels, no usage."""
    return write_csv(dataset, path, header=("emotion", "pixels"))


def write_test_csv(dataset: FaceDataset, path: Path) -> Path:
    """The competition's `test.csv`: pixels only."""
    return write_csv(dataset, path, header=("pixels",))


def write_picture(face: np.ndarray, path: Path) -> Path:
    """A grey picture; `.png` keeps every pixel."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(face).save(path)
    return path


def write_kaggle_folders(dataset: FaceDataset, folder: Path, suffix: str = ".png") -> Path:
    """`train/angry/Training_123.png`, `test/angry/PublicTest_123.png` (Public and Private merged)."""
    for row, face in zip(dataset.table.itertuples(), dataset.pixels, strict=True):
        part = "train" if row.split == "Training" else "test"
        write_picture(face, folder / part / EMOTIONS[row.label] / f"{row.split}_{row.row}{suffix}")
    return folder


def write_row_folders(dataset: FaceDataset, folder: Path, suffix: str = ".png") -> Path:
    """`images/train/angry/<row>.png` and `images/validation/...`; the latter holds all that is not Training."""
    for row, face in zip(dataset.table.itertuples(), dataset.pixels, strict=True):
        part = "train" if row.split == "Training" else "validation"
        write_picture(face, folder / "images" / part / EMOTIONS[row.label] / f"{row.row}{suffix}")
    return folder


def votes_of(dataset: FaceDataset) -> list[list[int]]:
    """The ten vote counts of each row, in the order of FER+'s columns."""
    columns = [f"votes_{FERPLUS_COLUMNS[name]}" for name in FERPLUS_ORDER]
    votes: list[list[int]] = dataset.table[columns].to_numpy().tolist()
    return votes


def write_votes(dataset: FaceDataset, path: Path, nameless: Sequence[int] = ()) -> Path:
    """`fer2013new.csv`; rows in `nameless` have a blank image name."""
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(("Usage", "Image name", *FERPLUS_ORDER))
        for index, (split, votes) in enumerate(zip(dataset.table["split"], votes_of(dataset), strict=True)):
            writer.writerow((split, "" if index in nameless else f"fer{index:07d}.png", *votes))
    return path


def write_ferplus_folders(dataset: FaceDataset, folder: Path) -> Path:
    """`FER2013Train|Valid|Test/fer0000000.png`, each folder with its `label.csv` (which has no header)."""
    for split, name in FERPLUS_FOLDERS.items():
        part = dataset.split(split)
        (folder / name).mkdir(parents=True, exist_ok=True)
        with (folder / name / "label.csv").open("w", newline="") as file:
            writer = csv.writer(file)
            for row, face, votes in zip(part.table["row"], part.pixels, votes_of(part), strict=True):
                picture = write_picture(face, folder / name / f"fer{row:07d}.png")
                writer.writerow((picture.name, "(0, 0, 48, 48)", *votes))
    return folder


def archive(folder: Path, path: Path) -> Path:
    """A folder as .zip or .tar.gz, its name the first part of every member's."""
    files = sorted(file for file in folder.rglob("*") if file.is_file())
    if path.suffix == ".zip":
        with zipfile.ZipFile(path, "w") as target:
            for file in files:
                target.write(file, file.relative_to(folder.parent))
    else:
        with tarfile.open(path, "w:gz") as target:
            for file in files:
                target.add(file, file.relative_to(folder.parent))
    return path


def majority(dataset: FaceDataset) -> np.ndarray:
    """int64 (N,): the emotion of most votes, for comparison with what the FER+ reader says."""
    columns = [f"votes_{name}" for name in FERPLUS_EMOTIONS]
    result: np.ndarray = dataset.table[columns].to_numpy().argmax(axis=1)
    return result
