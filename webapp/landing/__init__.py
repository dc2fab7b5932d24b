"""The landing page: three kinds of visitor, and where each of them goes."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from html import escape
from pathlib import Path
from string import Template
from typing import Any, Final

from fer_core.artifacts import DEDUPLICATED, Card, rank
from fer_core.labels import EMOTIONS, judged_by

HERE: Final = Path(__file__).parent


def landing_page(cards: Sequence[Card], version: str) -> str:
    """The page as HTML, with a line on every checkpoint that is served."""
    rows = "".join(_row(card) for card in sorted(cards, key=rank))
    return _template("index.html").substitute(rows=rows, version=escape(version))


def lost_page(path: str) -> str:
    """What an address without a page shows."""
    return _template("lost.html").substitute(path=escape(path[:100]))


def manifest() -> dict[str, Any]:
    """The web app manifest, so that a phone shows name and icon."""
    icon = {"src": "/landing/icon.svg", "sizes": "any", "type": "image/svg+xml"}
    return {"name": "FER", "short_name": "FER", "start_url": "/", "display": "browser", "icons": [icon]}


@cache
def _template(name: str) -> Template:
    return Template((HERE / name).read_text(encoding="utf-8"))


def _row(card: Card) -> str:
    judge = f" <small>{judged_by(card.labels)}</small>" if len(card.labels) != len(EMOTIONS) else ""
    return (
        f"<tr><th scope='row'>{escape(card.name)}{judge}</th><td>{card.parameters / 1e6:.2f} M</td>"
        f"<td>{_accuracy(card, 'PrivateTest')}</td><td>{_accuracy(card, DEDUPLICATED)}</td></tr>"
    )


def _accuracy(card: Card, split: str) -> str:
    scores = card.metrics.get(split, {})
    if "accuracy" not in scores:
        return "not measured"
    if "accuracy_interval" not in scores:
        return f"{scores['accuracy']:.1%}"
    low, high = scores["accuracy_interval"]
    return f"{scores['accuracy']:.1%} <small>({low:.1%} to {high:.1%})</small>"
