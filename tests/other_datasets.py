"""Drawn faces in the layouts of other datasets than FER2013, each with what a reader must make of it.

Larger pictures repeat every pixel, so that the area averages of a reader give back the face exactly. Endings say one
thing and the content is PNG: readers go by the content.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from PIL import Image

from fer_core.data.readers import ReadOptions, read_label_map
from fer_core.labels import EMOTIONS
from tests import factories

Expected = dict[str, tuple[str, int, str]]
"""{key of a face: (split, label, source_label)}; faces are compared as a set."""

Writer = Callable[[Sequence[np.ndarray], Path], list[tuple[str, int, str]]]
"""(eight drawn faces or more, an empty folder) -> what each face must become, in the order of the faces."""

RAF_DB = ("surprise", "fear", "disgust", "happy", "sad", "angry", "neutral")
AFFECTNET = ("neutral", "happy", "sad", "surprise", "fear", "disgust", "angry", "contempt")
CK = ("neutral", "angry", "contempt", "disgust", "fear", "happy", "sad", "surprise")
CK_SUBJECTS = ("S005", "S006", "S007", "S008")
CONTEMPT = 7


SUBJECTS = {"ferg": {"aia", "bonnie"}, "jaffe": {"KA", "KL", "KM", "KR", "MK", "NA"}, "ck_sequences": {*CK_SUBJECTS}}
"""Who is shown in the layouts that say so."""


def label(emotion: str) -> int:
    """The project's index."""
    return CONTEMPT if emotion == "contempt" else EMOTIONS.index(emotion)


def write_large(face: np.ndarray, path: Path, *, times: int = 2, colour: bool = True, wider: int = 0) -> Path:
    """A face enlarged by repeating its pixels, with `wider` columns of black on both sides."""
    path.parent.mkdir(parents=True, exist_ok=True)
    large = np.pad(np.kron(face, np.ones((times, times), np.uint8)), ((0, 0), (wider, wider)))
    Image.fromarray(large).convert("RGB" if colour else "L").save(path, format="PNG")
    return path


def ferg(faces: Sequence[np.ndarray], folder: Path) -> list[tuple[str, int, str]]:
    words = ("anger", "disgust", "fear", "joy", "sadness", "surprise", "neutral")
    for index, (word, face) in enumerate(zip(words, faces, strict=False)):
        who = ("aia", "Bonnie")[index % 2]
        write_large(face, folder / "FERG_DB_256" / who / f"{who.lower()}_{word}" / f"{who}_{word}_{index}.png")
    return [("PrivateTest", index, "") for index in range(7)]


def ck_48(faces: Sequence[np.ndarray], folder: Path) -> list[tuple[str, int, str]]:
    words = ("anger", "disgust", "fear", "happy", "sadness", "surprise", "contempt")
    for word, face in zip(words, faces, strict=False):
        factories.write_picture(face, folder / "CK+48" / word / "S010_004_00000017.png")
    return [("PrivateTest", label(CK[(1, 3, 4, 5, 6, 7, 2)[index]]), "") for index in range(7)]


def ck_csv(faces: Sequence[np.ndarray], folder: Path) -> list[tuple[str, int, str]]:
    usages = ("Training", "PublicTest", "PrivateTest")
    rows = [f"{index},{factories.pixel_text(face)},{usages[index % 3]}" for index, face in enumerate(faces[:8])]
    (folder / "ckextended.csv").write_text("\n".join(["emotion,pixels,Usage", *rows]) + "\n")
    return [(usages[index % 3], index, "") for index in range(8)]


def ck_sequences(faces: Sequence[np.ndarray], folder: Path) -> list[tuple[str, int, str]]:
    """Three labelled sequences and one without an emotion; first frames are black."""
    for index, code in enumerate(("1", "2", "7", None)):
        subject, number = CK_SUBJECTS[index], "001"
        images = folder / "cohn-kanade-images" / subject / number
        for frame in range(1, 4):
            last = faces[index] if frame == 3 else np.zeros_like(faces[index])
            write_large(last, images / f"{subject}_{number}_{frame + 8:08d}.png", colour=False, wider=20)
        (folder / "Emotion" / subject / number).mkdir(parents=True)
        if code:
            name = f"{subject}_{number}_00000011_emotion.txt"
            (folder / "Emotion" / subject / number / name).write_text(f"   {code}.0000000e+00\r\n")
    labels = [("PrivateTest", label(CK[int(code)]), "") for code in "127"]
    return [*labels, ("PrivateTest", -1, "no emotion given")]


def jaffe(faces: Sequence[np.ndarray], folder: Path) -> list[tuple[str, int, str]]:
    names = ("KA.AN1.39.tiff", "KA.DI1.42.TIFF", "kl.fe2.163.tiff", "KM.HA1.4.tiff", "KR.SA1.77.tiff")
    for name, face in zip((*names, "MK.SU3.138.tiff", "NA.NE1.199.tiff"), faces, strict=False):
        write_large(face, folder / "jaffe" / name, colour=False)
    (folder / "jaffe" / "README_FIRST.txt").write_text("not a face")
    return [("PrivateTest", index, "") for index in range(7)]


