"""The quick pixel parser against a plain one: it is right, or it gives up and the slow one names what is wrong."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fer_core.data.readers._pixel_text import PIXELS, parse_block, parse_row

BYTES = st.binary(min_size=PIXELS, max_size=PIXELS)
JUNK = st.one_of(
    st.binary(max_size=4), st.sampled_from([b"256", b"1000", b"-1", b"1.5", b"\t", b"  ", b"x", b"007", b""])
)


def as_text(face: bytes) -> bytes:
    return b" ".join(b"%d" % value for value in face)


def reference(field: bytes) -> list[int] | None:
    """What a row means, by Python's own conversion; None where it is broken."""
    try:
        values = [int(token) if token.lstrip(b"+-").isdigit() else -1 for token in field.split()]
    except ValueError:
        return None
    return values if len(values) == PIXELS and all(0 <= value <= 255 for value in values) else None


@given(st.lists(BYTES, min_size=1, max_size=4))
@settings(max_examples=25)
def test_any_bytes_come_back(faces: list[bytes]) -> None:
    block = parse_block([as_text(face) for face in faces])
    assert block is not None
    assert block.tobytes() == b"".join(faces)


@given(BYTES, JUNK, st.floats(0, 1), st.integers(0, 3))
@settings(max_examples=150)
def test_any_corruption_is_parsed_right_or_refused(face: bytes, junk: bytes, where: float, removed: int) -> None:
    whole = as_text(face)
    place = int(where * len(whole))
    broken = (whole[:place] + junk + whole[place + removed :]).strip()
    expected = reference(broken)
    quick = parse_block([whole, broken, whole])
    if quick is not None:
        assert quick[1].tolist() == expected
        assert quick[0].tobytes() == quick[2].tobytes() == face
    if expected is None:
        with pytest.raises(ValueError, match="pixel"):
            parse_row(broken)
    else:
        assert parse_row(broken).tolist() == expected


@pytest.mark.parametrize("seed", range(3))
def test_leading_zeros_count_as_python_counts_them(seed: int) -> None:
    tokens = np.random.default_rng(seed).choice([b"7", b"42", b"255", b"007", b"000"], PIXELS).tolist()
    block = parse_block([b" ".join(tokens)])
    assert block is not None
    assert block[0].tolist() == [int(token) for token in tokens]


def test_a_row_that_is_short_by_what_the_next_has_too_much_is_refused() -> None:
    row = as_text(bytes(PIXELS))
    assert parse_block([row[2:], row + b" 0"]) is None
    assert parse_block([row, row]) is not None


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda tokens: tokens[:-1], "2303 pixel values instead of 2304"),
        (lambda tokens: [*tokens, b"0"], "2305 pixel values instead of 2304"),
        (lambda tokens: [], "0 pixel values instead of 2304"),
        (lambda tokens: [b"256", *tokens[1:]], "pixel 0 is '256', outside 0..255"),
        (lambda tokens: [*tokens[:5], b"-3", *tokens[6:]], "pixel 5 is '-3', outside 0..255"),
        (lambda tokens: [*tokens[:5], b"9" * 5000, *tokens[6:]], "outside 0..255"),
        (lambda tokens: [*tokens[:9], b"1.5", *tokens[10:]], "pixel 9 is '1.5', not a whole number"),
        (lambda tokens: [*tokens[:9], b"\xff\xfe", *tokens[10:]], "not a whole number"),
        (lambda tokens: [*tokens[:9], "٣".encode(), *tokens[10:]], "not a whole number"),
    ],
)
def test_each_fault_has_its_reason(change: object, reason: str) -> None:
    tokens = change([b"12"] * PIXELS)  # type: ignore[operator]
    field = b" ".join(tokens)
    assert parse_block([field]) is None
    with pytest.raises(ValueError, match=reason.replace(".", r"\.")):
        parse_row(field)


def test_the_slow_parser_takes_other_blanks() -> None:
    values = np.arange(PIXELS) % 256
    field = b"\t ".join(b"%d" % value for value in values)
    assert parse_row(field).tolist() == values.tolist()
