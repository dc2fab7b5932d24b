"""Commands of evaluation on datasets other than FER2013, called in this process: a new one would take seconds each."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from fer_core import artifacts
from fer_core.artifacts import PROTOCOLS, ROBUSTNESS, load_card, load_record, update_card
from fer_core.classifiers import load_classifier
from fer_core.config import ExecutionConfig, TrainConfig
from fer_core.data.table import FaceDataset
from fer_core.errors import ConfigError, DataError, RowsError, UnknownNameError
from fer_core.evaluation.comparison import compare_protocols, divided
from fer_core.evaluation.protocols import ORDER, Parts
from fer_core.evaluation.robustness import CORRUPTIONS
from fer_core.files import CACHE_VARIABLE
from fer_core.labels import EMOTIONS
from scripts import _retraining, _tables
from scripts._retraining import recipe, retrained
from scripts.evaluate import evaluate
from scripts.prepare_data import prepare_data
from scripts.protocols import protocols
from scripts.robustness import robustness
from tests import other_datasets


@pytest.fixture(autouse=True)
def _cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(CACHE_VARIABLE, str(tmp_path / "cache"))


@pytest.fixture
def faces(dataset: FaceDataset) -> list[np.ndarray]:
    return list(dataset.pixels[:9])


@pytest.fixture
def judge(tiny_checkpoint: Path, capsys: pytest.CaptureFixture[str]) -> Any:
    """Evaluates the tiny checkpoint and gives the JSON document."""

    def call(data: Path, **options: Any) -> dict[str, Any]:
        evaluate(str(tiny_checkpoint), data=data, backend="torch", as_json=True, **options)
        document: dict[str, Any] = json.loads(capsys.readouterr().out)
        return document

    return call


@pytest.mark.parametrize(
    ("layout", "n", "left_out"),
    [
        ("ferg", 7, {}),
        ("ck_48", 6, {"contempt": 1}),
        ("ck_sequences", 2, {"contempt": 1, "no emotion given": 1}),
        ("affectnet", 7, {"contempt": 1, "uncertain": 1}),
        ("jaffe", 7, {}),
        ("raf_list", 7, {}),
    ],
)
def test_a_dataset_without_official_splits_is_judged_whole(
    layout: str, n: int, left_out: dict[str, int], judge: Any, faces: list[np.ndarray], tmp_path: Path
) -> None:
    other_datasets.LAYOUTS[layout][1](faces, tmp_path / "raw")
    document = judge(tmp_path / "raw", split="all")
    assert (document["split"], document["n"], document["left_out"]) == ("all", n, left_out)
    assert np.sum(document["confusion"]) == n
    assert document["labels"] == list(EMOTIONS)
    known = other_datasets.SUBJECTS.get(layout, set())
    assert set(document["subjects"]) <= known
    assert sum(score["faces"] for score in document["subjects"].values()) == (n if known else 0)


def test_text_names_the_hardest_subject_first(
    tiny_checkpoint: Path, faces: list[np.ndarray], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other_datasets.ferg(faces, tmp_path / "raw")
    evaluate(str(tiny_checkpoint), data=tmp_path / "raw", split="all", backend="torch")
    lines = capsys.readouterr().out.splitlines()
    heading = next(index for index, line in enumerate(lines) if "mean accuracy of 2 subjects" in line)
    shares = [float(line.split()[1].rstrip("%")) for line in lines[heading + 1 :]]
    assert {line.split()[0] for line in lines[heading + 1 :]} == {"aia", "bonnie"}
    assert shares == sorted(shares)


def test_a_label_map_and_frames_are_options(judge: Any, faces: list[np.ndarray], tmp_path: Path) -> None:
    other_datasets.mapped(faces, tmp_path / "raw")
    document = judge(tmp_path / "raw", split="all", label_map=other_datasets.MAP)
    assert (document["n"], document["left_out"]) == (3, {"langeweile": 1})
    with pytest.raises(ConfigError, match="there is no label map"):
        judge(tmp_path / "raw", label_map="nothing.json")
    other_datasets.ck_sequences(faces, tmp_path / "ck")
    assert judge(tmp_path / "ck", split="all", first_neutral=True)["n"] == 5


def test_faces_are_found_in_larger_pictures_where_asked_for(judge: Any, tmp_path: Path) -> None:
    """A photo of a person and one of nobody, in folders by emotion."""
    from skimage.data import astronaut

    for name, picture in (("a", astronaut()), ("b", np.full((300, 200, 3), 90, np.uint8))):
        (tmp_path / "raw" / "happy").mkdir(parents=True, exist_ok=True)
        Image.fromarray(picture).save(tmp_path / "raw" / "happy" / f"{name}.png")
    document = judge(tmp_path / "raw", split="all", find_faces=True)
    assert (document["n"], document["left_out"]) == (1, {"no face found": 1})
    assert document["centre_squares"] == {}
    assert judge(tmp_path / "raw", split="all")["n"] == 2


def test_photos_that_were_cut_to_their_centre_are_told(
    judge: Any, tiny_checkpoint: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Once a command, from the raw source, from the cache and in preparing; not of faces of 48x48 pixels."""
    (tmp_path / "raw" / "happy").mkdir(parents=True)
    for name, side in (("a", (200, 120)), ("b", (200, 120)), ("c", (100, 40)), ("d", (48, 48))):
        Image.new("L", side).save(tmp_path / "raw" / "happy" / f"{name}.png")
    for _ in range(2):
        assert judge(tmp_path / "raw", split="all")["centre_squares"] == {"200x120": 2, "100x40": 1}
    evaluate(str(tiny_checkpoint), data=tmp_path / "raw", split="all", backend="torch")
    hint = "hint: the centre square of 3 photos (200x120) was taken; where photos show more than the face, --find-faces"
    assert capsys.readouterr().err.count(hint) == 1
    prepare_data(tmp_path / "raw", out=tmp_path / "out", as_json=True)
    printed = capsys.readouterr()
    assert printed.err.count(hint) == 1
    assert json.loads(printed.out)["centre_squares"] == {"200x120": 2, "100x40": 1}
    (tmp_path / "small" / "happy").mkdir(parents=True)
    Image.new("L", (48, 48)).save(tmp_path / "small" / "happy" / "d.png")
    prepare_data(tmp_path / "small", out=tmp_path / "out2", as_json=True)
    assert "hint" not in capsys.readouterr().err


