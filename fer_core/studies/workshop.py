"""Training the members of an ensemble, each a run of its own under OUT/runs/NAME, and finding those that are there."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from fer_core.classifiers import binary
from fer_core.config import ExecutionConfig, TrainConfig
from fer_core.data.progress import Progress
from fer_core.errors import ConfigError

if TYPE_CHECKING:
    from fer_core.classifiers.combinations.pair_tree import Tree
    from fer_core.data.table import FaceDataset

TRAINED = ("boosting", "one_vs_rest", "pair_tree")
"""Methods that train members of their own."""


@dataclass
class Workshop:
    """Trains members with one configuration and remembers where they are and what they took.

    Attributes:
        config, execution: of every member's run.
        dataset: what the ensemble is to learn.
        out: the ensemble's folder.
        resume: whether runs that are there go on.
        report, progress: as `fer_core.training.fit.fit` takes them.
    """

    config: TrainConfig
    execution: ExecutionConfig
    dataset: FaceDataset
    out: Path
    resume: bool
    report: Callable[[str], None]
    progress: Progress

    def __post_init__(self) -> None:
        if self.execution.devices > 1:
            raise ConfigError("members are trained one after the other in one process; leave --devices at 1")
        self.members: list[Path] = []
        self.seconds, self.images = 0.0, 0

    def make(self, method: str, rounds: int, tree: Tree) -> dict[str, Any]:
        """Trains what a method needs and returns the options of the combination."""
        if method == "boosting":
            return {"weights": self._boost(rounds)}
        if method == "one_vs_rest":
            binary.train_single_emotions(self.dataset, self.train)
            return {}
        binary.train_tree(self.dataset, tree, self.train)
        return {"tree": tree}

    def facts(self) -> dict[str, Any]:
        """What the card tells of the training; nothing where no member was trained."""
        if not self.members:
            return {}
        return {
            "config": asdict(self.config),
            "members_trained": len(self.members),
            "epochs": self.config.epochs,
            "images_seen": self.images,
            "seconds": round(self.seconds, 1),
            "seed": self.config.seed,
        }

    def train(self, dataset: FaceDataset, name: str) -> None:
        """One member; its checkpoint is OUT/runs/NAME/NAME, its snapshots (of cosine restarts) stand beside that."""
        from fer_core.models import MODELS
        from fer_core.training.checkpoint import write_checkpoint
        from fer_core.training.fit import FitResult, fit

        config, folder = self.config, self.out / "runs" / name
        self.report(f"member {len(self.members) + 1}: {name}")

        def write(target: Path, result: FitResult) -> Path:
            return write_checkpoint(target, MODELS[config.model], config, dataset, result)

        def snapshot(number: int, result: FitResult) -> None:
            write(folder / "snapshots" / str(number), result)

        heard: dict[str, Any] = {"report": self.report, "progress": self.progress, "snapshot": snapshot}
        result = fit(config, self.execution, dataset, folder, resume=self.resume, **heard)
        assert result is not None  # there is one process
        self.members.append(write(folder / name, result))
        self.seconds += result.seconds
        self.images += len(result.history) * int(result.facts["faces"])

    def _boost(self, rounds: int) -> list[float]:
        from fer_core.classifiers.samme import boost

        members, found = boost(self.dataset, self._train_weighted, rounds, report=self.report)
        del self.members[len(members) :]
        return [one.vote for one in found]

    def _train_weighted(self, dataset: FaceDataset, weights: np.ndarray, name: str) -> Any:
        """A member of a boosting: faces are drawn by their weights, since networks learn from batches."""
        from fer_core.classifiers import load_classifier
        from fer_core.classifiers.samme import resample

        self.train(resample(dataset, weights, self.config.seed + len(self.members)), name)
        return load_classifier(self.members[-1], backend="torch")  # exporting costs more than this one look


def chosen_tree(dataset: FaceDataset, judge: str | None) -> Tree:
    """The tree of opposites, or the one whose lowest forks part what a checkpoint confuses least on PublicTest."""
    if judge is None:
        return binary.tree_of_opposites(dataset.class_names)
    from fer_core.classifiers import load_classifier
    from fer_core.classifiers.combinations.pair_tree import opposed_tree
    from fer_core.metrics import confusion

    classifier = load_classifier(judge)
    if len(classifier.labels) != len(dataset.class_names):
        raise ConfigError(
            f"--tree-by {judge} knows {len(classifier.labels)} emotions and the dataset {len(dataset.class_names)}; "
            "name a checkpoint that knows the same ones"
        )
    public = dataset.split("PublicTest").known_to(classifier.labels)
    predicted = classifier.predict_proba(np.asarray(public.pixels)).argmax(1)
    return opposed_tree(np.asarray(confusion(public.labels, predicted, len(classifier.labels))))


def member_folders(names: Sequence[str]) -> list[Path]:
    """Folders of checkpoints by name or path; a run's folder stands for its snapshots, where it has any."""
    return [folder for name in names for folder in _folders(name)]


def _folders(name: str) -> list[Path]:
    from fer_core.artifacts import CARD, find_checkpoint

    snapshots = sorted(Path(name).glob(f"snapshots/*/{CARD}"), key=lambda card: _number(card.parent.name))
    return [card.parent for card in snapshots] or [find_checkpoint(name)]


def _number(name: str) -> tuple[int, str]:
    return (int(name), "") if name.isdigit() else (0, name)
