"""Narrower, wider, shallower and deeper forms of a network."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from fer_core.errors import ConfigError


def check_factor(name: str, factor: float) -> None:
    """Raises ConfigError for a factor on the size of a network that is 0 or less."""
    if factor <= 0:
        raise ConfigError(f"{name} ({factor}) must be above 0; 1.0 is the full network, 0.5 half of it")


def scaled(widths: Iterable[int], factor: float, *, least: int = 8) -> tuple[int, ...]:
    """Channel counts times `factor`, none below `least` (or below itself, where it was less already).

    Raises:
        ConfigError: a factor of 0 or less.
    """
    check_factor("width", factor)
    return tuple(max(min(least, width), round(factor * width)) for width in widths)


def stage_depths(depths: Sequence[int], stages: int = 4) -> tuple[int, ...]:
    """The number of blocks of each stage; raises ConfigError where there is not one of 1 or more for each."""
    if len(depths) != stages or min(depths) < 1:
        raise ConfigError(f"depths ({list(depths)}) must be {stages} numbers of 1 or more, one for each stage")
    return tuple(depths)
