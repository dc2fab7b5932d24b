"""Every raw form, written from drawn faces and read back: the same rows, splits, labels and pixels."""

from __future__ import annotations

import io
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from fer_core.data.readers import READERS, read_source
from fer_core.data.readers._decoding import photo_decoder
from fer_core.data.readers._names import EMOTION_ALIASES, label_of_cell, label_of_word, number_in
from fer_core.data.table import FaceDataset, check
from fer_core.errors import FormatError
from fer_core.labels import EMOTIONS, FERPLUS_EMOTIONS, UNLABELLED
from tests import factories, other_datasets

Writer = Callable[[FaceDataset, Path], Path]


def _row_folders(dataset: FaceDataset, folder: Path) -> Path:
    return factories.write_row_folders(_without_private(dataset), folder)


def _train_test(dataset: FaceDataset, folder: Path) -> Path:
    factories.write_train_csv(dataset.split("Training"), folder / "train.csv")
    factories.write_test_csv(dataset.split("PrivateTest"), folder / "test.csv")
    return folder


FORMS: dict[str, Writer] = {
    "kaggle_csv": lambda dataset, folder: factories.write_csv(dataset, folder / "fer2013.csv"),
    "icml_csv": lambda dataset, folder: factories.write_icml_csv(dataset, folder / "icml_face_data.csv"),
    "train_csv": lambda dataset, folder: factories.write_train_csv(dataset, folder / "train.csv"),
    "test_csv": lambda dataset, folder: factories.write_test_csv(dataset, folder / "test.csv"),
    "train_test_csv": _train_test,
    "split_folders": factories.write_kaggle_folders,
    "row_folders": _row_folders,
    "ferplus_folders": factories.write_ferplus_folders,
}
EXPECTED: dict[str, Callable[[FaceDataset], FaceDataset]] = {
    "train_csv": lambda dataset: _relabelled(dataset, split="Training"),
    "test_csv": lambda dataset: _relabelled(dataset, split="PrivateTest", label=UNLABELLED),
    "train_test_csv": lambda dataset: _joined(dataset),
    "row_folders": lambda dataset: _without_private(dataset),
}
"""What a form keeps of the dataset, where that is not all of it."""


def _without_private(dataset: FaceDataset) -> FaceDataset:
    return dataset.select((dataset.table["split"] != "PrivateTest").to_numpy())


def _relabelled(dataset: FaceDataset, **columns: object) -> FaceDataset:
    return FaceDataset(dataset.table.assign(**columns), dataset.pixels)


def _joined(dataset: FaceDataset) -> FaceDataset:
    """Training, then PrivateTest without labels, numbered on."""
    both = dataset.select((dataset.table["split"] != "PublicTest").to_numpy())
    private = both.table["split"] == "PrivateTest"
    table = both.table.assign(row=range(len(both)), label=both.table["label"].where(~private, UNLABELLED))
    return FaceDataset(table, both.pixels)


def assert_same(read: FaceDataset, expected: FaceDataset, *, tolerance: int = 0) -> None:
    check(read)
    for column in ("row", "split", "label"):
        assert read.table[column].tolist() == expected.table[column].tolist(), column
    difference = np.abs(read.pixels.astype(int) - expected.pixels)
    assert difference.max() <= tolerance


def test_every_reader_has_a_form_here_or_among_the_other_datasets() -> None:
    assert set(FORMS) | set(other_datasets.FORMS) == set(READERS)


@pytest.mark.parametrize("form", sorted(FORMS))
@pytest.mark.parametrize("packed", ["plain", ".zip", ".tar.gz"])
def test_a_form_comes_back(form: str, packed: str, dataset: FaceDataset, tmp_path: Path) -> None:
    (tmp_path / "raw").mkdir()
    source = FORMS[form](dataset, tmp_path / "raw")
    if packed != "plain":
        source = factories.archive(tmp_path / "raw", tmp_path / f"raw{packed}")
    result = read_source(source)
    assert result.dataset.source_format == form
    assert result.rejected == ()
    expected = EXPECTED.get(form, lambda whole: whole)(dataset)
    assert_same(result.dataset, expected)
    assert result.total == len(expected)


@pytest.mark.parametrize("form", [form for form in FORMS if form.endswith("_csv") and form != "train_test_csv"])
def test_a_csv_form_comes_back_gzipped_in_a_folder(form: str, dataset: FaceDataset, tmp_path: Path) -> None:
    plain = FORMS[form](dataset, tmp_path)
    packed = factories.write_bytes(plain.read_bytes(), plain.with_name(plain.name + ".gz"))
    plain.unlink()
    expected = EXPECTED.get(form, lambda whole: whole)(dataset)
    assert_same(read_source(packed).dataset, expected)
    assert_same(read_source(tmp_path).dataset, expected)


