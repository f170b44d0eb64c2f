"""What happens in a run to the bit, for clients that draw it as this machine would, and the mere end of it for those
that only wait.

An exact message is the base64 of the msgpack of an event, of a chunk of a log or of a report of progress, in the order
in which they came to be known. Its id has the places in the log of events and in that of output, ``12-345``.

Knows: the house, the format of the streams. Must not know: what clients do with them.
"""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator

from whimbrel.controlplane.describing import summary_json
from whimbrel.errors import InputInvalid
from whimbrel.model import codec
from whimbrel.model.attempt import LogChunk, Progress
from whimbrel.model.events import Event
from whimbrel.model.run import Phase
from whimbrel.server.house import House
from whimbrel.server.http import sse
from whimbrel.wire.literal_json import dump

_PAGE = 1000
_DIGITS = 18


def place_of(last_event: str) -> tuple[int, int]:
    """Where an exact stream goes on. Raises ``InputInvalid``."""
    events, dash, logs = last_event.partition("-")
    if not dash or not all(part.isascii() and part.isdigit() and len(part) <= _DIGITS for part in (events, logs)):
        raise InputInvalid(f"Last-Event-ID {last_event[:40]!r}: it is the id of an event of this stream")
    return int(events), int(logs)


async def everything(house: House, run: str, seq: int, line: int) -> AsyncIterator[str]:
    """The messages of ``run`` behind the event ``seq`` and the chunk of output ``line``, until its end. Where what
    there is ends, and what comes begins, ``now`` is said."""
    store = house.home.store
    told: dict[tuple[str, int], float] = {}
    caught_up = False
    with house.feed.following(run) as changed:
        async for look in sse.changes(changed):
            if not look:
                yield sse.STILL_HERE
                continue
            # The phase first: what was written before the end is there when the end is.
            phase = (await store.summary(run)).phase
            for event in await store.events(run, after=seq):
                seq += 1
                yield _message(event, f"{seq}-{line}")
            while chunks := await store.logs(run, after=line, limit=_PAGE):
                for chunk in chunks:
                    line = chunk.id
                    said = LogChunk(chunk.attempt, chunk.stream, chunk.text, chunk.at, chunk.level)
                    yield _message(said, f"{seq}-{line}")
            for progress in await store.progress(run):
                key = (progress.attempt.path, progress.attempt.number)
                if told.get(key) != progress.at:
                    told[key] = progress.at
                    # Without an id: it is the latest of its kind, whatever was told before.
                    yield _message(progress, "")
            if phase.terminal:
                yield end(run, phase)
                return
            if not caught_up:
                caught_up = True
                yield sse.message("now", "{}")
            if house.feed.closed:
                return


async def end_alone(house: House, run: str) -> AsyncIterator[str]:
    """Nothing but the end of ``run``, with its row."""
    with house.feed.following(run) as changed:
        async for look in sse.changes(changed):
            if not look:
                yield sse.STILL_HERE
                continue
            if house.plane.goes_on(run) and not house.feed.closed:
                # Most looks: the store need not be asked.
                continue
            summary = await house.home.store.summary(run)
            if summary.phase.terminal:
                yield sse.message("end", dump(summary_json(summary), indent=None))
                return
            if house.feed.closed:
                return


def end(run: str, phase: Phase) -> str:
    """The message that no other follows."""
    return sse.message("end", dump({"run": run, "phase": phase.value}, indent=None))


def _message(said: Event | LogChunk | Progress, id: str) -> str:
    return sse.message("exact", base64.b64encode(codec.encode(said)).decode("ascii"), id)
