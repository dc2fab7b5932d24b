"""What scripts.benchmark times: one function a stage, each on data, weights and pictures that need no download."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from fer_core.artifacts import NETWORK
from fer_core.device import processor_name
from fer_core.errors import CheckpointError, ConfigError, UnsupportedError
from fer_core.registry import Registry

LEAST_CALLS = 3
"""A stage is called at least this often, however long a call takes."""
MOST_CALLS = 500
PHOTO_SIZE = (1280, 960)
FRESH_MODEL = "vgg_se"
"""What is timed with fresh weights where no checkpoint ships."""


@dataclass(frozen=True)
class Timing:
    """How long the calls of one stage took.

    Attributes:
        stage: its name.
        n: images that one call handles.
        milliseconds: (calls,).
        device: what computed, in words.
        extra: further keys of the stage's object.
    """

    stage: str
    n: int
    milliseconds: np.ndarray
    device: str
    extra: dict[str, Any]

    def to_dict(self) -> dict[str, Any]:
        """The stage's object in `scripts.benchmark --json`."""
        median = float(np.median(self.milliseconds))
        return {
            "stage": self.stage,
            "n": self.n,
            "median_ms": round(median, 3),
            "p95_ms": round(float(np.percentile(self.milliseconds, 95)), 3),
            "images_per_second": round(1000 * self.n / median, 1),
            "device": self.device,
            "calls": len(self.milliseconds),
            **self.extra,
        }


