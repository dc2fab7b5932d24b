"""Who may send something to the app, without a server."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from webapp.guard import Guard

HOST = "127.0.0.1:7860"


async def answer(scope: Any, receive: Any, send: Any) -> None:
    """An app that says yes to everybody."""
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"yes"})


def status(method: str, **headers: str) -> int:
    """Of the guarded app's answer."""
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    named = {"host": HOST} | {name.replace("_", "-"): value for name, value in headers.items()}
    raw = [(name.encode(), value.encode()) for name, value in named.items()]
    scope = {"type": "http", "method": method, "path": "/", "headers": raw}
    asyncio.run(Guard(answer)(scope, None, send))
    return int(sent[0]["status"])


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize("origin", ["null", "http://elsewhere.example", "http://127.0.0.1:1", f"http://{HOST}.example"])
def test_foreign_pages_send_nothing(method: str, origin: str) -> None:
    assert status(method, origin=origin) == 403


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_own_pages_and_programs_do(method: str) -> None:
    assert status(method) == 200
    assert status(method, origin=f"http://{HOST}") == 200
    assert status(method, origin="https://fer.example", x_forwarded_host="fer.example") == 200


def test_looking_is_free() -> None:
    assert status("GET", origin="http://elsewhere.example") == 200


def test_a_page_without_an_address_is_foreign_where_no_host_is_named_either() -> None:
    assert status("POST", origin="null", host="") == 403
