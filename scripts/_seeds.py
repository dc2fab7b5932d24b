"""Shipped networks that differ in nothing but their seed, and how far they lie apart."""

from __future__ import annotations

import json
import statistics
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict
from itertools import groupby
from typing import Any

from fer_core.artifacts import DEDUPLICATED, NETWORK, Card
from fer_core.config import TrainConfig
from fer_core.labels import TESTS

FEWEST = 3
"""Fewer runs of one recipe say nothing of chance."""
HEAD = ("checkpoints", "seeds", "processes", *TESTS, "without twins", "macro-F1", "ECE")


def seed_rows(cards: Iterable[Card]) -> list[list[str]]:
    """A row of cells under HEAD for each recipe that at least FEWEST of the networks were trained with."""
    return [_row(group) for group in recipes(cards)]


def recipes(cards: Iterable[Card]) -> list[list[Card]]:
    """Networks that share every option of their training but the seed, and the data; by seed.

    How many processes trained them is no option of a recipe, but it changes what they learn a little, and is told.
    """
    trained = [card for card in cards if card.kind == NETWORK and card.training.get("config")]
    groups = [sorted(group, key=_seed) for _, group in groupby(sorted(trained, key=_recipe), _recipe)]
    return [group for group in groups if len({_seed(card) for card in group}) >= FEWEST]


def _recipe(card: Card) -> str:
    return json.dumps([_told(card.training), card.data.get("fingerprint")], sort_keys=True)


def _told(training: Mapping[str, Any]) -> dict[str, Any]:
    """All that a run was told but its seed, with the defaults of options that are younger than its card.

    A run that goes on from another was told what that one was, where the card knows it; else it is known by its name.
    """
    options: dict[str, Any] = asdict(TrainConfig(**training["config"])) | {"seed": 0}
    begun = training.get("init") or {}
    return options | {"init": _told(begun)} if begun.get("config") else options


def _seed(card: Card) -> int:
    return int(card.training["config"].get("seed", 0))


def _row(cards: list[Card]) -> list[str]:
    official = TESTS[1]
    return [
        ", ".join(f"`{card.name}`" for card in cards),
        ", ".join(str(_seed(card)) for card in cards),
        ", ".join(str(card.training.get("devices", "?")) for card in cards),
        *(_spread(cards, split, "accuracy", _percent) for split in (*TESTS, DEDUPLICATED)),
        _spread(cards, official, "macro_f1", _three_digits),
        _spread(cards, official, "ece", _three_digits),
    ]


def _spread(cards: list[Card], split: str, metric: str, told: Callable[[float, float], str]) -> str:
    """Mean and standard deviation of a metric, where all of the cards have it."""
    found = [card.metrics.get(split, {}).get(metric) for card in cards]
    values = [value for value in found if value is not None]
    return told(statistics.mean(values), statistics.stdev(values)) if len(values) == len(cards) else "-"


def _percent(mean: float, deviation: float) -> str:
    return f"{100 * mean:.1f} ± {100 * deviation:.1f} %"


def _three_digits(mean: float, deviation: float) -> str:
    return f"{mean:.3f} ± {deviation:.3f}"
