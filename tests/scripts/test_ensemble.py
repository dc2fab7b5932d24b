"""The commands that make ensembles and classical checkpoints, and every other command and page on what they make."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from fer_core import artifacts
from fer_core.artifacts import load_card, load_weights, save_checkpoint, update_card
from fer_core.classifiers import load_classifier
from fer_core.data import store
from fer_core.data.table import FaceDataset
from fer_core.evaluation.record import record_evaluation
from scripts import _card_page, _tables, checkpoints, classical, ensemble, evaluate, explain, predict
from tests.fer_core.explain.conftest import ON_VGG_SE
from tests.scripts.conftest import Command as Runner

TRAINING = (
    *("--model", "vgg_se", "--model-options", '{"widths": [8, 8, 8, 8]}', "--epochs", "1", "--batch-size", "14"),
    *(
        "--threads",
        "1",
        "--accelerator",
        "cpu",
        "--precision",
        "32",
        "--channels-last",
        "off",
        "--augmentation",
        "none",
    ),
)

Command = Callable[..., tuple[int, Any, str]]


@pytest.fixture
def command(run_here: Runner) -> Command:
    """Runs a command: (status, its JSON document or None, stderr)."""

    def call(function: Any, *words: Any) -> tuple[int, Any, str]:
        done = run_here(function, *ensemble.spread([str(word) for word in words]), "--json")
        return done.status, done.json if done.out else None, done.err

    return call


@pytest.fixture
def made(tiny_checkpoint: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder of shipped checkpoints: `tiny`, and `other` with the opposite head."""
    shipped = tmp_path / "checkpoints"
    monkeypatch.setattr(artifacts, "CHECKPOINTS", shipped)
    monkeypatch.setenv("FER_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr("fer_core.classifiers.load._open_network", _on_torch)
    for name, factor in (("tiny", 20.0), ("other", -20.0)):
        weights = {k: v * (factor if k.startswith("head") else 1) for k, v in load_weights(tiny_checkpoint).items()}
        save_checkpoint(shipped / name, load_card(tiny_checkpoint), weights)
        update_card(shipped / name, name=name)
    return shipped


def _on_torch(folder: Path, backend: str, device: str, threads: int) -> Any:
    """Exports take seconds and are tested elsewhere."""
    from fer_core.classifiers.network import NetworkClassifier

    return NetworkClassifier(folder, backend="torch")


def test_members_are_taken_after_one_option() -> None:
    given = ["soft_vote", "--members", "a", "b", "--data", "c", "--members", "d"]
    assert ensemble.spread(given) == [
        "soft_vote",
        *("--members", "a", "--members", "b"),
        "--data",
        "c",
        "--members",
        "d",
    ]


def test_an_ensemble_goes_through_every_command(
    made: Path, prepared: Path, tmp_path: Path, command: Command, capsys: pytest.CaptureFixture[str]
) -> None:
    out, target = tmp_path / "run", made / "both"
    build = ("soft_vote", "--members", "tiny", "other", "--data", prepared, "--out", out, "--views", "flip")
    status, document, _ = command(ensemble.ensemble, *build)
    assert status == 0
    assert document["members"] == ["tiny", "other"]
    assert document["best"]["split"] == "PublicTest"
    shutil.copytree(document["checkpoint"], target)
    update_card(target, name="both")

    status, document, _ = command(evaluate.evaluate, "both", "--data", prepared, "--split", "PublicTest")
    assert status == 0
    assert document["accuracy"] == pytest.approx(load_card(target).selection["value"], abs=1e-6)

    photo = tmp_path / "face.png"
    Image.fromarray(np.asarray(store.load(prepared).pixels[0])).save(photo)
    status, document, _ = command(predict.main, photo, "--checkpoint", "both", "--no-detect")
    assert status == 0
    assert document[0]["faces"][0]["emotion"] in load_card(target).labels

    status, document, _ = command(explain.main, photo, "--checkpoint", "both", "--out", tmp_path / "why.png")
    assert status == 0
    assert document["emotion"] in load_card(target).labels
    assert (tmp_path / "why.png").is_file()

    record_evaluation(target, store.load(prepared))
    card = load_card(target)
    assert {"PublicTest", "PrivateTest"} <= set(card.metrics)
    page = _card_page.card_page(card)
    assert "- **Members**: `tiny`, `other`." in page
    assert "mirror image" in page
    assert "`both`" in _tables.checkpoint_page()
    checkpoints.checkpoints()
    assert "both  soft_vote" in capsys.readouterr().out


def test_every_choice_of_members_is_compared_on_public_test(
    made: Path, prepared: Path, tmp_path: Path, command: Command
) -> None:
    build = ("soft_vote", "--members", "tiny", "other", "--data", prepared, "--views", "flip")
    status, choices, _ = command(ensemble.ensemble, *build, "--compare")
    assert status == 0
    assert {tuple(choice["members"]) for choice in choices} == {("tiny",), ("other",), ("tiny", "other")}
    accuracies = {tuple(choice["members"]): choice["accuracy"] for choice in choices}
    assert list(accuracies.values()) == sorted(accuracies.values(), reverse=True)
    _, built, _ = command(ensemble.ensemble, *build, "--out", tmp_path / "run")
    assert accuracies["tiny", "other"] == built["best"]["value"]
    wrong = {tuple(choice["members"]): choice["all_wrong"] for choice in choices}
    assert wrong["tiny", "other"] <= min(wrong["tiny",], wrong["other",])
    assert wrong["tiny",] == pytest.approx(1 - accuracies["tiny",], abs=1e-5)

    status, _, told = command(ensemble.ensemble, *build)
    assert status == 2
    assert "name the folder to write with --out, or ask for --compare" in told
    for request, reason in (
        (("boosting", "--model", "vgg_se"), "--compare does not go with boosting"),
        (("pair_tree", "--members", "tiny", "other"), "--compare does not go with pair_tree"),
    ):
        status, _, told = command(ensemble.ensemble, *request, "--data", prepared, "--compare")
        assert status == 2
        assert reason in told


def test_only_a_few_members_of_the_same_emotions_are_compared(made: Path, prepared: Path, command: Command) -> None:
    many = ["tiny"] * 11
    status, _, told = command(ensemble.ensemble, "soft_vote", "--members", *many, "--data", prepared, "--compare")
    assert status == 2
    assert "of at most 10 members every choice is compared; there are 11" in told
    update_card(made / "other", labels=load_card(made / "other").labels[::-1])
    both = ("soft_vote", "--members", "tiny", "other", "--data", prepared, "--compare")
    status, _, told = command(ensemble.ensemble, *both)
    assert status == 2
    assert "only members that know the same emotions" in told


def test_benchmark_times_what_an_ensemble_can(made: Path, prepared: Path, tmp_path: Path, command: Command) -> None:
    from scripts._stages import run_stages

    out = tmp_path / "run"
    command(ensemble.ensemble, "soft_vote", "--members", "tiny", "--data", prepared, "--out", out)
    options = {"data": prepared, "checkpoint": str(out / "checkpoint"), "threads": 1, "batch": 4, "seconds": 0.01}
    stages = [timing.stage for timing in run_stages(["train_step", "single", "explain"], **options)]
    assert stages == ["single", "single_torch", *(f"explain_{name}" for name in ON_VGG_SE)]


def test_a_run_stands_for_its_snapshots(made: Path, prepared: Path, tmp_path: Path, command: Command) -> None:
    run = tmp_path / "cycles"
    for number, name in ((2, "tiny"), (10, "other")):
        shutil.copytree(made / name, run / "snapshots" / str(number))
        update_card(run / "snapshots" / str(number), name=f"cycle {number}")
    build = ("snapshot", "--members", run, "--data", prepared, "--out", tmp_path / "run")
    status, document, _ = command(ensemble.ensemble, *build)
    assert status == 0
    assert document["members"] == ["cycle 2", "cycle 10"]


def _wrong_once(member: Any, faces: FaceDataset) -> np.ndarray:
    """round_1 errs in class 1 alone, round_2 in class 2 alone: each is better than chance in its round."""
    number = int(member.name.removeprefix("round_"))
    return np.where(faces.labels == number, 0, faces.labels)


@pytest.mark.parametrize(
    ("method", "more", "members"),
    [
        ("boosting", ("--rounds", "2"), ()),
        ("one_vs_rest", ("--members", "tiny"), ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")),
        ("pair_tree", ("--tree-by", "tiny"), ()),
    ],
)
def test_members_are_trained(
    method: str, more: tuple[str, ...], members: tuple[str, ...], made: Path, prepared: Path, tmp_path: Path,
    command: Command, monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr("fer_core.classifiers.samme._predicted", _wrong_once)
    build = (method, *more, *TRAINING, "--data", prepared, "--out", tmp_path / "run")
    status, document, error = command(ensemble.ensemble, *build)
    assert status == 0, error
    card = load_card(tmp_path / "run" / "checkpoint")
    assert tuple(document["members"][: len(members)]) == members
    assert card.training["members_trained"] == {"boosting": 2, "one_vs_rest": 7, "pair_tree": 6}[method]
    found = load_classifier(tmp_path / "run" / "checkpoint").predict_proba(store.load(prepared).pixels[:3])
    np.testing.assert_allclose(found.sum(1), 1, rtol=1e-5)
    assert "members were trained for it" in _card_page.card_page(card)


def test_a_classical_method_goes_through_every_command(
    made: Path, prepared: Path, tmp_path: Path, command: Command
) -> None:
    build = ("linear_svm", "--data", prepared, "--out", tmp_path / "run", "--feature-options", '{"cell": 12}')
    status, document, _ = command(classical.classical, *build)
    assert status == 0
    assert document["options"]["feature_options"] == {"cell": 12}
    assert len(document["tried"]) == 3
    shutil.copytree(tmp_path / "run" / "checkpoint", made / "svm")
    update_card(made / "svm", name="svm")
    status, found, _ = command(evaluate.evaluate, "svm", "--data", prepared, "--split", "PublicTest")
    assert status == 0
    assert found["accuracy"] == pytest.approx(document["best"]["value"], abs=1e-6)
    page = _card_page.card_page(load_card(made / "svm"))
    assert "3 settings tried" in page
    assert "Linear support vector machine on histograms" in page
    status, document, _ = command(
        ensemble.ensemble,
        *("soft_vote", "--members", "svm", "tiny", "--data", prepared, "--out", tmp_path / "e"),
    )
    assert status == 0
    assert document["members"] == ["svm", "tiny"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("soft_votes", "--members", "tiny"), "closest: 'soft_vote'"),
        (("soft_vote",), "soft_vote needs members; name checkpoints with --members"),
        (("soft_vote", "--members", "tiny", "--model", "vgg_se"), "leave --model out"),
        (("soft_vote", "--members", "tinny"), "no checkpoint 'tinny'; closest: 'tiny'"),
        (("soft_vote", "--members", "tiny", "--views", "ten"), "views must be one of single, flip, flip_zoom"),
        (("boosting", "--members", "tiny"), "name an architecture with --model"),
        (("pair_tree", "--members", "tiny", "--model", "vgg_se"), "leave --members out"),
        (("pair_tree", "--members", "tiny"), "6 forks"),
        (("one_vs_rest", "--members", "tiny"), "a model for each of 7 emotions"),
        (("boosting", "--model", "vgg_se", "--devices", "2"), "leave --devices at 1"),
    ],
)
def test_bad_requests_are_one_line(
    arguments: tuple[str, ...], message: str, made: Path, prepared: Path, tmp_path: Path, command: Command
) -> None:
    options = ("--data", prepared, "--out", tmp_path / "run")
    status, document, error = command(ensemble.ensemble, *arguments, *options)
    assert (status, document) == (2, None)
    assert message in error
    assert error.count("\n") == 1


def test_bad_requests_of_the_classical_command(made: Path, prepared: Path, tmp_path: Path, command: Command) -> None:
    for arguments, message in (
        (("linear_swm",), "closest: 'linear_svm'"),
        (("linear_svm", "--features", "network"), "name its checkpoint"),
        (("linear_svm", "--checkpoint", "tiny"), "need no checkpoint"),
        (("linear_svm", "--feature-options", "[]"), "must be a JSON object"),
    ):
        options = ("--data", prepared, "--out", tmp_path / "run")
        status, _, error = command(classical.classical, *arguments, *options)
        assert status == 2
        assert message in error


def test_the_pages_bear_an_ensemble(made: Path, prepared: Path, tmp_path: Path, command: Command) -> None:
    from webapp.demo.views import model_line
    from webapp.landing import landing_page

    build = ("weighted_vote", "--members", "tiny", "other", "--data", prepared, "--out", tmp_path / "run")
    command(ensemble.ensemble, *build)
    card = load_card(tmp_path / "run" / "checkpoint")
    assert "checkpoint" in landing_page([card], "1")
    assert "Weighted voting" in model_line(card)
    assert isinstance(pd.DataFrame([vars(card)]), pd.DataFrame)
