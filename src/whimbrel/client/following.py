"""Event streams of a server, followed to their end whatever happens in between.

A follower knows the id of the last event that it gave out. When the connection ends before the stream does (the server
is stopped, killed, started again), it comes back with that id and hears what has happened since: the caller sees every
event once, in order. A server that stays away for longer than the patience of the transport is an error.

Knows: text/event-stream. Must not know: what is told.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping
from typing import Any, NamedTuple

from whimbrel.client.transport import Transport
from whimbrel.errors import ServerFault, ServerUnreachable

END = "end"
"""The name of the event that no other follows."""
_SILENCE = 45.0
"""Seconds without a sign of life: the server gives one every 15."""
_LAST = 0.5
"""Seconds that the end of a response may take to come behind its last event."""
_BUFFER = 64 * 1024 * 1024
"""Bytes of one event: more is not an event of ours."""


class Message(NamedTuple):
    """One event: its id ("" for none), its name, its data."""

    id: str
    name: str
    data: str


async def follow(
    transport: Transport,
    path: str,
    *,
    params: Mapping[str, Any] | None = None,
    after: str = "",
    lost: Callable[[Exception | None], None] | None = None,
    silence: float = _SILENCE,
) -> AsyncGenerator[Message, None]:
    """The events of a stream, those after the id ``after``, up to and with ``end``.

    ``lost`` is told whenever the connection is gone and will be made again. Raises as ``Transport.send``.
    """
    pauses = transport.pauses()
    away_since = 0.0
    last = after
    while True:
        problem: Exception | None = None
        try:
            headers = {"accept": "text/event-stream", "cache-control": "no-store"}
            if last:
                headers["last-event-id"] = last
            async with transport.stream(path, params=params, headers=headers) as response:
                if response.status_code == 204:
                    # All that there was has been told.
                    return
                messages = _messages(response, silence)
                async for message in messages:
                    away_since = 0.0
                    pauses.reset()
                    if message.id:
                        if _seen(message.id, last):
                            continue
                        last = message.id
                    if message.name == END:
                        # To its last byte, which is under way: the connection can be used again.
                        await _finish(messages)
                        yield message
                        return
                    yield message
        except (ServerUnreachable, ServerFault) as error:
            if not transport.met:
                raise
            problem = error
        except TimeoutError:
            problem = None
        now = time.monotonic()
        away_since = away_since or now
        if now - away_since >= transport.patience:
            raise problem if problem is not None else transport.unreachable(None)
        if lost is not None:
            lost(problem)
        await pauses.wait()


def _seen(id: str, last: str) -> bool:
    """Whether an event has been given out before. Ids that are numbers, or several with dashes between, grow."""
    one, other = id.split("-"), last.split("-")
    if len(one) != len(other) or not all(part.isdigit() for part in (*one, *other)):
        return False
    return [int(part) for part in one] <= [int(part) for part in other]


async def _finish(messages: AsyncIterator[Message]) -> None:
    """Read what is left of a stream that has been told to its end. What may go wrong with it does not matter any more:
    then the connection is not used again, that is all.
    """
    with contextlib.suppress(Exception):
        async with asyncio.timeout(_LAST):
            async for _ in messages:
                continue


async def _messages(response: Any, silence: float) -> AsyncIterator[Message]:
    """The events of one connection. Raises ``TimeoutError`` when nothing is heard for ``silence`` seconds."""
    id, name = "", ""
    data: list[str] = []
    async for line in _lines(response, silence):
        if not line:
            if data:
                yield Message(id, name or "message", "\n".join(data))
            id, name, data = "", "", []
            continue
        field, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if field == "data":
            data.append(value)
        elif field == "event":
            name = value
        elif field == "id":
            id = value


async def _lines(response: Any, silence: float) -> AsyncIterator[str]:
    # Not httpx's own: it takes characters for ends of lines that JSON may have in it.
    pieces = response.aiter_raw()
    held = bytearray()
    while True:
        try:
            async with asyncio.timeout(silence):
                piece = await anext(pieces)
        except StopAsyncIteration:
            # An event without the empty line behind it was cut off: it comes again.
            return
        *whole, rest = (held + piece).split(b"\n") if b"\n" in piece else (held + piece,)
        for line in whole:
            yield line.removesuffix(b"\r").decode("utf-8", "replace")
        held = bytearray(rest)
        if len(held) > _BUFFER:
            raise ServerFault("the server sends an event without end. Look at its log.")
