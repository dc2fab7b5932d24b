"""Kaggle's `pixels` column: 2,304 decimal numbers parted by blanks -> bytes.

82 million numbers make up FER2013, so they are parsed as arrays: digits are weighted by their distance from the end of
their number, and the ends are picked out. The quick way either proves that every row is right or gives up; then each
row goes through `parse_row`, which is slow, plain, and says what is wrong.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from fer_core.data.table import SIDE

PIXELS = SIDE * SIDE
BLANK = ord(" ")


def parse_row(field: bytes) -> np.ndarray:
    """One field -> uint8 (2304,).

    Raises:
        ValueError: its message says what is wrong with the field.
    """
    tokens = field.split()
    for place, token in enumerate(tokens):
        sign, digits = (token[:1], token[1:]) if token[:1] in (b"-", b"+") else (b"", token)
        if not digits.isdigit():
            raise ValueError(f"pixel {place} is {_shown(token)}, not a whole number")
        if (sign == b"-" and digits.strip(b"0")) or len(digits.lstrip(b"0")) > 3 or int(digits) > 255:
            raise ValueError(f"pixel {place} is {_shown(token)}, outside 0..255")
    if len(tokens) != PIXELS:
        raise ValueError(f"{len(tokens)} pixel values instead of {PIXELS}")
    return np.array([int(token) for token in tokens], np.uint8)


def parse_block(fields: Sequence[bytes]) -> np.ndarray | None:
    """N fields without outer blanks -> uint8 (N, 2304), or None where they are not all plainly right."""
    text = np.frombuffer(b"   " + b" ".join(fields) + b" ", np.uint8)
    digit = text - np.uint8(ord("0"))  # wraps round: everything but a digit is above 9
    is_digit = digit < 10
    if np.count_nonzero(is_digit) + np.count_nonzero(text == BLANK) != len(text):
        return None
    digit *= is_digit
    pair = is_digit[1:] & is_digit[:-1]
    if (pair[2:] & pair[:-2]).any():  # a number of four digits
        return None
    hundreds = digit[:-2] * (pair[1:] & pair[:-1])
    below = digit[2:] + 10 * digit[1:-1]
    value = below + 100 * hundreds
    if (value < below).any() or (hundreds > 2).any():  # beyond 255: it wrapped round
        return None
    ends = is_digit[2:-1] & ~is_digit[3:]
    if not _rows_are_full(ends, fields):
        return None
    return np.compress(ends, value[:-1]).reshape(len(fields), PIXELS)  # a third of the time of value[ends]


def _rows_are_full(ends: np.ndarray, fields: Sequence[bytes]) -> bool:
    """Whether every field holds exactly 2,304 numbers; `ends` (bool) marks their last digits."""
    start = 1
    for field in fields:
        if np.count_nonzero(ends[start : start + len(field)]) != PIXELS:
            return False
        start += len(field) + 1
    return True


def _shown(token: bytes) -> str:
    text = token.decode("utf-8", "backslashreplace")
    return repr(text if len(text) <= 20 else f"{text[:20]}...")
