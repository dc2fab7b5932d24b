"""Files are whole or untouched, whatever happens while they are written."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest

from fer_core import files


def test_the_target_is_replaced_at_the_end_of_the_block(tmp_path: Path) -> None:
    target = tmp_path / "new" / "a.txt"
    with files.replacing(target) as temporary:
        temporary.write_text("whole")
        assert not target.exists()
    assert target.read_text() == "whole"
    assert list(target.parent.iterdir()) == [target]


def test_an_error_leaves_the_old_file_and_no_litter(tmp_path: Path) -> None:
    target = tmp_path / "a.txt"
    target.write_text("old")

    def fail_halfway() -> None:
        with files.replacing(target) as temporary:
            temporary.write_text("ha")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fail_halfway()
    assert target.read_text() == "old"
    assert list(tmp_path.iterdir()) == [target]


def folder_with(path: Path, text: str) -> Path:
    path.mkdir()
    (path / "a.txt").write_text(text)
    return path


def test_a_folder_takes_the_place_of_another(tmp_path: Path) -> None:
    for text in ("first", "second"):
        assert files.replace_folder(folder_with(tmp_path / "draft", text), tmp_path / "a") == tmp_path / "a"
        assert (tmp_path / "a" / "a.txt").read_text() == text
        assert list(tmp_path.iterdir()) == [tmp_path / "a"]


def test_a_folder_that_cannot_be_put_in_place_leaves_the_old_one(tmp_path: Path) -> None:
    folder_with(tmp_path / "a", "old")
    with pytest.raises(FileNotFoundError):
        files.replace_folder(tmp_path / "nothing", tmp_path / "a")
    assert (tmp_path / "a" / "a.txt").read_text() == "old"
    assert list(tmp_path.iterdir()) == [tmp_path / "a"]


def test_what_a_kill_left_beside_a_folder_goes_once_a_new_one_is_there(tmp_path: Path) -> None:
    folder_with(tmp_path / ".a.replaced", "old")
    with pytest.raises(FileNotFoundError):
        files.replace_folder(tmp_path / "nothing", tmp_path / "a")
    assert (tmp_path / "a" / "a.txt").read_text() == "old"
    files.replace_folder(folder_with(tmp_path / "draft", "new"), tmp_path / "a")
    assert (tmp_path / "a" / "a.txt").read_text() == "new"
    assert list(tmp_path.iterdir()) == [tmp_path / "a"]


def test_a_written_file_is_readable_by_others(tmp_path: Path) -> None:
    files.write_text(tmp_path / "a.txt", "é")
    assert stat.S_IMODE((tmp_path / "a.txt").stat().st_mode) == 0o644
    assert (tmp_path / "a.txt").read_bytes() == "é".encode()


def test_json_is_indented_and_ends_with_a_newline(tmp_path: Path) -> None:
    files.write_json(tmp_path / "a.json", {"name": "naïve", "n": 1})
    text = (tmp_path / "a.json").read_text(encoding="utf-8")
    assert text == '{\n  "name": "naïve",\n  "n": 1\n}\n'
    assert json.loads(text)["n"] == 1
