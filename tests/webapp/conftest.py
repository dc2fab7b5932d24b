"""One running app for the tests that talk to it without a browser."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.webapp.serving import Served, serving


@pytest.fixture(scope="session")
def served(tiny_checkpoint: Path, prepared: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The whole web app over the tiny checkpoint and the drawn dataset."""
    folder = tmp_path_factory.mktemp("served")
    with serving(folder, "--checkpoint", str(tiny_checkpoint), "--data", str(prepared)) as app:
        yield app
