"""REST for runs: lists, details, what happens, logs, decks; abort, answers, recovery.

Knows: the house, the shapes. Must not know: how a request comes here.
"""

from __future__ import annotations

import asyncio
import hashlib
import html
import math
import os
from collections.abc import AsyncIterator, Callable
from typing import Any
from urllib.parse import quote

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from whimbrel.controlplane.answering import Gate, answered_before, as_it_will_be, known_gate
from whimbrel.controlplane.describing import run_json, waiting_json
from whimbrel.controlplane.ports import LogLine
from whimbrel.controlplane.requests import SIGNAL, signal_text
from whimbrel.engine.run import Run
from whimbrel.errors import EntityNotFound, InputInvalid, RunNotResumable, ValueMismatch
from whimbrel.model.attempt import DeckUpdate
from whimbrel.model.events import Event, SignalReceived
from whimbrel.model.literal_types import BlobType, DatasetType, describe
from whimbrel.model.literals import BoolLiteral, Literal, Literals
from whimbrel.model.program import GateKind
from whimbrel.runtime.literal_text import from_json
from whimbrel.runtime.ports import BlobStore
from whimbrel.runtime.values import read_literals, write_literals
from whimbrel.server.auth.signing import Signed
from whimbrel.server.house import House
from whimbrel.server.http import exact, sse
from whimbrel.server.http.admission import principal_of
from whimbrel.server.http.exchange import answer, body, query
from whimbrel.server.trees import Trees
from whimbrel.wire.literal_json import dump
from whimbrel.wire.rest.runs import Abort, Answer, DeckQuery, EventsQuery, LogQuery, Signal
from whimbrel.wire.spans import iso_moment

_LOG_PAGE = 1000
_FOLDS = 2
"""Runs that are folded at the same time: it takes a thread and the interpreter."""
_HEAVY = ("program", "define", "reuse")
"""Of events: what a follower has no use for, and may be megabytes."""


Read = Callable[[Gate], Literal]
"""The value for a gate. Raises ``InputInvalid`` for a gate that takes another."""


DECK_PAGE = "/decks/{run}/{attempt}/{digest}/{node:path}"
"""Where a deck is a page by itself."""


def deck_digest(name: str) -> str:
    """What stands for the name of a deck in an address: names may hold anything."""
    return hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:16]


def deck_html(update: DeckUpdate, blobs: BlobStore) -> str:
    """What a deck shows, from wherever it is kept."""
    if not update.uri:
        return update.html
    try:
        return blobs.get(update.uri).decode("utf-8", "replace")
    except EntityNotFound as error:
        return f"<p>The deck is lost: {html.escape(str(error))}</p>"


