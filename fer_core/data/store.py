"""A prepared dataset on disk: `dataset.json` names a pixel file and a table file, and is the last thing written.

The two data files carry their content's fingerprint in their names, so a new version never touches the files of the
old one; replacing `dataset.json` is the one step that switches, and it is atomic. What a reader finds is therefore
always a whole dataset: the old one or the new one.
"""

from __future__ import annotations

import hashlib
import json
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from filelock import FileLock

from fer_core.data.table import SIDE, FaceDataset, check, counts
from fer_core.errors import DataError
from fer_core.files import replacing, write_json

MANIFEST = "dataset.json"
LOCK = ".lock"
VERSION = 1
_ABANDONED_AFTER = 3600.0


def fingerprint(table: pd.DataFrame, pixels: np.ndarray) -> str:
    """SHA-256 (hex) over pixels, labels, splits and votes, in order."""
    digest = hashlib.sha256(_bytes(pixels))
    digest.update(_bytes(table["label"].to_numpy(np.int64)))
    digest.update("\n".join(table["split"]).encode())
    for column in sorted(name for name in table.columns if name.startswith("votes_")):
        digest.update(column.encode())
        digest.update(_bytes(table[column].to_numpy(np.int64)))
    return digest.hexdigest()


def save(dataset: FaceDataset, folder: Path) -> FaceDataset:
    """Writes a checked dataset into `folder` in one step and returns it as `load` would.

    Raises:
        DataError: the dataset breaks the schema, or `folder` holds other things and no dataset.
    """
    check(dataset)
    refuse_foreign(folder)
    folder.mkdir(parents=True, exist_ok=True)
    with FileLock(folder / LOCK):
        _write(dataset, folder)
    return load(folder)


def _write(dataset: FaceDataset, folder: Path) -> None:
    """The data, then the manifest that names them, then away with what it no longer names; one process at a time."""
    key = fingerprint(dataset.table, dataset.pixels)
    pixels_name, table_name = f"pixels-{key[:16]}.npy", f"faces-{key[:16]}.parquet"
    with replacing(folder / pixels_name) as temporary, temporary.open("wb") as file:
        np.save(file, dataset.pixels)
    with replacing(folder / table_name) as temporary:
        dataset.table.to_parquet(temporary, index=False)
    manifest = {
        "version": VERSION,
        "fingerprint": key,
        "source_format": dataset.source_format,
        "rows": len(dataset),
        "splits": counts(dataset.table),
        "pixels": pixels_name,
        "table": table_name,
    }
    write_json(folder / MANIFEST, manifest)
    _remove_older(folder, keep={pixels_name, table_name})


def load(folder: Path) -> FaceDataset:
    """Opens a prepared dataset; pixels are memory-mapped, read-only.

    Raises:
        DataError: there is no prepared dataset, or its files do not fit together.
    """
    manifest = read_manifest(folder)
    try:
        pixels, table = _open_files(folder, manifest)
    except (OSError, ValueError, KeyError) as error:
        if (newer := read_manifest(folder)) != manifest and isinstance(error, FileNotFoundError):
            return _fitting(folder, newer, *_open_files(folder, newer))  # replaced while we were opening it
        raise DataError(f"the dataset in {folder} is damaged ({error}); prepare it again") from error
    return _fitting(folder, manifest, pixels, table)


def _open_files(folder: Path, manifest: dict[str, Any]) -> tuple[np.ndarray, pd.DataFrame]:
    pixels = np.load(folder / manifest["pixels"], mmap_mode="r", allow_pickle=False)
    return pixels, pd.read_parquet(folder / manifest["table"])


def _fitting(folder: Path, manifest: dict[str, Any], pixels: np.ndarray, table: pd.DataFrame) -> FaceDataset:
    """The dataset, once its files are seen to fit the manifest."""
    if pixels.shape != (manifest["rows"], SIDE, SIDE) or len(table) != manifest["rows"]:
        raise DataError(f"the dataset in {folder} is damaged (files of different lengths); prepare it again")
    dataset = FaceDataset(table, pixels, manifest["source_format"])
    return replace(dataset, fingerprint=manifest["fingerprint"])


def is_prepared(folder: Path) -> bool:
    """Whether `folder` holds a prepared dataset."""
    return (folder / MANIFEST).is_file()


def read_manifest(folder: Path) -> dict[str, Any]:
    """The content of `dataset.json`; raises DataError where it is missing or broken."""
    try:
        manifest: dict[str, Any] = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise DataError(
            f"{folder} holds no prepared dataset; make one with `python -m scripts.prepare_data SOURCE --out {folder}`"
        ) from None
    except (OSError, ValueError) as error:
        raise DataError(f"{folder / MANIFEST} cannot be read ({error}); prepare the dataset again") from error
    if not isinstance(manifest, dict) or manifest.get("version") != VERSION:
        raise DataError(f"{folder} was prepared by another version; prepare it again")
    return manifest


def refuse_foreign(folder: Path) -> None:
    """Raises DataError where `folder` is no place for a dataset: a file, or a folder with other things in it."""
    if not folder.exists():
        return
    if not folder.is_dir():
        raise DataError(f"{folder} is a file; name a folder for the prepared dataset")
    ours = ("pixels-", "faces-", ".", *([MANIFEST] if _is_ours(folder) else []))
    if foreign := [path.name for path in folder.iterdir() if not path.name.startswith(ours)]:
        raise DataError(f"{folder} holds other files ({sorted(foreign)[0]}); name an empty or new folder")


def _is_ours(folder: Path) -> bool:
    """Whether a `dataset.json` names data files of ours, or lies beside some, broken as it may be."""
    try:
        return {"fingerprint", "pixels", "table"} <= set(read_manifest(folder))
    except DataError:
        return any(folder.glob("pixels-*.npy"))


def _remove_older(folder: Path, keep: set[str]) -> None:
    """Removes the files of older versions, and what a killed run left; a run beside this one has younger files."""
    long_ago = time.time() - _ABANDONED_AFTER
    for pattern in ("pixels-*.npy", "faces-*.parquet"):
        for path in folder.glob(pattern):
            if path.name not in keep:
                path.unlink(missing_ok=True)
    for path in folder.glob(".*.tmp"):
        if path.stat().st_mtime < long_ago:
            path.unlink(missing_ok=True)


def _bytes(array: np.ndarray) -> memoryview:
    return np.ascontiguousarray(array).data
