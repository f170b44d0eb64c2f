"""Server-sent events: text/event-stream as the HTML standard has it.

Knows: the format. Must not know: what is told.
"""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import AsyncIterator

from starlette.requests import Request
from starlette.responses import StreamingResponse

MEDIA_TYPE = "text/event-stream"
HEARTBEAT = 15.0
"""Seconds between two signs of life: shorter than the patience of any proxy, and how we notice who has left."""
STILL_HERE = ": still here\n\n"
"""The sign of life: a comment, which no client hears."""


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


def stream(messages: AsyncIterator[str], request: Request | None = None) -> StreamingResponse:
    """The answer that sends ``messages`` as they come; nobody on the way may keep them. With ``request`` they are
    gzipped for whoever takes that, each whole as it is sent: rows and lines that are much alike become a thirtieth."""
    packer = _packer(request)

    async def encoded() -> AsyncIterator[bytes]:
        async for text in messages:
            # A lone surrogate becomes what JSON writes for it.
            data = text.encode("utf-8", "backslashreplace")
            yield packer.compress(data) + packer.flush(zlib.Z_SYNC_FLUSH) if packer is not None else data

    headers = {"cache-control": "no-store", "x-accel-buffering": "no"}
    if packer is not None:
        headers |= {"content-encoding": "gzip", "vary": "accept-encoding"}
    return StreamingResponse(encoded(), media_type=MEDIA_TYPE, headers=headers)


def _packer(request: Request | None) -> zlib._Compress | None:
    if request is None or not _takes_gzip(request.headers.get("accept-encoding", "")):
        return None
    # Level 1: what a page waits for. 16 is zlib's mark for the frame of gzip.
    return zlib.compressobj(1, zlib.DEFLATED, 16 + zlib.MAX_WBITS)


def _takes_gzip(accepted: str) -> bool:
    for each in accepted.lower().split(","):
        name, _, quality = each.partition(";")
        if name.strip() == "gzip":
            return quality.replace(" ", "") not in ("q=0", "q=0.0", "q=0.00", "q=0.000")
    return False
