"""The store in SQL: implements every port of the control plane over one database.

Knows: the ports, the statements by name, the writer. Must not know: which database, what events mean, the clock.

Writes go through the one writer and return when they are durable. Reads run on connections of their own, in a few
threads, and see every write that has returned.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

import msgspec

from whimbrel.controlplane.ports import CachedOutputs, LogLine, Request
from whimbrel.errors import StoreError, WhimbrelError
from whimbrel.model.attempt import DeckUpdate, Progress
from whimbrel.model.codec import decoder, digest, encode
from whimbrel.model.commands import CacheKey
from whimbrel.model.events import Event
from whimbrel.model.literals import Literals
from whimbrel.model.run import AttemptId, Phase, RunSummary
from whimbrel.stores.misses import CANDIDATES, Candidate, why_not
from whimbrel.stores.refusals import fenced, no_run, taken
from whimbrel.stores.sql.access import SqlAccess
from whimbrel.stores.sql.database import Connection, Cursor, Database, Parameters
from whimbrel.stores.sql.entities import SqlEntities
from whimbrel.stores.sql.revision import OURS, Migrations
from whimbrel.stores.sql.run_lists import SqlRunLists, label_rows, origin_row, read_summary
from whimbrel.stores.sql.schedules import SqlSchedules
from whimbrel.stores.sql.sqlite import SqliteDatabase
from whimbrel.stores.sql.writer import RIDER_DELAY, Writer
from whimbrel.stores.utf8 import encodable

T = TypeVar("T")

Rider = tuple[str, Parameters]
"""What nobody waits for: which table, and the row."""

# Readers at a time. Lists, logs and replays are short; more would only contend for the interpreter.
READERS = 4

_events = decoder(Event)
_literals = decoder(Literals)
_inputs = msgspec.json.Decoder(dict[str, str])


class SqlStore(SqlRunLists, SqlEntities, SqlAccess, SqlSchedules):
    """Implements every port of the control plane's store. Any event loop may use it.

    Opening another store on the same database, in this process or another, is allowed: runs are fenced by their epochs.
    """

    def __init__(self, database: Database, *, log_delay: float = RIDER_DELAY) -> None:
        self._database = database
        self._sql = database.texts
        self._writer: Writer[Rider] = Writer(database, self._carry, rider_delay=log_delay)
        self._pool: ThreadPoolExecutor | None = None
        self._reader = threading.local()
        self._readers: list[Connection] = []
        self._closed = False
        self.watch_commits: Callable[[float], None] | None = None
        """Hears of every write how many seconds it took until it was durable, the wait for its turn included."""

    @classmethod
    def open(cls, path: Path, *, owner: bool = True, migrations: Migrations = OURS) -> SqlStore:
        """The store in the SQLite file ``path``. See ``SqliteDatabase.open``."""
        return cls(SqliteDatabase.open(path, owner=owner, migrations=migrations))

    def close(self) -> None:
        """Write what is queued, and let go. Raises ``StoreError`` when the last logs could not be written."""
        self._closed = True
        if self._pool is not None:
            self._pool.shutdown(wait=True)
            self._pool = None
        for connection in self._readers:
            connection.close()
        self._readers.clear()
        # Last: the last connection to an SQLite file folds the log into it.
        self._writer.close()

    def check_integrity(self) -> list[str]:
        """Everything that a full check finds wrong; empty when all is well. Reads the whole database, blocking."""
        try:
            connection = self._database.connect(write=False)
            try:
                cursor = connection.cursor()
                found = self._database.damage(cursor)
                cursor.execute(self._sql.gaps)
                rows = cursor.fetchall()
            finally:
                connection.close()
        except Exception as error:
            return [str(self._database.explained(error))]
        return found + [f"run {run} should have {next_seq - 1} events, and has {n}" for run, next_seq, n in rows]

    # --- runs --------------------------------------------------------------------------------------------------

    async def create(self, summary: RunSummary, events: Sequence[Event]) -> None:
        """See ``RunStore``."""
        row = {**_stated(summary), "id": summary.id, "epoch": summary.epoch, "next_seq": len(events) + 1}
        row |= {"created_at": summary.created_at, **origin_row(summary.origin)}
        labels = label_rows(summary)
        rows = _event_rows(summary.id, 1, events)
        sql = self._sql

        def work(cursor: Cursor) -> None:
            cursor.execute(sql.add_run, row)
            if cursor.rowcount != 1:
                raise taken(summary.id)
            cursor.executemany(sql.add_event, rows)
            if labels:
                cursor.executemany(sql.add_label, labels)

        await self._write(work)

    async def claim(self, run: str, owner: str) -> RunSummary:
        """See ``RunStore``."""
        sql = self._sql

        def work(cursor: Cursor) -> RunSummary:
            cursor.execute(sql.claim_run, {"run": run, "owner": owner})
            if cursor.rowcount != 1:
                raise no_run(run)
            cursor.execute(sql.summary, {"run": run})
            return read_summary(cursor.fetchone())

        return await self._write(work)

    async def append(
        self,
        run: str,
        epoch: int,
        first: int,
        events: Sequence[Event],
        summary: RunSummary | None = None,
        answered: Sequence[int] = (),
    ) -> None:
        """See ``RunStore``."""
        rows = _event_rows(run, first, events)
        fence: dict[str, Any] = {"run": run, "at_epoch": epoch, "first": first, "next": first + len(rows)}
        sql = self._sql
        advance = sql.advance_run
        if summary is not None:
            advance = sql.advance_run_and_summary
            fence |= _stated(summary)

        def work(cursor: Cursor) -> None:
            cursor.execute(advance, fence)
            if cursor.rowcount != 1:
                cursor.execute(sql.fence, {"run": run})
                row = cursor.fetchone()
                raise no_run(run) if row is None else fenced(run, epoch, first, *row)
            if len(rows) == 1:
                cursor.execute(sql.add_event, rows[0])
            else:
                cursor.executemany(sql.add_event, rows)
            if answered:
                cursor.executemany(sql.drop_request, [{"run": run, "id": id} for id in answered])

        await self._write(work)

    async def events(self, run: str, after: int = 0) -> list[Event]:
        """See ``RunStore``."""

        def work(cursor: Cursor) -> list[Event]:
            cursor.execute(self._sql.events, {"run": run, "after": after})
            found = [_events.decode(payload) for (payload,) in cursor.fetchall()]
            if not found:
                self._must_exist(cursor, run)
            return found

        return await self._read(work)

    async def summary(self, run: str) -> RunSummary:
        """See ``RunStore``."""

        def work(cursor: Cursor) -> RunSummary:
            cursor.execute(self._sql.summary, {"run": run})
            row = cursor.fetchone()
            if row is None:
                raise no_run(run)
            return read_summary(row)

        return await self._read(work)

    async def summaries(self, *, limit: int = 100, before: str = "", phases: Sequence[Phase] = ()) -> list[RunSummary]:
        """See ``RunStore``. Raises ``EntityNotFound`` when there is no run ``before``."""
        sql = self._sql

        def work(cursor: Cursor) -> list[RunSummary]:
            page: dict[str, Any] = {"limit": max(limit, 0)}
            if before:
                cursor.execute(sql.summary, {"run": before})
                last = cursor.fetchone()
                if last is None:
                    raise no_run(before)
                page |= {"before": before, "created_at": read_summary(last).created_at}
            if not phases:
                cursor.execute(sql.newest_before if before else sql.newest, page)
                return [read_summary(row) for row in cursor.fetchall()]
            # A walk of an index for each phase, and the newest of all: a rare phase is found without reading every run.
            found: list[RunSummary] = []
            for phase in dict.fromkeys(phases):
                statement = sql.newest_of_phase_before if before else sql.newest_of_phase
                cursor.execute(statement, {**page, "phase": phase.value})
                found += [read_summary(row) for row in cursor.fetchall()]
            found.sort(key=lambda summary: (summary.created_at, summary.id), reverse=True)
            return found[: page["limit"]]

        return await self._read(work)

    async def phase_counts(self) -> dict[Phase, int]:
        """See ``RunStore``. Reads an index, no rows."""

        def work(cursor: Cursor) -> dict[Phase, int]:
            cursor.execute(self._sql.phase_counts, {})
            return {Phase(phase): count for phase, count in cursor.fetchall()}

        return await self._read(work)

    async def parked(self, *, limit: int = 100_000) -> list[RunSummary]:
        """See ``RunStore``."""

        def work(cursor: Cursor) -> list[RunSummary]:
            cursor.execute(self._sql.parked, {"limit": max(limit, 0)})
            return [read_summary(row) for row in cursor.fetchall()]

        return await self._read(work)

    # --- cache -------------------------------------------------------------------------------------------------

    async def cached(self, key: CacheKey) -> CachedOutputs | None:
        """See ``CacheStore``."""

        def work(cursor: Cursor) -> CachedOutputs | None:
            cursor.execute(self._sql.cached, {"key": digest(key)})
            row = cursor.fetchone()
            return None if row is None else CachedOutputs(_literals.decode(row[0]), *row[1:])

        return await self._read(work)

    async def why_not(self, key: CacheKey) -> str:
        """See ``CacheStore``."""
        wanted = {"task": key.task, "version": key.version, "interface": key.interface, "limit": CANDIDATES}

        def work(cursor: Cursor) -> str:
            cursor.execute(self._sql.candidates, wanted)
            rows = [
                Candidate(CacheKey(key.task, version, interface, _inputs.decode(inputs)), run, path)
                for version, interface, inputs, run, path in cursor.fetchall()
            ]
            return why_not(key, rows)

        return await self._read(work)

    async def put_cached(self, key: CacheKey, row: CachedOutputs) -> None:
        """See ``CacheStore``."""
        values = {
            "key": digest(key),
            "task": key.task,
            "version": key.version,
            "interface": key.interface,
            "inputs": msgspec.json.encode(key.inputs).decode(),
            "outputs": encode(row.outputs),
            "run": row.run,
            "path": row.path,
            "at": row.at,
        }
        sql = self._sql

        def work(cursor: Cursor) -> None:
            cursor.execute(sql.drop_older, {"key": values["key"], "at": row.at})
            cursor.execute(sql.add_cached, values)
            cursor.execute(sql.end_reservation, {"key": values["key"]})

        await self._write(work)

    async def clear_cache(self) -> int:
        """See ``CacheStore``."""

        def work(cursor: Cursor) -> int:
            cursor.execute(self._sql.clear_cache)
            return cursor.rowcount

        return await self._write(work)

    async def reserve(self, key: CacheKey, holder: str, until: float, now: float) -> bool:
        """See ``CacheStore``."""
        values = {"key": digest(key), "holder": holder}
        sql = self._sql

        def work(cursor: Cursor) -> bool:
            cursor.execute(sql.extend_reservation, {**values, "new_until": until, "now": now})
            if cursor.rowcount != 1:
                cursor.execute(sql.add_reservation, {**values, "until": until})
            return cursor.rowcount == 1

        return await self._write(work)

    async def release(self, key: CacheKey, holder: str) -> None:
        """See ``CacheStore``."""
        values = {"key": digest(key), "holder": holder}

        def work(cursor: Cursor) -> None:
            cursor.execute(self._sql.release, values)

        await self._write(work)

    # --- logs --------------------------------------------------------------------------------------------------

    def log_nowait(self, attempt: AttemptId, stream: str, text: str, at: float, level: str = "") -> None:
        """See ``LogStore``. Lone surrogates are kept as escapes."""
        row = {**_named(attempt), "stream": stream, "text": encodable(text), "at": at, "level": level}
        self._writer.ride(("log", row))

    async def logs(self, run: str, *, path: str = "", after: int = 0, limit: int = 10_000) -> list[LogLine]:
        """See ``LogStore``. Chunks that were kept before the call are among them."""
        await self._settle_riders()
        wanted: dict[str, Any] = {"run": run, "after": after, "limit": max(limit, 0)}
        statement = self._sql.logs
        if path:
            statement = self._sql.logs_below
            wanted |= _below(path)

        def work(cursor: Cursor) -> list[LogLine]:
            cursor.execute(statement, wanted)
            return [
                LogLine(id, AttemptId(run, node, number), stream, text, at, level)
                for id, run, node, number, stream, text, at, level in cursor.fetchall()
            ]

        return await self._read(work)

    # --- shows -------------------------------------------------------------------------------------------------

    def deck_nowait(self, update: DeckUpdate) -> None:
        """See ``ShowStore``. Lone surrogates are kept as escapes."""
        row = {
            **_named(update.attempt),
            "name": encodable(update.name),
            "place": update.place,
            "html": encodable(update.html),
            "uri": update.uri,
            "at": update.at,
        }
        self._writer.ride(("deck", row))

    async def decks(self, run: str, *, path: str = "") -> list[DeckUpdate]:
        """See ``ShowStore``. Those that were kept before the call are among them."""
        await self._settle_riders()
        statement, wanted = (self._sql.decks_below, _below(path)) if path else (self._sql.decks, {})

        def work(cursor: Cursor) -> list[DeckUpdate]:
            cursor.execute(statement, {"run": run, **wanted})
            return [
                DeckUpdate(AttemptId(run, node, number), name, place, html, at, uri)
                for run, node, number, name, place, html, uri, at in cursor.fetchall()
            ]

        return await self._read(work)

    async def decked(self, run: str) -> list[str]:
        """See ``ShowStore``."""
        await self._settle_riders()

        def work(cursor: Cursor) -> list[str]:
            cursor.execute(self._sql.decked, {"run": run})
            return [path for (path,) in cursor.fetchall()]

        return await self._read(work)

    def progress_nowait(self, progress: Progress) -> None:
        """See ``ShowStore``. Lone surrogates are kept as escapes."""
        row = {
            **_named(progress.attempt),
            "done": progress.done,
            "total": progress.total,
            "message": encodable(progress.message),
            "at": progress.at,
        }
        self._writer.ride(("progress", row))

    async def progress(self, run: str) -> list[Progress]:
        """See ``ShowStore``. What was kept before the call is among it."""
        await self._settle_riders()

        def work(cursor: Cursor) -> list[Progress]:
            cursor.execute(self._sql.progress, {"run": run})
            return [Progress(AttemptId(run, node, number), *said) for run, node, number, *said in cursor.fetchall()]

        return await self._read(work)

    # --- riders ------------------------------------------------------------------------------------------------

    async def _settle_riders(self) -> None:
        if self._writer.has_riders:
            # On a disk that takes nothing, what it took before can still be read.
            with suppress(StoreError):
                await self._writer.submit(_nothing)

    def _carry(self, cursor: Cursor, riders: Sequence[Rider]) -> None:
        sql = self._sql
        logs = [row for kind, row in riders if kind == "log"]
        if logs:
            cursor.executemany(sql.add_log, logs)
        # Only the newest version of each: an attempt may have said a hundred since the last commit.
        decks = {(*_whose(row), row["name"]): row for kind, row in riders if kind == "deck"}
        for row in decks.values():
            cursor.execute(sql.drop_deck, {**_key_of(row), "name": row["name"]})
            cursor.execute(sql.add_deck, row)
        progress = {_whose(row): row for kind, row in riders if kind == "progress"}
        for row in progress.values():
            cursor.execute(sql.drop_progress, _key_of(row))
            cursor.execute(sql.add_progress, row)

    # --- inbox -------------------------------------------------------------------------------------------------

    async def send(self, run: str, request: str, detail: str, at: float) -> None:
        """See ``Inbox``. Raises ``EntityNotFound``."""
        row = {"run": run, "request": request, "detail": detail, "at": at}

        def work(cursor: Cursor) -> None:
            cursor.execute(self._sql.send, row)
            if cursor.rowcount != 1:
                raise no_run(run)

        await self._write(work)

    async def addressed(self) -> list[str]:
        """See ``Inbox``."""

        def work(cursor: Cursor) -> list[str]:
            cursor.execute(self._sql.addressed, {})
            return [run for (run,) in cursor.fetchall()]

        return await self._read(work)

    async def requests(self, run: str) -> list[Request]:
        """See ``Inbox``."""

        def work(cursor: Cursor) -> list[Request]:
            cursor.execute(self._sql.requests, {"run": run})
            return [Request(*row) for row in cursor.fetchall()]

        return await self._read(work)

    async def dismiss(self, run: str, ids: Sequence[int]) -> None:
        """See ``Inbox``."""
        rows = [{"run": run, "id": id} for id in ids]

        def work(cursor: Cursor) -> None:
            cursor.executemany(self._sql.drop_request, rows)

        await self._write(work)

    # --- writing and reading -----------------------------------------------------------------------------------

    async def _write(self, work: Callable[[Cursor], T]) -> T:
        begun = time.perf_counter()
        try:
            written = await self._writer.submit(work)
            if self.watch_commits is not None:
                self.watch_commits(time.perf_counter() - begun)
            return written
        except asyncio.CancelledError:
            # The caller may ask at once what is there: wait until that is decided. Jobs are carried out in order.
            with suppress(StoreError):
                await self._writer.submit(_nothing)
            raise

    async def _read(self, work: Callable[[Cursor], T]) -> T:
        if self._closed:
            raise StoreError("the store is closed")
        if self._pool is None:
            self._pool = ThreadPoolExecutor(READERS, thread_name_prefix="whimbrel-reader")
        return await asyncio.get_running_loop().run_in_executor(self._pool, self._read_here, work)

    def _read_here(self, work: Callable[[Cursor], T]) -> T:
        try:
            cursor: Cursor | None = getattr(self._reader, "cursor", None)
            if cursor is None:
                connection = self._database.connect(write=False)
                self._readers.append(connection)
                cursor = self._reader.cursor = connection.cursor()
            return work(cursor)
        except WhimbrelError:
            raise
        except Exception as error:
            raise self._database.explained(error) from error

    def _must_exist(self, cursor: Cursor, run: str) -> None:
        cursor.execute(self._sql.run_exists, {"run": run})
        if cursor.fetchone() is None:
            raise no_run(run)


def _nothing(cursor: Cursor) -> None:
    """A job to wait for: when it is done, so is all that was queued before it."""


def _named(attempt: AttemptId) -> dict[str, Any]:
    return {"run": attempt.run, "path": attempt.path, "number": attempt.number}


def _whose(row: Parameters) -> tuple[Any, ...]:
    return row["run"], row["path"], row["number"]


def _key_of(row: Parameters) -> dict[str, Any]:
    return {name: row[name] for name in ("run", "path", "number")}


def _below(path: str) -> dict[str, Any]:
    return {"path": path, "below": f"{path}/", "length": len(path) + 1}


def _event_rows(run: str, first: int, events: Sequence[Event]) -> list[dict[str, Any]]:
    return [
        {"run": run, "seq": seq, "kind": event.__struct_config__.tag, "at": event.at, "payload": encode(event)}
        for seq, event in enumerate(events, first)
    ]


def _stated(summary: RunSummary) -> dict[str, Any]:
    return {
        "entity": summary.entity,
        "phase": summary.phase.value,
        "started_at": summary.started_at,
        "ended_at": summary.ended_at,
        "owner": summary.owner,
        "source": summary.source,
        "message": summary.message,
        "wake_at": summary.wake_at,
        "waiting": summary.waiting,
        "nodes": summary.nodes,
        "done": summary.done,
        "short": summary.entity.rpartition(".")[2],
        "search": summary.searched,
    }
