"""The documents keep up with the code: every public name is mentioned, every path exists, every table is fresh."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

import fer_core
from fer_core.data.readers import READERS
from fer_core.explain import EXPLAINERS
from fer_core.models import MODELS
from scripts import document

ROOT = Path(__file__).resolve().parents[1]
README = (ROOT / "README.md").read_text(encoding="utf-8")
FOLDERS = ("fer_core", "webapp", "scripts", "checkpoints", "tests")
PAGES = [
    path
    for folder in (ROOT, *(ROOT / name for name in FOLDERS))
    for path in sorted(folder.glob("*.md") if folder == ROOT else folder.rglob("*.md"))
]
COMMANDS = sorted(path.stem for path in (ROOT / "scripts").glob("*.py") if not path.stem.startswith("_"))


@pytest.mark.parametrize("name", [*MODELS, *READERS, *EXPLAINERS])
def test_every_registered_name_is_in_the_readme(name: str) -> None:
    assert f"`{name}`" in README, f"{name} is not in README.md; run python -m scripts.document"


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_is_in_the_readme(name: str) -> None:
    assert f"scripts.{name}" in README or f"scripts/{name}.py" in README


@pytest.mark.parametrize("path", document.pages(), ids=lambda path: path.relative_to(ROOT).as_posix())
def test_generated_tables_are_fresh(path: Path) -> None:
    assert path.read_text(encoding="utf-8") == document.pages()[path], "run python -m scripts.document"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_every_relative_link_leads_somewhere(page: Path) -> None:
    targets = re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8"))
    relative = [target.split("#")[0] for target in targets if not re.match(r"[a-z]+:|#", target)]
    dead = [target for target in relative if not (page.parent / target).exists()]
    assert not dead


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(ROOT).as_posix())
def test_every_path_of_the_project_exists(page: Path) -> None:
    paths = re.findall(rf"(?<![\w/.-])((?:{'|'.join(FOLDERS)})/[\w./-]*\w)", page.read_text(encoding="utf-8"))
    dead = [path for path in paths if not (ROOT / path).exists()]
    assert not dead


def _tree() -> list[str]:
    """Paths of the README's tree, each line's own and those that it names after a comma."""
    block = README.split("<!-- tree -->\n```\n")[1].split("```")[0]
    found, folder = [], ""
    for line in block.splitlines():
        name = line.split()[0]
        if line.startswith(" "):
            found.append(folder + name)
        else:
            folder = name
            found.append(name)
    return found


def test_every_entry_of_the_tree_exists() -> None:
    assert not [path for path in _tree() if not (ROOT / path).exists()]


def test_the_tree_has_everything_in_fer_core() -> None:
    here = ROOT / "fer_core"
    folders = {f"fer_core/{path.parent.name}/" for path in here.glob("*/__init__.py")}
    modules = {f"fer_core/{path.name}" for path in here.glob("*.py") if path.stem != "__init__"}
    assert folders | modules == {path for path in _tree() if path.startswith("fer_core/") and path != "fer_core/"}


def test_python_in_the_readme_imports() -> None:
    snippets = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    imports = [line for snippet in snippets for line in snippet.splitlines() if line.startswith(("from ", "import "))]
    assert imports
    subprocess.run([sys.executable, "-c", "\n".join(imports)], cwd=ROOT, check=True)


def test_one_version_everywhere() -> None:
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    assert f'version = "{fer_core.__version__}"' in project


def test_the_changelog_begins_with_what_is_not_released_or_with_this_version() -> None:
    heading = re.search(r"^## (.*)$", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert heading
    assert heading[1].startswith(("Unreleased", fer_core.__version__))


def test_requirements_are_ranges() -> None:
    lines = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    packages = [line.split("#")[0].strip() for line in lines if line.split("#")[0].strip()]
    assert not [line for line in packages if not re.fullmatch(r"[\w-]+>=[\d.]+,<[\d.]+", line)]
