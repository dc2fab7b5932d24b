"""scripts.benchmark times every stage, with nothing but drawn faces and a fresh network if need be."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from fer_core.artifacts import SPEED, load_record, update_card
from fer_core.device import processor_name
from fer_core.errors import ConfigError, UnknownNameError
from scripts import _stages, benchmark
from tests.fer_core.explain.conftest import ON_VGG_SE

KEYS = {"stage", "n", "median_ms", "p95_ms", "images_per_second", "device"}
QUICK: dict[str, Any] = {"threads": 1, "batch": 8, "seconds": 0.001}


@pytest.fixture(autouse=True)
def keep_threads(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The stages set PyTorch's threads for the whole process; one timed call is enough here."""
    import torch

    monkeypatch.setattr(_stages, "LEAST_CALLS", 1)
    before = torch.get_num_threads()
    yield
    torch.set_num_threads(before)


def _run(names: list[str], **options: Any) -> list[dict[str, Any]]:
    values = {"data": None, "checkpoint": None, **QUICK, **options}
    return [timing.to_dict() for timing in _stages.run_stages(names, **values)]


@pytest.mark.parametrize(
    ("stage", "rows", "n"),
    [
        ("load", ["load"], 84),
        ("audit", ["audit"], 84),
        ("train_step", ["train_step"], 8),
        ("single", ["single", "single_torch"], 1),
        ("batched", ["batched", "batched_torch"], 8),
        ("photo", ["photo"], 1),
    ],
)
def test_a_stage_gives_an_object_with_the_promised_keys(
    stage: str, rows: list[str], n: int, prepared: Path, tiny_checkpoint: Path
) -> None:
    found = _run([stage], data=prepared, checkpoint=str(tiny_checkpoint))
    assert [row["stage"] for row in found] == rows
    for row in found:
        assert KEYS <= set(row)
        assert row["n"] == n
        assert 0 < row["median_ms"] <= row["p95_ms"]
        assert row["images_per_second"] == pytest.approx(1000 * n / row["median_ms"], rel=0.01, abs=0.06)


def test_every_explainer_is_timed(tiny_checkpoint: Path) -> None:
    found = [row["stage"] for row in _run(["explain"], checkpoint=str(tiny_checkpoint))]
    assert found == [f"explain_{name}" for name in ON_VGG_SE]


def test_one_run_compares_onnxruntime_with_pytorch(tiny_checkpoint: Path) -> None:
    fast, slow = _run(["single"], checkpoint=str(tiny_checkpoint))
    assert fast["times_faster_than_torch"] == pytest.approx(slow["median_ms"] / fast["median_ms"], rel=0.01, abs=0.01)


def test_the_photo_has_one_face(tiny_checkpoint: Path) -> None:
    (row,) = _run(["photo"], checkpoint=str(tiny_checkpoint))
    assert row["faces"] == 1


def test_no_dataset_and_no_checkpoint_are_needed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("fer_core.artifacts.CHECKPOINTS", tmp_path)
    monkeypatch.setattr("fer_core.classifiers.onnx.export", lambda folder: None)  # seconds, and not needed to train
    loaded, trained = _run(["load", "train_step"])
    assert loaded["n"] > 0
    assert trained["model"] == "vgg_se"


def test_a_raw_source_is_prepared_on_the_way_and_timed(tmp_path: Path, tiny_checkpoint: Path) -> None:
    source = tmp_path / "fer2013.csv"
    rng = np.random.default_rng(0)
    rows = [f"{i % 7},{' '.join(map(str, rng.integers(0, 256, 2304)))},Training" for i in range(8)]
    source.write_text("\n".join(["emotion,pixels,Usage", *rows]) + "\n")
    found = _run(["prepare", "load"], data=source, checkpoint=str(tiny_checkpoint))
    assert [(row["stage"], row["n"]) for row in found] == [("prepare", 8), ("load", 8)]


def test_prepare_without_a_raw_source_is_refused() -> None:
    with pytest.raises(ConfigError, match="prepare needs --data with a raw source"):
        _run(["prepare"])


def test_a_typo_is_answered_with_the_closest_stage() -> None:
    with pytest.raises(UnknownNameError, match="no stage 'singel'; closest: 'single'"):
        _run(["singel"])


@pytest.mark.parametrize("option", ["threads", "batch", "seconds"])
def test_options_below_one_are_refused(option: str) -> None:
    with pytest.raises(ConfigError, match=rf"{option} \(0\) must be above 0"):
        _run(["load"], **{option: 0})


def test_json_is_one_list(prepared: Path, capsys: pytest.CaptureFixture[str]) -> None:
    benchmark.benchmark(["load"], data=prepared, seconds=0.001, as_json=True)
    (row,) = json.loads(capsys.readouterr().out)
    assert KEYS <= set(row)


def test_people_get_a_line_a_stage(prepared: Path, capsys: pytest.CaptureFixture[str]) -> None:
    benchmark.benchmark(["load"], data=prepared, seconds=0.001)
    assert capsys.readouterr().out.startswith("load ")


def test_the_time_of_one_face_is_kept_beside_the_weights_that_took_it(tiny_checkpoint: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(tiny_checkpoint, tmp_path / "mine"))
    benchmark.benchmark(["single"], checkpoint=str(folder), seconds=0.001, record=True, as_json=True)
    record = load_record(folder, SPEED)
    assert record is not None
    assert 0 < record["median_ms"] <= record["p95_ms"]
    assert record["processor"] == processor_name() != ""
    update_card(folder, weights_sha256="of others")
    assert load_record(folder, SPEED) is None


@pytest.mark.parametrize(
    "options",
    [{"checkpoint": None}, {"stages": ["batched"]}, {"threads": 2}],
    ids=["no checkpoint", "another stage", "two threads"],
)
def test_only_one_face_of_a_checkpoint_on_one_core_is_kept(tiny_checkpoint: Path, options: dict[str, Any]) -> None:
    values = {"stages": ["single"], "checkpoint": str(tiny_checkpoint)} | options
    with pytest.raises(ConfigError, match="--record keeps the time of the stage single on one core"):
        benchmark.benchmark(**values, record=True)


def test_the_help_names_every_stage() -> None:
    help_text = str(benchmark.benchmark.__annotations__["stages"])
    assert all(name in help_text for name in _stages.STAGES)
