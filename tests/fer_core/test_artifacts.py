"""Checkpoint folders: what is written comes back, what is broken is named."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from fer_core import artifacts
from fer_core.artifacts import (
    CARD,
    RUNS_CHECKPOINT,
    WEIGHTS,
    find_checkpoint,
    halved,
    load_card,
    load_weights,
    megabytes,
    save_checkpoint,
    told_name,
    update_card,
)
from fer_core.classifiers.network import load_network
from fer_core.errors import CheckpointError


@pytest.fixture
def copy(tiny_checkpoint: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(tiny_checkpoint, tmp_path / "copy"))


def test_card_and_weights_come_back(copy: Path, tmp_path: Path) -> None:
    card, weights = load_card(copy), load_weights(copy)
    again = save_checkpoint(tmp_path / "again", card, weights)
    assert again == card == load_card(tmp_path / "again")
    assert all(torch.equal(weights[name], tensor) for name, tensor in load_weights(tmp_path / "again").items())


def test_update_changes_only_what_it_names(copy: Path) -> None:
    before = load_card(copy)
    after = update_card(copy, temperature=1.5)
    assert after.temperature == 1.5
    assert load_card(copy) == after
    assert after.weights_sha256 == before.weights_sha256


def test_foreign_weights_are_refused(copy: Path) -> None:
    data = bytearray((copy / WEIGHTS).read_bytes())
    data[-1] ^= 1
    (copy / WEIGHTS).write_bytes(data)
    with pytest.raises(CheckpointError, match="not the file that its card describes"):
        load_weights(copy)


@pytest.mark.parametrize("content", ["", "{", '{"name": "x"}', "[]", '{"nonsense": 1}'])
def test_broken_cards_are_named(copy: Path, content: str) -> None:
    (copy / CARD).write_text(content)
    with pytest.raises(CheckpointError, match="cannot be read"):
        load_card(copy)


def test_missing_parts_are_named(copy: Path, tmp_path: Path) -> None:
    (copy / WEIGHTS).unlink()
    with pytest.raises(CheckpointError, match=f"no {WEIGHTS}"):
        load_weights(copy)
    with pytest.raises(CheckpointError, match=f"no {CARD}"):
        load_card(tmp_path)


def test_checkpoints_are_found_by_name_and_by_folder(copy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(artifacts, "CHECKPOINTS", copy.parent)
    assert find_checkpoint("copy") == copy
    assert find_checkpoint(copy) == copy
    assert artifacts.list_checkpoints() == [copy]
    with pytest.raises(CheckpointError, match="no checkpoint 'copi'; closest: 'copy'"):
        find_checkpoint("copi")


def test_an_ensemble_weighs_what_its_members_weigh(copy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    alone = megabytes(copy, load_card(copy))
    assert alone == pytest.approx((copy / "weights.safetensors").stat().st_size / 1e6)
    monkeypatch.setattr(artifacts, "CHECKPOINTS", copy.parent)
    joined = tmp_path / "joined"
    shutil.copytree(copy, joined / "members" / "own")
    shipped, carried = ({"name": copy.name, "folder": place} for place in ("", "members/own"))
    card = replace(load_card(copy), members=[shipped, carried, {"name": "gone", "folder": ""}])
    assert megabytes(joined, card) == pytest.approx(2 * alone)


def test_halved_weights_are_half_as_large_and_nearly_the_same(copy: Path) -> None:
    before = load_weights(copy)
    size = (copy / WEIGHTS).stat().st_size
    save_checkpoint(copy, load_card(copy), halved(before))
    after = load_weights(copy)
    assert (copy / WEIGHTS).stat().st_size < 0.7 * size
    for name, tensor in before.items():
        assert after[name].dtype == (torch.float16 if tensor.ndim > 1 else tensor.dtype)
        torch.testing.assert_close(after[name].to(tensor.dtype), tensor, rtol=2**-11, atol=1e-6)
    assert all(parameter.dtype == torch.float32 for parameter in load_network(copy).parameters())


def test_a_runs_checkpoint_is_told_by_the_name_of_the_run(copy: Path, tmp_path: Path) -> None:
    assert told_name(copy, load_card(copy)) == load_card(copy).name
    run = Path(shutil.copytree(copy, tmp_path / "long_run" / RUNS_CHECKPOINT))
    assert told_name(run, update_card(run, name=RUNS_CHECKPOINT)) == "long_run"
