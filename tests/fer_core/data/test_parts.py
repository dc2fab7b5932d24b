"""Parts of Training: each face is in one of them, with its copies, whatever else is there."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from fer_core.config import Part
from fer_core.data.parts import in_part


@given(st.integers(2, 6), st.integers(0, 2**32 - 1))
def test_each_face_is_in_one_part_with_its_copies(of: int, seed: int) -> None:
    generator = np.random.default_rng(seed)
    pixels = generator.integers(0, 256, (20, 4, 4), dtype=np.uint8)
    pixels[15:] = pixels[:5]
    inside = np.stack([in_part(pixels, Part(number, of)) for number in range(1, of + 1)])
    assert (inside.sum(0) == 1).all()
    assert (inside[:, 15:] == inside[:, :5]).all()
    order = generator.permutation(20)
    assert (in_part(pixels[order], Part(1, of)) == inside[0][order]).all()


def test_parts_are_about_alike_in_size() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (3000, 4, 4), dtype=np.uint8)
    assert all(900 < in_part(pixels, Part(number, 3)).sum() < 1100 for number in (1, 2, 3))
