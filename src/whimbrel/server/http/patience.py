"""HTTP/1.1 that waits for nobody for ever: a request's head has to come within a time. And its clients have names.

Knows: uvicorn's protocol, the names of inner connections. Must not know: what is served.
"""

from __future__ import annotations

import asyncio
from typing import Any

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from whimbrel.server.peers import address_of

_LATE = (
    b"HTTP/1.1 408 Request Timeout\r\nconnection: close\r\ncontent-type: text/plain; charset=utf-8\r\n"
    b"content-length: 57\r\n\r\nthe head of the request did not come in time; try again.\n"
)


def patient(seconds: float) -> type[H11Protocol]:
    """A protocol for uvicorn. ``seconds`` are from the first byte of a head to its last."""

    class Patient(H11Protocol):
        _late: asyncio.TimerHandle | None = None

        def connection_made(self, transport: Any) -> None:
            super().connection_made(transport)
            # The front has named its end of the socket after whom the connection is for.
            name = transport.get_extra_info("peername")
            if isinstance(name, str) and name:
                self.client = (address_of(name), 0)

        def data_received(self, data: bytes) -> None:
            super().data_received(data)
            self._watch()

        def on_response_complete(self) -> None:
            super().on_response_complete()
            # The beginning of the next request may have come before.
            self._watch()

        def _watch(self) -> None:
            # In its state of IDLE the parser has, at most, the beginning of a head.
            if self.conn.their_state is h11.IDLE and self.conn.trailing_data[0]:
                if self._late is None:
                    self._late = self.loop.call_later(seconds, self._hang_up)
            else:
                self._in_time()

        def connection_lost(self, exc: Exception | None) -> None:
            self._in_time()
            super().connection_lost(exc)

        def _in_time(self) -> None:
            if self._late is not None:
                self._late.cancel()
                self._late = None

        def _hang_up(self) -> None:
            self._late = None
            self.transport.write(_LATE)
            self.transport.close()

    return Patient
