"""Bytes to whoever asks for all of them or for a part, read as they are sent.

Knows: Starlette, ranges of HTTP. Must not know: whose bytes they are.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator, Callable, Mapping

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from whimbrel.server.http.problems import problem

_PIECE = 1024 * 1024
_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")


def ranged(
    request: Request,
    size: int,
    read: Callable[[int, int], bytes],
    headers: Mapping[str, str],
    media_type: str = "application/octet-stream",
) -> Response:
    """The ``size`` bytes that ``read(start, length)`` gives, or those of them that `Range` says. ``read`` may block."""
    start, end = 0, size
    said = dict(headers)
    status = 200
    asked = request.headers.get("range")
    if asked is not None and (match := _RANGE.fullmatch(asked.strip())) is not None and match.group() != "bytes=-":
        first, last = match.groups()
        start = int(first) if first else max(size - int(last), 0)
        end = min(int(last) + 1, size) if first and last else size
        if start >= end:
            where = {"content-range": f"bytes */{size}"}
            return problem(416, "RangeNotSatisfiable", f"it has {size} bytes; ask for some of them", where)
        said["content-range"] = f"bytes {start}-{end - 1}/{size}"
        status = 206
    said["content-length"] = str(end - start)
    return StreamingResponse(_pieces(read, start, end), status, said, media_type)


async def _pieces(read: Callable[[int, int], bytes], start: int, end: int) -> AsyncIterator[bytes]:
    while start < end:
        piece = await asyncio.to_thread(read, start, min(_PIECE, end - start))
        if not piece:
            return
        start += len(piece)
        yield piece
