"""What the pages show, loaded once: the only `st.cache_*` of the dashboard.

Tables come from `st.cache_resource`, which hands every session the same object: pages read them and never write into
them. Files are named by path and time of change, so a checkpoint that is replaced is read again.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
import streamlit as st

from fer_core.artifacts import PREDICTIONS, Card, find_checkpoint, list_checkpoints, load_card, load_record, rank
from fer_core.data.audit.leakage import leaked_rows
from fer_core.data.predictions import classes_of
from fer_core.data.profiles import Profile, load_profile
from fer_core.data.store import MANIFEST
from fer_core.data.table import FaceDataset
from fer_core.errors import DataError, FerError, file_trouble
from fer_core.evaluation import pairs
from fer_core.evaluation.crowd import CrowdReport, against_votes
from fer_core.evaluation.predictions import load_predictions
from fer_core.evaluation.report import evaluate_predictions
from fer_core.figures import dataset_tables, prediction_tables
from fer_core.metrics import PairedDifference
from fer_core.studies.results import Result, leaderboard_folder, load_results
from webapp.dashboard.state import DEDUPLICATED
from webapp.settings import Settings


@dataclass(frozen=True)
class Source:
    """The dataset that the pages are about.

    Attributes:
        title: its name for people.
        rows: one line per image (columns of `fer_core.data.profiles`).
        own: whether the user named it, so that its faces are there.
        fingerprint: of the dataset.
    """

    title: str
    fingerprint: str
    rows: pd.DataFrame
    own: bool


@dataclass(frozen=True)
class Faces:
    """The pictures of some rows.

    Attributes:
        pixels: uint8 (N, 48, 48).
        places: row number -> index into `pixels`.
    """

    pixels: np.ndarray
    places: dict[int, int]

    def has(self, row: int) -> bool:
        """Whether there is a picture of that row."""
        return row in self.places

    def of(self, rows: list[int]) -> np.ndarray:
        """uint8 (len(rows), 48, 48); every row must be there."""
        return np.stack([self.pixels[self.places[row]] for row in rows])


def settings() -> Settings:
    """What the web app was started with."""
    return Settings.from_environment()


@st.cache_resource(show_spinner=False)
def profile() -> Profile | None:
    """What ships about FER2013, None where it does not."""
    try:
        return load_profile()
    except FerError:
        return None


def dataset() -> FaceDataset | None:
    """The user's dataset, None where none was named or it cannot be opened (see `dataset_problem`)."""
    return _opened(*_named())[0]


def dataset_problem() -> str:
    """Why the user's dataset is not shown; empty where there is no problem."""
    return _opened(*_named())[1]


def _named() -> tuple[Path | None, int]:
    """The user's dataset and when it was last changed: one that is prepared anew is opened anew."""
    path = settings().data
    return path, 0 if path is None else max(_changed(path), _changed(path / MANIFEST))


def source() -> Source | None:
    """The user's dataset where there is one, else the shipped profile, else None."""
    own, shipped = dataset(), profile()
    if own is not None and not _is_shipped(own, shipped):
        return Source(str(settings().data), own.fingerprint, _audited(own.fingerprint, own), own=True)
    if shipped is None:
        return None
    return Source("FER2013", shipped.fingerprint, shipped.rows, own=own is not None)


def groups(kind: Literal["exact", "near"]) -> pd.DataFrame:
    """`dataset_tables.groups` of `source()`."""
    shown = _required()
    return _groups(shown.fingerprint, kind, shown.rows)


def crowd() -> pd.DataFrame:
    """`dataset_tables.crowd_view` of `source()`, which must have votes."""
    shown = _required()
    return _crowd(shown.fingerprint, shown.rows)


def faces() -> Faces | None:
    """Pictures of the rows of `source()`, None without a dataset of the user's."""
    own = dataset()
    return None if own is None else _faces_by_row(own.fingerprint, own)


def judged_faces(name: str) -> Faces | None:
    """Pictures of the rows that a checkpoint's predictions are about, None where they are not at hand.

    Those of the profile's rows are found by content, whatever the user's dataset is.
    """
    own, shipped, data = dataset(), profile(), judged_data(name)
    if own is None or data is None:
        return None
    if data == "own" or _is_shipped(own, shipped):
        return _faces_by_row(own.fingerprint, own)
    assert shipped is not None
    return _faces_by_content(own.fingerprint, own, shipped)


