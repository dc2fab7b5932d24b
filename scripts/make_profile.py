"""Makes the profile of a dataset that ships in its place."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from scripts._cli import JsonOption, emit, run
from scripts._dataset import open_dataset
from scripts._progress import bar

ABOUT = {
    "fer2013": {
        "source": "FER2013, Challenges in Representation Learning (Goodfellow et al. 2013), joined with the "
        "crowd votes of FER+ (Barsoum et al. 2016)",
        "licence": "FER2013 is for research use, and its pictures are not part of this profile; FER+'s votes are under "
        "the MIT licence",
    }
}


def make_profile(
    data: Annotated[Path, typer.Argument(help="Prepared dataset, or a raw source that is prepared on the way.")],
    name: Annotated[str, typer.Option(help="Name of the profile.")] = "fer2013",
    out: Annotated[Path | None, typer.Option(help="Folder for profiles; those that ship unless told.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Audits a dataset and writes what may ship of it: labels, votes, hashes and figures, no pixels."""
    from fer_core.data import profiles
    from fer_core.data.audit import audit

    dataset = open_dataset(data)
    profile = profiles.make_profile(name, dataset, audit(dataset, progress=bar), about=ABOUT.get(name))
    folder = profiles.save_profile(profile, out or profiles.FOLDER)
    document = {"name": name, "rows": len(profile.rows), "folder": folder}
    emit(document, as_json, [f"profile of {len(profile.rows):,} faces in {folder}"])


if __name__ == "__main__":
    run(make_profile)
