"""Broken input: each broken row is named with its reason, each broken file with what to do about it."""

from __future__ import annotations

import gzip
import struct
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from fer_core.data.readers import read_source
from fer_core.data.table import FaceDataset
from fer_core.errors import FormatError
from tests import factories

Change = Callable[[str], str]


def _cell(place: int, text: str) -> Change:
    def change(line: str) -> str:
        cells = line.split(",")
        cells[place] = text
        return ",".join(cells)

    return change


def _pixel(place: int, text: str) -> Change:
    def change(line: str) -> str:
        cells = line.split(",")
        values = cells[1].split(" ")
        values[place] = text
        return ",".join([cells[0], " ".join(values), *cells[2:]])

    return change


FAULTS: dict[str, tuple[Change, str]] = {
    "too few": (lambda line: _short(line), "2303"),
    "too many": (lambda line: line.replace(",Tr", " 7,Tr").replace(",Pu", " 7,Pu").replace(",Pr", " 7,Pr"), "2305"),
    "above": (_pixel(10, "256"), "pixel 10 is '256', outside 0..255"),
    "far above": (_pixel(10, "70368744177664"), "outside 0..255"),
    "below": (_pixel(0, "-1"), "pixel 0 is '-1', outside 0..255"),
    "a word": (_pixel(2303, "abc"), "pixel 2303 is 'abc', not a whole number"),
    "a fraction": (_pixel(5, "12.5"), "pixel 5 is '12.5', not a whole number"),
    "missing": (_cell(1, ""), "0 pixel values instead of 2304"),
    "label": (_cell(0, "7"), "unknown label '7'"),
    "label word": (_cell(0, "hungry"), "unknown label 'hungry'"),
    "no label": (_cell(0, ""), "the label is missing"),
    "minus": (_cell(0, "-1"), "unknown label '-1'"),
    "usage": (_cell(2, "Testing"), "unknown usage 'Testing'"),
    "no usage": (_cell(2, " "), "the usage is missing"),
    "columns": (lambda line: line + ",9", "4 columns instead of 3"),
    "no columns": (lambda line: "nothing", "1 columns instead of 3"),
}


def _short(line: str) -> str:
    cells = line.split(",")
    return ",".join([cells[0], cells[1].split(" ", 1)[1], cells[2]])


@pytest.mark.parametrize("fault", sorted(FAULTS))
def test_a_broken_row_is_named_and_the_others_are_kept(fault: str, dataset: FaceDataset, tmp_path: Path) -> None:
    change, reason = FAULTS[fault]
    lines = factories.csv_text(dataset).splitlines()
    for row in (0, 31, len(dataset) - 1):
        lines[row + 1] = change(lines[row + 1])
    source = tmp_path / "fer2013.csv"
    source.write_text("\n".join(lines) + "\n")
    result = read_source(source)
    assert [rejection.row for rejection in result.rejected] == [0, 31, len(dataset) - 1]
    assert all(reason in rejection.reason for rejection in result.rejected)
    assert result.total == len(dataset)
    kept = dataset.table["row"].drop([0, 31, len(dataset) - 1])
    assert result.dataset.table["row"].tolist() == kept.tolist()
    assert np.array_equal(result.dataset.pixels, dataset.pixels[kept.to_numpy()])


def test_two_faults_in_a_row_are_both_named(dataset: FaceDataset, tmp_path: Path) -> None:
    lines = factories.csv_text(dataset).splitlines()
    lines[3] = _pixel(1, "999")(_cell(0, "9")(lines[3]))
    source = tmp_path / "fer2013.csv"
    source.write_text("\n".join(lines) + "\n")
    (rejection,) = read_source(source).rejected
    assert rejection.row == 2
    assert "unknown label '9'" in rejection.reason
    assert "pixel 1 is '999'" in rejection.reason


def test_a_csv_cut_off_inside_a_row_says_so(dataset: FaceDataset, tmp_path: Path) -> None:
    source = tmp_path / "fer2013.csv"
    source.write_text(factories.csv_text(dataset)[:-3000])
    (rejection,) = read_source(source).rejected
    assert rejection.row == len(dataset) - 1
    assert "cut off" in rejection.reason


