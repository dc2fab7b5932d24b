"""Makes the profile of a dataset that ships in its place."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from scripts._cli import JsonOption, emit, run
from scripts._dataset import open_dataset


def make_profile(
    data: Annotated[Path, typer.Argument(help="Prepared dataset, or a raw source that is prepared on the way.")],
    name: Annotated[str, typer.Option(help="Name of the profile.")] = "fer2013",
    as_json: JsonOption = False,
) -> None:
    """Audits a dataset and writes what may ship of it: labels, votes, hashes and figures, no pixels."""
    from fer_core.data.audit import audit
    from fer_core.data.profiles import make_profile as make
    from fer_core.data.profiles import save_profile

    dataset = open_dataset(data)
    profile = make(name, dataset, audit(dataset))
    folder = save_profile(profile)
    emit({"name": name, "rows": len(profile.rows)}, as_json, [f"profile of {len(profile.rows)} faces in {folder}"])


if __name__ == "__main__":
    run(make_profile)
