"""The box that takes a visitor's photo."""

from __future__ import annotations

import base64
from abc import ABCMeta
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.data_classes import ImageData

from webapp.demo.uploads import forget, was_uploaded


class _NoStub(type(gr.Image)):  # type: ignore[misc]
    """Gradio writes a `.pyi` file beside the source of every component; this one leaves the folder alone."""

    def __new__(cls, name: str, bases: tuple[type, ...], attributes: dict[str, Any]) -> _NoStub:
        """A component class, made as Python makes it."""
        return ABCMeta.__new__(cls, name, bases, attributes)


class PhotoInput(gr.Image, metaclass=_NoStub):
    """Gradio's image box that hands over the file's bytes as they were sent.

    Gradio's own opens the picture first and answers a broken one with a traceback, and it would fetch an address that a
    caller names instead of a file. This one does neither, and the file is gone soon after it was read. Gradio checks
    what a message names only where it launched the page itself; this one takes nothing but what was uploaded.
    """

    is_template = True  # drawn in the browser by gr.Image's own code

    def preprocess(self, payload: ImageData | None) -> bytes | None:  # type: ignore[override]
        """The picture's bytes; None where there is no picture."""
        if payload is None:
            return None
        if payload.url and payload.url.startswith("data:"):
            return _decode(payload.url)
        if not payload.path:
            return b""
        path = Path(payload.path)
        _refuse_other_files(path)
        try:
            content = path.read_bytes()
        except OSError:
            return b""
        forget(path)
        return content

    def example_payload(self) -> Any:
        """What the page for programs shows as an example; Gradio's points to another host."""
        return {"path": "photo.jpg", "url": "photo.jpg", "meta": {"_type": "gradio.FileData"}}

    def example_value(self) -> Any:
        """As above."""
        return "photo.jpg"

    async def async_move_resource_to_block_cache(self, url_or_file_path: str | Path | None) -> str | None:
        """As Gradio's, but nothing is fetched or copied from elsewhere."""
        _refuse_elsewhere(url_or_file_path)
        return await super().async_move_resource_to_block_cache(url_or_file_path)

    def move_resource_to_block_cache(self, url_or_file_path: str | Path | None) -> str | None:
        """As Gradio's, but nothing is fetched or copied from elsewhere."""
        _refuse_elsewhere(url_or_file_path)
        return super().move_resource_to_block_cache(url_or_file_path)


def _decode(address: str) -> bytes:
    try:
        return base64.b64decode(address.partition(",")[2], validate=True)
    except ValueError:
        return b""


def _refuse_elsewhere(source: str | Path | None) -> None:
    if isinstance(source, str) and "://" in source:
        raise gr.Error(
            "Send the picture itself; this page fetches nothing from other addresses.", print_exception=False
        )
    if source:
        _refuse_other_files(Path(source))


def _refuse_other_files(path: Path) -> None:
    if not was_uploaded(path):
        raise gr.Error("Upload the picture first; this page opens no other files.", print_exception=False)