def test_the_whole_file_is_preferred_to_parts_of_it(dataset: FaceDataset, tmp_path: Path) -> None:
    _train_test(dataset, tmp_path)
    factories.write_icml_csv(dataset, tmp_path / "icml_face_data.csv")
    (tmp_path / "example_submission.csv").write_text("id,emotion\n1,2\n")
    assert_same(read_source(tmp_path).dataset, dataset)


def test_two_datasets_in_one_folder_are_not_guessed_between(dataset: FaceDataset, tmp_path: Path) -> None:
    factories.write_csv(dataset, tmp_path / "a.csv")
    factories.write_csv(dataset, tmp_path / "b.csv")
    with pytest.raises(FormatError, match=r"several datasets \(a.csv, b.csv\); name one"):
        read_source(tmp_path)


def test_windows_line_ends_byte_order_mark_quotes_and_blank_lines(dataset: FaceDataset, tmp_path: Path) -> None:
    lines = factories.csv_text(dataset).splitlines()
    quoted = [",".join(f'"{cell}"' for cell in line.split(",")) for line in lines]
    text = "\r\n".join([*quoted[:5], "", *quoted[5:]]) + "\r\n\r\n"
    source = tmp_path / "fer.csv"
    source.write_bytes(text.encode("utf-8-sig"))
    result = read_source(source)
    assert result.rejected == ()
    assert_same(result.dataset, dataset)


def test_a_last_line_without_an_end_is_a_row(dataset: FaceDataset, tmp_path: Path) -> None:
    source = tmp_path / "fer.csv"
    source.write_text(factories.csv_text(dataset).rstrip("\n"))
    assert_same(read_source(source).dataset, dataset)


def test_further_columns_and_emotion_names_are_understood(dataset: FaceDataset, tmp_path: Path) -> None:
    lines = factories.csv_text(dataset).splitlines()
    named = [f"{EMOTIONS[int(line[0])]},{line[2:]}" for line in lines[1:]]
    text = "\n".join([f",{lines[0]},note", *(f'{row},{line},"a, b"' for row, line in enumerate(named))])
    source = tmp_path / "fer.csv"
    source.write_text(text)
    assert_same(read_source(source).dataset, dataset)


def test_a_test_file_may_have_labels_or_blanks(dataset: FaceDataset, tmp_path: Path) -> None:
    lines = factories.csv_text(dataset, ("emotion", "pixels")).splitlines()
    lines[1] = "," + lines[1].split(",")[1]
    lines[2] = "-1," + lines[2].split(",")[1]
    source = tmp_path / "test.csv"
    source.write_text("\n".join(lines))
    result = read_source(source)
    assert result.dataset.source_format == "test_csv"
    assert result.dataset.labels.tolist() == [-1, -1, *dataset.labels[2:].tolist()]


@pytest.mark.parametrize("form", ["split_folders", "row_folders"])
def test_jpeg_pictures_in_colour_are_read(form: str, dataset: FaceDataset, tmp_path: Path) -> None:
    writer = factories.write_kaggle_folders if form == "split_folders" else factories.write_row_folders
    part = _without_private(dataset)
    writer(part, tmp_path, ".jpg")
    for path in sorted(tmp_path.rglob("*.jpg"))[::2]:
        with Image.open(path) as picture:
            colour = picture.convert("RGB")
        colour.save(path, quality=95)
    result = read_source(tmp_path)
    assert result.dataset.source_format == form
    assert_same(result.dataset, part, tolerance=90)


def test_other_spellings_of_folders(dataset: FaceDataset, tmp_path: Path) -> None:
    words = {emotion: aliases.split()[-1].upper() for emotion, aliases in EMOTION_ALIASES.items()}
    folder = factories.write_row_folders(_without_private(dataset), tmp_path / "a")
    for path in sorted(folder.glob("images/*/*")):
        path.rename(path.with_name(words[path.name]))
    (folder / "images" / "train").rename(folder / "images" / "Train")
    (folder / "notes").mkdir()
    (folder / "notes" / "about.txt").write_text("not a face")
    (folder / "images" / "validation" / words["sad"] / ".DS_Store").write_bytes(b"junk")
    assert_same(read_source(folder).dataset, _without_private(dataset))


def test_a_test_folder_without_usage_in_its_names_is_private(dataset: FaceDataset, tmp_path: Path) -> None:
    part = _without_private(dataset)
    factories.write_row_folders(part, tmp_path)
    (tmp_path / "images" / "validation").rename(tmp_path / "images" / "test")
    expected = part.table["split"].replace({"PublicTest": "PrivateTest"})
    assert read_source(tmp_path).dataset.table["split"].tolist() == expected.tolist()


