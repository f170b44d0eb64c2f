"""A store that kills its user at the n-th write: the tool of the crash-at-every-write laws.

Knows: the ports. Must not know: which store is inside; it works over memory and SQLite alike.

A crash *before* a write loses the write. A crash *after* it is the harder one: the write is durable, and the caller
never learns. From the crash on every call raises ``SimulatedCrash``, as nothing runs in a process that is dead;
continue with the inner store, as a new process would.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from whimbrel.controlplane.ports import CachedOutputs, LogLine, Request, Store
from whimbrel.model.attempt import DeckUpdate, Progress
from whimbrel.model.commands import CacheKey
from whimbrel.model.events import Event
from whimbrel.model.registered import EntityQuery, Filter
from whimbrel.model.run import AttemptId, Phase, RunPage, RunPages, RunQuery, RunSummary

T = TypeVar("T")

# Not `send`, which is for others to do, nor `dismiss`: when an owner looks depends on time, and the count must not.
COUNTED = frozenset(
    {
        *("append", "claim", "create", "put_cached", "release", "reserve"),
        *("add_entity", "put_entity", "drop_entity", "set_entity_state", "decide", "keep_firing"),
    }
)


class SimulatedCrash(BaseException):
    """The process died here. Derives from ``BaseException``: no handler for errors may survive a death."""


class CrashingStore:
    """``inner``, until write number ``at`` (from 1); 0 means never, to count the writes of a run in ``writes``.

    ``before`` says on which side of that write the process dies. ``counted`` names the verbs that are numbered.
    """

    def __init__(self, inner: Store, at: int = 0, *, before: bool = True, counted: frozenset[str] = COUNTED) -> None:
        self.inner = inner
        self.writes = 0
        self.crashed = False
        self._at = at
        self._before = before
        self._counted = counted

    async def _write(self, verb: str, carry_out: Callable[[], Awaitable[T]]) -> T:
        self._live()
        if verb not in self._counted:
            return await carry_out()
        self.writes += 1
        # The number is this write's own: others may begin while it is under way.
        fatal = self.writes == self._at
        if fatal and self._before:
            self._die(verb)
        result = await carry_out()
        if fatal:
            self._die(verb)
        self._live()
        return result

    def _live(self) -> None:
        if self.crashed:
            raise SimulatedCrash("the process is dead already")

    def _die(self, verb: str) -> None:
        self.crashed = True
        side = "before" if self._before else "after"
        raise SimulatedCrash(f"{side} write {self._at}, a {verb}")

    # --- runs --------------------------------------------------------------------------------------------------

    async def create(self, summary: RunSummary, events: Sequence[Event]) -> None:
        """See ``RunStore``."""
        await self._write("create", lambda: self.inner.create(summary, events))

    async def claim(self, run: str, owner: str) -> RunSummary:
        """See ``RunStore``."""
        return await self._write("claim", lambda: self.inner.claim(run, owner))

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
        await self._write("append", lambda: self.inner.append(run, epoch, first, events, summary, answered))

    async def events(self, run: str, after: int = 0) -> list[Event]:
        """See ``RunStore``."""
        self._live()
        return await self.inner.events(run, after)

    async def summary(self, run: str) -> RunSummary:
        """See ``RunStore``."""
        self._live()
        return await self.inner.summary(run)

    async def summaries(self, *, limit: int = 100, before: str = "", phases: Sequence[Phase] = ()) -> list[RunSummary]:
        """See ``RunStore``."""
        self._live()
        return await self.inner.summaries(limit=limit, before=before, phases=phases)

    async def find_runs(self, query: RunQuery) -> RunPage:
        """See ``RunStore``."""
        self._live()
        return await self.inner.find_runs(query)

    async def run_pages(self, query: RunQuery) -> RunPages:
        """See ``RunStore``."""
        self._live()
        return await self.inner.run_pages(query)

    async def executions(self, query: EntityQuery, filters: Sequence[Filter] = ()) -> list[RunSummary]:
        """See ``RunStore``."""
        self._live()
        return await self.inner.executions(query, filters)

    async def phase_counts(self) -> dict[Phase, int]:
        """See ``RunStore``."""
        self._live()
        return await self.inner.phase_counts()

    async def parked(self, *, limit: int = 100_000) -> list[RunSummary]:
        """See ``RunStore``."""
        self._live()
        return await self.inner.parked(limit=limit)

    # --- cache -------------------------------------------------------------------------------------------------

    async def cached(self, key: CacheKey) -> CachedOutputs | None:
        """See ``CacheStore``."""
        self._live()
        return await self.inner.cached(key)

    async def why_not(self, key: CacheKey) -> str:
        """See ``CacheStore``."""
        self._live()
        return await self.inner.why_not(key)

    async def put_cached(self, key: CacheKey, row: CachedOutputs) -> None:
        """See ``CacheStore``."""
        await self._write("put_cached", lambda: self.inner.put_cached(key, row))

    async def clear_cache(self) -> int:
        """See ``CacheStore``."""
        return await self._write("clear_cache", self.inner.clear_cache)

    async def reserve(self, key: CacheKey, holder: str, until: float, now: float) -> bool:
        """See ``CacheStore``."""
        return await self._write("reserve", lambda: self.inner.reserve(key, holder, until, now))

    async def release(self, key: CacheKey, holder: str) -> None:
        """See ``CacheStore``."""
        await self._write("release", lambda: self.inner.release(key, holder))

    # --- logs, shows and inbox ---------------------------------------------------------------------------------

    def log_nowait(self, attempt: AttemptId, stream: str, text: str, at: float, level: str = "") -> None:
        """See ``LogStore``. Never counted: it rides another write."""
        self._live()
        self.inner.log_nowait(attempt, stream, text, at, level)

    async def logs(self, run: str, *, path: str = "", after: int = 0, limit: int = 10_000) -> list[LogLine]:
        """See ``LogStore``."""
        self._live()
        return await self.inner.logs(run, path=path, after=after, limit=limit)

    def deck_nowait(self, update: DeckUpdate) -> None:
        """See ``ShowStore``. Never counted."""
        self._live()
        self.inner.deck_nowait(update)

    async def decks(self, run: str, *, path: str = "") -> list[DeckUpdate]:
        """See ``ShowStore``."""
        self._live()
        return await self.inner.decks(run, path=path)

    def progress_nowait(self, progress: Progress) -> None:
        """See ``ShowStore``. Never counted."""
        self._live()
        self.inner.progress_nowait(progress)

    async def progress(self, run: str) -> list[Progress]:
        """See ``ShowStore``."""
        self._live()
        return await self.inner.progress(run)

    async def send(self, run: str, request: str, detail: str, at: float) -> None:
        """See ``Inbox``."""
        await self._write("send", lambda: self.inner.send(run, request, detail, at))

    async def addressed(self) -> list[str]:
        """See ``Inbox``."""
        self._live()
        return await self.inner.addressed()

    async def requests(self, run: str) -> list[Request]:
        """See ``Inbox``."""
        self._live()
        return await self.inner.requests(run)

    async def dismiss(self, run: str, ids: Sequence[int]) -> None:
        """See ``Inbox``."""
        await self._write("dismiss", lambda: self.inner.dismiss(run, ids))
