"""By how much two rows of the leaderboard may differ through their seeds alone, as the table of seeds measured it."""

from __future__ import annotations

import math
import statistics
from collections.abc import Iterable
from dataclasses import dataclass

from fer_core.studies.results import Result
from fer_core.studies.rows import TABLES

TABLE, FEWEST, QUANTILE = "seeds", 3, 1.96


@dataclass(frozen=True)
class Chance:
    """Runs that differ in nothing but their seed.

    Attributes:
        runs: how many.
        mean: of their accuracies on PublicTest, 0..1.
        deviation: the standard deviation of these, 0..1, estimated from as few runs.
    """

    runs: int
    mean: float
    deviation: float

    @property
    def difference(self) -> float:
        """What 95 % of the differences of two such runs stay below, 0..1, for normal ones: 1.96 sqrt(2) deviations."""
        return QUANTILE * math.sqrt(2) * self.deviation

    def __str__(self) -> str:
        return (
            f"{self.runs} runs that differ in nothing but their seed (table `{TABLE}`) have {100 * self.mean:.1f} % on "
            f"PublicTest with a standard deviation of {100 * self.deviation:.1f} points, so that two rows of one seed "
            f"each may differ by {100 * self.difference:.1f} points by chance"
        )


def chance(results: Iterable[Result]) -> Chance | None:
    """What the measured rows of the table of seeds say, or None while too few are measured."""
    names = {row.name for row in TABLES[TABLE].rows}
    found = [result.metrics["PublicTest"]["accuracy"] for result in results if result.row in names]
    if len(found) < FEWEST:
        return None
    return Chance(len(found), statistics.mean(found), statistics.stdev(found))