@dataclass(frozen=True)
class Bench:
    """What the stages work on.

    Attributes:
        data: a prepared dataset or a raw source, None for drawn faces.
        checkpoint: a checkpoint's name or folder, None for the default one, or fresh weights where none ships.
        threads: CPU threads of PyTorch and onnxruntime.
        batch: faces of a batch.
        seconds: how long a stage is repeated.
        scratch: a folder for what the stages write.
    """

    data: Path | None
    checkpoint: str | None
    threads: int
    batch: int
    seconds: float
    scratch: Path

    def timing(self, stage: str, n: int, call: Callable[[], Any], device: str = "", **extra: Any) -> Timing:
        """Calls once to warm up, then for `seconds`, and keeps each call's time."""
        call()
        spent: list[float] = []
        while len(spent) < LEAST_CALLS or (sum(spent) < self.seconds and len(spent) < MOST_CALLS):
            began = time.perf_counter()
            call()
            spent.append(time.perf_counter() - began)
        told = {"threads": self.threads, "processor": processor_name(), **extra}
        return Timing(stage, n, 1000 * np.array(spent), device or "cpu", told)

    @cached_property
    def is_raw(self) -> bool:
        """Whether `data` is a raw source, to be prepared."""
        from fer_core.data.store import is_prepared

        return self.data is not None and not is_prepared(self.data)

    @cached_property
    def prepared(self) -> Path:
        """A prepared dataset: the one named, the raw source prepared, or drawn faces."""
        from fer_core.data import store
        from fer_core.data.drawn import drawn_dataset

        if self.data is not None and not self.is_raw:
            return self.data
        folder = self.scratch / "dataset"
        if self.data is not None:
            _prepare(self.data, folder)
        else:
            store.save(drawn_dataset(max(8, self.batch // 7 + 1), splits=("Training", "PublicTest")), folder)
        return folder

    @cached_property
    def faces(self) -> np.ndarray:
        """uint8 (batch, 48, 48): the first training faces, over again where there are fewer."""
        from fer_core.data import store

        pixels = store.load(self.prepared).split("Training").pixels
        return np.array(pixels[np.arange(self.batch) % len(pixels)])

    @cached_property
    def photo(self) -> Image.Image:
        """1280x960 with one face: the astronaut of scikit-image (NASA, public domain)."""
        from skimage.data import astronaut

        canvas = Image.new("RGB", PHOTO_SIZE, (90, 100, 110))
        canvas.paste(Image.fromarray(astronaut()).resize((960, 960)), (160, 0))
        return canvas

    @cached_property
    def folder(self) -> Path:
        """The checkpoint's folder."""
        from fer_core.artifacts import DEFAULT_CHECKPOINT, find_checkpoint

        if self.checkpoint:
            return find_checkpoint(self.checkpoint)
        try:
            return find_checkpoint(DEFAULT_CHECKPOINT)
        except CheckpointError:
            return _fresh_checkpoint(self.scratch / "fresh", FRESH_MODEL)

    def classifier(self, backend: str) -> Any:
        """The checkpoint in onnxruntime (`onnx`) or PyTorch (`torch`, on the GPU where there is one)."""
        from fer_core.classifiers import load_classifier

        return load_classifier(self.folder, backend=backend, threads=self.threads)


Stage = Callable[[Bench], Iterator[Timing]]
STAGES: Registry[Stage] = Registry("stage")


@STAGES.register("prepare")
def _time_prepare(bench: Bench) -> Iterator[Timing]:
    """Raw source -> prepared dataset on disk; only where --data names a raw source."""
    if bench.data is None or not bench.is_raw:
        return
    source, out = bench.data, bench.scratch / "again"
    yield bench.timing("prepare", len(_prepare(source, out)), lambda: _prepare(source, out))


@STAGES.register("load")
def _time_load(bench: Bench) -> Iterator[Timing]:
    """Opening a prepared dataset."""
    from fer_core.data import store

    n = len(store.load(bench.prepared))
    yield bench.timing("load", n, lambda: store.load(bench.prepared))


@STAGES.register("audit")
def _time_audit(bench: Bench) -> Iterator[Timing]:
    """Imbalance, duplicates, leakage, outliers and label noise of the whole dataset."""
    from fer_core.data import store
    from fer_core.data.audit import audit

    dataset = store.load(bench.prepared)
    yield bench.timing("audit", len(dataset), lambda: audit(dataset))


@STAGES.register("train_step")
def _time_train_step(bench: Bench) -> Iterator[Timing]:
    """Forward, backward and optimiser on a batch of a network, in the precision and layout that a run would choose."""
    import torch

    from fer_core.config import ExecutionConfig, TrainConfig
    from fer_core.device import best_accelerator
    from fer_core.training.optimisers import OPTIMIZERS, parameter_groups
    from fer_core.training.plan import autocast, choose_plan, layout, prepare
    from fer_core.training.step import Batch, Setting, build_step

    device = torch.device(best_accelerator())
    classifier = bench.classifier("torch")
    if classifier.card.kind != NETWORK:
        return
    config = TrainConfig(classifier.card.model, batch_size=bench.batch)
    faces = classifier.normalise(bench.faces).to(device)
    labels = torch.arange(bench.batch, device=device) % len(classifier.labels)
    targets = torch.nn.functional.one_hot(labels, len(classifier.labels)).float()
    batch = Batch(faces, labels, targets, places=torch.arange(bench.batch))
    step = build_step(Setting(_fresh_model(classifier.card), config, classifier.labels)).to(device)
    plan = choose_plan(step, batch, ExecutionConfig(), lambda text: None)
    step, batch = prepare(step, plan).train(), batch._replace(faces=layout(faces, plan))
    optimizer = OPTIMIZERS[config.optimizer](parameter_groups(step, config.weight_decay), config)

    def train() -> float:
        with autocast(plan, device):
            loss = step(batch)["loss"]
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return float(loss.item())

    yield bench.timing("train_step", bench.batch, train, device.type, model=config.model, plan=str(plan))


@STAGES.register("single")
def _time_single(bench: Bench) -> Iterator[Timing]:
    """One face to probabilities, in onnxruntime and in PyTorch."""
    yield from _inference(bench, "single", bench.faces[:1])


@STAGES.register("batched")
def _time_batched(bench: Bench) -> Iterator[Timing]:
    """A batch of faces to probabilities, in onnxruntime and in PyTorch."""
    yield from _inference(bench, "batched", bench.faces)


@STAGES.register("photo")
def _time_photo(bench: Bench) -> Iterator[Timing]:
    """A photo of 1280x960 with one face, to boxes and probabilities."""
    from fer_core.inference.predictor import Predictor

    classifier = bench.classifier("auto")
    predictor = Predictor(classifier)
    found = len(predictor.predict(bench.photo).faces)
    yield bench.timing("photo", 1, lambda: predictor.predict(bench.photo), classifier.device, faces=found)


@STAGES.register("explain")
def _time_explain(bench: Bench) -> Iterator[Timing]:
    """One face explained, by each method with its default controls; none where there is no network to look into."""
    from fer_core.explain import EXPLAINERS, explain_face, methods_for

    classifier, face = bench.classifier("torch"), bench.faces[0]
    try:
        suitable = set(methods_for(classifier.torch_model()))
    except UnsupportedError:
        return
    for name in EXPLAINERS:
        if name in suitable:
            explain = _bound(explain_face, classifier, face, method=name)
            yield bench.timing(f"explain_{name}", 1, explain, classifier.device)


def _inference(bench: Bench, stage: str, faces: np.ndarray) -> Iterator[Timing]:
    """onnxruntime first, with how many times faster than PyTorch it is, then PyTorch."""
    onnx, torch = bench.classifier("onnx"), bench.classifier("torch")
    slow = bench.timing(f"{stage}_torch", len(faces), lambda: torch.predict_proba(faces), torch.device)
    fast = bench.timing(stage, len(faces), lambda: onnx.predict_proba(faces), onnx.device)
    fast.extra["times_faster_than_torch"] = round(float(np.median(slow.milliseconds) / np.median(fast.milliseconds)), 2)
    yield fast
    yield slow


def _bound(function: Callable[..., Any], *arguments: Any, **options: Any) -> Callable[[], Any]:
    return lambda: function(*arguments, **options)


def _prepare(source: Path, out: Path) -> Any:
    """The dataset of a raw source, prepared in `out`."""
    from fer_core.data import store
    from fer_core.data.prepare import prepare

    prepare(source, out)
    return store.load(out)


def _fresh_model(card: Any) -> Any:
    from fer_core.models import create_model

    return create_model(card.model, len(card.labels), initialise=False, **card.options)


def _fresh_checkpoint(folder: Path, model: str) -> Path:
    """An untrained checkpoint: as fast as a trained one."""
    from fer_core.artifacts import Card, save_checkpoint
    from fer_core.classifiers.onnx import export
    from fer_core.labels import EMOTIONS
    from fer_core.models import create_model, parameter_count

    network = create_model(model).eval()
    side = {"side": 48, "channels": 1, "mean": 0.5, "std": 0.25}
    card = Card("fresh", model, EMOTIONS, side, parameter_count(network), notes="never trained")
    save_checkpoint(folder, card, dict(network.state_dict()))
    export(folder)  # beside it; otherwise it would go into the user's cache
    return folder


def run_stages(names: list[str], **options: Any) -> Iterator[Timing]:
    """Times the named stages (all of them where none is named), in a folder of their own that is removed afterwards.

    Raises:
        UnknownNameError: no such stage.
        ConfigError: an option cannot work, or a stage has nothing to time.
    """
    stages = [STAGES[name] for name in names] if names else [stage for _, stage in STAGES.items()]
    for name in ("threads", "batch", "seconds"):
        if options[name] <= 0:
            raise ConfigError(f"{name} ({options[name]}) must be above 0")
    with tempfile.TemporaryDirectory(prefix="fer-benchmark-") as scratch:
        bench = Bench(scratch=Path(scratch), **options)
        _limit_threads(bench.threads)
        if "prepare" in names and not bench.is_raw:
            raise ConfigError("prepare needs --data with a raw source, such as fer2013.csv")
        for stage in stages:
            yield from stage(bench)


def _limit_threads(threads: int) -> None:
    import torch

    torch.set_num_threads(threads)
