"""The help of an option that takes a name has every name of its registry."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any

import pytest
import typer

from fer_core.classical import CLASSICAL
from fer_core.classifiers.combination import COMBINATIONS
from fer_core.classifiers.folded_views import FOLDED_VIEWS
from fer_core.config import CLEANINGS, SAMPLERS, TARGETS, TrainConfig, field_help
from fer_core.data.balance import CLASS_WEIGHTS, RESAMPLERS
from fer_core.data.readers import LABEL_MAPS
from fer_core.data.transforms import AUGMENTATIONS
from fer_core.evaluation.labels import KINDS
from fer_core.evaluation.protocols import ORDER, PROTOCOLS
from fer_core.evaluation.views import VIEWS
from fer_core.features import FEATURES
from fer_core.labels import SPLITS
from fer_core.losses import LOSSES
from fer_core.studies import BUDGETS
from fer_core.studies.workshop import TRAINED
from fer_core.training.optimisers import OPTIMIZERS, SCHEDULES
from fer_core.training.step import STEPS
from scripts import benchmark, classical, ensemble, evaluate, prepare_data, publish, reproduce, robustness, search
from scripts._stages import STAGES

FIELDS = {
    "loss": LOSSES,
    "class_weights": CLASS_WEIGHTS,
    "targets": TARGETS,
    "clean": CLEANINGS,
    "method": STEPS,
    "sampler": (*SAMPLERS, *RESAMPLERS),
    "optimizer": OPTIMIZERS,
    "schedule": SCHEDULES,
    "augmentation": AUGMENTATIONS,
}
"""Fields of TrainConfig, options of every command that trains."""

OPTIONS: dict[str, tuple[Callable[..., Any], Iterable[str]]] = {
    "benchmark stages": (benchmark.benchmark, STAGES),
    "classical method": (classical.classical, CLASSICAL),
    "classical features": (classical.classical, FEATURES),
    "classical views": (classical.classical, FOLDED_VIEWS),
    "ensemble combination": (ensemble.ensemble, COMBINATIONS),
    "ensemble views": (ensemble.ensemble, FOLDED_VIEWS),
    "evaluate split": (evaluate.evaluate, SPLITS),
    "evaluate tta": (evaluate.evaluate, VIEWS),
    "evaluate protocol": (evaluate.evaluate, PROTOCOLS),
    "evaluate labels": (evaluate.evaluate, KINDS),
    "prepare_data label_map": (prepare_data.prepare_data, LABEL_MAPS),
    "publish views": (publish.publish, FOLDED_VIEWS),
    "reproduce budget": (reproduce.reproduce, BUDGETS),
    "robustness split": (robustness.robustness, SPLITS),
}
"""Command and parameter: the command's function and the names that the parameter takes."""


def missing(text: str, names: Iterable[str]) -> list[str]:
    return [name for name in names if not re.search(rf"\b{re.escape(name)}\b", text)]


def helps(function: Callable[..., Any]) -> dict[str, str]:
    """{parameter of a command: its help}."""
    app = typer.Typer(add_completion=False)
    app.command()(function)
    return {str(found.name): getattr(found, "help", None) or "" for found in typer.main.get_command(app).params}


@pytest.mark.parametrize("name", FIELDS)
def test_a_field_of_the_training_names_all_that_it_takes(name: str) -> None:
    assert not missing(field_help(TrainConfig)[name], FIELDS[name])


@pytest.mark.parametrize("option", OPTIONS)
def test_an_option_names_all_that_it_takes(option: str) -> None:
    function, names = OPTIONS[option]
    assert not missing(helps(function)[option.split()[1]], names)


def test_the_grid_has_every_optimizer_and_every_schedule_that_differs() -> None:
    assert sorted(search.OPTIMIZERS.split(",")) == list(OPTIMIZERS)
    assert sorted([*search.SCHEDULES.split(","), "cosine"]) == list(SCHEDULES)  # cosine is a restart that never comes


def test_lists_beside_a_registry_hold_what_it_has() -> None:
    assert sorted(ORDER) == list(PROTOCOLS)
    assert set(SAMPLERS) == {"shuffle", "balanced", *RESAMPLERS}
    assert set(TRAINED) <= set(COMBINATIONS)


def test_a_name_that_is_only_a_part_of_another_is_missing() -> None:
    assert missing("sgd_plain or adamw", ["sgd", "sgd_plain", "adam"]) == ["sgd", "adam"]
