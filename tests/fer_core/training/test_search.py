"""Searches: every cell of a grid, proposals of a study; stopped anywhere they go on; PrivateTest is not looked at."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from fer_core.config import ExecutionConfig, TrainConfig
from fer_core.data.table import FaceDataset
from fer_core.errors import ConfigError
from fer_core.training import search
from fer_core.training.optimisers import OPTIMIZERS, TYPICAL_RATES
from fer_core.training.search import Budget, Search
from fer_core.training.state import RunFolder

FIXED = ExecutionConfig(accelerator="cpu", precision="32", channels_last="off", threads=1)


@pytest.fixture(scope="module")
def few(dataset: FaceDataset) -> FaceDataset:
    """Two faces of each emotion in Training and PublicTest; there is no PrivateTest to look at."""
    places = np.arange(0, len(dataset), 2)
    return dataset.select(places[dataset.table["split"].to_numpy()[places] != "PrivateTest"])


def open_search(
    few: FaceDataset, folder: Path, trials: int = 9, execution: ExecutionConfig = FIXED, **more: Any
) -> Search:
    fixed: dict[str, Any] = {"model_options": {"widths": (4, 4, 8, 8)}, "batch_size": 7, "epochs": 1}
    base = TrainConfig("vgg_se", **(fixed | more))
    return Search(base, execution, few, folder, Budget(trials), report=lambda text: None)


def test_a_grid_tries_every_pair_once(few: FaceDataset, tmp_path: Path) -> None:
    first = open_search(few, tmp_path, trials=1)
    first.grid(["sgd", "adam"], ["constant"])
    assert len(first.trials) == 1
    second = open_search(few, tmp_path)
    trials = second.grid(["sgd", "adam"], ["constant"])
    assert trials[0] == first.trials[0]  # read back, not run again
    assert [trial.changes["optimizer"] for trial in trials] == ["sgd", "adam"]
    assert [trial.changes["learning_rate"] for trial in trials] == [0.1, 0.001]
    assert second.best.value == max(trial.value for trial in trials)
    rows = pd.read_csv(tmp_path / search.TABLE)
    assert len(rows) == 2
    assert rows["value"].is_monotonic_decreasing
    config, result = second.winner()
    assert config.optimizer == second.best.changes["optimizer"]
    assert result.best["value"] == second.best.value


def test_every_optimiser_has_a_typical_rate() -> None:
    assert TYPICAL_RATES.keys() == set(OPTIMIZERS)


def test_a_trial_that_ran_out_of_time_goes_on(
    few: FaceDataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hurried = open_search(few, tmp_path, epochs=2)
    after_the_first = iter([False, True, True])
    monkeypatch.setattr(Budget, "spent", property(lambda budget: next(after_the_first, True)))
    assert hurried.grid(["sgd"], ["constant", "step"]) == []
    (place,) = (tmp_path / "trials").iterdir()
    assert RunFolder(place).load().epoch == 1
    with pytest.raises(ConfigError, match="no trial is complete yet"):
        _ = hurried.best
    monkeypatch.undo()
    (trial,) = open_search(few, tmp_path, epochs=2).grid(["sgd"], ["constant"])
    assert (trial.name, trial.epochs, trial.state) == (place.name, 2, "complete")


def test_a_free_search_counts_all_sittings(few: FaceDataset, tmp_path: Path) -> None:
    first = open_search(few, tmp_path, trials=2).free()
    second = open_search(few, tmp_path, trials=3).free()
    assert [trial.name for trial in second[:2]] == [trial.name for trial in first]
    assert len({trial.name for trial in second}) == 3
    assert second[0].changes["optimizer"] == "sgd"  # the base's own comes first
    assert all("dropout" in trial.changes["model_options"] for trial in second)


def test_a_free_search_that_was_killed_proposes_its_last_trial_again(
    few: FaceDataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(*arguments: Any, after_epoch: Any, **more: Any) -> None:
        def stop(row: dict[str, float]) -> None:
            raise KeyboardInterrupt

        real(*arguments, after_epoch=stop, **more)

    real = search.fit
    monkeypatch.setattr(search, "fit", killed)
    with pytest.raises(KeyboardInterrupt):
        open_search(few, tmp_path, epochs=2).free()
    monkeypatch.undo()
    (place,) = (tmp_path / "trials").iterdir()
    (trial,) = open_search(few, tmp_path, trials=1, epochs=2).free()
    assert (trial.name, trial.epochs) == (place.name, 2)


def test_bad_trials_are_pruned(few: FaceDataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import optuna

    monkeypatch.setattr(optuna.Trial, "should_prune", lambda trial: trial.number == 1)
    trials = open_search(few, tmp_path, trials=2, epochs=2).free()
    assert [(trial.state, trial.epochs) for trial in trials] == [("complete", 2), ("pruned", 1)]
    hunt = open_search(few, tmp_path, trials=2, epochs=2)
    assert [(trial.name, trial.state) for trial in hunt.free()] == [(trial.name, trial.state) for trial in trials]
    assert hunt.best.state == "complete"


def failing(real: Any, fails: Any) -> Any:
    """`fit` that refuses the configs of which `fails` is true, and counts its calls."""

    def refuse(config: TrainConfig, *arguments: Any, **more: Any) -> Any:
        refuse.calls.append(config)  # type: ignore[attr-defined]
        if fails(config):
            raise ConfigError("the loss is no number any more")
        return real(config, *arguments, **more)

    refuse.calls = []  # type: ignore[attr-defined]
    return refuse


def test_a_grid_goes_on_after_a_trial_that_fails(
    few: FaceDataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    refuse = failing(search.fit, lambda config: config.optimizer == "sgd")
    monkeypatch.setattr(search, "fit", refuse)
    hunt = open_search(few, tmp_path)
    failed, good = hunt.grid(["sgd", "adam"], ["constant"])
    assert (failed.state, failed.value, failed.problem) == ("failed", None, "the loss is no number any more")
    assert (good.state, good.problem, hunt.best) == ("complete", "", good)
    assert open_search(few, tmp_path).grid(["sgd", "adam"], ["constant"]) == [failed, good]
    assert len(refuse.calls) == 2  # the second sitting read both back
    rows = pd.read_csv(tmp_path / search.TABLE)
    assert rows["state"].tolist() == ["complete", "failed"]


def test_a_trial_that_blows_up_late_has_failed(
    few: FaceDataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def ended(*arguments: Any, **more: Any) -> Any:
        return replace(real(*arguments, **more), ended="The loss was no number any more.")

    real = search.fit
    monkeypatch.setattr(search, "fit", ended)
    (trial,) = open_search(few, tmp_path).grid(["sgd"], ["constant"])
    assert (trial.state, trial.value, trial.problem) == ("failed", None, "The loss was no number any more.")


def test_a_free_search_goes_on_after_a_trial_that_fails(
    few: FaceDataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    refuse = failing(search.fit, lambda config: config.optimizer == "sgd")
    monkeypatch.setattr(search, "fit", refuse)
    first = open_search(few, tmp_path, trials=2).free()
    assert first[0].state == "failed"  # the base's own, which comes first, takes sgd
    names = [trial.name for trial in open_search(few, tmp_path, trials=3).free()]
    assert names[:2] == [trial.name for trial in first]
    assert len(set(names)) == len(names) == len(refuse.calls) == 3  # nothing was tried twice


def test_a_proposal_that_was_killed_half_made_is_no_hindrance(few: FaceDataset, tmp_path: Path) -> None:
    first = open_search(few, tmp_path, trials=1).free()
    search._open_study(tmp_path / search.STUDY, open_search(few, tmp_path).base).ask()  # nothing is chosen yet
    open_search(few, tmp_path, trials=1).free()  # closes it
    assert open_search(few, tmp_path, trials=2).free()[0].name == first[0].name


def test_a_search_in_which_every_trial_fails_says_why(
    few: FaceDataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(search, "fit", failing(search.fit, lambda config: True))
    hunt = open_search(few, tmp_path, trials=2)
    hunt.free()
    with pytest.raises(ConfigError, match=r"all trials failed \(2\), the first because: the loss is no number"):
        _ = hunt.best


def test_several_accepted_labels_are_searched_without_class_weights(few: FaceDataset, tmp_path: Path) -> None:
    trials = open_search(few, tmp_path, trials=2, targets="ferplus_multi_label").free()
    assert [trial.state for trial in trials] == ["complete"] * 2
    assert not any("class_weights" in trial.changes for trial in trials)


@pytest.mark.parametrize(
    "own",
    [
        {},
        {"optimizer": "adam", "learning_rate": 2e-3, "schedule": "step", "weight_decay": 1e-3, "label_smoothing": 0.05}
        | {
            "augmentation": "flip",
            "class_weights": "inverse",
            "model_options": {"widths": (4, 4, 8, 8), "dropout": 0.4},
        },
    ],
)
def test_the_first_proposal_is_the_base(own: dict[str, Any], few: FaceDataset, tmp_path: Path) -> None:
    hunt = open_search(few, tmp_path, trials=1, **own)
    (first,) = hunt.free()
    expected = {name: getattr(hunt.base, name) for name in first.changes} | {
        "model_options": {"dropout": 0.2} | hunt.base.model_options,
        "learning_rate": pytest.approx(hunt.base.learning_rate),
    }
    assert first.changes == expected
    assert len(first.changes) == 8


def test_numbers_beyond_the_space_are_clipped_in_the_first_proposal() -> None:
    wild = TrainConfig(
        "vgg_se", learning_rate=9.0, weight_decay=0.0, label_smoothing=0.5, model_options={"dropout": 0.9}
    )
    usual = search._usual(wild)
    assert (usual["rate"], usual["weight_decay"], usual["label_smoothing"], usual["dropout"]) == (3.0, 1e-6, 0.2, 0.6)


@pytest.mark.parametrize(("epochs", "cycles"), [(2, 2), (4, 2), (5, 5), (6, 3), (7, 7), (11, 11), (25, 5), (40, 2)])
def test_restarts_are_never_plain_cosine(epochs: int, cycles: int, few: FaceDataset, tmp_path: Path) -> None:
    hunt = open_search(few, tmp_path, epochs=epochs)
    assert hunt._config({"schedule": "cosine_restarts"}).cycles == cycles
    assert hunt._config({"schedule": "cosine"}).cycles == 1
    own = open_search(few, tmp_path / "own", epochs=12, schedule="cosine_restarts", cycles=2)
    assert own._config({"schedule": "cosine_restarts"}).cycles == 2


def test_one_epoch_has_no_restarts(few: FaceDataset, tmp_path: Path) -> None:
    (trial,) = open_search(few, tmp_path).grid(["sgd"], ["cosine_restarts"])
    assert (trial.state, trial.epochs) == ("failed", 0)
    assert "cosine under another name" in trial.problem
    assert "cosine_restarts" not in search._choices(TrainConfig("vgg_se", epochs=1))["schedule"]
    assert "cosine_restarts" in search._choices(TrainConfig("vgg_se", epochs=2))["schedule"]


def test_searches_are_not_mixed(few: FaceDataset, tmp_path: Path) -> None:
    open_search(few, tmp_path)
    with pytest.raises(ConfigError, match="has another seed"):
        open_search(few, tmp_path, seed=1)
    with pytest.raises(ConfigError, match="one process"):
        open_search(few, tmp_path, execution=ExecutionConfig(devices=2))
    with pytest.raises(ConfigError, match="must be at least 1"):
        open_search(few, tmp_path, trials=0)
