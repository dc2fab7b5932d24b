"""What runs learn from: FER+ targets, cleaning; and how runs with them select, restart and record it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch.optim.lr_scheduler import ReduceLROnPlateau

from fer_core.config import TARGETS, ExecutionConfig, TrainConfig
from fer_core.data.table import FaceDataset
from fer_core.errors import ConfigError, DataError
from fer_core.labels import FERPLUS_EMOTIONS, VOTE_COLUMNS
from fer_core.training import fit as fit_module
from fer_core.training.fit import FitResult, fit
from fer_core.training.material import gather
from fer_core.training.optimisers import SCHEDULES
from fer_core.training.state import RunFolder

TINY: dict[str, Any] = {"model": "vgg_se", "model_options": {"widths": (4, 4, 8, 8)}, "epochs": 2, "batch_size": 7}
FIXED = ExecutionConfig(accelerator="cpu", precision="32", channels_last="off", threads=1)


@pytest.fixture(scope="module")
def voted(dataset: FaceDataset) -> FaceDataset:
    """The drawn dataset: faces 0 and 1 of Training are voted contempt and no face, 2 is split between two emotions."""
    votes = dataset.table[list(VOTE_COLUMNS)].to_numpy().copy()
    places = np.flatnonzero(dataset.table["split"] == "Training")[:3]
    votes[places] = [[0] * 7 + [10, 0, 0], [0] * 9 + [10], [5, 5] + [0] * 8]
    return replace(dataset, table=dataset.table.assign(**dict(zip(VOTE_COLUMNS, votes.T, strict=True))))


def run(dataset: FaceDataset, folder: Path, **options: Any) -> FitResult:
    more = {name: options.pop(name) for name in ("snapshot", "after_epoch", "resume") if name in options}
    result = fit(TrainConfig(**(TINY | options)), FIXED, dataset, folder, report=lambda text: None, **more)
    assert result is not None
    return result


@pytest.mark.parametrize("targets", TARGETS)
def test_targets_decide_labels_and_classes(targets: str, voted: FaceDataset, dataset: FaceDataset) -> None:
    material = gather(TrainConfig(**TINY, targets=targets), voted)
    if targets == "fer2013":
        assert len(material.training) == 28
        assert material.training.targets is None
        return
    assert material.labels == FERPLUS_EMOTIONS
    assert int(material.training.labels[0]) == 7
    assert len(material.training) == (26 if targets == "ferplus_majority" else 27)
    assert material.training.targets is not None
    assert material.training.targets.shape[1] == 8
    if targets != "ferplus_majority":
        tied = material.training.targets[1]
        assert (tied[0], tied[1]) == ((1, 1) if targets == "ferplus_multi_label" else (0.5, 0.5))
    assert (material.public.labels.numpy() == dataset.split("PublicTest").labels).all()
    assert "FER+ votes" in material.facts["labels"]


@pytest.mark.parametrize("targets", ["ferplus_drawing", "ferplus_multi_label"])
def test_runs_on_votes_have_eight_classes(targets: str, voted: FaceDataset, tmp_path: Path) -> None:
    result = run(voted, tmp_path, targets=targets)
    assert result.labels == FERPLUS_EMOTIONS
    assert result.weights["head.weight"].shape[0] == 8


def test_a_label_is_drawn_anew_in_each_epoch_by_its_share(dataset: FaceDataset, tmp_path: Path) -> None:
    votes = np.zeros((len(dataset), 10), int)
    votes[:, [3, 0]] = 6, 4
    votes[:8] = [0, 10] + [0] * 8
    voted = replace(dataset, table=dataset.table.assign(**dict(zip(VOTE_COLUMNS, votes.T, strict=True))))
    options = TINY | {"targets": "ferplus_drawing"}
    loop = fit_module._Loop(
        TrainConfig(**options),
        FIXED,
        voted,
        RunFolder(tmp_path),
        False,
        lambda text: None,
        lambda items, n, text: items,
    )
    index = (loop.targets[:, 3] > 0).nonzero()[0].repeat(600)  # one face of shares 0.6 and 0.4
    drawn = [loop._batch(index, torch.Generator().manual_seed(epoch), epoch) for epoch in (0, 1)]
    for batch in drawn:
        assert torch.equal(batch.targets, torch.eye(8)[batch.labels])  # one-hot
        assert set(batch.labels.unique().tolist()) == {0, 3}
        assert (batch.labels == 3).float().mean().item() == pytest.approx(0.6, abs=0.05)
    assert not torch.equal(drawn[0].labels, drawn[1].labels)
    sure = loop._batch((loop.targets[:, 1] == 1).nonzero()[:, 0], torch.Generator(), 0)
    assert len(sure.labels)
    assert (sure.labels == 1).all()


def test_targets_need_votes(dataset: FaceDataset, tmp_path: Path) -> None:
    voteless = FaceDataset(dataset.table[["row", "split", "label"]], dataset.pixels)
    with pytest.raises(ConfigError, match="targets ferplus_soft needs FER\\+ votes"):
        run(voteless, tmp_path, targets="ferplus_soft")


def test_cleaning_drops_training_faces_and_says_which(voted: FaceDataset) -> None:
    splits = voted.table["split"].to_numpy()
    training, private = np.flatnonzero(splits == "Training"), np.flatnonzero(splits == "PrivateTest")
    pixels = np.array(voted.pixels)
    pixels[training[5]] = pixels[private[0]]  # a copy of a test face
    pixels[training[27]] = pixels[training[8]]  # copies with different labels
    pixels[training[13]] = pixels[training[12]]  # copies
    table = voted.table.copy()
    table.loc[training[13], "label"] = table.loc[training[12], "label"]
    spoilt = replace(voted, pixels=pixels, table=table)
    material = gather(TrainConfig(**TINY, clean="non_faces, test_twins,conflicting"), spoilt)
    assert material.facts["cleaned"] == {
        "voted not a face": 1,
        "twin of a face in PrivateTest": 1,
        "copies with different labels (drop_conflicting)": 2,
        "copy (drop_conflicting)": 1,
    }
    assert len(material.training) == material.facts["faces"] == 23
    assert len(material.public) == 28
    only = gather(TrainConfig(**TINY, clean="copies"), spoilt)
    assert only.facts["cleaned"] == {"copy (keep_majority_label)": 2}
    with pytest.raises(ConfigError, match=r"clean knows non_faces, .*, not 'faces'"):
        TrainConfig(**TINY, clean="faces")


@pytest.mark.parametrize(
    "options", [{"schedule": "plateau"}, {"schedule": "cosine_restarts", "cycles": 2, "optimizer": "adadelta"}]
)
def test_schedules_resume_exactly(options: dict[str, Any], dataset: FaceDataset, tmp_path: Path) -> None:
    def stop(row: dict[str, float]) -> None:
        raise InterruptedError

    run(dataset, tmp_path / "whole", **options)
    with pytest.raises(InterruptedError):
        run(dataset, tmp_path / "parts", after_epoch=stop, **options)
    run(dataset, tmp_path / "parts", resume=True, **options)
    whole, parts = (RunFolder(tmp_path / name).load() for name in ("whole", "parts"))
    assert parts.tensors["schedule"] == whole.tensors["schedule"]
    assert all(torch.equal(tensor, parts.tensors["step"][name]) for name, tensor in whole.tensors["step"].items())


@pytest.mark.parametrize(("epochs", "stalled"), [(1, 1), (4, 1), (7, 1), (8, 2), (16, 3), (24, 4), (40, 4), (100, 4)])
def test_plateau_halves_the_rate_where_nothing_rises(epochs: int, stalled: int) -> None:
    optimizer = torch.optim.SGD([torch.zeros(1, requires_grad=True)], lr=0.1)
    schedule = SCHEDULES["plateau"](optimizer, TrainConfig(**(TINY | {"epochs": epochs})), 10)
    assert isinstance(schedule, ReduceLROnPlateau)
    rates = []
    for metric in (0.2, 0.3, *(0.3, 0.29, 0.3, 0.3)[:stalled], 0.4):
        schedule.step(metric)
        rates.append(optimizer.param_groups[0]["lr"])
    assert rates == [0.1] * (1 + stalled) + [0.05] * 2


def test_plateau_acts_within_a_run_of_four_epochs(
    dataset: FaceDataset, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    metrics = {"public_accuracy": 0.5, "public_macro_f1": 0.5}
    monkeypatch.setattr(fit_module._Loop, "_judge", lambda loop, model: metrics)
    result = run(dataset, tmp_path, epochs=4, schedule="plateau", learning_rate=0.01)
    assert [row["learning_rate"] for row in result.history] == [0.01, 0.01, 0.005, 0.0025]


def test_plateau_hears_the_metric_that_selects(dataset: FaceDataset, tmp_path: Path) -> None:
    result = run(dataset, tmp_path, schedule="plateau", select_on="macro_f1")
    assert RunFolder(tmp_path).load().tensors["schedule"]["best"] == result.best["value"]


def test_each_cycle_leaves_its_weights(dataset: FaceDataset, tmp_path: Path) -> None:
    taken: dict[int, FitResult] = {}
    options = {"epochs": 4, "schedule": "cosine_restarts", "cycles": 2, "snapshot": taken.__setitem__}
    result = run(dataset, tmp_path, **options)
    assert sorted(taken) == [1, 2]
    assert [(taken[n].best["epoch"], len(taken[n].history)) for n in (1, 2)] == [(2, 2), (4, 4)]
    last = RunFolder(tmp_path).load().tensors["average"]
    assert all(torch.equal(last[f"module.{name}"], tensor) for name, tensor in taken[2].weights.items())
    assert not torch.equal(taken[1].weights["head.weight"], taken[2].weights["head.weight"])
    assert len(result.history) == 4


def test_parts_share_training_out(voted: FaceDataset) -> None:
    whole = gather(TrainConfig(**TINY, clean="non_faces"), voted).training
    parts = [gather(TrainConfig(**TINY, clean="non_faces", part=part), voted) for part in ("1/2", "2/2")]
    together = [face.numpy().tobytes() for material in parts for face in material.training.pixels]
    assert sorted(together) == sorted(face.numpy().tobytes() for face in whole.pixels)
    assert all(material.facts["faces"] == len(material.training) for material in parts)
    assert all(len(material.public) == len(voted.split("PublicTest")) for material in parts)
    with pytest.raises(DataError, match="holds none of its"):
        gather(TrainConfig(**TINY, part="1/1000003"), voted)