def test_a_class_without_faces_is_told(
    judge: Any, tiny_checkpoint: Path, faces: list[np.ndarray], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other_datasets.LAYOUTS["ck_48"][1](faces, tmp_path / "raw")
    document = judge(tmp_path / "raw", split="all")
    assert document["absent"] == ["neutral"]
    present = [scores["f1"] for scores in document["per_class"].values() if scores["support"]]
    assert document["macro_f1_present"] == pytest.approx(np.mean(present))
    assert document["macro_f1_present"] >= document["macro_f1"]
    evaluate(str(tiny_checkpoint), data=tmp_path / "raw", split="all", backend="torch")
    assert "no face is neutral: an answer of it adds a class of F1 0" in capsys.readouterr().out


def test_text_counts_what_is_left_out(
    tiny_checkpoint: Path, faces: list[np.ndarray], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other_datasets.affectnet(faces, tmp_path / "raw")
    evaluate(str(tiny_checkpoint), data=tmp_path / "raw", split="all", backend="torch")
    assert "2 more left out, no label that the model knows: 1 contempt, 1 uncertain" in capsys.readouterr().out


def test_what_cannot_be_judged_says_why(judge: Any, faces: list[np.ndarray], tmp_path: Path) -> None:
    other_datasets.affectnet(faces, tmp_path / "raw")
    with pytest.raises(DataError, match="no face in PrivateTest, only in Training and PublicTest"):
        judge(tmp_path / "raw")
    next((tmp_path / "raw").rglob("image0000001.jpg")).write_bytes(b"")
    with pytest.raises(RowsError, match="an empty file"):
        judge(tmp_path / "raw", split="all")
    assert judge(tmp_path / "raw", split="all", skip_broken=True)["n"] == 6


def test_votes_are_judged_where_asked_for(judge: Any, prepared: Path, dataset: FaceDataset) -> None:
    plain, voted = judge(prepared), judge(prepared, labels="ferplus")
    assert plain["left_out"] == {}
    assert voted["n"] + sum(voted["left_out"].values()) == plain["n"] == len(dataset.split("PrivateTest"))


def test_preparing_takes_a_map_and_counts_what_has_no_label(
    faces: list[np.ndarray], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other_datasets.mapped(faces, tmp_path / "raw")
    prepare_data(tmp_path / "raw", out=tmp_path / "out", label_map=other_datasets.MAP)
    assert "1 faces without a label: langeweile" in capsys.readouterr().out


def test_protocols_in_one_table(tiny_checkpoint: Path, prepared: Path, capsys: pytest.CaptureFixture[str]) -> None:
    protocols(prepared, [str(tiny_checkpoint)], backend="torch", as_json=True)
    document = json.loads(capsys.readouterr().out)
    assert [row["protocol"] for row in document["rows"]] == list(ORDER)
    assert set(document["protocols"]) == set(ORDER)
    for row in document["rows"]:
        assert {"checkpoint", "n", "accuracy", "accuracy_interval", "macro_f1", "leak", "own_leak"} <= set(row)
        assert row["retrained"] is False
    protocols(prepared, [str(tiny_checkpoint)], backend="torch")
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[1] for line in lines[1 : 1 + len(ORDER)]] == list(ORDER)
    assert lines[0].split()[-3:] == ["own", "leak", "learnt"]
    row = document["rows"][3]
    counts = f"{row['own_leak']} ({row['own_leak'] / row['n']:.1%}) {row['leak']} ({row['leak'] / row['n']:.1%})"
    assert " ".join(lines[4].split()).endswith(counts)
    assert any(line.startswith("published by others under cleaned_oversampled: 82.7 %") for line in lines)


def test_what_is_recorded_is_read_until_the_weights_change(
    tiny_checkpoint: Path, prepared: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = shutil.copytree(tiny_checkpoint, tmp_path / "tiny")
    with pytest.raises(ConfigError, match="leave --only and --limit out"):
        protocols(prepared, [str(folder)], limit=3, record=True)
    protocols(prepared, [str(folder)], backend="torch", record=True)
    robustness(str(folder), prepared, backend="torch", record=True, limit=7)
    found = load_record(folder, PROTOCOLS)
    assert found is not None
    assert [row["protocol"] for row in found["rows"]] == list(ORDER)
    assert load_record(folder, ROBUSTNESS) is not None
    update_card(folder, weights_sha256="0" * 64)
    assert load_record(folder, PROTOCOLS) is None
    assert load_record(tmp_path, PROTOCOLS) is None
    assert capsys.readouterr().out


def test_retraining_under_protocols_goes_on_where_it_stopped(dataset: FaceDataset, tmp_path: Path) -> None:
    parts = divided(dataset, EMOTIONS, names=("oversampled", "official"), limit=6)
    config = TrainConfig(model="mini_xception", epochs=1, augmentation="none")
    fixed = ExecutionConfig(accelerator="cpu", precision="32", channels_last="off", threads=1)
    rows = retrained(config, fixed, parts, tmp_path)
    assert [row["protocol"] for row in rows] == ["oversampled", "official"]
    assert all(row["leak"] == row["own_leak"] for row in rows)
    assert load_card(tmp_path / "mini_xception" / "official" / "checkpoint").data["faces"] == 26
    assert retrained(config, fixed, parts, tmp_path) == rows


@pytest.fixture
def named_as_its_model(tiny_checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A shipped checkpoint of the name of its architecture, whose trainings anew are guesses and not computed."""
    folder = shutil.copytree(tiny_checkpoint, tmp_path / "shipped" / "vgg_se")
    update_card(folder, name="vgg_se", training={"config": {"model": "vgg_se", "epochs": 9, "optimizer": "adamw"}})
    monkeypatch.setattr(artifacts, "CHECKPOINTS", folder.parent)

    def drawn(config: TrainConfig, execution: ExecutionConfig, parts: dict[str, Parts], out: Path) -> list[Any]:
        assert (config.optimizer, config.epochs) == ("adamw", 2)
        return compare_protocols(load_classifier(tiny_checkpoint, backend="torch"), parts)

    monkeypatch.setattr(_retraining, "retrained", drawn)
    return folder


def test_rows_of_models_trained_anew_are_recorded_beside_the_same_weights(
    named_as_its_model: Path, prepared: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def kinds() -> list[bool]:
        found = load_record(named_as_its_model, PROTOCOLS)
        assert found is not None
        return [row["retrained"] for row in found["rows"]]

    anew, both = {"retrain": "vgg_se", "epochs": 2}, [False] * len(ORDER) + [True] * len(ORDER)
    protocols(prepared, ["vgg_se"], backend="torch", record=True, **anew)
    assert kinds() == both
    protocols(prepared, ["vgg_se"], backend="torch", record=True)
    assert kinds() == both
    protocols(prepared, backend="torch", record=True, **anew)
    assert kinds() == both
    table = _tables.protocols_table().splitlines()
    assert [f"trained under it for {anew['epochs']} epochs" in line for line in table[2:]] == both
    assert "| 82.7 %" in table[-1]
    protocols(prepared, ["vgg_se"], backend="torch", record=True, seed=1)
    assert kinds() == both[: len(ORDER)]
    assert "another --split or --seed are dropped" in capsys.readouterr().err


def test_rows_that_could_not_be_recorded_are_refused_before_they_are_computed(prepared: Path) -> None:
    with pytest.raises(ConfigError, match=r"recorded beside the checkpoint of the architecture's name.*leave --record"):
        protocols(prepared, retrain="cnn_bilstm", record=True)


def test_an_architecture_is_trained_anew_as_its_checkpoint_was() -> None:
    config = recipe("cnn_lstm", 3, 5, votes=True)
    assert (config.optimizer, config.learning_rate, config.ferplus_weight) == ("adamw", 0.002, 0.5)
    assert (config.epochs, config.seed, config.init) == (3, 5, "")
    assert recipe("cnn_lstm", 3, 5, votes=False).ferplus_weight == 0
    assert recipe("cnn_bilstm", 3, 5, votes=True) == TrainConfig(model="cnn_bilstm", epochs=3, seed=5)


def test_an_architecture_that_was_distilled_is_trained_anew_without_its_teachers(
    named_as_its_model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    method = {"method": "distillation", "method_options": {"teachers": ["soft"], "weight": 0.5}, "optimizer": "adamw"}
    update_card(named_as_its_model, training={"config": {"model": "vgg_se", "epochs": 9, **method}})
    config = recipe("vgg_se", 3, 5, votes=True)
    assert (config.method, config.method_options, config.optimizer) == ("plain", {}, "adamw")
    assert "vgg_se was distilled" in capsys.readouterr().err


def test_something_must_be_judged(prepared: Path) -> None:
    with pytest.raises(ConfigError, match="name a checkpoint to judge, or an architecture"):
        protocols(prepared)
    with pytest.raises(UnknownNameError, match="no protocol 'offical'; closest: 'official'"):
        protocols(prepared, retrain="mini_xception", only=["offical"])


def test_robustness_in_one_table(tiny_checkpoint: Path, prepared: Path, capsys: pytest.CaptureFixture[str]) -> None:
    robustness(str(tiny_checkpoint), data=prepared, limit=5, backend="torch", as_json=True)
    document = json.loads(capsys.readouterr().out)
    assert set(document["accuracy"]) == {"clean", "mean", *CORRUPTIONS}
    assert (document["n"], len(document["by_strength"])) == (5, 1 + 5 * len(CORRUPTIONS))
    robustness(str(tiny_checkpoint), data=prepared, limit=5, backend="torch")
    text = capsys.readouterr().out
    assert all(f"  {name}" in text for name in ("as they are", "mean", *CORRUPTIONS))
