"""What stands before every page: who may ask, what a page may load, and who may open a websocket."""

from __future__ import annotations

from collections.abc import Callable
from ipaddress import ip_address
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Receive, Scope, Send

POLICY: Final = "; ".join(
    (
        "default-src 'self'",
        "script-src 'self' 'unsafe-inline' 'unsafe-eval'",  # both toolkits build functions from text
        "style-src 'self' 'unsafe-inline'",
        "img-src 'self' data: blob:",
        "media-src 'self' data: blob:",
        "font-src 'self' data:",
        "worker-src 'self' blob:",
        "frame-ancestors 'self'",
        "base-uri 'self'",
        "form-action 'self'",
    )
)
"""What a page may load: this address only, so that no visit is seen by anybody else."""

HEADERS: Final = {
    "content-security-policy": POLICY,
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
    "permissions-policy": "camera=(self), microphone=(), geolocation=()",
}

Known = Callable[[str], bool]
"""A `Host` header -> whether the app answers under that name."""


def any_name(host: str) -> bool:
    """For an app that the network may reach: its names are not known here."""
    return True


def local_names(*more: str) -> Known:
    """For an app of this machine alone: `localhost`, addresses, and the names `more` that a proxy may hand on.

    A foreign page can have its own name resolve to 127.0.0.1 and would then read these pages as its own (DNS
    rebinding); a browser sends that name as `Host`.
    """
    names = {"localhost", *(name.lower() for name in more)}

    def known(host: str) -> bool:
        try:
            name = urlsplit(f"//{host}").hostname or ""
        except ValueError:
            return False
        return name in names or name.endswith(".localhost") or _is_address(name)

    return known


def _is_address(name: str) -> bool:
    try:
        return bool(ip_address(name))
    except ValueError:
        return False


class Guard:
    """Wraps the whole app: answers under known names only, adds security headers, keeps foreign pages' websockets out.

    Without the last, Streamlit compares a foreign page's address with this machine's, and asks a host outside for it.
    """

    def __init__(self, app: ASGIApp, known: Known = any_name) -> None:
        self.app = app
        self.known = known

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI interface."""
        kind = scope["type"]
        if kind not in {"http", "websocket"}:
            await self.app(scope, receive, send)
            return
        headers = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
        if not self.known(headers.get("host", "")):
            await _refuse(kind, scope, receive, send)
        elif kind == "websocket" and not _same_origin(headers):
            await send({"type": "websocket.close", "code": 1008, "reason": "opened from another address"})
        else:
            await self.app(scope, receive, _with_headers(send) if kind == "http" else send)


def _same_origin(headers: dict[str, str]) -> bool:
    origin = headers.get("origin")
    if origin is None:  # not a browser
        return True
    return origin.partition("://")[2] in {headers.get("host"), headers.get("x-forwarded-host")}


def _with_headers(send: Send) -> Send:
    async def send_with_headers(message: Any) -> None:
        if message["type"] == "http.response.start":
            there = {name for name, _ in message["headers"]}
            extra = [(k.encode(), v.encode()) for k, v in HEADERS.items() if k.encode() not in there]
            message["headers"] = [*message["headers"], *extra]
        await send(message)

    return send_with_headers


async def _refuse(kind: str, scope: Scope, receive: Receive, send: Send) -> None:
    from starlette.responses import PlainTextResponse

    if kind == "websocket":
        await send({"type": "websocket.close", "code": 1008, "reason": "asked for under an unknown name"})
        return
    sentence = (
        "This page answers on this machine only, as localhost or 127.0.0.1. To reach it by another name, start it with "
        "--allow-host NAME (behind a proxy) or --host 0.0.0.0 (on the network).\n"
    )
    await PlainTextResponse(sentence, status_code=421)(scope, receive, send)
