"""What ships about a dataset without its pixels: one row a face, and the audit's figures.

| column of `rows` | meaning |
| --- | --- |
| row, split, label, votes_* | as in the face table |
| pixel_hash | first 16 hex digits of the SHA-256 of the face's 2,304 bytes: recognises a face that the user has |
| exact_group | number of its group of byte-identical faces, -1: none |
| near_group | number of its group of faces that show the same picture (exact copies included), -1: none |
| constant | all pixels are equal |
| outlier_score | largest robust z-score of brightness, contrast, sharpness and strangeness; 99 where constant |
| outlier_reason | the measure of that score where it makes an outlier, or `constant`, or nothing |
| twin_in_training | outside Training, with a byte-identical face in Training |
| near_twin_in_training | outside Training, with a face of its near group in Training |
| conflicting | its exact group carries more than one label |

None of it says what a face looks like: a hash cannot be turned back, groups and scores are single numbers.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from fer_core.data.audit.duplicates import pixel_hashes, shortened
from fer_core.data.audit.report import AuditReport
from fer_core.data.table import FaceDataset
from fer_core.errors import DataError
from fer_core.files import replacing, write_json
from fer_core.labels import VOTE_COLUMNS

FOLDER = Path(__file__).parent
ROWS, SUMMARY = "faces.parquet", "profile.json"

_COMPACT = {
    "row": "int32",
    "label": "int8",
    "exact_group": "int32",
    "near_group": "int32",
    "outlier_score": "float32",
} | dict.fromkeys(VOTE_COLUMNS, "int8")
_AUDITED = (
    "pixel_hash",
    "exact_group",
    "near_group",
    "constant",
    "outlier_score",
    "outlier_reason",
    "twin_in_training",
    "near_twin_in_training",
    "conflicting",
)


@dataclass(frozen=True)
class Profile:
    """A dataset without its pixels.

    Attributes:
        name: the dataset's short name.
        fingerprint: of the prepared dataset that it was made from.
        rows: one row a face (see the module's docstring).
        summary: the audit's JSON document without its timings.
        about: source, licence and notes, for people.
    """

    name: str
    fingerprint: str
    rows: pd.DataFrame
    summary: dict[str, Any]
    about: dict[str, str] = field(default_factory=dict)

    def twin_free(self, split: str) -> np.ndarray:
        """Row numbers of a split without the faces that have a byte-identical twin in Training."""
        kept = (self.rows["split"] == split) & ~self.rows["twin_in_training"]
        return self.rows.loc[kept, "row"].to_numpy()

    def is_of(self, dataset: FaceDataset) -> bool:
        """Whether it tells of this dataset, with or without FER+'s votes: the same faces, splits and labels by row."""
        if self.fingerprint == dataset.fingerprint:
            return True
        columns = ["row", "split", "label"]
        if len(dataset) != len(self.rows) or not dataset.table[columns].equals(self.rows[columns]):
            return False
        return bool((shortened(pixel_hashes(dataset.pixels)) == self.rows["pixel_hash"].to_numpy()).all())

    def places_in(self, dataset: FaceDataset) -> dict[int, int]:
        """{row number here: place of that face in a dataset}, by content; rows whose face is not there are left out."""
        places = {name: place for place, name in enumerate(shortened(pixel_hashes(dataset.pixels)))}
        named = zip(self.rows["row"], self.rows["pixel_hash"], strict=True)
        return {int(row): places[name] for row, name in named if name in places}


def load_profile(name: str = "fer2013", *, folder: Path = FOLDER) -> Profile:
    """Reads a profile that ships; raises DataError where there is none of that name, or it is damaged."""
    source = folder / name
    try:
        document = json.loads((source / SUMMARY).read_text(encoding="utf-8"))
        rows = pd.read_parquet(source / ROWS)
    except FileNotFoundError:
        names = sorted(path.parent.name for path in folder.glob(f"*/{SUMMARY}"))
        raise DataError(f"no profile {name!r}; there are: {', '.join(names) or 'none'}") from None
    except (OSError, ValueError) as error:
        raise DataError(f"the profile {name!r} is damaged ({error}); restore {source} from the repository") from error
    return Profile(
        document["name"], document["fingerprint"], _widen(rows), document["summary"], document.get("about", {})
    )


def make_profile(
    name: str, dataset: FaceDataset, report: AuditReport, *, about: dict[str, str] | None = None
) -> Profile:
    """A profile of an audited dataset; `about` tells people where it is from and what its licence allows."""
    votes = list(VOTE_COLUMNS) if dataset.has_votes else []
    rows = report.rows[["row", "split", "label", *votes, *_AUDITED]]
    summary = {key: value for key, value in report.to_dict().items() if key not in ("seconds", "stages")}
    rows = rows.assign(outlier_score=rows["outlier_score"].round(2))
    return Profile(name, dataset.fingerprint, rows, summary, about or {})


def save_profile(profile: Profile, folder: Path = FOLDER) -> Path:
    """Writes a profile under `folder` and returns its own folder."""
    target = folder / profile.name
    kinds = {column: kind for column, kind in _COMPACT.items() if column in profile.rows}
    with replacing(target / ROWS) as temporary:
        profile.rows.astype(kinds).to_parquet(temporary, index=False, compression="zstd")
    document = {
        "name": profile.name,
        "fingerprint": profile.fingerprint,
        "about": profile.about,
        "summary": profile.summary,
    }
    write_json(target / SUMMARY, document)
    return target


def _widen(rows: pd.DataFrame) -> pd.DataFrame:
    whole = [column for column, kind in _COMPACT.items() if column in rows and kind.startswith("int")]
    return rows.astype(dict.fromkeys(whole, "int64") | {"outlier_score": "float64", "split": str})
