"""Uploads go soon, and nothing is fetched from elsewhere."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import threading
from pathlib import Path

import gradio as gr
import pytest
from gradio.data_classes import ImageData

from webapp.demo import photo_input, uploads
from webapp.demo.photo_input import PhotoInput
from webapp.demo.uploads import forget


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The upload folder."""
    folder = tmp_path / "uploads"
    folder.mkdir()
    monkeypatch.setenv(uploads.FOLDER_VARIABLE, str(folder))
    return folder


@pytest.fixture
def box(folder: Path) -> PhotoInput:
    return PhotoInput(sources=["upload"])


def _finish_timers() -> None:
    for thread in threading.enumerate():
        if isinstance(thread, threading.Timer):
            thread.join(timeout=10)


def test_bytes_are_handed_over_and_the_file_goes(
    box: PhotoInput, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uploads.forget, "__defaults__", (0.0,))
    upload = folder / "hash" / "face.png"
    upload.parent.mkdir()
    upload.write_bytes(b"any bytes")
    assert box.preprocess(ImageData(path=str(upload), orig_name="face.png")) == b"any bytes"
    _finish_timers()
    assert list(folder.iterdir()) == []


def test_a_picture_that_was_sent_again_stays_for_its_sender(tmp_path: Path) -> None:
    upload = tmp_path / "face.png"
    upload.write_bytes(b"first")
    seen = uploads._identity(upload)
    again = tmp_path / "again"
    again.write_bytes(b"first")
    again.replace(upload)
    uploads._delete_unchanged(upload, seen)
    assert upload.exists()
    forget(upload, after=0.0)
    _finish_timers()
    assert not upload.exists()


def test_files_that_nobody_uploaded_are_neither_opened_nor_deleted(
    box: PhotoInput, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uploads.forget, "__defaults__", (0.0,))
    private = tmp_path / "private" / "face.png"
    private.parent.mkdir()
    private.write_bytes(b"private")
    link = folder / "link.png"
    link.symlink_to(private)
    for path in (private, folder / ".." / "private" / "face.png", link):
        with pytest.raises(gr.Error, match="Upload the picture first"):
            box.preprocess(ImageData(path=str(path)))
        with pytest.raises(gr.Error, match="Upload the picture first"):
            box.move_resource_to_block_cache(str(path))
        with pytest.raises(gr.Error, match="Upload the picture first"):
            asyncio.run(box.async_move_resource_to_block_cache(path))
    _finish_timers()
    assert private.read_bytes() == b"private"
    assert list(folder.iterdir()) == [link]


def test_no_picture_and_pictures_in_the_message(box: PhotoInput, folder: Path) -> None:
    assert box.preprocess(None) is None
    assert box.preprocess(ImageData(url="data:image/png;base64,YWJj")) == b"abc"
    assert box.preprocess(ImageData(url="data:image/png;base64,?")) == b""
    assert box.preprocess(ImageData(path=str(folder / "gone.png"))) == b""
    assert box.preprocess(ImageData()) == b""


@pytest.mark.parametrize("address", ["http://example.org/face.png", "https://example.org/x", "ftp://example.org/x"])
def test_addresses_are_refused(box: PhotoInput, address: str) -> None:
    with pytest.raises(gr.Error, match="fetches nothing"):
        box.move_resource_to_block_cache(address)
    with pytest.raises(gr.Error, match="fetches nothing"):
        asyncio.run(box.async_move_resource_to_block_cache(address))


def test_no_stub_is_written_beside_the_source() -> None:
    assert not Path(photo_input.__file__).with_suffix(".pyi").exists()


def test_the_folder_is_private_and_goes_with_its_process(tmp_path: Path) -> None:
    code = (
        "from webapp.demo.uploads import private_folder; f = private_folder(); (f / 'face').write_text('x');"
        "print(f, oct(f.stat().st_mode & 0o777))"
    )
    result = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "TMPDIR": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
        cwd=Path(__file__).parents[2],
    )
    folder, mode = result.stdout.split()
    assert mode == "0o700"
    assert not Path(folder).exists()


def test_folders_of_killed_processes_are_swept(tmp_path: Path) -> None:
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    orphan, living = tmp_path / f"fer-demo-{ended.pid}-x", tmp_path / f"fer-demo-{os.getpid()}-x"
    orphan.mkdir()
    living.mkdir()
    uploads._remove_orphans(tmp_path)
    assert not orphan.exists()
    assert living.exists()
