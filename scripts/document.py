"""Writes the README's tables and the pages of checkpoints and leaderboard from the registries, cards and results."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from fer_core.artifacts import list_checkpoints, load_card
from scripts._card_page import card_page
from scripts._cli import fail, run
from scripts._tables import LEADERBOARD, checkpoint_page, leaderboard_page, with_tables

ROOT = Path(__file__).resolve().parent.parent
STALE = 1
"""Exit status of --check when a page would change."""


def document(
    check: Annotated[bool, typer.Option("--check", help="Write nothing; status 1 when a page is stale.")] = False,
) -> None:
    """Brings the tables of README.md, checkpoints/README.md and every checkpoint's README.md up to date."""
    stale = [path for path, text in pages().items() if not path.is_file() or path.read_text(encoding="utf-8") != text]
    names = ", ".join(_shown(path) for path in stale)
    if check and stale:
        fail(f"{names} no longer fit the cards; run python -m scripts.document", status=STALE)
    _write(stale)
    print(f"written: {names}" if stale else "everything is up to date")


def pages() -> dict[Path, str]:
    """{file: what it should hold}."""
    readme = ROOT / "README.md"
    cards = {folder / "README.md": card_page(load_card(folder)) for folder in list_checkpoints()}
    return {
        readme: with_tables(readme.read_text(encoding="utf-8")),
        ROOT / "checkpoints" / "README.md": checkpoint_page(),
        ROOT / LEADERBOARD: leaderboard_page(),
        **cards,
    }


def _shown(path: Path) -> str:
    return str(path.relative_to(ROOT)) if path.is_relative_to(ROOT) else str(path)


def _write(stale: list[Path]) -> None:
    from fer_core.files import write_text

    texts = pages() if stale else {}
    for path in stale:
        write_text(path, texts[path])


if __name__ == "__main__":
    run(document)