def judged_data(name: str) -> Literal["shipped", "own"] | None:
    """Which dataset a checkpoint's predictions are about: the profile's, the user's, or one that is not at hand."""
    own, shipped, found = dataset(), profile(), card(name)
    fingerprint = found.data.get("fingerprint") if found else None
    if own is not None and fingerprint == own.fingerprint:
        return "shipped" if _is_shipped(own, shipped) else "own"
    return "shipped" if shipped is not None and fingerprint == shipped.fingerprint else None


def checkpoints() -> dict[str, Path]:
    """Checkpoints by name, the one that the app was started with first, then the best on PublicTest."""
    found = {folder.name: folder for folder in sorted(list_checkpoints(), key=_place)}
    try:
        chosen = find_checkpoint(settings().checkpoint)
    except FerError:
        return found
    return {chosen.name: chosen} | {name: folder for name, folder in found.items() if name != chosen.name}


def card(name: str) -> Card | None:
    """The card of a checkpoint, None where it cannot be read."""
    return _card_in(checkpoints()[name])


def _card_in(folder: Path) -> Card | None:
    return _card(folder, _changed(folder / "card.json"))


def _place(folder: Path) -> tuple[bool, tuple[int, float]]:
    """To sort folders by; those without a card that can be read come last."""
    found = _card_in(folder)
    return found is None, rank(found) if found else (0, 0.0)


def cards() -> dict[str, Card]:
    """All cards that can be read, by checkpoint."""
    found = {name: card(name) for name in checkpoints()}
    return {name: value for name, value in found.items() if value is not None}


def answers(name: str) -> pd.DataFrame | None:
    """A checkpoint's predictions in words (`prediction_tables.answers`), None where it ships none."""
    path = checkpoints()[name]
    return _answers(path, _changed(path / PREDICTIONS))


def record(name: str, file: str) -> dict[str, Any] | None:
    """What was recorded beside a checkpoint under this file name, None where nothing was."""
    path = checkpoints()[name]
    return _record(path, file, _changed(path / file))


def history(name: str) -> pd.DataFrame | None:
    """A checkpoint's training history, None where it ships none."""
    path = checkpoints()[name] / "history.csv"
    return _history(path, _changed(path))


def examined(name: str, split: str, protocol: str) -> tuple[pd.DataFrame, dict[str, Any]] | None:
    """The answers on a split under a protocol, and the report over them; None where there are none."""
    path = checkpoints()[name]
    twins = _twins(name) if protocol == DEDUPLICATED else ()
    return _examined(path, _changed(path / PREDICTIONS), split, twins)


def crowd_report(name: str, split: str, protocol: str) -> CrowdReport | None:
    """The answers on a split under a protocol beside FER+'s votes, None where there are no votes on these faces."""
    path, judged = checkpoints()[name], _judged(name)
    if judged is None:
        return None
    twins = _twins(name) if protocol == DEDUPLICATED else ()
    return _crowd_report(path, _changed(path / PREDICTIONS), split, twins, *judged)


def differences(against: str, split: str) -> dict[str, PairedDifference]:
    """How much more accurate on a split each checkpoint is than `against`, for those judged by the same labels."""
    folders = {name: folder for name, folder in checkpoints().items() if answers(name) is not None}
    found = tuple((name, folder, _changed(folder / PREDICTIONS)) for name, folder in folders.items())
    return _differences(found, against, split)


def studies() -> list[Result]:
    """The measured rows of all studies."""
    folder = leaderboard_folder()
    return _studies(folder, sum(_changed(file) for file in folder.glob("[!.]*/result.json")))


def can_deduplicate(name: str) -> bool:
    """Whether it is known which of the test images that a checkpoint was judged on have twins in training."""
    return judged_data(name) is not None


@st.cache_resource(show_spinner="Opening the dataset. A raw one is prepared first, once.", max_entries=2)
def _opened(path: Path | None, changed: int) -> tuple[FaceDataset | None, str]:
    if path is None:
        return None, ""
    from fer_core.data.prepare import open_or_prepare

    try:
        return open_or_prepare(path), ""
    except FerError as error:
        return None, str(error)
    except OSError as error:
        return None, file_trouble(error)


@st.cache_resource(show_spinner="Looking for duplicates, leakage and outliers in your dataset, once.", max_entries=2)
def _audited(fingerprint: str, _dataset: FaceDataset) -> pd.DataFrame:
    from fer_core.data.audit import audit

    return audit(_dataset).rows


@st.cache_resource(show_spinner=False, max_entries=8)
def _groups(fingerprint: str, kind: Literal["exact", "near"], _rows: pd.DataFrame) -> pd.DataFrame:
    return dataset_tables.groups(_rows, kind)


