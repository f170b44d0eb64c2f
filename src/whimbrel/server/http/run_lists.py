"""REST for lists of runs: pages, rows as they change, how long a list is, what it can be filtered by; and executions by
name.

Knows: the house, the shapes. Must not know: what a run does.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterable
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from whimbrel.controlplane.describing import summary_json
from whimbrel.errors import InputInvalid
from whimbrel.model.registered import EntityId, EntityKind
from whimbrel.model.run import Phase, RunQuery, RunSummary
from whimbrel.server.house import House
from whimbrel.server.http import sse
from whimbrel.server.http.exchange import answer, moment, query
from whimbrel.wire.literal_json import dump
from whimbrel.wire.rest.runs import FilterQuery, ListQuery, PagesQuery

_LIST_PAUSE = 0.2
"""Seconds between two looks of a list: a busy run is one line of it, not a hundred."""
_KNOWN_BY = 1_000
"""Runs that are looked at for what lists can be filtered by."""
_OFFERED = 200


class RunLists:
    """The handlers."""

    def __init__(self, house: House) -> None:
        self._house = house
        self._store = house.home.store

    async def list_runs(self, request: Request) -> Response:
        """A page of runs."""
        asked = query(request, ListQuery)
        page = await self._store.find_runs(msgspec.structs.replace(_wanted(asked), limit=asked.limit))
        return answer({"runs": [self._row(row) for row in page.runs], "next": page.next or None})

    async def count_runs(self, request: Request) -> Response:
        """How many there are, and where pages end."""
        asked = query(request, PagesQuery)
        pages = await self._store.run_pages(msgspec.structs.replace(_wanted(asked), limit=asked.limit))
        return answer({"count": pages.count, "ends": pages.ends, "whole": pages.whole})

    async def list_filters(self, request: Request) -> Response:
        """What there is among the newest runs."""
        asked = query(request, FilterQuery)
        wanted = RunQuery(project=asked.project, domain=asked.domain, limit=_KNOWN_BY)
        runs = (await self._store.find_runs(wanted)).runs
        labels = (f"{key}={value}" if value else key for run in runs for key, value in run.origin.labels.items())
        return answer(
            {
                "projects": _counted(run.origin.project for run in runs),
                "domains": _counted(run.origin.domain for run in runs),
                "entities": _counted(run.entity for run in runs),
                "labels": _counted(labels),
            }
        )

    async def get_execution(self, request: Request) -> Response:
        """The run of an execution, and its node in it."""
        said = request.path_params
        id = EntityId(EntityKind.EXECUTION, said["project"], said["domain"], said["name"])
        run, path = await self._house.executions.place_of(id)
        return answer({"run": self._row(await self._store.summary(run)), "node": path})

    def _row(self, summary: RunSummary) -> dict[str, Any]:
        said = {**summary_json(summary), "url": self._house.page_of(summary.id)}
        if not summary.phase.terminal and (far := self._house.plane.progress_of(summary.id)) is not None:
            # It is driven here: its row is older.
            said["nodes_done"], said["nodes_known"] = far
        return said

    async def follow_runs(self, request: Request) -> Response:
        """The rows of runs as they change: `run` for each, `reset` when the list must be read again first."""
        keep = _wanted(query(request, ListQuery))
        feed = self._house.feed
        name, _, number = request.headers.get("last-event-id", "").rpartition("-")
        known = name == feed.name and number.isascii() and number.isdigit() and len(number) < 19
        fresh = "last-event-id" not in request.headers
        return sse.stream(self._rows(keep, feed.last if fresh else int(number) if known else -1, fresh))

    async def _rows(self, keep: RunQuery, number: int, fresh: bool) -> AsyncIterator[str]:
        feed = self._house.feed
        with feed.following() as changed:
            async for look in sse.changes(changed):
                if not look:
                    yield sse.STILL_HERE
                    continue
                last = feed.last
                runs = feed.since(number)
                if runs is None:
                    yield sse.message("reset", "{}", f"{feed.name}-{last}")
                for run in runs or ():
                    summary = await self._store.summary(run)
                    if keep.takes(summary):
                        yield sse.message("run", dump(self._row(summary), indent=None))
                if runs or fresh:
                    # Only now: whoever left in between is told all of it again. Who is new learns where it stands.
                    fresh = False
                    yield sse.message("seen", "{}", f"{feed.name}-{last}")
                number = last
                if feed.closed:
                    return
                await asyncio.sleep(_LIST_PAUSE)


def _wanted(asked: ListQuery | PagesQuery) -> RunQuery:
    """Which runs a list shows. Raises ``InputInvalid``."""
    labels = [label.strip().partition("=") for label in asked.label.split(",") if label.strip()]
    # A key alone is the label with any value.
    return RunQuery(
        phases=tuple(_phase(text) for text in asked.phase.split(",") if text.strip()),
        project=asked.project,
        domain=asked.domain,
        entity=asked.entity,
        text=asked.text,
        since=moment("since", asked.since),
        until=moment("until", asked.until),
        labels=tuple((key, value if equals else None) for key, equals, value in labels),
        before=asked.cursor,
    )


def _phase(text: str) -> Phase:
    try:
        return Phase(text.strip().upper().replace("-", "_"))
    except ValueError:
        known = ", ".join(phase.value for phase in Phase)
        raise InputInvalid(f"phase {text!r}: there is no such phase; there are {known}") from None


def _counted(values: Iterable[str]) -> list[dict[str, Any]]:
    """Each of them, the most frequent first."""
    found = Counter(value for value in values if value).most_common(_OFFERED)
    return [{"value": value, "runs": count} for value, count in found]
