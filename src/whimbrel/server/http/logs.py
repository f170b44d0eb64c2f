"""REST for logs by line: some of them, which have a text, all of them as a file.

Knows: the house, lines. Must not know: how a request comes here, what a page does with it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from whimbrel.server.house import House
from whimbrel.server.http import exact, sse
from whimbrel.server.http.exchange import answer, query
from whimbrel.server.lines import Index, Indices, ReadLine, Wanted
from whimbrel.wire.literal_json import dump
from whimbrel.wire.rest.logs import FindQuery, LinesQuery, TextQuery
from whimbrel.wire.spans import iso_moment

PAUSE = 0.2
"""Seconds between two looks at a log that grows all the time."""
_PAGE = 1_000
_SEARCHES = 2
"""Searches at the same time: each takes a thread and the interpreter."""


class LogPages:
    """The handlers."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._store = house.home.store
        self._indices = Indices(house.home.store)
        self._finding = asyncio.Semaphore(_SEARCHES)

    async def get_lines(self, request: Request) -> Response:
        """Some lines; with `text/event-stream`, the last of them and those that come."""
        asked = query(request, LinesQuery)
        run = (await self._store.summary(request.path_params["run"])).id
        index = self._indices.of(run, _wanted(asked))
        if sse.MEDIA_TYPE in request.headers.get("accept", ""):
            return sse.stream(self._growing(run, index, asked.limit), request)
        total = await index.look()
        first = asked.first if asked.first >= 0 else max(0, total + asked.first)
        return answer(_said(index, total, await index.read(first, asked.limit, whole=asked.whole)))

    async def _growing(self, run: str, index: Index, limit: int) -> AsyncIterator[str]:
        told, settled = -1, 0
        with self._house.feed.following(run) as changed:
            async for look in sse.changes(changed):
                if not look:
                    yield sse.STILL_HERE
                    continue
                # The phase first: what was written before the end is there when the end is.
                phase = (await self._store.summary(run)).phase
                total = await index.look()
                if total != told or settled < total:
                    # Of a line that is unfinished there may be more; of more than ``limit`` new ones only the last.
                    first = max(0, total - limit, min(settled, total - 1))
                    settled = index.settled
                    lines = await index.read(first, total - first)
                    if total != told or lines:
                        yield sse.message("lines", dump(_said(index, total, lines), indent=None))
                    told = total
                if phase.terminal:
                    yield exact.end(run, phase)
                    return
                if self._house.feed.closed:
                    return
                await asyncio.sleep(PAUSE)

    async def find_lines(self, request: Request) -> Response:
        """Which lines have a text."""
        asked = query(request, FindQuery)
        run = (await self._store.summary(request.path_params["run"])).id
        index = self._indices.of(run, _wanted(asked))
        await index.look()
        async with self._finding:
            found = await index.find(asked.text, case=asked.case, first=asked.first)
        return answer(found._asdict())

    async def get_text(self, request: Request) -> Response:
        """All of them, as plain text."""
        asked = query(request, TextQuery)
        run = (await self._store.summary(request.path_params["run"])).id
        wanted = _wanted(asked)
        name = quote(f"{run}-{asked.node.replace('/', '-')}.log" if asked.node else f"{run}.log", safe="")
        return StreamingResponse(
            self._all(run, wanted),
            media_type="text/plain; charset=utf-8",
            headers={
                "content-disposition": f"attachment; filename*=UTF-8''{name}",
                "x-content-type-options": "nosniff",
                "cache-control": "no-store",
            },
        )

    async def _all(self, run: str, wanted: Wanted) -> AsyncIterator[bytes]:
        index = self._indices.of(run, wanted)
        total = await index.look()
        first = 0
        while lines := await index.read(first, min(_PAGE, total - first), whole=True):
            first = lines[-1].number + 1
            text = "".join(f"{line.text}\n" for line in lines)
            yield text.encode("utf-8", "backslashreplace")


def _wanted(asked: TextQuery) -> Wanted:
    return Wanted(asked.node, asked.attempt, _names(asked.streams), _names(asked.levels))


def _names(text: str) -> frozenset[str]:
    return frozenset(name.strip() for name in text.split(",") if name.strip())


def _said(index: Index, total: int, lines: list[ReadLine]) -> dict[str, Any]:
    return {
        "total": total,
        "lines": [
            {
                "number": line.number,
                "node": line.node,
                "attempt": line.attempt,
                "stream": line.stream,
                "level": line.level,
                "at": iso_moment(line.at),
                "text": line.text,
                "cut": line.cut,
            }
            for line in lines
        ],
        "attempts": sorted(index.attempts),
        "streams": sorted(index.streams),
        "levels": sorted(filter(None, index.levels)),
    }
