"""A prepared dataset on disk: it comes back as it was, and is always the old one or the new one."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from fer_core.data import store
from fer_core.data.drawn import drawn_dataset
from fer_core.data.store import load, save
from fer_core.data.table import FaceDataset
from fer_core.errors import DataError

ROOT = Path(__file__).resolve().parents[3]

KILLED = """
import os, signal, sys
from pathlib import Path
import numpy as np
from fer_core.data import store
from fer_core.data.drawn import drawn_dataset

def die(*args, **kwargs):
    os.kill(os.getpid(), signal.SIGKILL)

def half(file, array):
    file.write(array.tobytes()[: array.size // 2])
    file.flush()
    die()

moment, folder = sys.argv[1], Path(sys.argv[2])
if moment == "in the pixels":
    np.save = half
elif moment == "before the switch":
    store.write_json = die
else:
    store._remove_older = die
store.save(drawn_dataset(1, seed=9), folder)
"""


def test_it_comes_back_as_it_was(dataset: FaceDataset, prepared: Path) -> None:
    loaded = store.load(prepared)
    pd.testing.assert_frame_equal(loaded.table, dataset.table, check_dtype=False)
    assert np.array_equal(loaded.pixels, dataset.pixels)
    assert isinstance(loaded.pixels, np.memmap)
    assert not loaded.pixels.flags.writeable
    assert loaded.source_format == "drawn"


def test_opening_takes_the_fingerprint_from_the_manifest(
    dataset: FaceDataset, prepared: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = store.fingerprint(dataset.table, dataset.pixels)

    def refuse(*args: object) -> str:
        raise AssertionError("the fingerprint is not to be computed when a dataset is opened")

    monkeypatch.setattr(store, "fingerprint", refuse)
    assert store.load(prepared).fingerprint == expected


def test_the_fingerprint_follows_the_content(dataset: FaceDataset) -> None:
    first = store.fingerprint(dataset.table, dataset.pixels)
    pixels = dataset.pixels.copy()
    pixels[3, 4, 5] ^= 1
    table = dataset.table.copy()
    table.loc[7, "label"] = 6 - table.loc[7, "label"]
    table.loc[7, "votes_sad"] += 1
    changed = {store.fingerprint(dataset.table, pixels), store.fingerprint(table, dataset.pixels)}
    assert len(changed | {first}) == 3
    assert store.fingerprint(dataset.table.copy(), dataset.pixels.copy()) == first


def test_a_new_version_leaves_nothing_of_the_old(dataset: FaceDataset, tmp_path: Path) -> None:
    store.save(drawn_dataset(1, seed=8), tmp_path / "out")
    store.save(dataset, tmp_path / "out")
    store.save(dataset, tmp_path / "out")
    assert len(list((tmp_path / "out").glob("[!.]*"))) == 3
    assert len(store.load(tmp_path / "out")) == len(dataset)


def test_an_error_in_the_middle_leaves_the_old_one(
    dataset: FaceDataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.save(dataset, tmp_path / "out")

    def fail(*args: object, **options: object) -> None:
        raise OSError("no space left on the disk")

    monkeypatch.setattr(pd.DataFrame, "to_parquet", fail)
    with pytest.raises(OSError, match="no space"):
        store.save(drawn_dataset(1, seed=8), tmp_path / "out")
    monkeypatch.undo()
    assert np.array_equal(store.load(tmp_path / "out").pixels, dataset.pixels)
    assert not list((tmp_path / "out").glob(".*.tmp"))


@pytest.mark.parametrize(
    ("moment", "survivor"), [("in the pixels", "old"), ("before the switch", "old"), ("after the switch", "new")]
)
def test_a_killed_process_leaves_a_whole_dataset(
    moment: str, survivor: str, dataset: FaceDataset, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    store.save(dataset, out)
    command = [sys.executable, "-c", KILLED, moment, str(out)]
    killed = subprocess.run(command, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}, check=False)
    assert killed.returncode == -signal.SIGKILL
    new = drawn_dataset(1, seed=9)
    expected = dataset if survivor == "old" else new
    loaded = store.load(out)
    assert np.array_equal(loaded.pixels, expected.pixels)
    assert loaded.fingerprint == store.fingerprint(loaded.table, loaded.pixels)
    assert np.array_equal(store.save(new, out).pixels, new.pixels)


def test_what_a_killed_run_left_is_removed_once_it_is_old(dataset: FaceDataset, tmp_path: Path) -> None:
    store.save(dataset, tmp_path)
    old, young = tmp_path / ".pixels-0.npy.a.tmp", tmp_path / ".pixels-0.npy.b.tmp"
    for path in (old, young):
        path.write_bytes(b"half")
    os.utime(old, (0, 0))
    store.save(dataset, tmp_path)
    assert not old.exists()
    assert young.exists()


def test_a_dataset_replaced_while_it_is_opened_is_opened_new(
    dataset: FaceDataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.save(drawn_dataset(1, seed=8), tmp_path)
    honest = store.read_manifest
    stale = [honest(tmp_path)]
    store.save(dataset, tmp_path)
    monkeypatch.setattr(store, "read_manifest", lambda folder: stale.pop() if stale else honest(folder))
    assert len(store.load(tmp_path)) == len(dataset)


def test_damage_is_named(dataset: FaceDataset, tmp_path: Path) -> None:
    store.save(dataset, tmp_path)
    (pixels,) = tmp_path.glob("pixels-*.npy")
    pixels.write_bytes(pixels.read_bytes()[:-100])
    with pytest.raises(DataError, match=r"is damaged .*prepare it again"):
        store.load(tmp_path)
    pixels.unlink()
    with pytest.raises(DataError, match=r"is damaged .*prepare it again"):
        store.load(tmp_path)
    (tmp_path / "dataset.json").write_text("{")
    with pytest.raises(DataError, match="cannot be read"):
        store.load(tmp_path)
    (tmp_path / "dataset.json").write_text(json.dumps({"version": 99}))
    with pytest.raises(DataError, match="another version"):
        store.load(tmp_path)
    with pytest.raises(DataError, match="holds no prepared dataset"):
        store.load(tmp_path / "nowhere")


def test_a_folder_with_other_files_is_not_written_into(dataset: FaceDataset, tmp_path: Path) -> None:
    (tmp_path / "holiday.jpg").write_bytes(b"x")
    with pytest.raises(DataError, match=r"holds other files \(holiday.jpg\)"):
        store.save(dataset, tmp_path)
    with pytest.raises(DataError, match="is a file"):
        store.save(dataset, tmp_path / "holiday.jpg")
    assert [path.name for path in tmp_path.iterdir()] == ["holiday.jpg"]


def test_a_folder_with_a_dataset_json_of_others_is_not_ours(dataset: FaceDataset, tmp_path: Path) -> None:
    (tmp_path / "dataset.json").write_text('["mine"]')
    with pytest.raises(DataError, match="holds other files"):
        save(dataset, tmp_path)
    assert (tmp_path / "dataset.json").read_text() == '["mine"]'
    with pytest.raises(DataError, match="another version"):
        load(tmp_path)


def test_a_broken_manifest_of_ours_is_replaced(dataset: FaceDataset, tmp_path: Path) -> None:
    save(dataset, tmp_path)
    (tmp_path / "dataset.json").write_text("{")
    assert len(save(dataset, tmp_path)) == len(dataset)


def test_two_that_prepare_at_once_leave_a_whole_dataset(dataset: FaceDataset, tmp_path: Path) -> None:
    halves = [dataset.select(np.arange(len(dataset)) % 2 == part) for part in (0, 1)]
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda half: save(half, tmp_path), halves * 4))
    assert len(load(tmp_path)) in {len(half) for half in halves}
    assert len(list(tmp_path.glob("pixels-*.npy"))) == 1
