"""What every request has to pass: it comes from this machine's own people, not from a page in their browser.

A page of another site can make a browser send requests to loopback. It cannot choose `Host` (so one that names another
host is a rebound name), it cannot hide `Origin`, and it cannot send JSON without asking first, which nobody answers.

Knows: ASGI. Must not know: routes.
"""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from whimbrel.server.http.exchange import heard_out
from whimbrel.server.http.problems import problem
from whimbrel.wire.rest.registering import JSON, MSGPACK

FORMS = "/oauth2/"
_STRUCTURED = (JSON, MSGPACK)


class Guard:
    """ASGI middleware; see the module. ``is_ours`` says whether a host name is one of the server's."""

    def __init__(self, application: ASGIApp, *, is_ours: Callable[[str], bool]) -> None:
        self._application = application
        self._is_ours = is_ours

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See ASGI."""
        if scope["type"] != "http":
            return
        refusal = self._refusal(scope)
        if refusal is not None:
            status, kind, detail = refusal
            await heard_out(Request(scope, receive))
            await problem(status, kind, detail, {"connection": "close"})(scope, receive, send)
            return
        await self._application(scope, receive, send)

    def _refusal(self, scope: Scope) -> tuple[int, str, str] | None:
        headers = Headers(scope=scope)
        if not self._is_ours(_host(f"//{headers.get('host', '')}")):
            return 421, "WrongHost", "this server answers to the names of this machine only: use http://localhost"
        origin = headers.get("origin")
        if origin is not None and urlsplit(origin).netloc != headers.get("host"):
            return 403, "WrongOrigin", "pages of other sites may not ask here"
        if scope["method"] != "POST":
            # Other methods that change something cannot be sent from a page without asking first.
            return None
        if scope["path"].startswith(FORMS):
            # The OAuth2 server's, which are forms by its standard; pages of other sites are refused above.
            return None
        if headers.get("content-type", "").partition(";")[0].strip().lower() not in _STRUCTURED:
            return 415, "NotJson", "send JSON, and say so: Content-Type: application/json"
        return None


def _host(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""
