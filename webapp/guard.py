"""What stands before every page: who may ask, what a page may load, and which pages may send something here."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
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

SENDING: Final = frozenset({"POST", "PUT", "PATCH", "DELETE"})
"""Methods that hand something over, such as an upload. A browser sends them for any page, without asking first where
they look like a form's."""

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


@dataclass(frozen=True)
class Refusal:
    """Why something is not answered.

    Attributes:
        status: of the answer to a request.
        reason: for who opens a websocket.
        sentence: for people.
    """

    status: int
    reason: str
    sentence: str


UNKNOWN_NAME: Final = Refusal(
    421,
    "asked for under an unknown name",
    "This page answers on this machine only, as localhost or 127.0.0.1. To reach it by another name, start it with "
    "--allow-host NAME (behind a proxy) or --host 0.0.0.0 (on the network).",
)
FOREIGN_PAGE: Final = Refusal(
    403,
    "opened from another address",
    "Only this app's own pages may send something here, and programs, which name no Origin. Open the page by its own "
    "address.",
)


class Guard:
    """Wraps the whole app: answers under known names only, adds security headers, takes nothing from foreign pages.

    These are told by the `Origin` that a browser adds to what a page sends and to websockets. For websockets Streamlit
    would compare it with this machine's address, and ask a host outside for that.
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
            await _refuse(UNKNOWN_NAME, scope, receive, send)
        elif (kind == "websocket" or scope["method"] in SENDING) and not _same_origin(headers):
            await _refuse(FOREIGN_PAGE, scope, receive, send)
        else:
            await self.app(scope, receive, _with_headers(send) if kind == "http" else send)


def _same_origin(headers: dict[str, str]) -> bool:
    origin = headers.get("origin")
    if origin is None:  # not a browser
        return True
    address = origin.partition("://")[2]  # nothing where it is `null`: a page without an address, such as a file
    return bool(address) and address in {headers.get("host"), headers.get("x-forwarded-host")}


def _with_headers(send: Send) -> Send:
    async def send_with_headers(message: Any) -> None:
        if message["type"] == "http.response.start":
            there = {name for name, _ in message["headers"]}
            extra = [(k.encode(), v.encode()) for k, v in HEADERS.items() if k.encode() not in there]
            message["headers"] = [*message["headers"], *extra]
        await send(message)

    return send_with_headers


async def _refuse(refusal: Refusal, scope: Scope, receive: Receive, send: Send) -> None:
    from starlette.responses import PlainTextResponse

    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 1008, "reason": refusal.reason})
        return
    await PlainTextResponse(f"{refusal.sentence}\n", status_code=refusal.status)(scope, receive, send)
