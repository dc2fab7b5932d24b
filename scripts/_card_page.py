"""A checkpoint's README, made from its card."""

from __future__ import annotations

from typing import Any

from fer_core.artifacts import CLASSICAL, DEDUPLICATED, ENSEMBLE, NETWORK, Card
from fer_core.classifiers.folded_views import folded_view
from fer_core.labels import TESTS

PARTS = (*TESTS, DEDUPLICATED)


def card_page(card: Card) -> str:
    """The card as Markdown: what it is, what it reaches, how it came about, what it must not be used for."""
    sections = [
        f"# {card.name}\n\nGenerated from `card.json` by `python -m scripts.document`.",
        _identity(card),
        _figures(card),
        _per_emotion(card.metrics.get(TESTS[1], {})),
        _origin(card),
        _limits(),
    ]
    return "\n\n".join(section for section in sections if section) + "\n"


def _identity(card: Card) -> str:
    return "\n".join([*(_network(card) if card.kind == NETWORK else _combined(card)), _output(card)])


def _network(card: Card) -> list[str]:
    field = card.field_side
    sees = "all of it" if field == card.input["side"] else f"its centre of {field}x{field}"
    options = ", ".join(f"{name} {value}" for name, value in card.options.items()) or "as registered"
    size = f"{card.parameters:,} parameters"
    return [
        f"- **Architecture**: [{card.title}]({card.paper}), `{card.model}` ({options}), {size}.",
        f"- **Input**: a grey face of 48x48 pixels; the network sees {sees}.",
    ]


def _combined(card: Card) -> list[str]:
    """An ensemble or a classical method."""
    options = ", ".join(f"{name} {value}" for name, value in card.options.items() if value not in ({}, []))
    lines = [
        f"- **Method**: [{card.title}]({card.paper}), `{card.model}`{f' ({options})' if options else ''}, "
        f"{card.parameters:,} numbers.",
        "- **Input**: a grey face of 48x48 pixels.",
    ]
    if card.members:
        names = ", ".join(f"`{member['name']}`" for member in card.members)
        what = "Members" if card.kind == ENSEMBLE else "Features from"
        lines.insert(1, f"- **{what}**: {names}.")
    return lines


def _output(card: Card) -> str:
    beside = folded_view(card).beside
    mirrored = f" The answer is the mean over the face and its {beside}." if beside else ""
    names = ", ".join(card.labels)
    return f"- **Output**: {names}; logits are divided by {card.temperature} before the softmax.{mirrored}"


def _figures(card: Card) -> str:
    metrics = card.metrics
    if not metrics:
        return "## What it reaches\n\nNot evaluated yet."
    lines = ["## What it reaches", "", _views(card), ""]
    lines += ["| faces | n | accuracy | 95 % interval | macro F1 | ECE |", "| --- | --- | --- | --- | --- | --- |"]
    for part in (part for part in PARTS if part in metrics):
        found = metrics[part]
        low, high = found["accuracy_interval"]
        interval = f"{low:.1%} to {high:.1%}"
        cells = [part, str(found["n"]), f"{found['accuracy']:.2%}", interval]
        cells += [f"{found['macro_f1']:.2%}", f"{found['ece']:.2%}"]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def _views(card: Card) -> str:
    if beside := folded_view(card).beside:
        return f"Each face and its {beside}, as the checkpoint answers by itself."
    return "One view of each face, no test-time augmentation."


def _per_emotion(metrics: dict[str, Any]) -> str:
    if not metrics:
        return ""
    lines = ["On PrivateTest:", "", "| emotion | precision | recall | faces |", "| --- | --- | --- | --- |"]
    for emotion, scores in metrics["per_class"].items():
        lines.append(f"| {emotion} | {scores['precision']:.1%} | {scores['recall']:.1%} | {scores['support']} |")
    return "\n".join(lines)


def _origin(card: Card) -> str:
    training, selection = card.training, card.selection
    if card.kind != NETWORK:
        return _built(card)
    if not {"epochs", "images_seen", "seconds", "plan"} <= set(training):
        return f"## How it came about\n\nThe card does not say. {card.notes}".rstrip()
    speed = f"{training['images_per_second']:.0f} images a second ({training['plan']}; {training['device']})"
    text = (
        f"## How it came about\n\n"
        f"Trained on {training.get('faces', card.data['faces']):,} faces of Training with {training['labels']}, "
        f"{training['epochs']} epochs "
        f"({training['images_seen']:,} images seen) in {training['seconds'] / 60:.0f} minutes, {speed}, seed "
        f"{training['seed']}. Epoch {selection['epoch']} was the best on {selection['split']} "
        f"({selection['metric']} {selection['value']:.4f}). PrivateTest was judged once, after that choice."
    )
    return f"{text}\n\n{card.notes}" if card.notes else text


def _built(card: Card) -> str:
    """How an ensemble or a classical method came about."""
    training, chosen = card.training, card.selection
    parts = []
    if trained := training.get("members_trained"):
        parts.append(f"{trained} members were trained for it, {training['epochs']} epochs each.")
    if card.kind == CLASSICAL:
        parts.append(f"Trained on {card.data['faces']:,} faces of Training; {len(training['tried'])} settings tried.")
    if "seconds" in training:
        parts.append(f"It took {training['seconds'] / 60:.1f} minutes.")
    if chosen:
        parts.append(
            f"What had to be fitted or chosen was on {chosen['split']} ({chosen['metric']} {chosen['value']:.4f}); "
            "PrivateTest was judged once, after that."
        )
    text = f"## How it came about\n\n{' '.join(parts)}"
    return f"{text}\n\n{card.notes}" if card.notes else text


def _limits() -> str:
    return (
        "## Limits\n\n"
        "It names the expression that annotators would most likely give to a picture, not what a person feels. "
        "FER2013's labels are noisy: people agree with about 65 % of them. Do not use it to decide about people; the "
        "EU AI Act bans the inference of emotions at work and in education."
    )