@st.cache_resource(show_spinner=False, max_entries=4)
def _crowd(fingerprint: str, _rows: pd.DataFrame) -> pd.DataFrame:
    return dataset_tables.crowd_view(_rows)


@st.cache_resource(show_spinner=False, max_entries=2)
def _faces_by_row(fingerprint: str, _dataset: FaceDataset) -> Faces:
    return Faces(_dataset.pixels, {int(row): index for index, row in enumerate(_dataset.table["row"])})


@st.cache_resource(show_spinner=False, max_entries=2)
def _same_faces(fingerprint: str, _dataset: FaceDataset, _profile: Profile) -> bool:
    return _profile.is_of(_dataset)


@st.cache_resource(show_spinner=False, max_entries=2)
def _faces_by_content(fingerprint: str, _dataset: FaceDataset, _profile: Profile) -> Faces:
    return Faces(_dataset.pixels, _profile.places_in(_dataset))


@st.cache_resource(show_spinner=False, max_entries=2)
def _studies(folder: Path, changed: int) -> list[Result]:
    return load_results(folder)


@st.cache_resource(show_spinner=False)
def _card(path: Path, changed: int) -> Card | None:
    try:
        return load_card(path)
    except FerError:
        return None


@st.cache_resource(show_spinner=False, max_entries=32)
def _answers(path: Path, changed: int) -> pd.DataFrame | None:
    try:
        return prediction_tables.answers(load_predictions(path))
    except FerError:
        return None


@st.cache_resource(show_spinner=False, max_entries=64)
def _record(path: Path, file: str, changed: int) -> dict[str, Any] | None:
    return load_record(path, file)


@st.cache_resource(show_spinner=False, max_entries=32)
def _history(path: Path, changed: int) -> pd.DataFrame | None:
    try:
        return pd.read_csv(path) if changed else None
    except (OSError, ValueError):
        return None


@st.cache_resource(show_spinner=False, max_entries=64)
def _examined(
    path: Path, changed: int, split: str, left_out: tuple[int, ...]
) -> tuple[pd.DataFrame, dict[str, Any]] | None:
    predictions = _predictions(path, split, left_out)
    if predictions.empty:
        return None
    report = evaluate_predictions(predictions, classes_of(predictions)).to_dict()
    return prediction_tables.answers(predictions), report


@st.cache_resource(show_spinner=False, max_entries=64)
def _crowd_report(
    path: Path, changed: int, split: str, left_out: tuple[int, ...], fingerprint: str, _rows: pd.DataFrame
) -> CrowdReport | None:
    predictions = _predictions(path, split, left_out)
    return None if predictions.empty else against_votes(predictions, _rows)


@st.cache_resource(show_spinner=False, max_entries=32)
def _differences(found: tuple[tuple[str, Path, int], ...], against: str, split: str) -> dict[str, PairedDifference]:
    tables = {name: load_predictions(folder) for name, folder, _ in found}
    return pairs.differences({name: table[table["split"] == split] for name, table in tables.items()}, against)


def _required() -> Source:
    shown = source()
    if shown is None:
        raise DataError("there is no dataset to show")
    return shown


def _predictions(path: Path, split: str, left_out: tuple[int, ...]) -> pd.DataFrame:
    """What a checkpoint says of a split without these rows; empty where it ships no predictions."""
    try:
        predictions = load_predictions(path)
    except FerError:
        return pd.DataFrame()
    return predictions[(predictions["split"] == split) & ~predictions["row"].isin(left_out)]


def _judged(name: str) -> tuple[str, pd.DataFrame] | None:
    """Fingerprint and rows of the dataset that a checkpoint's predictions are about, None where it is not at hand."""
    shipped, own, data = profile(), source(), judged_data(name)
    if data == "own" and own is not None:
        return own.fingerprint, own.rows
    return (shipped.fingerprint, shipped.rows) if data == "shipped" and shipped is not None else None


def _twins(name: str) -> tuple[int, ...]:
    """Numbers of the test images judged by a checkpoint that have a byte-identical twin in Training."""
    judged = _judged(name)
    return () if judged is None else tuple(leaked_rows(judged[1]).tolist())


def _is_shipped(own: FaceDataset, shipped: Profile | None) -> bool:
    """Whether the user's dataset is the profile's, with or without FER+ votes."""
    return shipped is not None and _same_faces(own.fingerprint, own, shipped)


def _changed(path: Path) -> int:
    """Time of the last change in nanoseconds, 0 where there is no such file."""
    try:
        return path.stat().st_mtime_ns
    except OSError:
        return 0
