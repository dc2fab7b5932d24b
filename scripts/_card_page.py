"""A checkpoint's README, made from its card."""

from __future__ import annotations

from typing import Any

from fer_core.artifacts import Card
from fer_core.evaluation.record import DEDUPLICATED, TESTS

PARTS = (*TESTS, DEDUPLICATED)


def card_page(card: Card) -> str:
    """The card as Markdown: what it is, what it reaches, how it came about, what it must not be used for."""
    sections = [
        f"# {card.name}\n\nGenerated from `card.json` by `python -m scripts.document`.",
        _identity(card),
        _figures(card.metrics),
        _per_emotion(card.metrics.get(TESTS[1], {})),
        _origin(card),
        _limits(),
    ]
    return "\n\n".join(section for section in sections if section) + "\n"


def _identity(card: Card) -> str:
    field = card.input.get("field", card.input["side"])
    sees = "all of it" if field == card.input["side"] else f"its centre of {field}x{field}"
    options = ", ".join(f"{name} {value}" for name, value in card.options.items()) or "as registered"
    size = f"{card.parameters:,} parameters"
    return "\n".join(
        [
            f"- **Architecture**: [{card.title}]({card.paper}), `{card.model}` ({options}), {size}.",
            f"- **Input**: a grey face of 48x48 pixels; the network sees {sees}.",
            f"- **Output**: {', '.join(card.labels)}; logits are divided by {card.temperature} before the softmax.",
        ]
    )


def _figures(metrics: dict[str, dict[str, Any]]) -> str:
    if not metrics:
        return "## What it reaches\n\nNot evaluated yet."
    lines = ["## What it reaches", "", "One view of each face, no test-time augmentation.", ""]
    lines += ["| faces | n | accuracy | 95 % interval | macro F1 | ECE |", "| --- | --- | --- | --- | --- | --- |"]
    for part in (part for part in PARTS if part in metrics):
        found = metrics[part]
        low, high = found["accuracy_interval"]
        interval = f"{low:.1%} to {high:.1%}"
        cells = [part, str(found["n"]), f"{found['accuracy']:.2%}", interval]
        cells += [f"{found['macro_f1']:.2%}", f"{found['ece']:.2%}"]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def _per_emotion(metrics: dict[str, Any]) -> str:
    if not metrics:
        return ""
    lines = ["On PrivateTest:", "", "| emotion | precision | recall | faces |", "| --- | --- | --- | --- |"]
    for emotion, scores in metrics["per_class"].items():
        lines.append(f"| {emotion} | {scores['precision']:.1%} | {scores['recall']:.1%} | {scores['support']} |")
    return "\n".join(lines)


def _origin(card: Card) -> str:
    training, selection = card.training, card.selection
    if not {"epochs", "images_seen", "seconds", "plan"} <= set(training):
        return f"## How it came about\n\nThe card does not say. {card.notes}".rstrip()
    speed = f"{training['images_per_second']:.0f} images a second ({training['plan']}; {training['device']})"
    text = (
        f"## How it came about\n\n"
        f"Trained on {card.data['faces']:,} faces of Training with {training['labels']}, {training['epochs']} epochs "
        f"({training['images_seen']:,} images seen) in {training['seconds'] / 60:.0f} minutes, {speed}, seed "
        f"{training['seed']}. Epoch {selection['epoch']} was the best on {selection['split']} "
        f"({selection['metric']} {selection['value']:.4f}). PrivateTest was judged once, after that choice."
    )
    return f"{text}\n\n{card.notes}" if card.notes else text


def _limits() -> str:
    return (
        "## Limits\n\n"
        "It names the expression that annotators would most likely give to a picture, not what a person feels. "
        "FER2013's labels are noisy: people agree with about 65 % of them. Do not use it to decide about people; the "
        "EU AI Act bans the inference of emotions at work and in education."
    )
