"""Datasets other than FER2013, drawn in each layout and read back: splits, labels, pixels, and what is left out."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from fer_core.data.prepare import open_or_prepare, prepare
from fer_core.data.readers import LABEL_MAPS, ReadOptions, read_label_map, read_source
from fer_core.data.source import MOST_MEMBERS
from fer_core.data.table import FaceDataset, check, source_labels
from fer_core.errors import ConfigError, FormatError, RowsError
from fer_core.files import CACHE_VARIABLE
from fer_core.labels import FERPLUS_EMOTIONS
from tests import factories, other_datasets
from tests.other_datasets import LAYOUTS, SUBJECTS, label, options_for, write_large


@pytest.fixture(scope="module")
def faces(dataset: FaceDataset) -> list[np.ndarray]:
    return list(dataset.pixels[:9])


def found(read: FaceDataset, faces: list[np.ndarray]) -> list[tuple[str, int, str]]:
    """What became of each face, found by its pixels, in the order of the faces."""
    words = read.table["source_label"] if "source_label" in read.table else [""] * len(read)
    known = zip(read.pixels, read.table["split"], read.table["label"], words, strict=True)
    by_pixels = {pixels.tobytes(): (split, int(number), word) for pixels, split, number, word in known}
    return [by_pixels[face.tobytes()] for face in faces if face.tobytes() in by_pixels]


@pytest.mark.parametrize("packed", ["plain", ".zip", ".tar.gz"])
@pytest.mark.parametrize("layout", sorted(LAYOUTS))
def test_a_layout_comes_back(layout: str, packed: str, faces: list[np.ndarray], tmp_path: Path) -> None:
    form, write = LAYOUTS[layout]
    source = tmp_path / "raw"
    source.mkdir()
    expected = write(faces, source)
    (source / ".DS_Store").write_bytes(b"junk")
    if packed != "plain":
        source = factories.archive(source, tmp_path / f"raw{packed}")
    result = read_source(source, options=options_for(layout))
    assert (result.dataset.source_format, result.rejected) == (form, ())
    assert found(check(result.dataset), faces) == expected
    assert len(result.dataset) == len(expected) == result.total
    assert set(result.dataset.table.get("subject", ())) == SUBJECTS.get(layout, set())


@pytest.mark.parametrize("layout", ["ferg", "ck_48", "jaffe", "raf_folders", "raf_list", "affectnet", "ck_sequences"])
def test_upper_case_hidden_files_and_archives_from_windows(
    layout: str, faces: list[np.ndarray], tmp_path: Path
) -> None:
    form, write = LAYOUTS[layout]
    expected = write(faces, tmp_path / "raw")
    with zipfile.ZipFile(tmp_path / "raw.zip", "w") as target:
        for path in sorted((tmp_path / "raw").rglob("*.*")):
            if path.is_file():
                name = str(path.relative_to(tmp_path)).replace("/", "\\").upper()
                target.write(path, name)
        target.writestr("__MACOSX/raw/x.png", b"junk")
    result = read_source(tmp_path / "raw.zip")
    assert (result.dataset.source_format, result.rejected) == (form, ())
    assert found(result.dataset, faces) == expected


@pytest.mark.parametrize("layout", sorted(set(LAYOUTS) - {"ck_csv"}))
def test_broken_pictures_are_named_one_by_one(layout: str, faces: list[np.ndarray], tmp_path: Path) -> None:
    expected = LAYOUTS[layout][1](faces, tmp_path)
    whole = read_source(tmp_path, options=options_for(layout))
    files = [path for path in sorted(tmp_path.rglob("*.*")) if path.suffix.lower() in (".png", ".jpg", ".tiff")]
    last = [path for path in files if "00000009" not in path.name and "00000010" not in path.name]
    last = [path for path in last if path.parent.name != "original"]
    last[-1].write_bytes(b"")
    last[-2].write_bytes(last[-2].read_bytes()[:90])
    result = read_source(tmp_path, options=options_for(layout))
    assert {str(rejection.row) for rejection in result.rejected} == {
        str(path.relative_to(tmp_path)) for path in last[-2:]
    }
    assert {rejection.reason for rejection in result.rejected} == {"an empty file", "not an image, or a damaged one"}
    assert len(result.dataset) == len(expected) - 2
    assert result.total == whole.total


def test_first_frames_of_sequences_are_neutral_where_asked_for(faces: list[np.ndarray], tmp_path: Path) -> None:
    expected = other_datasets.ck_sequences(faces, tmp_path)
    read = read_source(tmp_path, options=ReadOptions(first_neutral=True)).dataset
    neutral = read.table["label"] == label("neutral")
    assert len(read) == len(expected) + 3
    assert int(neutral.sum()) == 3
    assert not read.pixels[neutral.to_numpy()].any()
    assert found(read, faces) == expected


def test_the_callers_frame_cuts_faces_out_of_larger_pictures(faces: list[np.ndarray], tmp_path: Path) -> None:
    other_datasets.jaffe(faces, tmp_path)
    factories.write_picture(faces[7], tmp_path / "jaffe" / "NA.SA1.200.png")
    seen: list[tuple[int, int]] = []

    def frame(picture: Image.Image) -> np.ndarray | None:
        seen.append(picture.size)
        return np.full((48, 48), len(seen), np.uint8) if len(seen) < 7 else None

    read = read_source(tmp_path, options=ReadOptions(frame=frame)).dataset
    assert seen == [(96, 96)] * 7
    assert sorted(read.pixels[:, 0, 0])[:6] == [1, 2, 3, 4, 5, 6]
    assert found(read, [faces[7]]) == [("PrivateTest", label("sad"), "")]
    assert source_labels(read.table) == {"no face found": 1}
    assert (read.table["label"] == -1).sum() == 1


def test_wide_pictures_keep_their_proportions(faces: list[np.ndarray], tmp_path: Path) -> None:
    write_large(faces[0], tmp_path / "happy" / "a.png", times=3, wider=30)
    assert np.array_equal(read_source(tmp_path).dataset.pixels[0], faces[0])


def test_compound_emotions_are_kept_by_name_without_a_label(faces: list[np.ndarray], tmp_path: Path) -> None:
    other_datasets.raf_list(faces, tmp_path)
    labels = next(tmp_path.rglob("*label.txt"))
    labels.write_text(labels.read_text().replace(" 7", " 11"))
    read = read_source(tmp_path).dataset
    assert set(read.labels) == {-1}
    assert source_labels(read.table)["disgustedly surprised"] == 1
    assert source_labels(read.table)["happily surprised"] == 1


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("train_00000.jpg 5", "listed twice"),
        ("train_00009.jpg 5", "no such picture"),
        ("other_00000.jpg 5", "neither train nor test"),
        ("train_00000.jpg x", "unknown label 'x'"),
        ("train_00000.jpg", "1 words in the line"),
    ],
)
def test_broken_lines_of_the_list_are_named(line: str, reason: str, faces: list[np.ndarray], tmp_path: Path) -> None:
    other_datasets.raf_list(faces, tmp_path)
    labels = next(tmp_path.rglob("*label.txt"))
    labels.write_text(labels.read_text() + "\n" + line)
    (rejection,) = read_source(tmp_path).rejected
    assert reason in rejection.reason
    assert str(rejection.row) == "basic/EmoLabel/list_patition_label.txt:8"


def test_broken_emotions_of_sequences_are_named(faces: list[np.ndarray], tmp_path: Path) -> None:
    other_datasets.ck_sequences(faces, tmp_path)
    files = sorted(tmp_path.rglob("*_emotion.txt"))
    files[0].write_text("angry")
    files[1].rename(files[1].with_name("S999_001_00000011_emotion.txt"))
    reasons = [rejection.reason for rejection in read_source(tmp_path).rejected]
    assert reasons == ["the emotion is 'angry', not a number from 0 to 7", "there are no pictures of its sequence"]


@pytest.mark.parametrize(
    ("place", "reason"),
    [
        ("aia/aia_angr/x.png", "the folder 'aia_angr' names no emotion; closest: 'angry'"),
        ("aia/x.png", "it is in no folder like"),
    ],
)
def test_stray_pictures_among_cartoons_are_named(
    place: str, reason: str, faces: list[np.ndarray], tmp_path: Path
) -> None:
    other_datasets.ferg(faces, tmp_path)
    write_large(faces[8], tmp_path / "FERG_DB_256" / place)
    (rejection,) = read_source(tmp_path).rejected
    assert reason in rejection.reason


def test_folders_that_a_map_does_not_know_are_named(faces: list[np.ndarray], tmp_path: Path) -> None:
    other_datasets.mapped(faces, tmp_path)
    write_large(faces[8], tmp_path / "Fruede" / "x.png")
    (rejection,) = read_source(tmp_path, options=options_for("mapped")).rejected
    assert rejection.reason == "the folder 'Fruede' is not among the label map; closest: 'freude'"


def test_numbers_that_several_datasets_use_need_a_map(faces: list[np.ndarray], tmp_path: Path) -> None:
    for index in range(7):
        write_large(faces[index], tmp_path / "train" / str(index) / "x.png")
    with pytest.raises(FormatError, match=r"folders 0 to 6, which .*--label-map fer2013, affectnet or raf_db"):
        read_source(tmp_path)
    read = read_source(tmp_path, options=ReadOptions(label_map=LABEL_MAPS["affectnet"])).dataset
    assert found(read, faces)[0] == ("Training", label("neutral"), "")


@pytest.mark.parametrize("layout", ["affectnet", "affectnet_annotations"])
def test_a_split_of_affectnet_alone_is_named_by_its_folder(
    layout: str, faces: list[np.ndarray], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    form, write = LAYOUTS[layout]
    expected = [(split, number, word) for split, number, word in write(faces, tmp_path) if split == "PublicTest"]
    for number in range(4):  # the numbers that the drawn val_set lacks, which would tell it from other datasets
        if layout == "affectnet":
            write_large(faces[8], tmp_path / "val_set" / str(number) / f"image{20 + number}.jpg")
    named = read_source(tmp_path / "val_set")
    assert (named.dataset.source_format, named.rejected) == (form, ())
    assert set(named.dataset.table["split"]) == {"PublicTest"}
    assert found(named.dataset, faces[4:8]) == expected[:4]
    monkeypatch.chdir(tmp_path / "val_set")
    assert set(read_source(Path()).dataset.table["split"]) == {"PublicTest"}
    renamed = (tmp_path / "val_set").rename(tmp_path / "some")
    monkeypatch.chdir(tmp_path)
    if layout == "affectnet_annotations":
        assert {item.reason for item in read_source(renamed).rejected} == {"it is neither in train_set nor in val_set"}
    else:
        with pytest.raises(FormatError):
            read_source(renamed)


def test_a_source_may_have_as_many_files_as_affectnet() -> None:
    assert MOST_MEMBERS > 2 * 1_458_250


def test_more_files_than_any_dataset_has_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("fer_core.data.source.MOST_MEMBERS", 3)
    for number in range(4):
        (tmp_path / f"{number}.txt").write_text("x")
    with pytest.raises(FormatError, match="more than 3 files"):
        read_source(tmp_path)


def test_annotations_of_affectnet_that_cannot_be_used(faces: list[np.ndarray], tmp_path: Path) -> None:
    other_datasets.affectnet_annotations(faces, tmp_path)
    marks = tmp_path / "train_set" / "annotations"
    (marks / "0_exp.npy").unlink()
    (marks / "1_exp.npy").write_bytes(b"junk")
    np.save(marks / "2_exp.npy", np.array("77"))
    np.save(marks / "3_exp.npy", np.array([{"pickled": "object"}], dtype=object), allow_pickle=True)
    write_large(faces[0], tmp_path / "images" / "9.jpg")
    result = read_source(tmp_path)
    reasons = {rejection.row: rejection.reason for rejection in result.rejected}
    assert "there is no annotation 0_exp.npy" in reasons["train_set/images/0.jpg"]
    assert "no NumPy file with one value" in reasons["train_set/images/1.jpg"]
    assert "unknown expression '77'" in reasons["train_set/images/2.jpg"]
    assert "no NumPy file with one value" in reasons["train_set/images/3.jpg"]
    assert "neither in train_set nor in val_set" in reasons["images/9.jpg"]
    assert len(result.dataset) == 5


def test_a_map_goes_with_pictures(dataset: FaceDataset, tmp_path: Path) -> None:
    source = factories.write_csv(dataset, tmp_path / "fer2013.csv")
    with pytest.raises(FormatError, match="a label map goes with folders of pictures"):
        read_source(source, options=options_for("mapped"))


def test_known_maps_name_emotions_or_what_is_left_out() -> None:
    for name, labels in LABEL_MAPS.items():
        emotions = [labels.label(word) for word in labels.names]
        assert all((index >= 0) != bool(word) for index, word in emotions), name
    assert [LABEL_MAPS["fer2013"].label(str(index)) for index in range(7)] == [(index, "") for index in range(7)]
    for name in ("affectnet", "ferplus", "ck"):
        assert sorted(LABEL_MAPS[name].label(str(index))[0] for index in range(8)) == list(range(8)), name
    assert LABEL_MAPS["words"].label("Happily-Surprised") == (-1, "happily surprised")
    assert LABEL_MAPS["raf_db"].label("07") == (FERPLUS_EMOTIONS.index("neutral"), "")


def test_a_map_from_a_file_and_the_same_inline(tmp_path: Path) -> None:
    (tmp_path / "map.json").write_text(other_datasets.MAP, encoding="utf-8-sig")
    assert read_label_map(str(tmp_path / "map.json")).key == read_label_map(other_datasets.MAP).key
    assert read_label_map(other_datasets.MAP).key != LABEL_MAPS["words"].key


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("afectnet", "there is no label map 'afectnet' .closest: 'affectnet'"),
        ("nowhere.json", "there is no label map 'nowhere.json'"),
        ("{1: 2}", "is no JSON"),
        ("{}", "a label map is a JSON object"),
        ('{"joy": "hapy"}', "gives 'joy' the emotion 'hapy'; use angry, "),
        ('{"joy": 3}', "gives 'joy' the emotion 3"),
    ],
)
def test_bad_maps_say_how_to_mend_them(text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        read_label_map(text)


def test_left_out_labels_survive_preparing(faces: list[np.ndarray], tmp_path: Path) -> None:
    other_datasets.affectnet(faces, tmp_path / "raw")
    report = prepare(tmp_path / "raw", tmp_path / "out")
    assert report.left_out == json.loads(json.dumps(report.to_dict()))["left_out"] == {"uncertain": 1}
    assert report.splits["PublicTest"]["unlabelled"] == 1
    assert source_labels(open_or_prepare(tmp_path / "out").table) == {"uncertain": 1}
    with pytest.raises(ConfigError, match="is prepared already"):
        open_or_prepare(tmp_path / "out", options=options_for("mapped"))


def test_options_have_prepared_copies_of_their_own(
    faces: list[np.ndarray], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path / "cache"))
    other_datasets.ck_sequences(faces, tmp_path / "raw")
    neutral = ReadOptions(first_neutral=True)
    sizes = [len(open_or_prepare(tmp_path / "raw", options=options)) for options in (None, neutral, None, neutral)]
    assert sizes == [4, 7, 4, 7]
    next((tmp_path / "raw").rglob("S005_001_00000011.png")).write_bytes(b"")
    with pytest.raises(RowsError, match="an empty file"):
        open_or_prepare(tmp_path / "raw")
    assert len(open_or_prepare(tmp_path / "raw", skip_broken=True)) == 3
