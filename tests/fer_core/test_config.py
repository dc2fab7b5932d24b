"""Configs check themselves and explain every field."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

import pytest

from fer_core.config import ExecutionConfig, TrainConfig, check_types, differences, field_help
from fer_core.errors import ConfigError


@pytest.mark.parametrize("config", [TrainConfig, ExecutionConfig])
def test_every_field_is_explained(config: type) -> None:
    helps = field_help(config)
    assert set(helps) == {field.name for field in dataclasses.fields(config)}
    assert all(len(text) > 10 for text in helps.values())


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"epochs": 0}, r"epochs \(0\) must be above 0"),
        ({"ema": 1.0}, r"ema \(1.0\) must be at least 0 and below 1"),
        ({"label_smoothing": -0.1}, "label_smoothing"),
        ({"sampler": "smoat"}, "sampler must be one of shuffle, balanced, oversample, undersample, smote, not .smoat."),
        ({"crop": 50}, r"crop \(50\) must be between 16 and 48"),
        ({"freeze_epochs": 40}, r"freeze_epochs \(40\) must be below epochs \(40\)"),
        ({"cycles": 3, "schedule": "cosine_restarts"}, r"cycles \(3\) must divide epochs \(40\)"),
        ({"cycles": 2}, "needs the schedule cosine_restarts, not one_cycle"),
        ({"targets": "ferplus"}, "targets must be one of fer2013, ferplus_majority"),
        ({"weight_decay": -1.0}, "weight_decay"),
        ({"seed": -1}, r"seed \(-1\) must not be below 0"),
        *[
            ({"part": text}, "part .* must be one of several, such as 1/2")
            for text in ("half", "0/2", "3/2", "1/1", "1/")
        ],
        ({"select_on": "private"}, "select_on must be one of accuracy, macro_f1"),
    ],
)
def test_values_that_cannot_work_are_named(options: dict[str, Any], message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        TrainConfig("vgg_se", **options)


@pytest.mark.parametrize("options", [{"precision": "16"}, {"devices": 0}, {"threads": -1}, {"accelerator": "tpu"}])
def test_execution_values_that_cannot_work_are_named(options: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match=next(iter(options))):
        ExecutionConfig(**options)


def test_differences_name_the_changed_fields() -> None:
    recorded = dataclasses.asdict(TrainConfig("vgg_se", model_options={"widths": (1, 2)}))
    recorded["model_options"] = {"widths": [1, 2]}  # as JSON gives it back
    assert differences(recorded, TrainConfig("vgg_se", model_options={"widths": (1, 2)})) == []
    assert differences(recorded, TrainConfig("vgg_se", model_options={"widths": (1, 2)}, seed=1)) == ["seed"]


def _taker(size: float, units: int = 1, names: Sequence[str] = (), depths: tuple[int, ...] | None = None) -> None:
    """Has arguments of the kinds that options have."""


def _switched(on: bool = True, free=None) -> None:  # type: ignore[no-untyped-def]
    """Has a switch, and an argument that takes anything."""


@pytest.mark.parametrize(
    ("taker", "option", "value", "words"),
    [
        (_taker, "size", "half", r"size \('half'\) must be a number"),
        (_taker, "size", None, r"size \(None\) must be a number"),
        (_taker, "size", float("nan"), r"size \(nan\) must be a number"),
        (_taker, "units", [8], r"units \(\[8\]\) must be a number"),
        (_taker, "names", "vgg_se", r"names \('vgg_se'\) must be a list of texts"),
        (_taker, "names", [3], r"names \(\[3\]\) must be a list of texts"),
        (_taker, "depths", 3, r"depths \(3\) must be a list of numbers or null"),
        (_switched, "on", "no", r"on \('no'\) must be true or false"),
    ],
)
def test_options_of_another_kind_are_named(taker: Any, option: str, value: Any, words: str) -> None:
    with pytest.raises(ConfigError, match=f"model_options: {words}"):
        check_types("model_options", taker, {option: value})


def test_options_of_their_kind_pass() -> None:
    check_types("", _taker, {"size": 1, "units": 10**400, "names": ["a"], "depths": None, "other": "not looked at"})
    check_types("", _taker, {"depths": [1, 2], "names": ()})
    check_types("", _switched, {"on": False, "free": object()})
