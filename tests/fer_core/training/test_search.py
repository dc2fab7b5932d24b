"""Searches: every cell of a grid, proposals of a study; stopped anywhere they go on; PrivateTest is not looked at."""

from __future__ import annotations

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
    base = TrainConfig("vgg_se", model_options={"widths": (4, 4, 8, 8)}, batch_size=7, **({"epochs": 1} | more))
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


def test_searches_are_not_mixed(few: FaceDataset, tmp_path: Path) -> None:
    open_search(few, tmp_path)
    with pytest.raises(ConfigError, match="has another seed"):
        open_search(few, tmp_path, seed=1)
    with pytest.raises(ConfigError, match="one process"):
        open_search(few, tmp_path, execution=ExecutionConfig(devices=2))
    with pytest.raises(ConfigError, match="must be at least 1"):
        open_search(few, tmp_path, trials=0)
