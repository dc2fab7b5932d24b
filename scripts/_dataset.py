"""Opening datasets with a progress bar, and the options of commands that read raw ones."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    import numpy as np
    from PIL.Image import Image

    from fer_core.data.readers import Frame, ReadOptions
    from fer_core.data.table import FaceDataset

LabelMapOption = Annotated[
    str | None,
    typer.Option(
        "--label-map",
        help='What folders of pictures mean: a JSON file or JSON like \'{"joy": "happy", "bored": null}\', or a known '
        "map: words, fer2013, ferplus, affectnet, raf_db, raf_db_compound, ck or jaffe.",
    ),
]
FirstNeutralOption = Annotated[
    bool, typer.Option("--first-neutral", help="CK+ sequences: take their first frames as neutral faces.")
]
FindFacesOption = Annotated[
    bool,
    typer.Option(
        "--find-faces", help="Find and frame the face in pictures over 48x48, instead of taking their centre square."
    ),
]
SkipBrokenOption = Annotated[
    bool, typer.Option("--skip-broken", help="Leave broken rows out instead of refusing the source.")
]


@contextmanager
def reading_bar() -> Iterator[Callable[[int, int], None]]:
    """A bar on stderr that hears (done, total); it appears only where reading takes longer than half a second."""
    from tqdm import tqdm

    with tqdm(desc="reading", unit="", unit_scale=True, leave=False, delay=0.5) as bar:

        def advance(done: int, total: int) -> None:
            bar.total = total
            bar.update(done - bar.n)

        yield advance


def open_dataset(path: Path, *, options: ReadOptions | None = None, skip_broken: bool = False) -> FaceDataset:
    """A prepared dataset, or a raw source that is prepared on the way."""
    from fer_core.data.prepare import open_or_prepare

    with reading_bar() as advance:
        return open_or_prepare(path, progress=advance, options=options, skip_broken=skip_broken)


def read_options(label_map: str | None, *, first_neutral: bool, find_faces: bool) -> ReadOptions:
    """The options of a command as `read_source` takes them; raises ConfigError for a label map that cannot be used."""
    from fer_core.data.readers import ReadOptions, read_label_map

    labels = read_label_map(label_map) if label_map else None
    return ReadOptions(label_map=labels, first_neutral=first_neutral, frame=_largest_face() if find_faces else None)


def hint_at_framing(sizes: Mapping[str, int]) -> None:
    """Says once, on stderr, that larger pictures went in as their centre square, if any did."""
    if sizes:
        photos = "1 photo" if (n := sum(sizes.values())) == 1 else f"{n:,} photos"
        cut = f"hint: the centre square of {photos} ({next(iter(sizes))}) was taken"
        hint = "where photos show more than the face, --find-faces frames it when the raw source is read"
        print(f"{cut}; {hint}", file=sys.stderr, flush=True)


def _largest_face() -> Frame:
    """Cuts the largest face out of a picture as `scripts.predict` does."""
    from fer_core.inference import FaceDetector, crop_face

    detector = FaceDetector()

    def frame(picture: Image) -> np.ndarray | None:
        found = detector.detect(picture)
        return crop_face(picture, found[0]).crop if found else None

    return frame
