"""Runs of a server: looking at them, following them, and doing something to them.

Knows: REST's paths and structs, streams. Must not know: how runs are launched.
"""

from __future__ import annotations

import asyncio
import base64
import datetime as dt
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import aclosing
from typing import Any, TypeAlias
from urllib.parse import quote

import msgspec

from whimbrel.client.connection import Connection
from whimbrel.client.executions import Execution
from whimbrel.client.following import END, follow
from whimbrel.client.transport import V1
from whimbrel.client.values import Values, files_in
from whimbrel.errors import InputInvalid
from whimbrel.model import codec
from whimbrel.model.attempt import LogChunk, Progress
from whimbrel.model.events import Event
from whimbrel.model.run import Phase
from whimbrel.types.registry import default_registry
from whimbrel.wire.literal_json import to_json
from whimbrel.wire.rest.launching import Data
from whimbrel.wire.rest.registering import MSGPACK
from whimbrel.wire.rest.runs import Abort, Accepted, Answer, Deck, Detail, Line, Lines, Page, Row, Signal

RunLike: TypeAlias = "Execution | str"
"""A run: what ``execute`` gave, or its id."""
_PAGE = 100

_exact = codec.decoder(Event | LogChunk | Progress)


class Runs(Connection):
    """See the module."""

    async def run(self, run: str, *, nodes: bool = False) -> Execution:
        """A run by its id. Raises ``EntityNotFound``."""
        return await self.sync(Execution(run), nodes=nodes)

    async def sync(self, execution: RunLike, *, nodes: bool = True) -> Execution:
        """The run as it is now: its phase, its values, and with ``nodes`` everything in it."""
        found = Execution(execution) if isinstance(execution, str) else execution
        detail = await self.detail(found)
        if nodes:
            found.tell_detail(detail)
        else:
            found.tell_row(detail)
            found.waiting = list(detail.waiting)
        await self._values(found)
        return found

    async def detail(self, run: RunLike) -> Detail:
        """All that a server says of a run, for programs."""
        found: Detail = (await self.transport.send("GET", run_path(run))).read(Detail)
        return found

    async def _values(self, execution: Execution) -> None:
        data = await self.data(execution)
        blobs = self.blobs
        inputs = Values(data.inputs, blobs)
        outputs = None if data.outputs is None else Values(data.outputs, blobs, execution.decoders)
        execution.tell_values(inputs, outputs if execution.is_successful else None, data.failure)

    async def data(self, run: RunLike, node: str = "") -> Data:
        """The exact values of a run, or of a node of it."""
        answer = await self.transport.send("GET", f"{run_path(run)}/data", params={"node": node}, accept=MSGPACK)
        found: Data = answer.read(Data)
        return found

    async def node_values(self, run: RunLike, node: str) -> tuple[Values, Values | None]:
        """The inputs and outputs of a node, lazily."""
        data = await self.data(run, node)
        return Values(data.inputs, self.blobs), None if data.outputs is None else Values(data.outputs, self.blobs)

    async def wait(self, run: RunLike, *, timeout: float | None = None) -> Execution:
        """Wait for the end of a run, by its event stream. Raises ``TimeoutError`` after ``timeout`` seconds; the run
        goes on then. That it failed is told by the execution: see ``outputs``, ``failure``, ``raise_for_failure``."""
        execution = Execution(run) if isinstance(run, str) else run
        try:
            async with asyncio.timeout(timeout):
                ended = await self._end_of(execution)
        except TimeoutError:
            raise TimeoutError(f"run {execution.run} has not ended after {timeout:g} s; it goes on") from None
        if not ended:
            return await self.sync(execution, nodes=False)
        await self._values(execution)
        return execution

    async def _end_of(self, execution: Execution) -> bool:
        messages = follow(self.transport, f"{run_path(execution)}/events", params={"form": "end"})
        async with aclosing(messages):
            async for message in messages:
                if message.name == END:
                    execution.tell_end(msgspec.json.decode(message.data, type=Row))
                    return True
        return False

    async def events(self, run: RunLike, *, after: int = 0) -> AsyncIterator[dict[str, Any]]:
        """What happens in a run, as JSON values with their ``seq``, from the first or from behind ``after``, until its
        end. A server that is started again in between is no end: nothing is lost, nothing comes twice."""
        messages = follow(self.transport, f"{run_path(run)}/events", after=str(after) if after else "")
        async with aclosing(messages):
            async for message in messages:
                yield {"event": message.name, **msgspec.json.decode(message.data)}

    async def exact_events(
        self,
        run: RunLike,
        *,
        live: bool = True,
        lost: Callable[[Exception | None], None] | None = None,
        now: Callable[[], None] | None = None,
    ) -> AsyncIterator[Event | LogChunk | Progress]:
        """The log of a run to the bit, with what its tasks write and how far they say that they are: what the engine
        folds to the state of the run. Until its end; without ``live`` only what there is now. ``lost`` is told when the
        server went away, which is waited for, ``now`` where what there was ends and what comes begins."""
        messages = follow(self.transport, f"{run_path(run)}/events", params={"form": "exact"}, lost=lost)
        async with aclosing(messages):
            async for message in messages:
                if message.name == "exact":
                    yield _exact.decode(base64.b64decode(message.data))
                elif message.name == "now":
                    if not live:
                        return
                    if now is not None:
                        now()

    async def logs(
        self, run: RunLike, *, node: str = "", follow_on: bool = False, after: int = 0
    ) -> AsyncIterator[Line]:
        """What the tasks of a run wrote, chunk by chunk; with ``follow_on`` until the run has ended."""
        path = f"{run_path(run)}/logs"
        if follow_on:
            messages = follow(self.transport, path, params={"node": node}, after=str(after) if after else "")
            async with aclosing(messages):
                async for message in messages:
                    if message.name == "line":
                        yield msgspec.json.decode(message.data, type=Line)
            return
        while True:
            asked = {"node": node, "after": after}
            page: Lines = (await self.transport.send("GET", path, params=asked)).read(Lines)
            for line in page.lines:
                yield line
            if not page.lines:
                return
            after = page.next

    async def decks(self, run: RunLike, *, node: str = "") -> list[Deck]:
        """What the tasks of a run show of themselves, as HTML."""
        answer = await self.transport.send("GET", f"{run_path(run)}/decks", params={"node": node})
        found: list[Deck] = answer.read(list[Deck])
        return found

    async def recent(
        self,
        *,
        limit: int = 20,
        phases: Sequence[Phase | str] = (),
        entity: str = "",
        text: str = "",
        label: str = "",
        since: dt.datetime | str = "",
        until: dt.datetime | str = "",
        project: str | None = None,
        domain: str | None = None,
        everywhere: bool = False,
    ) -> list[Execution]:
        """Runs, the newest first: of the project and domain that are meant, or ``everywhere``."""
        asked = {
            **self._filters(phases, entity, text, label, project, domain, everywhere),
            "since": since.isoformat() if isinstance(since, dt.datetime) else since,
            "until": until.isoformat() if isinstance(until, dt.datetime) else until,
        }
        found: list[Execution] = []
        cursor = ""
        while len(found) < limit:
            page: Page = (
                await self.transport.send(
                    "GET", f"{V1}/runs", params={**asked, "cursor": cursor, "limit": min(_PAGE, limit - len(found))}
                )
            ).read(Page)
            found += [self.row(row) for row in page.runs]
            if not page.next:
                break
            cursor = page.next
        return found

    def row(self, row: Row) -> Execution:
        """The execution of a line of a list."""
        execution = Execution(row.run)
        execution.tell_row(row)
        return execution

    async def watch(
        self,
        *,
        phases: Sequence[Phase | str] = (),
        entity: str = "",
        text: str = "",
        label: str = "",
        project: str | None = None,
        domain: str | None = None,
        everywhere: bool = False,
    ) -> AsyncIterator[Execution]:
        """Runs as they change, for as long as it is listened to: each as it is then, those that changed while the
        server was away too."""
        asked = self._filters(phases, entity, text, label, project, domain, everywhere)
        messages = follow(self.transport, f"{V1}/events", params=asked)
        async with aclosing(messages):
            async for message in messages:
                if message.name == "run":
                    yield self.row(msgspec.json.decode(message.data, type=Row))
                elif message.name == "reset":
                    # Away for too long: what there is now, the oldest first.
                    rows: Page = (await self.transport.send("GET", f"{V1}/runs", params=asked)).read(Page)
                    for row in reversed(rows.runs):
                        yield self.row(row)

    def _filters(
        self,
        phases: Sequence[Phase | str],
        entity: str,
        text: str,
        label: str,
        project: str | None,
        domain: str | None,
        everywhere: bool,
    ) -> dict[str, str]:
        return {
            "phase": ",".join(str(getattr(phase, "value", phase)) for phase in phases),
            "entity": entity,
            "text": text,
            "label": label,
            "project": "" if everywhere else project or self.project,
            "domain": "" if everywhere else domain or self.domain,
        }

    # --- doing something to a run ------------------------------------------------------------------------------------

    async def terminate(self, run: RunLike, reason: str = "") -> None:
        """End a run for good; what has to clean up does so first."""
        said = Abort(reason) if reason else Abort()
        await self.transport.send("POST", f"{run_path(run)}/abort", json=said)

    async def approve(self, run: RunLike, gate: str, *, by: str = "", reason: str = "") -> None:
        """Say yes at a gate."""
        await self._answered(run, "approve", Answer(gate, by, reason))

    async def reject(self, run: RunLike, gate: str, *, by: str = "", reason: str = "") -> None:
        """Say no at a gate."""
        await self._answered(run, "reject", Answer(gate, by, reason))

    async def signal(self, run: RunLike, gate: str, value: Any, *, by: str = "") -> None:
        """Give a gate the value that it waits for."""
        await self._answered(run, "signal", Signal(gate, await asyncio.to_thread(self._as_json, value), by))

    async def _answered(self, run: RunLike, verb: str, said: Answer | Signal) -> None:
        (await self.transport.send("POST", f"{run_path(run)}/{verb}", json=said)).read(Accepted)

    def _as_json(self, value: Any) -> Any:
        if value is None or isinstance(value, bool | int | float | str | list | dict):
            return value
        with files_in(self.blobs):
            return to_json(default_registry().transformer(type(value)).encode(value))


def run_path(run: RunLike) -> str:
    """Where a run is in REST. Raises ``InputInvalid`` for no name at all."""
    id = run if isinstance(run, str) else run.run
    if not id:
        raise InputInvalid("a run is named by its id, which is empty here. Give one.")
    return f"{V1}/runs/{quote(id, safe='')}"
