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


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("#000000", "#ffffff", 21.0),
        ("#777777", "#ffffff", 4.48),
        ("#ff0000", "#ffffff", 4.0),
        ("#0000ff", "#000000", 2.44),
    ],
)
def test_contrast_is_that_of_wcag(one: str, other: str, expected: float) -> None:
    assert labels.contrast(one, other) == labels.contrast(other, one) == pytest.approx(expected, abs=0.005)


def test_ink_stands_out() -> None:
    assert [labels.ink_on(colour) for colour in ("#000000", "#ffffff", "#d1495b")] == ["#ffffff", "#000000", "#000000"]
    assert labels.ink_on("#ffffff", dark="#18181c") == "#18181c"


@pytest.mark.parametrize("emotion", labels.FERPLUS_EMOTIONS)
@pytest.mark.parametrize("page", ["#ffffff", "#0e1117"])
def test_colours_stand_out_on_a_light_and_a_dark_page(emotion: str, page: str) -> None:
    """Contrast of at least 2 for bars beside text (text itself never has these colours)."""
    assert labels.contrast(labels.COLOURS[emotion], page) >= 2


def test_the_number_of_classes_names_them() -> None:
    assert labels.labels_for(7) == labels.EMOTIONS
    assert labels.labels_for(8) == labels.FERPLUS_EMOTIONS
    with pytest.raises(ConfigError, match="7 classes"):
        labels.labels_for(6)
