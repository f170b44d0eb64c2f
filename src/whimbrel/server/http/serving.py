"""The HTTP/1.1 server: an ASGI application behind a Unix socket.

Knows: uvicorn. Must not know: what is served.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Iterator
from typing import Any

import uvicorn

from whimbrel.server.http.patience import patient
from whimbrel.server.limits import Limits

KEEP_ALIVE = 75
"""Seconds that a connection may be idle. Longer than the usual balancer's minute, so that it hangs up first."""


class _Quiet(uvicorn.Server):
    """Leaves signals to whoever made it."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Nothing is captured."""
        yield


class HttpServing:
    """``application`` on the Unix socket ``path``."""

    def __init__(self, path: str, application: Any, limits: Limits) -> None:
        self._path = path
        self._server = _Quiet(
            uvicorn.Config(
                application,
                loop="asyncio",
                http=patient(limits.header_seconds),
                ws="none",
                lifespan="off",
                interface="asgi3",
                access_log=False,
                log_config=None,
                server_header=False,
                proxy_headers=False,
                h11_max_incomplete_event_size=limits.headers,
                timeout_keep_alive=KEEP_ALIVE,
            )
        )
        self._serving: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Serve. The socket is there when this returns."""
        listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        listening.bind(self._path)
        listening.listen(1024)
        self._serving = asyncio.ensure_future(self._server.serve(sockets=[listening]))

    async def stop(self, grace: float) -> None:
        """Take no request any more; those that run have ``grace`` seconds."""
        if self._serving is None:
            return
        self._server.config.timeout_graceful_shutdown = max(int(grace), 1)
        self._server.should_exit = True
        await self._serving
