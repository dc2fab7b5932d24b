"""The evaluate and export commands in real processes."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from fer_core.artifacts import ONNX, load_card, update_card
from fer_core.data import store
from fer_core.data.audit.label_noise import vote_doubts
from fer_core.labels import EMOTIONS
from fer_core.metrics import wilson_interval

ROOT = Path(__file__).resolve().parents[2]
KEYS = {
    *("checkpoint", "split", "n", "accuracy", "accuracy_interval", "macro_f1", "weighted_precision", "macro_precision"),
    *("weighted_recall", "macro_recall", "ece", "confusion", "labels", "images_per_second"),
}


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", *arguments]
    return subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False, timeout=300)


@pytest.fixture(scope="module")
def checkpoint(tiny_checkpoint: Path, prepared: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("evaluate") / "tiny"
    shutil.copytree(tiny_checkpoint, folder)
    update_card(folder, data={"fingerprint": store.load(prepared).fingerprint})
    return folder


def test_export_then_evaluate_and_record(checkpoint: Path, prepared: Path) -> None:
    exported = run("scripts.export", str(checkpoint), "--json")
    assert exported.returncode == 0, exported.stderr
    assert json.loads(exported.stdout)["max_difference"] < 1e-4
    assert (checkpoint / ONNX).is_file()

    done = run("scripts.evaluate", str(checkpoint), "--data", str(prepared), "--record", "--json")
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert set(document) >= KEYS
    assert document["split"] == "PrivateTest"
    assert document["labels"] == list(EMOTIONS)
    assert np.sum(document["confusion"]) == document["n"] == 28
    low, high = document["accuracy_interval"]
    assert low <= document["accuracy"] <= high
    card = load_card(checkpoint)
    assert card.metrics["PrivateTest"]["accuracy"] == pytest.approx(document["accuracy"], abs=1e-6)


def test_answers_are_compared_with_the_votes_unless_the_votes_are_the_judge(checkpoint: Path, prepared: Path) -> None:
    private = store.load(prepared).split("PrivateTest")
    command = ("scripts.evaluate", str(checkpoint), "--data", str(prepared))
    by_label, by_votes = run(*command, "--json"), run(*command, "--labels", "ferplus", "--json")
    crowd = json.loads(by_label.stdout)["crowd"]
    assert crowd["faces"] == len(private)
    lead = vote_doubts(private.table)
    assert crowd["label_leads"] == pytest.approx((lead["majority"] == lead["label"]).mean())
    assert json.loads(by_votes.stdout)["crowd"] is None
    shown = run(*command).stdout
    assert f"FER+'s voters, on {len(private)} of these faces" in shown
    assert f"of {crowd['errors']} errors" in shown


def test_ten_crop_on_the_deduplicated_split_for_people(checkpoint: Path, prepared: Path) -> None:
    options = ("--split", "PublicTest", "--tta", "ten_crop", "--protocol", "deduplicated", "--backend", "torch")
    done = run("scripts.evaluate", str(checkpoint), "--data", str(prepared), *options)
    assert done.returncode == 0, done.stderr
    assert "tiny on PublicTest (deduplicated, ten_crop)" in done.stdout
    assert "95 % interval" in done.stdout


def test_copies_are_counted_and_widen_the_interval(checkpoint: Path, prepared: Path, tmp_path: Path) -> None:
    dataset = store.load(prepared)
    mostly_happy = (dataset.labels == EMOTIONS.index("happy")) | (dataset.table["row"].to_numpy() % 5 == 0)
    store.save(dataset.select(mostly_happy), tmp_path / "uneven")
    options = ("--data", str(tmp_path / "uneven"), "--backend", "torch", "--json", "--protocol")
    official, copied = (
        json.loads(run("scripts.evaluate", str(checkpoint), *options, protocol).stdout)
        for protocol in ("official", "oversampled")
    )
    assert official["distinct"] == official["n"]
    assert copied["distinct"] < copied["n"]
    assert copied["copies_in_training"] > official["copies_in_training"]
    naive = wilson_interval(copied["accuracy"] * copied["n"], copied["n"])
    assert np.diff(copied["accuracy_interval"]) > np.diff(naive)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("vgg_see",), "no checkpoint 'vgg_see'"),
        (("{checkpoint}", "--split", "Private"), "no split 'Private'; there are Training, PublicTest, PrivateTest"),
        (("{checkpoint}", "--tta", "ten"), "no view 'ten'"),
        (("{checkpoint}", "--protocol", "deduplicate"), "closest: 'deduplicated'"),
    ],
)
def test_bad_input_is_one_line_and_status_2(
    checkpoint: Path, prepared: Path, arguments: tuple[str, ...], message: str
) -> None:
    filled = [text.format(checkpoint=checkpoint) for text in arguments]
    done = run("scripts.evaluate", *filled, "--data", str(prepared), "--json")
    assert (done.returncode, done.stdout) == (2, "")
    assert message in done.stderr
    assert done.stderr.count("\n") == 1