class Runs:
    """The handlers."""

    def __init__(self, house: House, trees: Trees) -> None:
        self._house = house
        self._store = house.home.store
        self._trees = trees
        self._folding = asyncio.Semaphore(_FOLDS)

    # --- looking -----------------------------------------------------------------------------------------------------

    async def get_run(self, request: Request) -> Response:
        """All of a run."""
        summary = await self._store.summary(request.path_params["run"])
        progress = {said.attempt.path: said for said in await self._store.progress(summary.id)}
        blobs = self._house.home.blobs

        def told(state: Run, given: Literals) -> str:
            inputs = read_literals(given, blobs)
            outputs = read_literals(state.outputs, blobs)
            said = run_json(summary, state, inputs, outputs, story=False, progress=progress)
            waiting = [waiting_json(node) for node in state.waiting]
            return dump({**said, "url": self._house.page_of(summary.id), "waiting": waiting}, indent=None)

        async with self._folding:
            tree = self._trees.kept(summary.id)
            if tree is not None:
                # A page of it is open: it is folded as far as it has got then.
                await tree.look(tree.seq)
                text = await tree.read(lambda state: told(state, tree.given))
            else:
                # Programs ask for one run after another: they must not take the trees of pages away.
                events = await self._store.events(summary.id)
                given = getattr(events[0], "inputs", {})
                text = await asyncio.to_thread(lambda: told(Run.replay(events, keep_story=False), given))
        return Response(text.encode("utf-8", "backslashreplace"), media_type="application/json")

    async def follow_run(self, request: Request) -> Response:
        """The events of a run, from the first or from after `Last-Event-ID`, until its end."""
        asked = query(request, EventsQuery)
        summary = await self._store.summary(request.path_params["run"])
        if asked.form == "end":
            return sse.stream(exact.end_alone(self._house, summary.id))
        if asked.form == "exact":
            last = request.headers.get("last-event-id", "").strip()
            return sse.stream(exact.everything(self._house, summary.id, *(exact.place_of(last) if last else (0, 0))))
        after = last_event(request)
        if after is None:
            after = 0
        elif summary.phase.terminal and not await self._store.events(summary.id, after=after):
            # What tells an EventSource to stay away.
            return Response(status_code=204)
        return sse.stream(self._happenings(summary.id, after))

    async def _happenings(self, run: str, seq: int) -> AsyncIterator[str]:
        with self._house.feed.following(run) as changed:
            async for look in sse.changes(changed):
                if not look:
                    yield sse.STILL_HERE
                    continue
                # The phase first: what was written before the end is there when the end is.
                phase = (await self._store.summary(run)).phase
                for event in await self._store.events(run, after=seq):
                    seq += 1
                    yield sse.message(str(event.__struct_config__.tag), _event_text(seq, event), str(seq))
                if phase.terminal:
                    yield exact.end(run, phase)
                    return
                if self._house.feed.closed:
                    return

    async def get_logs(self, request: Request) -> Response:
        """What was written; as a stream for who accepts `text/event-stream`."""
        asked = query(request, LogQuery)
        summary = await self._store.summary(request.path_params["run"])
        if sse.MEDIA_TYPE in request.headers.get("accept", ""):
            after = last_event(request)
            return sse.stream(self._lines(summary.id, asked.node, asked.after if after is None else after))
        found = await self._store.logs(summary.id, path=asked.node, after=asked.after, limit=asked.limit)
        return answer({"lines": [_line(chunk) for chunk in found], "next": found[-1].id if found else asked.after})

    async def _lines(self, run: str, node: str, after: int) -> AsyncIterator[str]:
        with self._house.feed.following(run) as changed:
            async for look in sse.changes(changed):
                if not look:
                    yield sse.STILL_HERE
                    continue
                phase = (await self._store.summary(run)).phase
                while chunks := await self._store.logs(run, path=node, after=after, limit=_LOG_PAGE):
                    for chunk in chunks:
                        after = chunk.id
                        yield sse.message("line", dump(_line(chunk), indent=None), str(after))
                if phase.terminal:
                    yield exact.end(run, phase)
                    return
                if self._house.feed.closed:
                    return

    async def get_decks(self, request: Request) -> Response:
        """What the attempts of a run show."""
        asked = query(request, DeckQuery)
        summary = await self._store.summary(request.path_params["run"])
        decks = await self._store.decks(summary.id, path=asked.node)
        return answer(await asyncio.to_thread(lambda: [self._deck(one, asked.html) for one in decks]))

    def _deck(self, update: DeckUpdate, whole: bool) -> dict[str, Any]:
        return {
            "node": update.attempt.path,
            "attempt": update.attempt.number,
            "name": update.name,
            "at": iso_moment(update.at),
            "html": deck_html(update, self._house.home.blobs) if whole else "",
            "page": self._deck_page(update),
        }

    def _deck_page(self, update: DeckUpdate) -> str:
        attempt = update.attempt
        path = quote(f"/decks/{attempt.run}/{attempt.number}/{deck_digest(update.name)}/{attempt.path}", safe="/")
        access = self._house.access
        # What is written later has another address, so that browsers show it.
        return f"{path}?{f'at={update.at}' if access is None else access.signer.query('GET', path, Signed())}"

    # --- doing -------------------------------------------------------------------------------------------------------

    async def abort_run(self, request: Request) -> Response:
        """End a run for good; what has to clean up does so first."""
        asked = await body(request, Abort)
        summary = await self._store.summary(request.path_params["run"])
        if summary.phase.terminal:
            raise RunNotResumable(f"run {summary.id} has ended already ({summary.phase.value})")
        await self._house.plane.abort(summary.id, asked.reason)
        return answer({"run": summary.id}, 202)

    async def approve_gate(self, request: Request) -> Response:
        """Say yes at a gate."""
        asked = await body(request, Answer)
        return await self._answered(request, asked.gate, lambda gate: _verdict(gate, True), asked.by, asked.reason)

    async def reject_gate(self, request: Request) -> Response:
        """Say no at a gate."""
        asked = await body(request, Answer)
        return await self._answered(request, asked.gate, lambda gate: _verdict(gate, False), asked.by, asked.reason)

    async def signal_gate(self, request: Request) -> Response:
        """Give a gate the value that it waits for."""
        asked = await body(request, Signal)
        return await self._answered(request, asked.gate, lambda gate: _value(gate, asked.value), asked.by, "")

    async def _answered(self, request: Request, gate: str, read: Read, by: str, reason: str) -> Response:
        summary = await self._store.summary(request.path_params["run"])
        now = self._house.clock.now()
        run = await as_it_will_be(self._store, summary, now)
        value: Literal = write_literals({"o0": read(known_gate(run, gate))}, self._house.home.blobs)["o0"]
        # Whoever is known answers as who they are.
        said = SignalReceived(gate, value, principal_of(request) or by, now, os.urandom(8).hex(), reason)
        run.handle(said)
        if refusal := run.refusal(said.id):
            before = answered_before(run, gate)
            raise InputInvalid(f"run {summary.id}: {refusal}" + (f"; {before}" if before else ""))
        # Safe in the inbox, and taken from there at once: an answer outlives the server.
        await self._store.send(summary.id, SIGNAL, signal_text(said), now)
        await self._house.plane.look()
        return answer({"run": summary.id}, 202)


