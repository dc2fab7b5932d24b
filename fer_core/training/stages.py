"""How a run starts and thaws: weights from a checkpoint, and a trunk that waits while the head learns."""

from __future__ import annotations

from typing import Any

from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from fer_core.artifacts import find_checkpoint, load_card, load_weights, told_name
from fer_core.config import parse_part
from fer_core.data.parts import learnt_part
from fer_core.errors import ConfigError
from fer_core.models.base import FerModel

HEAD = "head."


def trunk_parameters(model: FerModel) -> set[nn.Parameter]:
    """All of a network's parameters but those of its head."""
    head = set(model.head.parameters())
    return {parameter for parameter in model.parameters() if parameter not in head}


def freeze_trunk(model: FerModel, frozen: bool) -> None:
    """Stops the trunk from learning, or lets it; to be called after each `train()`, which wakes its batch norms."""
    for parameter in trunk_parameters(model):
        parameter.requires_grad_(not frozen)
    if frozen:
        head = set(model.head.modules())
        for module in model.modules():
            if isinstance(module, _BatchNorm) and module not in head:
                module.eval()


def load_initial_weights(model: FerModel, name: str, init: str, part: str = "") -> dict[str, Any]:
    """Puts a checkpoint's weights into a network; a head for other classes stays fresh.

    Args:
        model: the network.
        name: its registered name.
        init: a checkpoint's name or folder.
        part: of Training, as the run's config names it.

    Returns:
        {"checkpoint", "sha256", "seconds", "config", "init", "mean", "std", "head"}: where the weights come from, what
        training took, was told and began with itself (where the card says it), what faces went through there, and
        whether the head is the checkpoint's ("loaded") or "fresh".

    Raises:
        CheckpointError: no such checkpoint, or a damaged one.
        ConfigError: it holds another architecture, or the same with other options; or it has learnt faces outside the
            run's part of Training.
    """
    folder = find_checkpoint(init)
    card = load_card(folder)
    if card.model != name:
        raise ConfigError(f"init ({init}) is a {card.model}, not a {name}; start from a checkpoint of the same model")
    if part and (learnt := learnt_part(card)) != parse_part(part):
        known = f"part {learnt}" if learnt else "the whole"
        raise ConfigError(
            f"init ({init}) has learnt {known} of Training, so a run of part {part} that goes on from it would know "
            "faces of other parts; start from one of the same part, or leave out --init"
        )
    weights, own = load_weights(folder), model.state_dict()
    kept = {key: value for key, value in weights.items() if key in own and own[key].shape == value.shape}
    if unfit := sorted(key for key in (own.keys() | weights.keys()) - kept.keys() if not key.startswith(HEAD)):
        raise ConfigError(
            f"init ({init}) has other weights than this network ({unfit[0]}); "
            f"give --model-options as it was trained with: {card.options}"
        )
    whole_head = {key for key in own if key.startswith(HEAD)} <= kept.keys()
    if not whole_head:
        kept = {key: value for key, value in kept.items() if not key.startswith(HEAD)}
    model.load_state_dict(kept, strict=False)
    head = "loaded" if whole_head else "fresh"
    source: dict[str, Any] = {"checkpoint": told_name(folder, card), "sha256": card.weights_sha256, "head": head}
    # the run may not be there any more when the card is read
    source |= {key: card.training[key] for key in ("seconds", "config", "init") if card.training.get(key)}
    return source | {"mean": card.input["mean"], "std": card.input["std"]}
