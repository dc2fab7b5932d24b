"""What a study compares: tables of rows, each one thing that is trained or combined, and measured like all others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from fer_core.registry import Registry

NETWORK, CLASSICAL, ENSEMBLE, TRAINED, VIEWED = "network", "classical", "ensemble", "trained", "viewed"

PROTOCOL: Mapping[str, Any] = {
    "epochs": 40,
    "batch_size": 64,
    "optimizer": "adamw",
    "schedule": "one_cycle",
    "learning_rate": 0.002,
    "weight_decay": 0.01,
    "label_smoothing": 0.1,
    "augmentation": "light",
    "ema": 0.995,
}
"""How every network of every table is trained, but for what its row names.

AdamW trains networks with and without batch norm, convolutions and transformers at one rate; what a network would gain
from settings of its own is left out, so that rows differ in what they are about.
"""


@dataclass(frozen=True)
class Published:
    """A figure that others report; never ours.

    Attributes:
        accuracy: on PrivateTest unless `note` says otherwise, in [0, 1].
        source: address of the publication or the code.
        note: what is known of the protocol.
    """

    accuracy: float
    source: str
    note: str = ""


@dataclass(frozen=True)
class Row:
    """One line of a table.

    Attributes:
        name: unique over all tables; the folder of its run. The same row may stand in several tables.
        title: for people.
        kind: network, classical, ensemble (of other rows), trained (an ensemble with members of its own) or viewed
            (another row's network, asked about several views of a face).
        options: of a network, what its TrainConfig has beyond PROTOCOL; of the others, what their runner takes.
        members: names of the rows that an ensemble joins, or of the one whose network gives a classical method its
            features or is asked anew.
        published: what its authors report.
    """

    name: str
    title: str
    kind: str
    options: Mapping[str, Any] = field(default_factory=dict)
    members: tuple[str, ...] = ()
    published: Published | None = None


@dataclass(frozen=True)
class Table:
    """A study: what it asks, and the rows that answer."""

    name: str
    title: str
    question: str
    rows: tuple[Row, ...]


TABLES: Registry[Table] = Registry("table", package="fer_core.studies.tables")


def register_table(name: str, title: str, question: str, *rows: Row) -> Table:
    """Makes rows a table that `scripts.reproduce` knows."""
    return TABLES.add(name, Table(name, title, question, rows))


def network(
    name: str,
    title: str,
    model: str,
    *,
    published: Published | None = None,
    **options: Any,
) -> Row:
    """A row that trains one network; `options` are fields of TrainConfig."""
    return Row(name, title, NETWORK, {"model": model, **options}, published=published)


def classical(
    name: str,
    title: str,
    method: str,
    feature: str,
    *,
    of: str = "",
    published: Published | None = None,
    **options: Any,
) -> Row:
    """A row that fits a classical method on a feature; `of` names the row whose network gives it."""
    options = {"method": method, "feature": feature, **options}
    return Row(name, title, CLASSICAL, options, (of,) if of else (), published)


def ensemble(
    name: str, title: str, method: str, members: tuple[str, ...], *, published: Published | None = None, **options: Any
) -> Row:
    """A row that joins the answers of other rows of its table or of another one."""
    return Row(name, title, ENSEMBLE, {"method": method, **options}, members, published)


def trained(name: str, title: str, method: str, members: int, model: str, **options: Any) -> Row:
    """A row that trains the members of an ensemble; `options` are fields of their TrainConfig."""
    return Row(name, title, TRAINED, {"method": method, "members": members, "model": model, **options})


def viewed(name: str, title: str, of: str, views: str) -> Row:
    """A row that asks the network of another row about several views of each face, and trains nothing."""
    return Row(name, title, VIEWED, {"views": views}, (of,))


def all_rows() -> dict[str, Row]:
    """Every row of every table by its name."""
    return {row.name: row for _, table in TABLES.items() for row in table.rows}


def with_members(rows: tuple[Row, ...]) -> list[Row]:
    """The rows and the members that they need from anywhere, members first, each once."""
    known, ordered = all_rows(), {}
    for row in rows:
        for member in with_members(tuple(known[name] for name in row.members)):
            ordered[member.name] = member
        ordered[row.name] = row
    return list(ordered.values())
