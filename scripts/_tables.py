"""The generated tables of the README and of checkpoints/README.md, as Markdown."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fer_core import artifacts
from fer_core.artifacts import (
    CARD,
    DEDUPLICATED,
    DEFAULT_CHECKPOINT,
    PROTOCOLS,
    SPEED,
    Card,
    list_checkpoints,
    load_card,
    load_record,
    megabytes,
    member_folder,
    rank,
)
from fer_core.classifiers.folded_views import folded_view
from fer_core.errors import ConfigError
from fer_core.labels import TESTS, judged_by
from scripts._seeds import HEAD as SEEDS
from scripts._seeds import seed_rows

if TYPE_CHECKING:
    import pandas as pd

    from fer_core.studies import Table

PUBLIC, OFFICIAL = TESTS
RESULTS = (
    "checkpoint",
    "labels",
    "learnt from",
    "PublicTest",
    "PrivateTest",
    "without twins",
    "macro-F1",
    "ECE",
    "parameters",
    "size",
    "ms a face",
    "selected on",
)
PROTOCOL_HEAD = (
    "protocol",
    "model",
    "test images",
    "accuracy",
    "macro-F1",
    "the protocol's own leak",
    "learnt by this model",
    "published by others",
)
MARKERS = re.compile(r"(<!-- table: (\w+) -->\n).*?(<!-- end of table -->)", re.DOTALL)

PAGE = """\
# Checkpoints

Every folder here is one trained model: its weights (safetensors), the card that says what they are, the evaluation
report and the predictions for every face of PublicTest and PrivateTest; a network has an ONNX export for the CPU and
the history of its training, too, an ensemble names the folders of its members. No pixel of FER2013 is in them.
`{default}` is what the web app and the commands take unless told otherwise.

{table}

Accuracy is followed by its 95 % interval (Wilson). "Without twins" leaves out the faces of PrivateTest that have a
byte-identical twin in Training. `labels` says what a model was judged by: FER2013's seven emotions, or the eight of
FER+'s voters (faces without a majority are left out), whose figures cannot be compared with the others. `learnt from`
says which labels taught it: most had the votes of FER+ as a second target, which is more than FER2013's labels alone.
`size` is that of the weights, an ensemble's members included; `ms a face` is the median time that onnxruntime takes for
one face on one core of {processors} (`python -m scripts.benchmark single --checkpoint NAME --record`).
Everything was selected on PublicTest, by which the rows are ordered; PrivateTest was looked at once for
each model, when all about it was decided. What was tried on the way, with what did not work, is in [LOG.md](LOG.md).

Mean and standard deviation of runs that differ in nothing but their seed:

{seeds}

This page is generated from the cards: `python -m scripts.document`.
"""


BEST, LEADERBOARD = 3, "checkpoints/leaderboard/README.md"

LEADERBOARD_PAGE = """\
# Leaderboard

Every row of every study, trained under one protocol (AdamW at 0.002, one-cycle, weight decay 0.01, batches of 64, light
augmentation, smoothing 0.1, seed 0) but for the settings of its own, selected on PublicTest, by which each table is
sorted, and judged once on PrivateTest. Beside this page lie each row's card, history and predictions, from which its
figures can be computed again; its weights do not ship. A row is no shipped checkpoint, also where both carry an
architecture's name: those were trained for longer.

How to read it:

- The budget `small` is {small}: the time that the training process itself computes, at a speed that is measured once
  for each network, so that rows of one network see as many images. Networks see each face of Training a few times at
  most, or less, and large ones see the fewest: this is how far a method gets on little, not how far it gets. Classical
  methods have no epochs to cut and take what they take. `python -m scripts.reproduce TABLE --data DIR --budget full
  --record` takes away the limit.
- One seed each. {chance}. Intervals that overlap do not by themselves make a tie: all rows are judged on the same
  faces, and those that two rows read alike say nothing of which is better. Always answering happy is right for 24.5 %
  of PrivateTest.
