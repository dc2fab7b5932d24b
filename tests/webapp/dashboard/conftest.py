"""A small world whose numbers are known by hand: drawn faces with planted twins, and two checkpoints."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

import fer_core.artifacts
from fer_core.data import store
from fer_core.data.profiles import Profile
from fer_core.data.table import FaceDataset
from fer_core.errors import DataError
from fer_core.studies.results import save_result
from tests.webapp.dashboard.world import first, measured, write_checkpoint, write_records
from webapp.dashboard import resources

APP = Path(__file__).resolve().parents[3] / "webapp" / "dashboard" / "app.py"

Open = Callable[..., AppTest]


@pytest.fixture(scope="session")
def twinned(dataset: FaceDataset, tmp_path_factory: pytest.TempPathFactory) -> FaceDataset:
    """The drawn dataset; in each test split a sad face is a copy of a fearful one of Training. Saved on disk."""
    pixels, table = dataset.pixels.copy(), dataset.table
    pixels[first(table, "PrivateTest", "sad")] = pixels[first(table, "Training", "fear")]
    pixels[first(table, "PublicTest", "sad")] = pixels[first(table, "Training", "fear")]
    pixels[first(table, "Training", "happy")] = 0
    return store.save(replace(dataset, pixels=pixels), tmp_path_factory.mktemp("twinned") / "data")


@pytest.fixture(scope="session")
def profile(twinned: FaceDataset) -> Profile:
    """What would ship about `twinned`: one group of three, conflicting, with a leak into each test split."""
    table = twinned.table
    group = [first(table, "Training", "fear"), first(table, "PublicTest", "sad"), first(table, "PrivateTest", "sad")]
    member = np.isin(np.arange(len(table)), group)
    rows = table.assign(
        pixel_hash=[hashlib.sha256(face.tobytes()).hexdigest()[:16] for face in twinned.pixels],
        exact_group=np.where(member, 0, -1),
        near_group=np.where(member, 0, -1),
        constant=twinned.pixels.reshape(len(table), -1).std(axis=1) == 0,
        outlier_score=np.linspace(0, 1, len(table)),
        twin_in_training=member & (table["split"] != "Training").to_numpy(),
        conflicting=member,
    )
    return Profile("drawn", twinned.fingerprint, rows, summary={})


@pytest.fixture(scope="session")
def shipped(profile: Profile, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two checkpoints, `alpha` and `beta` (an ensemble without predictions and history), and two rows of studies."""
    folder = tmp_path_factory.mktemp("shipped")
    for name in ("alpha", "beta"):
        write_checkpoint(folder / name, profile.rows, profile.fingerprint)
    write_records(folder / "alpha")
    for name in ("predictions.parquet", "history.csv"):
        (folder / "beta" / name).unlink()
    member = {"name": "alpha", "folder": "", "weights_sha256": ""}
    fer_core.artifacts.update_card(folder / "beta", kind="ensemble", model="soft_vote", members=[member])
    for row, accuracy in (("vgg_se", 0.6), ("cnn_lstm", 0.5)):
        save_result(folder / "leaderboard" / row, measured(row, accuracy))
    return folder


@pytest.fixture(autouse=True)
def _fresh(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.delenv("FER_DATA", raising=False)
    monkeypatch.delenv("FER_CHECKPOINT", raising=False)
    st.cache_resource.clear()
    yield
    st.cache_resource.clear()


@pytest.fixture
def empty_world(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Neither a profile nor a checkpoint."""

    def nothing() -> None:
        raise DataError("no profile")

    monkeypatch.setattr(resources, "load_profile", nothing)
    monkeypatch.setattr(fer_core.artifacts, "CHECKPOINTS", tmp_path)


@pytest.fixture
def small_world(monkeypatch: pytest.MonkeyPatch, profile: Profile, shipped: Path) -> None:
    """The drawn profile and the two checkpoints."""
    monkeypatch.setattr(resources, "load_profile", lambda: profile)
    monkeypatch.setattr(fer_core.artifacts, "CHECKPOINTS", shipped)


@pytest.fixture
def with_faces(small_world: None, monkeypatch: pytest.MonkeyPatch, twinned: FaceDataset) -> None:
    """The same, started with the dataset itself."""
    monkeypatch.setattr(resources, "_opened", lambda path, changed: (twinned, ""))


@pytest.fixture
def open_page() -> Open:
    """(page, session state before its first run) -> the page after it ran without an exception."""

    def opened(page: str, **before: object) -> AppTest:
        at = AppTest.from_file(str(APP), default_timeout=60)
        at.run()
        for key, value in before.items():
            at.session_state[key] = value
        if page != "overview":
            at.switch_page(f"views/{page}.py").run()
        assert not at.exception, at.exception[0].value
        return at

    return opened