def test_a_gzip_file_cut_off_keeps_the_rows_before(dataset: FaceDataset, tmp_path: Path) -> None:
    source = factories.write_csv(dataset, tmp_path / "fer2013.csv.gz")
    content = source.read_bytes()
    source.write_bytes(content[: len(content) * 2 // 3])
    result = read_source(source)
    (rejection,) = result.rejected
    assert "cut off" in rejection.reason
    assert 10 < len(result.dataset) == rejection.row < len(dataset)
    assert np.array_equal(result.dataset.pixels, dataset.pixels[: len(result.dataset)])


def test_a_gzip_file_cut_off_by_its_last_bytes_is_not_taken_for_whole(dataset: FaceDataset, tmp_path: Path) -> None:
    source = factories.write_csv(dataset, tmp_path / "fer2013.csv.gz")
    source.write_bytes(source.read_bytes()[:-4])
    assert "cut off" in read_source(source).rejected[-1].reason


def test_a_gzip_file_of_several_parts_is_read_whole(dataset: FaceDataset, tmp_path: Path) -> None:
    content = factories.csv_text(dataset).encode()
    source = tmp_path / "fer2013.csv.gz"
    source.write_bytes(gzip.compress(content[:100_001]) + gzip.compress(content[100_001:]) + b"\0" * 512)
    assert np.array_equal(read_source(source).dataset.pixels, dataset.pixels)


@pytest.mark.parametrize("name", ["fer2013.csv.gz", "fer2013.zip", "fer2013.tar.gz"])
def test_a_damaged_archive_is_refused(name: str, dataset: FaceDataset, tmp_path: Path) -> None:
    source = factories.write_csv(dataset, tmp_path / name)
    content = bytearray(source.read_bytes())
    middle = len(content) // 2
    content[middle : middle + 64] = bytes(64)
    source.write_bytes(content)
    with pytest.raises(FormatError, match=r"is damaged .*get the file again"):
        read_source(source)


@pytest.mark.parametrize("name", ["fer2013.zip", "fer2013.tar.gz"])
def test_an_archive_cut_off_is_refused(name: str, dataset: FaceDataset, tmp_path: Path) -> None:
    source = factories.write_csv(dataset, tmp_path / name)
    source.write_bytes(source.read_bytes()[:-2000])
    with pytest.raises(FormatError, match="get the file again"):
        read_source(source)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is empty"),
        ("\n\n", "is empty"),
        ("emotion,pixels,Usage\n", "a header and no row"),
        ("emotion,pixel,Usage\n0,1 2,Training\n", "closest: kaggle_csv.*'pixel' should be 'pixels'"),
        ("emotion,pixels,usages\n0,1,Training\n", "'usages' should be 'usage'"),
        ("hello\n", "closest: kaggle_csv"),
        ("pixel\n1 2\n", "closest: test_csv.*'pixel' should be 'pixels'"),
        ("label,pixels\n0,1\n", "the first line of faces.csv is 'label,pixels'"),
        ("a,b,c\n1,2,3\n", "the first line of faces.csv is 'a,b,c'"),
        ("0,1 2 3,Training\n", "has no header; closest: kaggle_csv"),
        ("\0\1\2PNG\x7f", "no text"),
        ("Usage,Image name,neutral,happiness,NF\n", "FER\\+'s votes and no pixels.*--ferplus"),
    ],
)
def test_a_file_in_no_known_form_names_the_closest(text: str, message: str, tmp_path: Path) -> None:
    source = tmp_path / "faces.csv"
    source.write_text(text)
    with pytest.raises(FormatError, match=message):
        read_source(source)


def test_places_with_nothing_to_read(tmp_path: Path, prepared: Path) -> None:
    with pytest.raises(FormatError, match="does not exist"):
        read_source(tmp_path / "nowhere.csv")
    (tmp_path / "empty").mkdir()
    with pytest.raises(FormatError, match="holds no files"):
        read_source(tmp_path / "empty")
    with pytest.raises(FormatError, match="prepared dataset already"):
        read_source(prepared)
    (tmp_path / "other" / "cats").mkdir(parents=True)
    (tmp_path / "other" / "cats" / "1.jpg").write_bytes(b"x")
    with pytest.raises(FormatError, match="closest: split_folders"):
        read_source(tmp_path / "other")


def test_an_archive_in_no_known_form_is_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as target:
        target.writestr("cats/1.jpg", b"x")
        target.writestr("cats/2.jpg", b"x")
    with pytest.raises(FormatError, match=r"a\.zip is in no form that is known"):
        read_source(tmp_path / "a.zip")


def test_a_line_without_end_is_refused_before_it_fills_the_memory(tmp_path: Path) -> None:
    source = tmp_path / "bomb.csv.gz"
    with gzip.open(source, "wb", 1) as file:
        file.write(b"emotion,pixels,Usage\n0,")
        file.write(b"1 " * 30_000_000)
    with pytest.raises(FormatError, match="a line of over"):
        read_source(source)