- `sample` is {sample}; clean, and corrupted in six ways at five strengths each (the mean, and the mean of each
  corruption). Compare what is corrupted with the clean sample, not with PublicTest.
- A row's history was judged in the precision that it was trained in, its predictions in float32: they may differ by
  some faces.
- Rows of one network saw as many images, with two exceptions: a method that computes its steps in another way (mixup,
  cutmix, SCN, EAC, co-teaching, another crop) saw more or fewer, as its steps were faster or slower than the network's
  usual ones when both were timed in turn; and faces without a FER+ majority are left out.
- Speeds are faces a second on one core: of training without the judging after each epoch, of inference in PyTorch.
  `training, s` is by the clock, with the judging, and with that of the members of an ensemble.
- `published by others` is never a figure of this project: protocols differ, and some chose their epoch on the test set.

{tables}

This page is generated from the results: `python -m scripts.document`.
"""


def with_tables(text: str) -> str:
    """`text` with its tables brought up to date between their markers; raises ConfigError for an unknown table."""

    def fill(found: re.Match[str]) -> str:
        if found[2] not in TABLES:
            raise ConfigError(f"there is no table {found[2]!r}; there are {', '.join(TABLES)}")
        return f"{found[1]}\n{TABLES[found[2]]()}\n\n{found[3]}"

    return MARKERS.sub(fill, text)


def checkpoint_page() -> str:
    """All of checkpoints/README.md."""
    rows = [[*_results_row(folder, card), *_training(folder, card)] for folder, card in _cards()]
    table = _table((*RESULTS, "trained on", "training time"), rows)
    return PAGE.format(default=DEFAULT_CHECKPOINT, table=table, seeds=seeds_table(), processors=_processors())


def _processors() -> str:
    """The processors on which speeds were recorded."""
    records = [record for folder in list_checkpoints() if (record := load_record(folder, SPEED))]
    return " or ".join(sorted({record["processor"] for record in records})) or "this machine"


def results_table() -> str:
    """What each shipped checkpoint reaches."""
    return _table(RESULTS, [_results_row(folder, card) for folder, card in _cards()])


def seeds_table() -> str:
    """Recipes of which several seeds ship."""
    rows = seed_rows(load_card(folder) for folder in list_checkpoints())
    return _table(SEEDS, rows) if rows else "No recipe ships with three seeds."


def models_table() -> str:
    """Registered architectures."""
    from scripts.models import rows

    lines = [[f"`{row['name']}`", row["title"], f"{row['parameters']:,}", _link(row["paper"])] for row in rows()]
    return _table(("model", "what it is", "parameters", "paper"), lines)


def readers_table() -> str:
    """Raw forms of the dataset that can be read."""
    from fer_core.data.readers import READERS

    lines = [[f"`{name}`", reader.looks_like] for name, reader in READERS.items()]
    return _table(("form", "how it is recognised"), lines)


def explainers_table() -> str:
    """Methods of explanation."""
    from fer_core.explain import EXPLAINERS

    lines = [[f"`{name}`", method.description, _link(method.paper)] for name, method in EXPLAINERS.items()]
    return _table(("method", "what it does", "paper"), lines)


def leaderboard_table() -> str:
    """The best rows of each study by PublicTest, and where the others are."""
    from fer_core.studies import BUDGETS
    from fer_core.studies.leaderboard import BRIEF, markdown

    found = _measured()
    parts = [
        f"**{table.title}** ({len(board)} of {len(table.rows)} rows are measured)\n\n"
        + markdown(board.groupby("labels", sort=False).head(BEST), BRIEF)
        for table, board in found
        if len(board)
    ]
    said = (
        f"Rows of the budget `small`: {BUDGETS['small'].title}, so that networks have seen each face a few times at "
        f"most. They compare methods; what longer training reaches stands above. The {BEST} best of each study by "
        f"PublicTest, FER+ apart; all rows, with what they cost and bear, are in [{LEADERBOARD}]({LEADERBOARD})."
    )
    return "\n\n".join([said, *parts]) if parts else "No row has been recorded yet."


def leaderboard_page() -> str:
    """All of checkpoints/leaderboard/README.md."""
    from fer_core.studies import BUDGETS
    from fer_core.studies.chance import chance
    from fer_core.studies.leaderboard import markdown
    from fer_core.studies.results import leaderboard_folder, load_results

    parts = []
    for table, board in _measured():
        missing = [f"`{row.name}`" for row in table.rows if row.name not in set(board["row"])]
        wanting = f"Not measured yet: {', '.join(missing)}." if missing else ""
        notes = "\n".join(f"- `{line.row}`: {line.notes}" for line in board.itertuples() if line.notes)
        shown = [markdown(board)] if len(board) else []
        parts += [f"## {table.title} (`{table.name}`)", table.question, *shown, *filter(None, (wanting, notes))]
    small = BUDGETS["small"]
    said = chance(load_results(leaderboard_folder())) or "What another seed changes is not measured yet"
    return LEADERBOARD_PAGE.format(small=small.title, sample=small.sample, chance=said, tables="\n\n".join(parts))


def _measured() -> list[tuple[Table, pd.DataFrame]]:
    """Each study with its measured rows, the best on PublicTest first, eight-class rows last."""
    from fer_core.studies import TABLES as STUDIES
    from fer_core.studies.leaderboard import leaderboard
    from fer_core.studies.results import leaderboard_folder, load_results

    board = leaderboard(load_results(leaderboard_folder()))
    return [(table, board[board["row"].isin([row.name for row in table.rows])]) for _, table in STUDIES.items()]


def studies_table() -> str:
    """The studies and what they ask."""
    from fer_core.studies import TABLES as STUDIES

    lines = [[f"`{name}`", table.title, table.question, str(len(table.rows))] for name, table in STUDIES.items()]
    return _table(("table", "study", "question", "rows"), lines)


def protocols_table() -> str:
    """The checkpoints of which it was recorded under every protocol, the default one first."""
    folders = sorted(list_checkpoints(), key=lambda folder: folder.name != DEFAULT_CHECKPOINT)
    records = [record for folder in folders if (record := load_record(folder, PROTOCOLS))]
    if not records:
        return f"Not recorded yet: `python -m scripts.protocols {DEFAULT_CHECKPOINT} --data DIR --record`."
    return _table(PROTOCOL_HEAD, [_protocol_row(row) for record in records for row in record["rows"]])


def _protocol_row(row: Mapping[str, Any]) -> list[str]:
    from fer_core.evaluation.protocols import CLAIMS

    trained = f"trained under it for {row['epochs']} epochs" if row.get("retrained") else "as shipped"
    return [
        f"`{row['protocol']}`",
        f"`{row['checkpoint'].split(',')[0]}`, {trained}",
        f"{row['n']:,}" + (f" ({row['distinct']:,} distinct)" if row["distinct"] < row["n"] else ""),
        _with_interval(row),
        f"{row['macro_f1']:.3f}",
        _count(row["own_leak"], row["n"]),
        _count(row["leak"], row["n"]),
        CLAIMS.get(row["protocol"], "-"),
    ]


def _count(images: int, n: int) -> str:
    return f"{images:,} ({images / n:.1%})".replace("%", " %")


TABLES: dict[str, Callable[[], str]] = {
    "studies": studies_table,
    "leaderboard": leaderboard_table,
    "results": results_table,
    "seeds": seeds_table,
    "protocols": protocols_table,
    "models": models_table,
    "readers": readers_table,
    "explainers": explainers_table,
}


def _cards() -> list[tuple[Path, Card]]:
    """Shipped checkpoints, the best on PublicTest first, those of eight classes after the others."""
    found = [(folder, load_card(folder)) for folder in list_checkpoints()]
    return sorted(found, key=lambda item: rank(item[1]))


def _results_row(folder: Path, card: Card) -> list[str]:
    private = card.metrics.get(OFFICIAL)
    default = " (default)" if card.name == DEFAULT_CHECKPOINT else ""
    beside = folded_view(card).beside
    mirrored = f", {beside} averaged in" if beside else ""
    return [
        f"`{card.name}`{default}{mirrored}",
        judged_by(card.labels),
        _learnt_from(folder, card),
        _accuracy(card, PUBLIC),
        _accuracy(card, OFFICIAL),
        _accuracy(card, DEDUPLICATED),
        f"{private['macro_f1']:.3f}" if private else "-",
        f"{private['ece']:.3f}" if private else "-",
        f"{card.parameters:,}",
        f"{megabytes(folder, card):.1f} MB",
        _milliseconds(folder),
        _selection(card),
    ]


def _accuracy(card: Card, split: str) -> str:
    found = card.metrics.get(split)
    return _with_interval(found) if found else "-"


def _milliseconds(folder: Path) -> str:
    """What one face takes on one core, where it was measured of these weights."""
    record = load_record(folder, SPEED)
    return f"{record['median_ms']:.1f}" if record else "-"


def _with_interval(found: Mapping[str, Any]) -> str:
    low, high = found["accuracy_interval"]
    return f"{100 * found['accuracy']:.1f} % ({100 * low:.1f} to {100 * high:.1f})"


def _selection(card: Card) -> str:
    metric = str(card.selection.get("metric", "")).replace("_", " ").replace("f1", "F1")
    return f"{card.selection['split']} {metric}" if card.selection else "-"


def _learnt_from(folder: Path, card: Card) -> str:
    """The labels that taught a checkpoint; an ensemble's are those of its members."""
    began = ["ImageNet (pretraining)"] if card.options.get("pretrained") else []
    own = [", ".join([*began, str(card.training["labels"])])] if card.training.get("labels") else []
    taught = [_learnt_from(part, load_card(part)) for part in _member_folders(folder, card)]
    found = "; ".join(dict.fromkeys([*own, *taught])) or "-"
    return found.replace(" labels and ", ", ") + (f", after `{start}`" if (start := _start(card)) else "")


