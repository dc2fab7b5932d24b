"""The train command in real processes: JSON, kill and resume, several processes, errors."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from fer_core.artifacts import load_card, load_weights

ROOT = Path(__file__).resolve().parents[2]
OPTIONS = (
    *("--model-options", '{"widths": [8, 8, 16, 16]}', "--epochs", "4", "--batch-size", "16", "--threads", "1"),
    *("--accelerator", "cpu", "--precision", "32", "--channels-last", "off"),
    *("--schedule", "cosine_restarts", "--cycles", "2"),
)
RELABELLING = '{"relabel_after": 1, "relabel_margin": -1}'


def command(prepared: Path, out: Path, *more: str, model: str = "vgg_se") -> list[str]:
    base = [sys.executable, "-m", "scripts.train", model, "--data", str(prepared), "--out", str(out)]
    return [*base, *OPTIONS, *more]


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(arguments, capture_output=True, text=True, cwd=ROOT, check=False, timeout=300)


@pytest.fixture(scope="module")
def whole(prepared: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, object]]:
    out = tmp_path_factory.mktemp("runs") / "whole"
    done = run(*command(prepared, out, "--json"))
    assert done.returncode == 0, done.stderr
    return out, json.loads(done.stdout)


def test_json_has_the_keys_that_outsiders_rely_on(whole: tuple[Path, dict[str, object]]) -> None:
    out, document = whole
    assert document["checkpoint"] == str(out / "checkpoint")
    assert document["epochs"] == 4
    assert float(document["seconds"]) > 0  # type: ignore[arg-type]
    assert float(document["images_per_second"]) > 0  # type: ignore[arg-type]
    assert set(document["best"]) >= {"split", "metric", "value"}  # type: ignore[call-overload]
    card = load_card(out / "checkpoint")
    assert card.selection["split"] == "PublicTest"
    assert card.metrics == {}  # PrivateTest was not looked at


def test_each_cycle_leaves_a_checkpoint(whole: tuple[Path, dict[str, object]]) -> None:
    cards = [load_card(whole[0] / "snapshots" / str(number)) for number in (1, 2)]
    assert [card.selection["epoch"] for card in cards] == [2, 4]
    assert cards[0].weights_sha256 != cards[1].weights_sha256


def test_killed_at_any_moment_it_resumes_step_for_step(
    whole: tuple[Path, dict[str, object]], prepared: Path, tmp_path: Path
) -> None:
    out = tmp_path / "killed"
    _kill_when(command(prepared, out), "epoch 2/4: loss")
    assert not (out / "checkpoint").exists()
    done = run(*command(prepared, out, "--resume", "--json"))
    assert done.returncode == 0, done.stderr
    assert "2 of 4 epochs are done" in done.stderr or "3 of 4 epochs are done" in done.stderr
    first, second = load_weights(whole[0] / "checkpoint"), load_weights(out / "checkpoint")
    assert all(torch.equal(first[name], second[name]) for name in first)
    assert _without_times(out) == _without_times(whole[0])


def _kill_when(arguments: list[str], line: str) -> None:
    process = subprocess.Popen(arguments, stderr=subprocess.PIPE, text=True, cwd=ROOT)
    assert process.stderr is not None
    for text in process.stderr:
        if line in text:
            process.send_signal(signal.SIGKILL)
            break
    process.stderr.close()
    assert process.wait(60) == -signal.SIGKILL


def _without_times(run_folder: Path) -> list[list[str]]:
    lines = [line.split(",") for line in (run_folder / "history.csv").read_text().splitlines()]
    timed = {lines[0].index(name) for name in ("seconds", "images_per_second")}
    return [[cell for index, cell in enumerate(line) if index not in timed] for line in lines]


def test_two_processes_train_one_network(prepared: Path, tmp_path: Path) -> None:
    method = ("--method", "scn", "--method-options", RELABELLING, "--freeze-epochs", "1")
    done = run(*command(prepared, tmp_path / "pair", "--devices", "2", *method, "--json"))
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["epochs"] == 4
    assert load_card(tmp_path / "pair" / "checkpoint").training["devices"] == 2
    assert load_weights(tmp_path / "pair" / "checkpoint")
    alone = run(*command(prepared, tmp_path / "pair", *method, "--resume"))
    assert alone.returncode == 2
    assert "began with devices = 2, not 1" in alone.stderr


@pytest.mark.parametrize(
    ("more", "message"),
    [
        (("--epochs", "0"), "epochs (0) must be above 0"),
        (("--model-options", "{"), "is no JSON object"),
        (("--model-options", '{"width": "half"}'), "model_options: width ('half') must be a number"),
        (("--seed", "-1"), "seed (-1) must not be below 0"),
    ],
)
def test_bad_options_are_one_line_and_status_2(
    prepared: Path, tmp_path: Path, more: tuple[str, ...], message: str
) -> None:
    done = run(*command(prepared, tmp_path / "bad", *more))
    assert done.returncode == 2
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


def test_unknown_model_names_the_closest(prepared: Path, tmp_path: Path) -> None:
    done = run(*command(prepared, tmp_path / "bad", model="vgg_sr"))
    assert (done.returncode, done.stderr) == (2, "error: no model 'vgg_sr'; closest: 'vgg_se'\n")


TANG = ("--model-options", '{"width": 0.25, "dense": 16}', "--cycles", "1", "--schedule", "constant", "--epochs", "1")


@pytest.mark.parametrize(
    ("told", "loss", "smoothing", "line"),
    [
        ((), "l2_svm", 0.0, "tang_cnn is trained with --loss l2_svm --label-smoothing 0.0 unless told otherwise"),
        (("--label-smoothing", "0.1"), "l2_svm", 0.1, "tang_cnn is trained with --loss l2_svm unless told otherwise"),
        (
            ("--loss", "cross_entropy", "--label-smoothing", "0.1"),
            "cross_entropy",
            0.1,
            "",
        ),  # others' defaults
    ],
)
def test_an_architecture_brings_its_own_defaults_and_what_is_told_counts_before_them(
    told: tuple[str, ...], loss: str, smoothing: float, line: str, prepared: Path, tmp_path: Path
) -> None:
    done = run(*command(prepared, tmp_path / "tang", *TANG, *told, model="tang_cnn"))
    assert done.returncode == 0, done.stderr
    recipe = load_card(tmp_path / "tang" / "checkpoint").training["config"]
    assert (recipe["loss"], recipe["label_smoothing"]) == (loss, smoothing)
    assert done.stderr.splitlines()[0] == line if line else "unless told otherwise" not in done.stderr
