"""Narrower and wider forms of a network by one factor."""

from __future__ import annotations

from collections.abc import Iterable

from fer_core.errors import ConfigError


def scaled(widths: Iterable[int], factor: float, *, least: int = 8) -> tuple[int, ...]:
    """Channel counts times `factor`, none below `least` (or below itself, where it was less already).

    Raises:
        ConfigError: a factor of 0 or less.
    """
    if factor <= 0:
        raise ConfigError(f"width ({factor}) must be above 0; 1.0 is the full network, 0.5 half of it")
    return tuple(max(min(least, width), round(factor * width)) for width in widths)
