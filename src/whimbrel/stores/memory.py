"""The store in memory: the twin of the SQL store, for tests and for runs that need not outlive their process.

Knows: the ports. Must not know: disk, threads, SQL. It keeps frozen nouns as they are; nothing is copied.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

import msgspec

from whimbrel.controlplane.ports import CachedOutputs, LogLine, Request
from whimbrel.model.attempt import DeckUpdate, Progress
from whimbrel.model.codec import digest
from whimbrel.model.commands import CacheKey
from whimbrel.model.events import Event
from whimbrel.model.run import AttemptId, Phase, RunSummary
from whimbrel.stores.memory_access import MemoryAccess
from whimbrel.stores.memory_entities import MemoryEntities
from whimbrel.stores.memory_runs import MemoryRunLists, newness
from whimbrel.stores.memory_schedules import MemorySchedules
from whimbrel.stores.misses import CANDIDATES, Candidate, why_not
from whimbrel.stores.refusals import fenced, no_run, taken
from whimbrel.stores.utf8 import encodable


class _Run:
    __slots__ = ("events", "inbox", "summary")

    def __init__(self, summary: RunSummary, events: Sequence[Event]) -> None:
        self.summary = summary
        self.events = list(events)
        self.inbox: list[Request] = []


class MemoryStore(MemoryRunLists, MemoryEntities, MemoryAccess, MemorySchedules):
    """Implements every port of the control plane's store. Belongs to one event loop at a time."""

    def __init__(self) -> None:
        super().__init__()
        self._runs: dict[str, _Run] = {}
        self._cache: dict[str, tuple[CacheKey, CachedOutputs]] = {}
        self._reservations: dict[str, tuple[str, float]] = {}
        self._logs: dict[str, list[LogLine]] = {}
        self._last_log = 0
        self._decks: dict[tuple[AttemptId, str], DeckUpdate] = {}
        self._progress: dict[AttemptId, Progress] = {}
        self._last_request = 0

    # --- runs --------------------------------------------------------------------------------------------------

    async def create(self, summary: RunSummary, events: Sequence[Event]) -> None:
        """Add a run with its first events."""
        if summary.id in self._runs:
            raise taken(summary.id)
        self._runs[summary.id] = _Run(summary, events)

    async def claim(self, run: str, owner: str) -> RunSummary:
        """Take the run over."""
        row = self._row(run)
        row.summary = msgspec.structs.replace(row.summary, epoch=row.summary.epoch + 1, owner=owner)
        return row.summary

    async def append(
        self,
        run: str,
        epoch: int,
        first: int,
        events: Sequence[Event],
        summary: RunSummary | None = None,
        answered: Sequence[int] = (),
    ) -> None:
        """Append events, replace the summary and remove requests, if the run's epoch and next seq are the caller's."""
        row = self._row(run)
        if epoch != row.summary.epoch or first != len(row.events) + 1:
            raise fenced(run, epoch, first, row.summary.epoch, row.summary.owner, len(row.events) + 1)
        row.events.extend(events)
        if answered:
            row.inbox = [request for request in row.inbox if request.id not in answered]
        if summary is not None:
            kept = row.summary
            row.summary = msgspec.structs.replace(
                summary, id=run, epoch=epoch, created_at=kept.created_at, origin=kept.origin
            )

    async def events(self, run: str, after: int = 0) -> list[Event]:
        """The events with seq > ``after``."""
        return self._row(run).events[max(after, 0) :]

    async def summary(self, run: str) -> RunSummary:
        """The run's row."""
        return self._row(run).summary

    async def summaries(self, *, limit: int = 100, before: str = "", phases: Sequence[Phase] = ()) -> list[RunSummary]:
        """Newest first. Raises ``EntityNotFound`` when there is no run ``before``."""
        rows = sorted((row.summary for row in self._runs.values()), key=newness, reverse=True)
        if before:
            last = newness(self._row(before).summary)
            rows = [row for row in rows if newness(row) < last]
        return [row for row in rows if not phases or row.phase in phases][: max(limit, 0)]

    async def phase_counts(self) -> dict[Phase, int]:
        """How many runs are in each phase."""
        return dict(Counter(row.summary.phase for row in self._runs.values()))

    async def parked(self, *, limit: int = 100_000) -> list[RunSummary]:
        """Those with a ``wake_at``, the earliest first."""
        rows = [row.summary for row in self._runs.values() if row.summary.wake_at > 0.0]
        return sorted(rows, key=lambda row: (row.wake_at, row.id))[: max(limit, 0)]

    # --- cache -------------------------------------------------------------------------------------------------

    async def cached(self, key: CacheKey) -> CachedOutputs | None:
        """The row under ``key``."""
        found = self._cache.get(digest(key))
        return found[1] if found else None

    async def why_not(self, key: CacheKey) -> str:
        """One sentence on why there is nothing under ``key``."""
        rows = [(there, row) for there, row in self._cache.values() if there.task == key.task]
        rows.sort(
            key=lambda pair: (pair[0].version == key.version, pair[0].interface == key.interface, pair[1].at),
            reverse=True,
        )
        return why_not(key, (Candidate(there, row.run, row.path) for there, row in rows[:CANDIDATES]))

    async def put_cached(self, key: CacheKey, row: CachedOutputs) -> None:
        """Keep a row, unless a newer one is there; end the reservation."""
        there = self._cache.get(digest(key))
        if there is None or there[1].at <= row.at:
            self._cache[digest(key)] = (key, row)
        self._reservations.pop(digest(key), None)

    async def clear_cache(self) -> int:
        """Take every row out; how many there were."""
        count = len(self._cache)
        self._cache.clear()
        return count

    async def reserve(self, key: CacheKey, holder: str, until: float, now: float) -> bool:
        """Whether ``holder`` may compute ``key``."""
        there = self._reservations.get(digest(key))
        if there is not None and there[0] != holder and there[1] >= now:
            return False
        self._reservations[digest(key)] = (holder, until)
        return True

    async def release(self, key: CacheKey, holder: str) -> None:
        """Give the reservation up."""
        there = self._reservations.get(digest(key))
        if there is not None and there[0] == holder:
            del self._reservations[digest(key)]

    # --- logs --------------------------------------------------------------------------------------------------

    def log_nowait(self, attempt: AttemptId, stream: str, text: str, at: float, level: str = "") -> None:
        """Keep a chunk. Lone surrogates are kept as escapes."""
        self._last_log += 1
        line = LogLine(self._last_log, attempt, stream, encodable(text), at, level)
        self._logs.setdefault(attempt.run, []).append(line)

    async def logs(self, run: str, *, path: str = "", after: int = 0, limit: int = 10_000) -> list[LogLine]:
        """Chunks with id > ``after``, of ``path`` and what is below."""
        found = [line for line in self._logs.get(run, ()) if line.id > after and _is_below(line.attempt.path, path)]
        return found[: max(limit, 0)]

    # --- shows -------------------------------------------------------------------------------------------------

    def deck_nowait(self, update: DeckUpdate) -> None:
        """Keep a deck. Lone surrogates are kept as escapes."""
        update = msgspec.structs.replace(update, name=encodable(update.name), html=encodable(update.html))
        self._decks[update.attempt, update.name] = update

    async def decks(self, run: str, *, path: str = "") -> list[DeckUpdate]:
        """The decks of the run, or of ``path`` and what is below."""
        found = [
            deck for deck in self._decks.values() if deck.attempt.run == run and _is_below(deck.attempt.path, path)
        ]
        return sorted(found, key=lambda deck: (deck.attempt, deck.place, deck.name))

    async def decked(self, run: str) -> list[str]:
        """The paths of the nodes of the run that have decks."""
        return sorted({deck.attempt.path for deck in self._decks.values() if deck.attempt.run == run})

    def progress_nowait(self, progress: Progress) -> None:
        """Keep how far an attempt is. Lone surrogates are kept as escapes."""
        self._progress[progress.attempt] = msgspec.structs.replace(progress, message=encodable(progress.message))

    async def progress(self, run: str) -> list[Progress]:
        """What each attempt of the run said last."""
        return sorted((said for said in self._progress.values() if said.attempt.run == run), key=lambda s: s.attempt)

    # --- inbox -------------------------------------------------------------------------------------------------

    async def send(self, run: str, request: str, detail: str, at: float) -> None:
        """Leave a request. Raises ``EntityNotFound``."""
        inbox = self._row(run).inbox
        self._last_request += 1
        inbox.append(Request(self._last_request, request, detail, at))

    async def addressed(self) -> list[str]:
        """The runs that have requests."""
        return sorted(run for run, row in self._runs.items() if row.inbox)

    async def requests(self, run: str) -> list[Request]:
        """The requests for ``run``."""
        row = self._runs.get(run)
        return [] if row is None else list(row.inbox)

    async def dismiss(self, run: str, ids: Sequence[int]) -> None:
        """Remove requests."""
        row = self._runs.get(run)
        if row is not None:
            row.inbox = [request for request in row.inbox if request.id not in ids]

    # --- life --------------------------------------------------------------------------------------------------

    def check_integrity(self) -> list[str]:
        """Memory has no bad sectors: always empty."""
        return []

    def close(self) -> None:
        """Nothing to let go of; what was kept stays readable."""

    def _summaries(self) -> Iterable[RunSummary]:
        return [row.summary for row in self._runs.values()]

    def _row(self, run: str) -> _Run:
        row = self._runs.get(run)
        if row is None:
            raise no_run(run)
        return row


def _is_below(path: str, of: str) -> bool:
    return not of or path == of or path.startswith(f"{of}/")
