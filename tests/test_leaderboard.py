"""The leaderboard that ships: rows that the studies ask for, figures that follow from the recorded answers."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from fer_core.artifacts import CARD, HISTORY, PREDICTIONS
from fer_core.data.predictions import classes_of
from fer_core.data.profiles import load_profile
from fer_core.evaluation.predictions import load_predictions
from fer_core.evaluation.robustness import CORRUPTIONS
from fer_core.labels import judged_by
from fer_core.studies import BUDGETS, all_rows
from fer_core.studies.results import RESULT, leaderboard_folder, load_result, plain
from fer_core.studies.rows import NETWORK
from tests.recomputed import check_figures

FOLDERS = sorted(file.parent for file in leaderboard_folder().glob(f"[!.]*/{RESULT}"))
NETWORKS = [folder for folder in FOLDERS if (result := load_result(folder)) is not None and result.kind == NETWORK]


def test_there_is_a_leaderboard() -> None:
    assert FOLDERS
    assert NETWORKS


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_figures_are_those_of_the_predictions(folder: Path) -> None:
    result, table = load_result(folder), load_predictions(folder)
    assert result is not None
    labels = classes_of(table)
    assert result.labels == judged_by(labels)
    check_figures(table, labels, result.metrics, load_profile())


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: folder.name)
def test_a_result_is_of_a_row_that_is_asked_for_and_complete(folder: Path) -> None:
    result, row = load_result(folder), all_rows().get(folder.name)
    assert result is not None
    assert row is not None, f"no study asks for {folder.name} any more; delete its folder"
    assert (result.row, result.kind, result.options) == (row.name, row.kind, plain(row.options))
    assert result.members == row.members
    assert result.budget in BUDGETS
    assert not BUDGETS[result.budget].miniature
    assert set(result.robustness) == {*CORRUPTIONS, "clean", "mean"}
    assert result.inference_speed
    assert result.parameters
    assert {file.name for file in folder.iterdir()} <= {RESULT, CARD, HISTORY, PREDICTIONS}


@pytest.mark.parametrize("folder", NETWORKS, ids=lambda folder: folder.name)
def test_a_network_says_what_it_got(folder: Path) -> None:
    result = load_result(folder)
    assert result is not None
    training = json.loads((folder / CARD).read_text(encoding="utf-8"))["training"]
    assert (training["epochs"], training["images_seen"]) == (result.epochs, result.images_seen)
    assert training["seconds"] == result.seconds > 0
    assert result.multiply_adds
    assert result.notes or result.epochs == training["config"]["epochs"]
