"""One order of the emotions, and what hangs on it."""

from __future__ import annotations

import pytest

from fer_core import labels
from fer_core.errors import ConfigError


def test_the_order_is_fer2013s_own() -> None:
    assert labels.EMOTIONS == ("angry", "disgust", "fear", "happy", "sad", "surprise", "neutral")
    assert labels.FERPLUS_EMOTIONS[:7] == labels.EMOTIONS
    assert labels.FERPLUS_EMOTIONS[7] == "contempt"


def test_ferplus_columns_reach_every_vote_column_once() -> None:
    assert sorted(f"votes_{name}" for name in labels.FERPLUS_COLUMNS.values()) == sorted(labels.VOTE_COLUMNS)
    assert labels.FERPLUS_COLUMNS["fear"] == "fear"
    assert labels.FERPLUS_COLUMNS["sadness"] == "sad"


@pytest.mark.parametrize("mapping", [labels.COLOURS, labels.EMOJI])
def test_every_emotion_has_a_look_of_its_own(mapping: dict[str, str]) -> None:
    assert tuple(mapping) == labels.FERPLUS_EMOTIONS
    assert len(set(mapping.values())) == len(mapping)


def _luminance(colour: str) -> float:
    """Relative luminance in 0..1, as WCAG 2 defines it."""
    channels = [int(colour[start : start + 2], 16) / 255 for start in (1, 3, 5)]
    linear = [value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4 for value in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


@pytest.mark.parametrize("emotion", labels.FERPLUS_EMOTIONS)
@pytest.mark.parametrize("page", ["#ffffff", "#0e1117"])
def test_colours_stand_out_on_a_light_and_a_dark_page(emotion: str, page: str) -> None:
    """Contrast of at least 2 for bars beside text (text itself never has these colours)."""
    lighter, darker = sorted((_luminance(labels.COLOURS[emotion]), _luminance(page)), reverse=True)
    assert (lighter + 0.05) / (darker + 0.05) >= 2


def test_the_number_of_classes_names_them() -> None:
    assert labels.labels_for(7) == labels.EMOTIONS
    assert labels.labels_for(8) == labels.FERPLUS_EMOTIONS
    with pytest.raises(ConfigError, match="7 classes"):
        labels.labels_for(6)
