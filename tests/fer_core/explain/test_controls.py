"""Controls say what they take, and refuse the rest with the range."""

from __future__ import annotations

from typing import Any

import pytest

from fer_core.errors import ConfigError
from fer_core.explain import EXPLAINERS, ChoiceControl, FloatControl, IntControl
from fer_core.explain.controls import describe

CONTROLS = [(name, control) for name, explainer in EXPLAINERS.items() for control in explainer.controls]
IDS = [f"{name}-{control.name}" for name, control in CONTROLS]


@pytest.mark.parametrize(("method", "control"), CONTROLS, ids=IDS)
def test_declared_ranges_hold(method: str, control: Any) -> None:
    assert control.parse(control.default) == control.default
    assert control.parse(str(control.default)) == control.default
    assert control.help.endswith(".")
    assert describe(control)["kind"] in {"int", "float", "choice"}
    if isinstance(control, ChoiceControl):
        assert [control.parse(choice) for choice in control.choices] == list(control.choices)
    else:
        assert control.parse(control.minimum) == control.minimum
        assert control.parse(control.maximum) == control.maximum


@pytest.mark.parametrize(("method", "control"), CONTROLS, ids=IDS)
def test_values_outside_name_the_range(method: str, control: Any) -> None:
    bad = ["nonsense", "", None]
    if not isinstance(control, ChoiceControl):
        bad += [control.minimum - 1, control.maximum + 1, float("nan"), float("inf"), True]
    for value in bad:
        with pytest.raises(ConfigError) as caught:
            EXPLAINERS[method].options(**{control.name: value})
        assert control.range_text in str(caught.value)
        assert control.name in str(caught.value)


def test_whole_numbers() -> None:
    control = IntControl("n", "N", 5, 1, 10, "How many.")
    assert control.parse(7.0) == 7
    assert isinstance(control.parse(7.0), int)
    with pytest.raises(ConfigError, match=r"n must be a whole number from 1 to 10, not 7\.5"):
        control.parse(7.5)


def test_numbers() -> None:
    assert FloatControl("x", "X", 0.5, 0.0, 1.0, "How much.").parse("0.25") == 0.25


def test_unknown_control_names_the_known() -> None:
    with pytest.raises(ConfigError, match="'integrated_gradients' has no control 'steps'; it has: n_steps, baseline"):
        EXPLAINERS["integrated_gradients"].options(steps=3)
    with pytest.raises(ConfigError, match="it has: none"):
        EXPLAINERS["saliency"].options(steps=3)


def test_stride_beyond_the_window_leaves_gaps() -> None:
    with pytest.raises(ConfigError, match=r"stride \(8\) must be at most the window"):
        EXPLAINERS["occlusion"].options(window=4, stride=8)
