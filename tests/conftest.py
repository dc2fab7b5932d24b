"""Datasets and checkpoints for tests: drawn faces, and FER2013 itself for the tests that are about it."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import numpy as np
import pytest
from hypothesis import settings

from fer_core.data import store
from fer_core.data.drawn import drawn_dataset
from fer_core.data.table import FaceDataset

# a shell that starts the suite in the background has it ignore Ctrl-C, and every process that a test starts would, too
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# the networks of the tests are tiny: a second thread costs more than it brings, and much more beside other work
os.environ.setdefault("OMP_NUM_THREADS", "1")

# how long an example takes says more about the machine than about the code
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")

ROOT = Path(__file__).resolve().parents[1]
TEST_DATA = "FER_TEST_DATA"
"""Environment variable that names the folder with `fer2013.csv.gz` and `fer2013new.csv`."""
BESIDE = ROOT.parent / "shared" / "data"
"""Where they are looked for unless it is set."""


@pytest.fixture(scope="session")
def real_data() -> Path:
    """FER2013 in Kaggle's form with `fer2013new.csv` beside it; where they are not both there, a test of it skips."""
    folder = Path(os.environ.get(TEST_DATA) or BESIDE)
    missing = [name for name in ("fer2013.csv.gz", "fer2013new.csv") if not (folder / name).is_file()]
    if missing:
        pytest.skip(f"{folder} has no {missing[0]}; {TEST_DATA} names the folder with FER2013 and FER+")
    return folder / "fer2013.csv.gz"


@pytest.fixture(scope="session")
def dataset() -> FaceDataset:
    """Drawn faces with votes: four of each emotion in each split. Not to be changed by tests."""
    drawn = drawn_dataset(4, seed=1)
    drawn.pixels.setflags(write=False)
    return drawn


@pytest.fixture(scope="session")
def prepared(dataset: FaceDataset, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The drawn dataset, prepared on disk. Not to be changed by tests."""
    folder = tmp_path_factory.mktemp("prepared") / "drawn"
    store.save(dataset, folder)
    return folder


@pytest.fixture(scope="session")
def real_dataset(real_data: Path, tmp_path_factory: pytest.TempPathFactory) -> FaceDataset:
    """FER2013 with FER+ votes, prepared once a session; skips as `real_data` does."""
    from fer_core.data.prepare import prepare

    folder = tmp_path_factory.mktemp("real") / "fer2013"
    prepare(real_data, folder, ferplus=real_data.with_name("fer2013new.csv"))
    return store.load(folder)


@pytest.fixture(scope="session")
def tiny_checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A checkpoint folder `tiny`: a narrow `vgg_se` with fresh weights, the same in every run."""
    import torch

    from fer_core.artifacts import Card, save_checkpoint
    from fer_core.labels import EMOTIONS
    from fer_core.models import create_model

    options = {"widths": (8, 8, 16, 16)}
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = create_model("vgg_se", 7, **options).eval()
    card = Card(
        name="tiny",
        model="vgg_se",
        options={"widths": list(options["widths"])},
        title="A narrow network with fresh weights, for tests",
        paper="https://arxiv.org/abs/2105.03588",
        labels=EMOTIONS,
        input={"side": 48, "channels": 1, "mean": 0.508, "std": 0.255},
        temperature=1.0,
        parameters=sum(np.prod(p.shape, dtype=int) for p in model.parameters()).item(),
        weights_sha256="",
        data={"fingerprint": "drawn"},
        selection={"split": "PublicTest", "metric": "macro_f1", "value": 0.1, "epoch": 1},
        training={"epochs": 1, "seed": 0},
        metrics={},
        versions={"torch": torch.__version__},
        notes="never trained",
    )
    folder = tmp_path_factory.mktemp("checkpoints") / "tiny"
    save_checkpoint(folder, card, dict(model.state_dict()))
    return folder
