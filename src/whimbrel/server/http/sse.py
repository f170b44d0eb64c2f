"""Server-sent events: text/event-stream as the HTML standard has it.

Knows: the format. Must not know: what is told.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from starlette.responses import StreamingResponse

MEDIA_TYPE = "text/event-stream"
HEARTBEAT = 15.0
"""Seconds between two signs of life: shorter than the patience of any proxy, and how we notice who has left."""


def message(kind: str, data: str, id: str = "") -> str:
    """One event. ``data`` may have several lines."""
    lines = [f"id: {id}"] if id else []
    lines.append(f"event: {kind}")
    lines += [f"data: {line}" for line in data.split("\n")]
    return "\n".join(lines) + "\n\n"


async def changes(changed: asyncio.Event, heartbeat: float = HEARTBEAT) -> AsyncIterator[bool]:
    """``True`` at first and after each change, ``False`` when there has been none for a while. The flag is lowered
    before, so that a change during the look leads to another."""
    while True:
        changed.clear()
        yield True
        while True:
            try:
                async with asyncio.timeout(heartbeat):
                    await changed.wait()
                break
            except TimeoutError:
                yield False


def stream(messages: AsyncIterator[str]) -> StreamingResponse:
    """The answer that sends ``messages`` as they come; nobody on the way may keep them."""

    async def encoded() -> AsyncIterator[bytes]:
        async for text in messages:
            # A lone surrogate becomes what JSON writes for it.
            yield text.encode("utf-8", "backslashreplace")

    return StreamingResponse(
        encoded(), media_type=MEDIA_TYPE, headers={"cache-control": "no-store", "x-accel-buffering": "no"}
    )
