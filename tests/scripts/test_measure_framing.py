"""`scripts.measure_framing`: finds the framing of a dataset that was framed on purpose."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from fer_core.data import store
from fer_core.data.drawn import drawn_dataset
from fer_core.data.table import FaceDataset
from fer_core.inference import align
from scripts import measure_framing
from scripts._cli import run
from tests.fer_core.inference.pictures import framed_astronaut


@pytest.fixture
def framed(tmp_path: Path) -> Path:
    """A prepared dataset of the astronaut, in FER2013's framing, lit in twelve ways."""
    faces = np.array([(framed_astronaut() * share).astype(np.uint8) for share in np.linspace(0.5, 1, 12)])
    table = pd.DataFrame({"row": range(12), "split": "Training", "label": 3})
    store.save(FaceDataset(table, faces), tmp_path / "framed")
    return tmp_path / "framed"


def call(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> int:
    monkeypatch.setattr(sys, "argv", ["measure_framing", *map(str, arguments)])
    with pytest.raises(SystemExit) as ended:
        run(measure_framing.main)
    return int(ended.value.code or 0)


def test_the_framing_is_found(
    framed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "framing.json"
    assert call(monkeypatch, framed, "--out", out, "--json") == 0
    document = json.loads(out.read_text())
    assert document == json.loads(capsys.readouterr().out)
    assert (document["faces"], document["looked_at"]) == (12, 12)
    measured = np.array([document["landmarks"][name] for name in align.LANDMARKS])
    assert np.abs(measured - align.template())[list(align.FITTED)].max() < 2.5  # hers is one face among many
    assert np.array(list(document["spread"].values())).max() < 0.5


def test_a_dataset_without_faces(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    blank = drawn_dataset(1)
    store.save(FaceDataset(blank.table, np.zeros_like(blank.pixels)), tmp_path / "blank")
    assert call(monkeypatch, tmp_path / "blank", "--out", tmp_path / "framing.json") == 2
    assert "no face was found" in capsys.readouterr().err
    assert not (tmp_path / "framing.json").exists()
