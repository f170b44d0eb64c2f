"""What is outside of every request: its id, a line in the log, and how much of it there may be.

Knows: ASGI, limits. Must not know: routes, who is asking but for the address.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
from typing import Any

from starlette.datastructures import MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from whimbrel.server.http.admission import ADMISSION
from whimbrel.server.http.problems import problem
from whimbrel.server.http.sse import MEDIA_TYPE
from whimbrel.server.limits import SLOWEST, Buckets, Counted, Limits, whole_seconds
from whimbrel.server.peers import address_of_scope

log = logging.getLogger("whimbrel.http")

REQUEST_ID = "x-request-id"
_PROBES = frozenset({"/healthz", "/readyz", "/metrics"})
_READS = frozenset({"GET", "HEAD", "OPTIONS"})


class Limiting:
    """ASGI middleware; see the module. ``trusts_proxy`` believes X-Forwarded-For."""

    def __init__(self, application: ASGIApp, *, limits: Limits, trusts_proxy: bool = False) -> None:
        self._application = application
        self._trusts_proxy = trusts_proxy
        self._limits = limits
        self._buckets = Buckets(limits.rate, limits.burst, time.monotonic)
        self._streams = Counted(limits.streams)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See ASGI."""
        if scope["type"] != "http":
            return
        client = address_of_scope(scope, trusts_proxy=self._trusts_proxy)
        exchange = _Exchange(scope, receive, send, self._limits, self._streams, client)
        wait = 0.0 if scope["path"] in _PROBES else self._buckets.take(exchange.client)
        try:
            if wait:
                await exchange.refuse(429, "TooManyRequests", "you ask too often; try again later", wait)
            else:
                await self._application(scope, exchange.receive, exchange.send)
        except _Refused:
            # They have been told.
            return
        finally:
            exchange.over()


class _Refused(Exception):
    """What would have been answered was refused."""


class _Exchange:
    """One request and its answer."""

    def __init__(
        self, scope: Scope, receive: Receive, send: Send, limits: Limits, streams: Counted, client: str
    ) -> None:
        self.client = client
        self._id = secrets.token_hex(8)
        self._scope = scope
        self._receive = receive
        self._send = send
        self._limits = limits
        self._streams = streams
        self._follows = False
        self._complete = False
        self._received = 0
        self._begun = time.monotonic()
        self._status = 0

    async def receive(self) -> Message:
        """The next part of the body, if it comes in time; then whatever comes."""
        if self._complete:
            return await self._receive()
        patience = self._limits.body_seconds
        try:
            async with asyncio.timeout(patience):
                message = await self._receive()
        except TimeoutError:
            raise self._too_slow() from None
        self._received += len(message.get("body", b""))
        self._complete = not message.get("more_body")
        spent = time.monotonic() - self._begun
        if not self._complete and spent > patience and self._received < (spent - patience) * SLOWEST:
            raise self._too_slow()
        return message

    def _too_slow(self) -> HTTPException:
        # Nothing more is read, so that nothing more is waited for.
        self._complete = True
        return HTTPException(408, "the body comes too slowly; try again", {"connection": "close"})

    async def send(self, message: Message) -> None:
        """Pass the answer on."""
        if message["type"] == "http.response.start":
            self._status = message["status"]
            headers = MutableHeaders(scope=message)
            headers[REQUEST_ID] = self._id
            if headers.get("content-type", "").startswith(MEDIA_TYPE):
                if not self._streams.enter(self.client):
                    await self.refuse(429, "TooManyStreams", "you follow too much at a time; leave some streams", 1.0)
                    raise _Refused
                self._follows = True
        await self._send(message)

    async def refuse(self, status: int, kind: str, detail: str, wait: float) -> None:
        """The answer is no."""
        headers = {"retry-after": str(whole_seconds(wait)), REQUEST_ID: self._id}
        self._status = status
        await problem(status, kind, detail, headers)(self._scope, self._receive, self._send)

    def over(self) -> None:
        """Say in the log what has been."""
        if self._follows:
            self._streams.leave(self.client)
        scope = self._scope
        level = logging.DEBUG if scope["method"] in _READS and self._status < 500 else logging.INFO
        if log.isEnabledFor(level):
            said: dict[str, Any] = {
                "request": self._id,
                "client": self.client,
                "method": scope["method"],
                "path": scope["path"],
                "status": self._status,
                "ms": round((time.monotonic() - self._begun) * 1e3, 1),
            }
            parameters = scope.get("path_params", {})
            if "run" in parameters:
                said["run"] = parameters["run"]
            principal = getattr(scope.get(ADMISSION), "principal", None)
            if principal is not None:
                said["principal"] = principal.name
            log.log(level, "%s %s: %d", scope["method"], scope["path"], self._status, extra=said)
