"""What may import what: import-linter's contract holds here, and breaks on a copy that is spoilt."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGES = ("fer_core", "webapp", "scripts")


def _lint(root: Path) -> subprocess.CompletedProcess[str]:
    code = "from importlinter.cli import lint_imports_command as lint; lint(['--no-logo', '--no-cache'])"
    return subprocess.run(
        [sys.executable, "-c", code],
        cwd=root,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "COLUMNS": "200"},
    )


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The project's modules and configuration, to be spoilt."""
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    for package in PACKAGES:
        for source in (ROOT / package).rglob("*.py"):
            target = tmp_path / source.relative_to(ROOT)
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(source, target)
    return tmp_path


def test_the_contract_holds() -> None:
    result = _lint(ROOT)
    assert result.returncode == 0, result.stdout + result.stderr


@pytest.mark.parametrize(
    ("path", "line", "complaint"),
    [
        ("fer_core/utils.py", "", "fer_core.utils"),
        (
            "fer_core/labels.py",
            "import fer_core.artifacts",
            "fer_core.labels is not allowed to import fer_core.artifacts",
        ),
        ("fer_core/inference/extra.py", "import fer_core.training", "fer_core.inference is not allowed to import"),
        ("fer_core/figures/extra.py", "import streamlit", "fer_core is not allowed to import streamlit"),
        ("fer_core/models/zoo/extra.py", "import fer_core.models.zoo.vgg", "fer_core.models.zoo.extra"),
        ("fer_core/errors.py", "import webapp", "fer_core is not allowed to import webapp"),
        ("scripts/extra.py", "import webapp.settings", "scripts is not allowed to import webapp"),
    ],
)
def test_a_spoilt_copy_breaks_it(copy: Path, path: str, line: str, complaint: str) -> None:
    file = copy / path
    file.write_text((file.read_text(encoding="utf-8") if file.exists() else "") + f"\n{line}\n", encoding="utf-8")
    result = _lint(copy)
    assert result.returncode != 0
    assert complaint in " ".join(result.stdout.split()), result.stdout


def test_no_file_has_a_name_that_says_nothing() -> None:
    """The contract sees only the first level of fer_core; below it, names are all there is."""
    empty = {"utils", "util", "helpers", "helper", "misc", "common", "main2"}
    files = [path for package in (*PACKAGES, "tests") for path in (ROOT / package).rglob("*.py")]
    assert not [str(path) for path in files if path.stem.strip("_") in empty]
