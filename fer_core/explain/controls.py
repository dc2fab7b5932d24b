"""What a visitor may set of a method, as data: the page builds sliders from it, the command its options."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, ClassVar

from fer_core.errors import ConfigError


@dataclass(frozen=True)
class IntControl:
    """A whole number between two others, both included."""

    kind: ClassVar[str] = "int"
    name: str
    label: str
    default: int
    minimum: int
    maximum: int
    help: str
    step: int = 1

    @property
    def range_text(self) -> str:
        return f"a whole number from {self.minimum} to {self.maximum}"

    def parse(self, value: Any) -> int:
        """A number, or its text (`"50"`), as an int in the range; a slider's 50.0 counts as 50."""
        number = _number(value)
        if number is None or number != int(number) or not self.minimum <= number <= self.maximum:
            raise ConfigError(f"{self.name} must be {self.range_text}, not {value!r}")
        return int(number)


@dataclass(frozen=True)
class FloatControl:
    """A number between two others, both included."""

    kind: ClassVar[str] = "float"
    name: str
    label: str
    default: float
    minimum: float
    maximum: float
    help: str
    step: float = 0.01

    @property
    def range_text(self) -> str:
        return f"a number from {self.minimum:g} to {self.maximum:g}"

    def parse(self, value: Any) -> float:
        """A number, or its text, as a float in the range."""
        number = _number(value)
        if number is None or not self.minimum <= number <= self.maximum:
            raise ConfigError(f"{self.name} must be {self.range_text}, not {value!r}")
        return number


@dataclass(frozen=True)
class ChoiceControl:
    """One word of several."""

    kind: ClassVar[str] = "choice"
    name: str
    label: str
    default: str
    choices: tuple[str, ...]
    help: str

    @property
    def range_text(self) -> str:
        return f"one of {', '.join(self.choices)}"

    def parse(self, value: Any) -> str:
        """The choice, if it is one."""
        if value not in self.choices:
            raise ConfigError(f"{self.name} must be {self.range_text}, not {value!r}")
        return str(value)


Control = IntControl | FloatControl | ChoiceControl


def resolve(method: str, controls: tuple[Control, ...], given: Mapping[str, Any]) -> dict[str, Any]:
    """Every control's value: what was given, checked, else its default.

    Raises:
        ConfigError: a control that the method does not have, or a value out of its range; the message names the range.
    """
    if unknown := sorted(set(given) - {control.name for control in controls}):
        known = ", ".join(control.name for control in controls) or "none"
        raise ConfigError(f"the method {method!r} has no control {unknown[0]!r}; it has: {known}")
    return {control.name: control.parse(given.get(control.name, control.default)) for control in controls}


def describe(control: Control) -> dict[str, Any]:
    """The control as plain data, with its kind."""
    return {"kind": control.kind, **asdict(control)}


def _number(value: Any) -> float | None:
    if isinstance(value, bool):
        return None
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    return number if math.isfinite(number) else None
