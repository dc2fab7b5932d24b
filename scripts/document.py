"""Writes the tables of the README and of checkpoints/README.md from the registry and the cards."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from scripts._cli import fail, run
from scripts._tables import checkpoint_page, with_tables

ROOT = Path(__file__).resolve().parent.parent
STALE = 1
"""Exit status of --check when a page would change."""


def document(
    check: Annotated[bool, typer.Option("--check", help="Write nothing; status 1 when a page is stale.")] = False,
) -> None:
    """Brings the tables between the markers of README.md, and all of checkpoints/README.md, up to date."""
    stale = [path for path, text in pages().items() if not path.is_file() or path.read_text(encoding="utf-8") != text]
    names = ", ".join(str(path.relative_to(ROOT)) for path in stale)
    if check and stale:
        fail(f"{names} no longer fit the cards; run python -m scripts.document", status=STALE)
    _write(stale)
    print(f"written: {names}" if stale else "everything is up to date")


def pages() -> dict[Path, str]:
    """{file: what it should hold}."""
    readme = ROOT / "README.md"
    return {
        readme: with_tables(readme.read_text(encoding="utf-8")),
        ROOT / "checkpoints" / "README.md": checkpoint_page(),
    }


def _write(stale: list[Path]) -> None:
    from fer_core.files import write_text

    texts = pages() if stale else {}
    for path in stale:
        write_text(path, texts[path])


if __name__ == "__main__":
    run(document)