def last_event(request: Request) -> int | None:
    """What a client says that it heard last of a stream, ``None`` when it is new. Raises ``InputInvalid``."""
    text = request.headers.get("last-event-id", "").strip()
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) < 19):
        raise InputInvalid(f"Last-Event-ID {text[:40]!r}: it is the id of an event of this stream")
    return int(text)


def _event_text(seq: int, event: Event) -> str:
    said = msgspec.to_builtins(event)
    for name in _HEAVY:
        said.pop(name, None)
    return dump({"seq": seq, **_finite(said)}, indent=None)


def _finite(value: Any) -> Any:
    """JSON has no numbers for the infinities and NaN; they are strings, as in the values of a run."""
    if isinstance(value, float):
        return value if math.isfinite(value) else {math.inf: "Infinity", -math.inf: "-Infinity"}.get(value, "NaN")
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    return [_finite(item) for item in value] if isinstance(value, list | tuple) else value


def _line(chunk: LogLine) -> dict[str, Any]:
    return {
        "id": chunk.id,
        "node": chunk.attempt.path,
        "attempt": chunk.attempt.number,
        "stream": chunk.stream,
        "level": chunk.level,
        "at": iso_moment(chunk.at),
        "text": chunk.text,
    }


def _verdict(gate: Gate, yes: bool) -> Literal:
    if gate.kind is not GateKind.APPROVE:
        raise InputInvalid(f"it waits for {describe(gate.wanted)}, not for an approval: send a signal")
    return BoolLiteral(yes)


def _value(gate: Gate, value: Any) -> Literal:
    if isinstance(gate.wanted, BlobType | DatasetType):
        # A path would be one of the server's: whoever is over there cannot mean it.
        raise InputInvalid(f"it takes {describe(gate.wanted)}, which REST cannot bring: use `whimbrel signal`")
    try:
        return from_json(value, gate.wanted)
    except ValueMismatch as error:
        raise InputInvalid(f"it takes {describe(gate.wanted)}: {error}") from None