def _training(folder: Path, card: Card) -> list[str]:
    return [str(card.training.get("device", "-")), _training_time(folder, card)]


def _training_time(folder: Path, card: Card) -> str:
    """Minutes of training, with those of an ensemble's members or after those of the checkpoint that it began with."""
    members = _member_folders(folder, card)
    own = card.training.get("seconds") or 0.0
    cards = [load_card(part) for part in members]
    seconds = own + sum((one.training.get("seconds") or 0.0) + _seconds_before(one) for one in cards)
    text = f"{seconds / 60:.0f} min" + (" with its members" if members else "")
    if before := _seconds_before(card):
        text += f", after `{_start(card)}`'s {before / 60:.0f}"
    return text if seconds else "-"


def _start(card: Card) -> str:
    """The checkpoint whose weights a training began with, empty where it began afresh."""
    return str((card.training.get("init") or {}).get("checkpoint", ""))


def _seconds_before(card: Card) -> float:
    """What training had taken of the checkpoint that it began with: as the card says, or that checkpoint's."""
    told = (card.training.get("init") or {}).get("seconds")
    return float(told) if told else _seconds_of(_start(card))


def _seconds_of(name: str) -> float:
    folder = artifacts.CHECKPOINTS / name
    return load_card(folder).training.get("seconds") or 0.0 if (folder / CARD).is_file() else 0.0


def _member_folders(folder: Path, card: Card) -> list[Path]:
    return [part for member in card.members if ((part := member_folder(folder, member)) / CARD).is_file()]


def _link(address: str) -> str:
    return f"[{address.removeprefix('https://').removeprefix('www.').rstrip('/')}]({address})" if address else "-"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(cell.replace('|', '/') for cell in line)} |" for line in lines)