def raf_folders(faces: Sequence[np.ndarray], folder: Path) -> list[tuple[str, int, str]]:
    for index, face in enumerate(faces[:7]):
        part = "train" if index < 4 else "test"
        write_large(face, folder / "DATASET" / part / str(index + 1) / f"{part}_{index:05d}_aligned.jpg")
    splits = ["Training"] * 4 + ["PrivateTest"] * 3
    return [(split, label(name), "") for split, name in zip(splits, RAF_DB, strict=True)]


def raf_list(faces: Sequence[np.ndarray], folder: Path) -> list[tuple[str, int, str]]:
    lines = []
    for index, face in enumerate(faces[:7]):
        part = "train" if index < 4 else "test"
        write_large(face, folder / "basic" / "Image" / "aligned" / f"{part}_{index:05d}_aligned.jpg")
        lines.append(f"{part}_{index:05d}.jpg {index + 1}")
    write_large(faces[7], folder / "basic" / "Image" / "original" / "train_00000.jpg")
    (folder / "basic" / "EmoLabel").mkdir()
    (folder / "basic" / "EmoLabel" / "list_patition_label.txt").write_bytes("\r\n".join(lines).encode())
    splits = ["Training"] * 4 + ["PrivateTest"] * 3
    return [(split, label(name), "") for split, name in zip(splits, RAF_DB, strict=True)]


def affectnet(faces: Sequence[np.ndarray], folder: Path) -> list[tuple[str, int, str]]:
    for index, face in enumerate(faces[:8]):
        part = "train_set" if index < 4 else "val_set"
        write_large(face, folder / part / str(index) / f"image{index:07d}.jpg")
    write_large(faces[8], folder / "val_set" / "9" / "image9.jpg")
    return affectnet_labels()


def affectnet_labels() -> list[tuple[str, int, str]]:
    """What becomes of AffectNet's numbers 0 to 7 and of 9, the first four in Training."""
    splits = ["Training"] * 4 + ["PublicTest"] * 5
    wanted = [(split, label(name), "") for split, name in zip(splits, AFFECTNET, strict=False)]
    return [*wanted, ("PublicTest", -1, "uncertain")]


def affectnet_annotations(faces: Sequence[np.ndarray], folder: Path) -> list[tuple[str, int, str]]:
    """As its makers give it: faces 0 to 7 in both forms of a number, and one that is uncertain."""
    for index, face in enumerate(faces[:9]):
        part = folder / ("train_set" if index < 4 else "val_set")
        write_large(face, part / "images" / f"{index}.jpg")
        (part / "annotations").mkdir(exist_ok=True)
        number = 9 if index == 8 else index
        np.save(part / "annotations" / f"{index}_exp.npy", np.array(str(number) if index % 2 else number))
        np.save(part / "annotations" / f"{index}_val.npy", np.array("0.5"))
    return affectnet_labels()


def affectnet_named(faces: Sequence[np.ndarray], folder: Path) -> list[tuple[str, int, str]]:
    for index, (name, face) in enumerate(zip(AFFECTNET, faces, strict=False)):
        part = "Train" if index < 4 else "val"
        write_large(face, folder / "AffectNet" / part / name.title() / f"image{index:07d}.JPG")
    splits = ["Training"] * 4 + ["PublicTest"] * 4
    return [(split, label(name), "") for split, name in zip(splits, AFFECTNET, strict=True)]


def mapped(faces: Sequence[np.ndarray], folder: Path) -> list[tuple[str, int, str]]:
    places = ("test/Freude/a.png", "test/wut/b.jpg", "Langeweile/c.png", "train/Freude/heute/d.png")
    for place, face in zip(places, faces, strict=False):
        write_large(face, folder / place)
    labels = (label("happy"), label("angry"), -1, label("happy"))
    splits = ("PrivateTest", "PrivateTest", "PrivateTest", "Training")
    return [(split, index, "langeweile" if index < 0 else "") for split, index in zip(splits, labels, strict=True)]


MAP = '{"freude": "Happiness", "Wut": "anger", "langeweile": null}'

LAYOUTS: dict[str, tuple[str, Writer]] = {
    "ferg": ("ferg_folders", ferg),
    "ck_48": ("emotion_folders", ck_48),
    "ck_csv": ("ck_csv", ck_csv),
    "ck_sequences": ("ck_sequences", ck_sequences),
    "jaffe": ("jaffe_names", jaffe),
    "raf_folders": ("raf_db_folders", raf_folders),
    "raf_list": ("raf_db_list", raf_list),
    "affectnet": ("affectnet_folders", affectnet),
    "affectnet_annotations": ("affectnet_annotations", affectnet_annotations),
    "affectnet_named": ("emotion_folders", affectnet_named),
    "mapped": ("mapped_folders", mapped),
}
"""Layout -> the form that reads it, and who writes it."""

FORMS = {form for form, _ in LAYOUTS.values()}


def options_for(layout: str) -> ReadOptions:
    """What a layout needs to be read."""
    return ReadOptions(label_map=read_label_map(MAP)) if layout == "mapped" else ReadOptions()
