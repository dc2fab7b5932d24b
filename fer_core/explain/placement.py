"""Where the places of a map lie on the face: counted from the operations that made the map, not guessed from its size.

A place of a map stands for the centre of the pixels that it was computed from (its receptive field). Unpadded
convolutions, strides and pools move those centres: the 18x18 places of two pairs of unpadded 3x3 convolutions with a
pool between them lie from pixel 6.5 to 40.5 of 48, and stretching the map over the face would draw its edges almost six
pixels off (Araujo, Norris & Sim 2019, https://distill.pub/2019/computing-receptive-fields).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor


@dataclass(frozen=True)
class Axis:
    """The places along rows or columns.

    Attributes:
        count: how many.
        first: pixel of the first one's centre; 0 is the centre of the first pixel.
        step: pixels from one to the next.
    """

    count: int
    first: float = 0.0
    step: float = 1.0

    def windowed(self, count: int, kernel: int, stride: int, padding: int, dilation: int) -> Axis:
        """Behind a convolution or a pool that gives `count` places."""
        centre = dilation * (kernel - 1) / 2 - padding
        return Axis(count, self.first + centre * self.step, self.step * stride)

    def resized(self, count: int) -> Axis:
        """The same extent divided into `count` places, as resizing and adaptive pools do."""
        ratio = self.count / count
        return Axis(count, self.first + (ratio / 2 - 0.5) * self.step, self.step * ratio)

    def cut(self, count: int, start: int, step: int = 1) -> Axis:
        """From place `start` on, every `step`-th; a negative start adds places in front."""
        return Axis(count, self.first + start * self.step, self.step * step)

    def nearest(self, pixel: int) -> int:
        """The place whose centre is nearest to a pixel."""
        return min(max(round((pixel - self.first) / self.step), 0), self.count - 1)


@dataclass(frozen=True)
class Placement:
    """Where the places of a map lie.

    Attributes:
        rows, columns: in pixels of the face or, behind a spatial transformer, of its crop.
        crop: (N, H, W, 2) where each pixel of that crop looks on the face, in [-1, 1]; None without a transformer.
        side: height and width of what the pixels are counted in.
    """

    rows: Axis
    columns: Axis
    side: tuple[int, int]
    crop: Tensor | None = None

    @property
    def size(self) -> tuple[int, int]:
        """Rows and columns of the map."""
        return self.rows.count, self.columns.count

    def moved(self, rows: Axis, columns: Axis) -> Placement:
        """Another map of the same face."""
        return replace(self, rows=rows, columns=columns)

    def laid(self, heat: Tensor) -> Tensor:
        """(N, h, w) over the places -> (N, 1, H, W) over the face, bilinear between the centres.

        Beyond the outermost centres their values go on; outside a transformer's crop there is zero.
        """
        placed = self._between(heat)
        return placed if self.crop is None else _uncropped(placed, self.crop)

    def _between(self, heat: Tensor) -> Tensor:
        import torch
        from torch.nn import functional

        height, width = self.side
        axes = [(self.columns, width, heat.shape[2]), (self.rows, height, heat.shape[1])]
        across, down = (_lookup(axis, length, places).to(heat) for axis, length, places in axes)
        where = torch.stack(torch.meshgrid(across, down, indexing="xy"), -1)  # (H, W, 2)
        where = where.expand(len(heat), -1, -1, -1)
        return functional.grid_sample(heat[:, None], where, padding_mode="border", align_corners=False)


def whole(height: int, width: int) -> Placement:
    """The pixels themselves."""
    return Placement(Axis(height), Axis(width), (height, width))


def stretched(grid: tuple[int, int], side: int, seen: int) -> Placement:
    """A grid divided evenly over the `seen` pixels in the centre of a face, where nothing better is known."""
    before = (side - seen) // 2
    rows, columns = (Axis(seen).resized(count) for count in grid)
    moved = [replace(axis, first=axis.first + before) for axis in (rows, columns)]
    return Placement(moved[0], moved[1], (side, side))


def affine_of(crop: Tensor) -> Tensor:
    """(N, H, W, 2) grid of a spatial transformer -> (N, 2, 3), the six numbers that made it.

    Read off three corners, whose own coordinates are 1 / side inside of -1 and 1.
    """
    import torch

    height, width = crop.shape[1:3]
    origin, right, below = crop[:, 0, 0], crop[:, 0, -1], crop[:, -1, 0]
    across = (right - origin) * width / (2 * max(1, width - 1))
    down = (below - origin) * height / (2 * max(1, height - 1))
    shift = origin + across * (1 - 1 / width) + down * (1 - 1 / height)
    return torch.stack([across, down, shift], -1)


def _lookup(axis: Axis, length: int, places: int) -> Tensor:
    """(length,): for each pixel the coordinate in [-1, 1] of the map's `places` at which it lies.

    A map that was pooled to one row or column has one place, whatever the axis counts.
    """
    import torch

    index = (torch.arange(length) - axis.first) / axis.step
    return (2 * index + 1) / places - 1


def _uncropped(heat: Tensor, crop: Tensor) -> Tensor:
    """(N, 1, H, W) over a crop -> the same over the face: every pixel of the face looks up where the crop holds it."""
    import torch
    from torch.nn import functional

    affine = affine_of(crop)  # (N, 2, 3)
    back = torch.linalg.pinv(affine[..., :2])  # of a crop without area, too
    inverse = torch.cat([back, -back @ affine[..., 2:]], -1)
    where = functional.affine_grid(inverse, list(heat.shape), align_corners=False)
    return functional.grid_sample(heat, where, align_corners=False)


def axes_of(placement: Placement, sizes: Iterable[int], windows: Sequence[Sequence[int]]) -> Placement:
    """Behind a window of (kernel, stride, padding, dilation) for rows and columns that gives a map of `sizes`."""
    rows, columns = (
        axis.windowed(size, *window)
        for axis, size, window in zip((placement.rows, placement.columns), sizes, windows, strict=True)
    )
    return placement.moved(rows, columns)
