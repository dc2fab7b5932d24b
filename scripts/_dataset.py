"""Opening datasets with a progress bar."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fer_core.data.table import FaceDataset


@contextmanager
def reading_bar() -> Iterator[Callable[[int, int], None]]:
    """A bar on stderr that hears (done, total); it appears only where reading takes longer than half a second."""
    from tqdm import tqdm

    with tqdm(desc="reading", unit="", unit_scale=True, leave=False, delay=0.5) as bar:

        def advance(done: int, total: int) -> None:
            bar.total = total
            bar.update(done - bar.n)

        yield advance


def open_dataset(path: Path) -> FaceDataset:
    """A prepared dataset, or a raw source that is prepared on the way."""
    from fer_core.data.prepare import open_or_prepare

    with reading_bar() as advance:
        return open_or_prepare(path, progress=advance)