def test_broken_pictures_are_named_by_file(dataset: FaceDataset, tmp_path: Path) -> None:
    folder = factories.write_kaggle_folders(dataset, tmp_path / "raw")
    files = sorted(folder.rglob("*.png"))
    whole = files[4].read_bytes()
    files[0].write_bytes(b"")
    files[1].write_text("not a picture")
    Image.new("L", (64, 48)).save(files[2])
    files[3].write_bytes(whole[: len(whole) // 2])
    Image.fromarray(np.zeros((48, 48), np.uint16)).save(files[5])
    files[6].write_bytes(_png_header(60_000, 60_000))
    reasons = {str(rejection.row): rejection.reason for rejection in read_source(folder).rejected}
    named = [str(file.relative_to(folder)) for file in files]
    assert set(reasons) == {named[index] for index in (0, 1, 2, 3, 5, 6)}
    assert reasons[named[0]] == "an empty file"
    assert "not an image" in reasons[named[1]]
    assert reasons[named[2]] == "the picture is 64x48 pixels, not 48x48"
    assert "damaged" in reasons[named[3]]
    assert "8 bits" in reasons[named[5]]
    assert len(read_source(folder).dataset) == len(dataset) - 6


def test_an_archive_of_surprises_is_only_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A picture that unpacks to far more than a face, and a link out of the archive."""
    monkeypatch.setattr("fer_core.data.source.BIGGEST_PICTURE", 10_000)
    with zipfile.ZipFile(tmp_path / "big.zip", "w", zipfile.ZIP_DEFLATED) as target:
        target.writestr("train/happy/Training_1.png", bytes(1_000_000))
    (rejection,) = read_source(tmp_path / "big.zip").rejected
    assert "not an image" in rejection.reason
    with tarfile.open(tmp_path / "link.tar.gz", "w:gz") as archive:
        link = tarfile.TarInfo("train/happy/Training_2.png")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(link)
    with pytest.raises(FormatError, match="holds no files"):
        read_source(tmp_path / "link.tar.gz")


def test_a_folder_that_is_no_emotion_is_named(dataset: FaceDataset, tmp_path: Path) -> None:
    folder = factories.write_kaggle_folders(dataset, tmp_path / "raw")
    (folder / "train" / "happy").rename(folder / "train" / "hapy")
    rejected = read_source(folder).rejected
    assert len(rejected) == 4
    assert all(rejection.reason == "the folder 'hapy' is no emotion; closest: 'happy'" for rejection in rejected)


def test_broken_ferplus_folders(dataset: FaceDataset, tmp_path: Path) -> None:
    folder = factories.write_ferplus_folders(dataset, tmp_path / "raw")
    labels = folder / "FER2013Train" / "label.csv"
    lines = labels.read_text().splitlines()
    lines[0] = lines[0][:-1] + "-1"
    lines[1] = lines[1].rsplit(",", 1)[0]
    missing = folder / "FER2013Train" / lines[2].split(",")[0]
    missing.unlink()
    del lines[3]
    labels.write_text("\n".join([*lines, lines[5]]) + "\n")
    result = read_source(folder)
    reasons = [rejection.reason for rejection in result.rejected]
    for words in (
        "'-1', not a whole number",
        "9 votes instead of 10",
        "no such file",
        "lists it twice",
        "does not list it",
    ):
        assert sum(words in reason for reason in reasons) == 1, (words, reasons)
    assert len(result.dataset) == len(dataset) - 4


def _png_header(width: int, height: int) -> bytes:
    """The start of a PNG file that claims that size and holds nothing."""
    import zlib

    data = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    chunk = b"IHDR" + data
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I", len(data)) + chunk + struct.pack(">I", zlib.crc32(chunk))


@pytest.mark.parametrize(
    ("offset", "value", "problem"), [(8, 1, "it is encrypted"), (10, 99, "packed by method 99, which is not known")]
)
def test_a_zip_that_cannot_be_unpacked_says_so(offset: int, value: int, problem: str, tmp_path: Path) -> None:
    path = tmp_path / "raw.zip"
    with zipfile.ZipFile(path, "w") as target:
        target.writestr("train/happy/1.png", b"x")
    content = bytearray(path.read_bytes())
    content[content.index(b"PK\x01\x02") + offset] = value  # flags and method in the directory at its end
    path.write_bytes(content)
    with pytest.raises(FormatError, match=rf"raw.zip cannot be unpacked .*{problem}.*; unpack it and name"):
        read_source(path)