def test_numbers_that_are_not_unique_give_way_to_the_order(dataset: FaceDataset, tmp_path: Path) -> None:
    for index in range(6):
        part = "train" if index < 3 else "test"
        factories.write_picture(dataset.pixels[index], tmp_path / part / "happy" / f"{index % 3}.png")
    result = read_source(tmp_path).dataset
    assert result.table["row"].tolist() == list(range(6))
    assert len(np.unique(result.pixels.reshape(6, -1), axis=0)) == 6


def test_ferplus_folders_keep_the_votes(dataset: FaceDataset, tmp_path: Path) -> None:
    result = read_source(factories.write_ferplus_folders(dataset, tmp_path)).dataset
    votes = [name for name in dataset.table.columns if name.startswith("votes_")]
    assert result.table[votes].to_numpy().tolist() == dataset.table[votes].to_numpy().tolist()
    assert result.labels.tolist() == factories.majority(dataset).tolist()


def test_names_in_archives_never_become_paths(dataset: FaceDataset, tmp_path: Path) -> None:
    import zipfile

    inside = tmp_path / "deep" / "down"
    inside.mkdir(parents=True)
    with zipfile.ZipFile(inside / "evil.zip", "w") as target:
        target.writestr("../../escaped.csv", factories.csv_text(dataset))
        target.writestr("/absolute.txt", "x")
    before = sorted(tmp_path.rglob("*"))
    assert_same(read_source(inside / "evil.zip").dataset, dataset)
    assert sorted(tmp_path.rglob("*")) == before


def test_words_for_emotions() -> None:
    for emotion, words in EMOTION_ALIASES.items():
        for word in words.split():
            assert label_of_word(f" {word.title()} ") == FERPLUS_EMOTIONS.index(emotion)
    assert label_of_word("hungry") is None
    assert [label_of_cell(str(index)) for index in range(7)] == list(range(7))
    with pytest.raises(ValueError, match="unknown label '7'"):
        label_of_cell("7")


def test_numbers_in_names() -> None:
    assert number_in("train/angry/Training_123.jpg") == 123
    assert number_in("FER2013Train/fer0000007.png") == 7
    assert number_in("happy/face.png") is None
    assert number_in("happy/1" + "0" * 30 + ".png") is None


def test_progress_is_heard(dataset: FaceDataset, tmp_path: Path) -> None:
    heard: list[tuple[int, int]] = []
    source = factories.write_csv(dataset, tmp_path / "fer.csv.gz")
    read_source(source, progress=lambda done, total: heard.append((done, total)))
    assert heard[-1] == (source.stat().st_size, source.stat().st_size)
    heard.clear()
    folder = factories.write_kaggle_folders(dataset, tmp_path / "faces")
    read_source(folder, progress=lambda done, total: heard.append((done, total)))
    assert heard[-1] == (len(dataset), len(dataset))
    shutil.rmtree(folder)


def test_linked_folders_and_files_are_read_once(dataset: FaceDataset, tmp_path: Path) -> None:
    there = factories.write_row_folders(dataset, tmp_path / "disk")
    here = tmp_path / "here" / "images"
    here.mkdir(parents=True)
    for part in ("train", "validation"):
        (here / part).symlink_to(there / "images" / part, target_is_directory=True)
    (there / "images" / "train" / "angry" / "loop").symlink_to(here, target_is_directory=True)
    assert len(read_source(here.parent).dataset) == len(dataset)


def test_hard_links_in_a_tar_are_files(dataset: FaceDataset, tmp_path: Path) -> None:
    folder = factories.write_row_folders(dataset, tmp_path / "faces")
    first, second = sorted((folder / "images" / "train" / "angry").iterdir())[:2]
    second.unlink()
    second.hardlink_to(first)
    packed = factories.archive(folder, tmp_path / "faces.tar.gz")
    assert len(read_source(packed).dataset) == len(dataset)


def test_photos_are_read_as_they_are_shown() -> None:
    upright = np.zeros((64, 64), np.uint8)
    upright[:32] = 200
    content = io.BytesIO()
    exif = Image.Exif()
    exif[0x0112] = 6  # turn by 90 degrees to see it upright
    Image.fromarray(np.rot90(upright)).save(content, "PNG", exif=exif)
    face = photo_decoder(None)(content.getvalue()).pixels
    assert face[:20].min() == 200
    assert face[-20:].max() == 0
    content = io.BytesIO()
    Image.new("RGBA", (64, 64), (0, 0, 0, 0)).save(content, "PNG")
    face = photo_decoder(None)(content.getvalue()).pixels
    assert face.min() == 255
