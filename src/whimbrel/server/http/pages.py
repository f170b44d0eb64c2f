"""REST for the page of a run: its nodes as rows that change, all of one node, a deck.

Knows: the house, trees. Must not know: how a request comes here, what a page does with it.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from itertools import pairwise
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from whimbrel.controlplane.describing import node_json, progress_json, summary_json
from whimbrel.errors import EntityNotFound
from whimbrel.model.literals import Literals
from whimbrel.runtime.values import read_literals
from whimbrel.server.decisions import decisions
from whimbrel.server.house import House
from whimbrel.server.http import sse
from whimbrel.server.http.exchange import answer, query
from whimbrel.server.http.runs import deck_digest, deck_html, last_event
from whimbrel.server.trees import Trees
from whimbrel.wire.literal_json import by_name, dump
from whimbrel.wire.rest.trees import DecisionQuery
from whimbrel.wire.spans import iso_moment

ROWS = 1_000
"""Rows in one message of a stream."""
FIRST = 200
"""Rows in the first: more than a screen has."""
_DECK_HEADERS = {
    "content-security-policy": (
        "sandbox allow-scripts; default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; "
        "img-src data: blob:; font-src data:; frame-ancestors 'self'"
    ),
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cache-control": "no-store",
}
"""Of pages that authors write: no origin, nothing from elsewhere and nothing to there."""
PAUSE = 0.1
"""Seconds between two looks at a run that changes all the time."""


def _text(rows: list[dict[str, Any]]) -> str:
    try:
        return msgspec.json.encode(rows).decode()
    except UnicodeEncodeError:
        # A name with a lone surrogate, from whoever can write one.
        return dump(rows, indent=None)


class RunPages:
    """The handlers."""

    def __init__(self, house: House, trees: Trees) -> None:
        self._house = house
        self._store = house.home.store
        self._trees = trees

    async def get_tree(self, request: Request) -> Response:
        """The rows of a run; with `text/event-stream`, those that change too."""
        run = request.path_params["run"]
        summary = await self._store.summary(run)
        if sse.MEDIA_TYPE in request.headers.get("accept", ""):
            return sse.stream(self._changes(run, last_event(request) or 0), request)
        seq, rows = await self._trees.of(run).look()
        return answer({"run": summary_json(summary), "seq": seq, "nodes": rows})

    async def _changes(self, run: str, after: int) -> AsyncIterator[str]:
        told: dict[str, float] = {}
        # What the page's head shows comes before thousands of rows; without an id, as nothing has been told yet.
        yield sse.message("run", dump(summary_json(await self._store.summary(run)), indent=None))
        with self._house.feed.following(run) as changed:
            async for look in sse.changes(changed):
                if not look:
                    yield sse.STILL_HERE
                    continue
                # The row of the run first: what was written before the end is there when the end is.
                summary = await self._store.summary(run)
                tree = self._trees.of(run)
                seq, nodes = await tree.changed(after)
                # Durations of what goes on are counted by this clock, not by that of whoever looks.
                yield sse.message("clock", dump({"now": iso_moment(self._house.clock.now())}, indent=None))
                # The first rows are those that are seen first: they do not wait for thousands of others.
                for begin, end in pairwise((0, *range(FIRST, len(nodes), ROWS), len(nodes)) if nodes else ()):
                    yield sse.message("nodes", _text(await tree.rows(nodes[begin:end])))
                after = max(after, seq)
                for said in await self._store.progress(run):
                    path = said.attempt.path
                    if told.get(path) != said.at:
                        told[path] = said.at
                        yield sse.message(
                            "progress", dump({"path": path, "progress": progress_json(said)}, indent=None)
                        )
                # Only now: whoever left in between is told all of it again.
                yield sse.message("run", dump(summary_json(summary), indent=None), str(after))
                if summary.phase.terminal:
                    yield sse.message("end", dump({"run": run, "phase": summary.phase.value}, indent=None))
                    return
                if self._house.feed.closed:
                    return
                await asyncio.sleep(PAUSE)

    async def get_node(self, request: Request) -> Response:
        """All of a node: values, attempts, errors; of the path "" what the run was given and gave."""
        run, path = request.path_params["run"], request.path_params["path"]
        await self._store.summary(run)
        tree = self._trees.of(run)
        await tree.look()
        node = tree.run.nodes.get(path)
        if node is None:
            raise EntityNotFound(f"run {run} has no node {path!r}")
        blobs = self._house.home.blobs

        def values(literals: Literals) -> Literals:
            return read_literals(literals, blobs)

        said = node_json(node)
        said["inputs"] = by_name(await asyncio.to_thread(values, node.inputs))
        if said["outputs"] is not None:
            said["outputs"] = by_name(await asyncio.to_thread(values, node.outputs))
        found = [each for each in await self._store.progress(run) if each.attempt.path == path]
        said["progress"] = progress_json(found[-1]) if found else None
        said["metadata"] = msgspec.to_builtins(node.metadata)
        return answer(said)

    async def get_decisions(self, request: Request) -> Response:
        """What was decided around the body of an eager node."""
        asked = query(request, DecisionQuery)
        run = request.path_params["run"]
        await self._store.summary(run)
        tree = self._trees.of(run)
        await tree.look()
        node = tree.run.nodes.get(asked.node)
        if node is None:
            raise EntityNotFound(f"run {run} has no node {asked.node!r}")
        return answer(decisions(node, asked.after, asked.limit))


class DeckPages:
    """Decks, each as a page of its own for a frame without rights: whatever one does, it does to itself."""

    def __init__(self, house: House) -> None:
        self._home = house.home

    async def show_deck(self, request: Request) -> Response:
        """The page of a deck."""
        asked = request.path_params
        summary = await self._home.store.summary(asked["run"])
        for update in await self._home.store.decks(summary.id, path=asked["node"]):
            attempt = update.attempt
            if (attempt.path, str(attempt.number)) != (asked["node"], asked["attempt"]):
                continue
            if deck_digest(update.name) == asked["digest"]:
                html = await asyncio.to_thread(deck_html, update, self._home.blobs)
                return Response(html.encode("utf-8", "replace"), headers=_DECK_HEADERS, media_type="text/html")
        raise EntityNotFound(f"run {summary.id}, node {asked['node']!r}: there is no such deck (any more)")
