"""`scripts.measure_framing`: finds the framing of a dataset that was framed on purpose."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from fer_core.data import store
from fer_core.data.drawn import drawn_dataset
from fer_core.data.table import FaceDataset
from fer_core.inference import align
from scripts import measure_framing
from tests.fer_core.inference.pictures import framed_astronaut
from tests.scripts.conftest import Command


@pytest.fixture
def framed(tmp_path: Path) -> Path:
    """A prepared dataset of the astronaut, in FER2013's framing, lit in twelve ways."""
    faces = np.array([(framed_astronaut() * share).astype(np.uint8) for share in np.linspace(0.5, 1, 12)])
    table = pd.DataFrame({"row": range(12), "split": "Training", "label": 3})
    store.save(FaceDataset(table, faces), tmp_path / "framed")
    return tmp_path / "framed"


def test_the_framing_is_found(framed: Path, tmp_path: Path, run_here: Command) -> None:
    out = tmp_path / "framing.json"
    done = run_here(measure_framing.main, framed, "--out", out, "--json")
    assert done.status == 0
    document = json.loads(out.read_text())
    assert document == done.json
    assert (document["faces"], document["looked_at"]) == (12, 12)
    measured = np.array([document["landmarks"][name] for name in align.LANDMARKS])
    assert np.abs(measured - align.template())[list(align.FITTED)].max() < 2.5  # hers is one face among many
    assert np.array(list(document["spread"].values())).max() < 0.5


def test_a_dataset_without_faces(tmp_path: Path, run_here: Command) -> None:
    blank = drawn_dataset(1)
    store.save(FaceDataset(blank.table, np.zeros_like(blank.pixels)), tmp_path / "blank")
    done = run_here(measure_framing.main, tmp_path / "blank", "--out", tmp_path / "framing.json")
    assert done.status == 2
    assert "no face was found" in done.err
    assert not (tmp_path / "framing.json").exists()
