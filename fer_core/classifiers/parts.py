"""Checkpoints that a checkpoint is made of: members of an ensemble, the network behind a classical method's features.

What ships is referred to by name; anything else is copied into the folder, so that the folder works wherever it is
carried. Both are recorded with the hash of their weights, and refused where those are others.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from fer_core.artifacts import (
    CARD,
    ONNX,
    WEIGHTS,
    Card,
    check_weights,
    find_checkpoint,
    load_card,
    ships,
    told_name,
)
from fer_core.classifiers.base import CheckpointClassifier
from fer_core.errors import CheckpointError

MEMBERS = "members"
CARRIED = (CARD, WEIGHTS, ONNX, MEMBERS)
"""What of a checkpoint's folder goes into the folder of an ensemble."""

OpenPart = Callable[[Path], CheckpointClassifier]


def adopt(folder: Path, parts: Sequence[Path]) -> list[dict[str, str]]:
    """Copies those parts that do not ship into `folder`; returns the card's `members`."""
    return [_adopted(folder, part, f"{index + 1}_{part.name}") for index, part in enumerate(parts)]


def open_parts(folder: Path, card: Card, open_part: OpenPart) -> list[CheckpointClassifier]:
    """The parts that a card names.

    Raises:
        CheckpointError: one is missing, its weights are not those that the card was made with, or it knows a class that
            the card does not have.
    """
    return [_opened(folder, member, card, open_part) for member in card.members]


def _adopted(folder: Path, part: Path, place: str) -> dict[str, str]:
    card = load_card(part)
    check_weights(part)
    by_name = ships(part)
    if not by_name:
        _carry(part, folder / MEMBERS / place)
    where = "" if by_name else f"{MEMBERS}/{place}"
    return {
        "name": part.name if by_name else told_name(part, card),
        "folder": where,
        "weights_sha256": card.weights_sha256,
    }


def _carry(source: Path, target: Path) -> None:
    if source.resolve() == target.resolve():
        return
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    for item in (source / name for name in CARRIED):
        if item.is_dir():
            shutil.copytree(item, target / item.name)
        elif item.is_file():
            shutil.copyfile(item, target / item.name)


def _opened(folder: Path, member: Mapping[str, str], card: Card, open_part: OpenPart) -> CheckpointClassifier:
    part = folder / member["folder"] if member["folder"] else find_checkpoint(member["name"])
    found = load_card(part)
    if found.weights_sha256 != member["weights_sha256"]:
        raise CheckpointError(
            f"{card.name} was built with other weights of its member {member['name']}; build it again with scripts."
            f"{card.kind}, or restore the member"
        )
    check_weights(part)
    if unknown := [name for name in found.labels if name not in card.labels]:
        raise CheckpointError(f"{card.name} does not know {unknown[0]}, which its member {member['name']} names")
    return open_part(part)
