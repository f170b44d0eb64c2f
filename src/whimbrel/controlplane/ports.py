"""What the control plane needs of the world, as Protocols. Implementations live in stores/ and executors/; all of a
kind share a contract suite."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Protocol

from msgspec import Struct

from whimbrel.model.attempt import Cancel, DeckUpdate, Deliver, Launch, Progress, Report
from whimbrel.model.commands import CacheKey
from whimbrel.model.events import Event
from whimbrel.model.literals import Literals
from whimbrel.model.registered import Entity, EntityHead, EntityId, EntityKind, EntityQuery, Filter, HeadQuery
from whimbrel.model.run import AttemptId, Phase, RunPage, RunPages, RunQuery, RunSummary
from whimbrel.model.scheduled import Firing, Mark, PlanName


class Clock(Protocol):
    """Wall-clock time."""

    def now(self) -> float:
        """Seconds since the epoch."""
        ...


class Ids(Protocol):
    """A source of new names."""

    def new_run_id(self) -> str:
        """A new run id: lower-case letters and digits, starting with a letter, at most 20 characters."""
        ...


class RunStore(Protocol):
    """Runs and their event logs. A method returns when what it did is on disk."""

    async def create(self, summary: RunSummary, events: Sequence[Event]) -> None:
        """Add a run with its first events (seq 1, 2, …). ``summary.epoch`` is its first epoch. Raises ``StoreError``
        if the id is taken."""
        ...

    async def claim(self, run: str, owner: str) -> RunSummary:
        """Take the run over: its epoch goes up by one, in one compare-and-set. Raises ``EntityNotFound``."""
        ...

    async def append(
        self,
        run: str,
        epoch: int,
        first: int,
        events: Sequence[Event],
        summary: RunSummary | None = None,
        answered: Sequence[int] = (),
    ) -> None:
        """Append events as seq ``first``, ``first+1``, …, replace the summary if one is given, and remove from the
        run's inbox the requests ``answered`` (by id), as what they asked for is among the events: one transaction.

        Raises ``Fenced`` when the run's epoch is not ``epoch`` or ``first`` is not the next seq; nothing is written
        then. Raises ``StoreFull`` when the disk is full.
        """
        ...

    async def events(self, run: str, after: int = 0) -> list[Event]:
        """The events with seq > ``after``, in order. Raises ``EntityNotFound``."""
        ...

    async def summary(self, run: str) -> RunSummary:
        """Raises ``EntityNotFound``."""
        ...

    async def summaries(self, *, limit: int = 100, before: str = "", phases: Sequence[Phase] = ()) -> list[RunSummary]:
        """Newest first; ``before`` is the id of the run that the last page ended with; no ``phases`` means all."""
        ...

    async def find_runs(self, query: RunQuery) -> RunPage:
        """One page. Costs no more when there are more runs. Raises ``EntityNotFound`` when there is no run
        ``query.before``."""
        ...

    async def run_pages(self, query: RunQuery) -> RunPages:
        """Where the pages of a list end, of ``query.limit`` runs each, after the run ``query.before``. Looks at a
        bounded number of runs. Raises ``EntityNotFound`` when there is no run ``query.before``."""
        ...

    async def executions(self, query: EntityQuery, filters: Sequence[Filter] = ()) -> list[RunSummary]:
        """One page of the runs that are executions (they are in a project). ``filters`` are on ``RUN_FIELDS`` and tags.
        Raises ``ValueError`` for any other field."""
        ...

    async def phase_counts(self) -> dict[Phase, int]:
        """How many runs are in each phase; phases without any are left out."""
        ...

    async def parked(self, *, limit: int = 100_000) -> list[RunSummary]:
        """The runs whose ``wake_at`` is not 0.0, the earliest first."""
        ...


class CachedOutputs(Struct, frozen=True):
    """A row of the cache."""

    outputs: Literals
    run: str
    path: str
    at: float


class CacheStore(Protocol):
    """Outputs by content."""

    async def cached(self, key: CacheKey) -> CachedOutputs | None:
        """The outputs under ``key``."""
        ...

    async def why_not(self, key: CacheKey) -> str:
        """One sentence on why there is nothing under ``key``: another version, other inputs (which), another
        interface, or never run."""
        ...

    async def put_cached(self, key: CacheKey, row: CachedOutputs) -> None:
        """Keep a row; the newest wins. Ends the reservation of ``key``."""
        ...

    async def clear_cache(self) -> int:
        """Take every row out; how many there were. Reservations stay: who computes goes on."""
        ...

    async def reserve(self, key: CacheKey, holder: str, until: float, now: float) -> bool:
        """Whether ``holder`` now has the right to compute ``key``: nobody has, or theirs ended at a time before
        ``now``, or it is the holder's already."""
        ...

    async def release(self, key: CacheKey, holder: str) -> None:
        """Give the reservation up, if the holder has it."""
        ...


class LogLine(Struct, frozen=True):
    """A chunk of what an attempt wrote."""

    id: int
    attempt: AttemptId
    stream: str
    text: str
    at: float
    level: str = ""


class LogStore(Protocol):
    """What attempts wrote. Writing never waits: it rides the next group commit."""

    def log_nowait(self, attempt: AttemptId, stream: str, text: str, at: float, level: str = "") -> None:
        """Keep a chunk."""
        ...

    async def logs(self, run: str, *, path: str = "", after: int = 0, limit: int = 10_000) -> list[LogLine]:
        """Chunks of the run, or of one node of it and what is below, with id > ``after``, in order of writing."""
        ...


class ShowStore(Protocol):
    """What attempts show of themselves: decks, and how far they are. Writing never waits: it rides the next group
    commit. What was shown before an attempt failed, or was lost, stays."""

    def deck_nowait(self, update: DeckUpdate) -> None:
        """Keep a deck in the place of its earlier versions."""
        ...

    async def decks(self, run: str, *, path: str = "") -> list[DeckUpdate]:
        """The decks of the run, or of one node of it and what is below, by path, attempt and place."""
        ...

    async def decked(self, run: str) -> list[str]:
        """The paths of the nodes of the run that have decks, in order."""
        ...

    def progress_nowait(self, progress: Progress) -> None:
        """Keep how far an attempt is, in the place of what it said before."""
        ...

    async def progress(self, run: str) -> list[Progress]:
        """What each attempt of the run said last, by path and attempt."""
        ...


class Request(Struct, frozen=True):
    """A line of an inbox. ``id`` is never given twice by a store."""

    id: int
    request: str
    detail: str
    at: float


class Inbox(Protocol):
    """Requests from other processes to the owner of a run, such as an abort or the answer to a gate.

    A request stays until the events that it led to are appended (``RunStore.append``): it is neither lost nor carried
    out twice, whoever dies when.
    """

    async def send(self, run: str, request: str, detail: str, at: float) -> None:
        """Leave a request."""
        ...

    async def addressed(self) -> list[str]:
        """The runs that requests are waiting for. One question for all runs: parked ones may be many."""
        ...

    async def requests(self, run: str) -> list[Request]:
        """The requests that wait for ``run``, oldest first."""
        ...

    async def dismiss(self, run: str, ids: Sequence[int]) -> None:
        """Remove requests that nothing can come of."""
        ...


class EntityStore(Protocol):
    """What was registered. A method returns when what it did is on disk."""

    async def add_entity(self, entity: Entity) -> Entity:
        """Keep ``entity`` unless its id is taken; what is kept under it now."""
        ...

    async def add_entities(self, entities: Sequence[Entity], *, sole: str = "", others: str = "") -> bool:
        """Keep all of ``entities``, or none where an id of one is taken; whether they were kept. Of those that have the
        state ``sole`` no other version may have it: those get ``others``. One transaction."""
        ...

    async def put_entity(self, entity: Entity) -> None:
        """Keep ``entity`` in the place of what is kept under its id."""
        ...

    async def drop_entity(self, id: EntityId) -> bool:
        """Forget what is kept under ``id``; whether there was anything. For what people set, not for what was
        registered."""
        ...

    async def entity(self, id: EntityId) -> Entity | None:
        """What is kept under ``id``."""
        ...

    async def entities(self, query: EntityQuery) -> list[Entity]:
        """One page. Equal ones are in the order of their ids, so that pages neither repeat nor miss any. Raises
        ``ValueError`` for a field that is not one of ``FIELDS``."""
        ...

    async def entity_heads(self, query: HeadQuery) -> list[EntityHead]:
        """One page of names, in order, each with its newest version."""
        ...

    async def entity_names(
        self, kind: EntityKind, project: str, domain: str, *, limit: int = 100, offset: int = 0
    ) -> list[str]:
        """The names of entities, each once, in order; "" for ``project`` or ``domain`` is any."""
        ...

    async def set_entity_state(self, id: EntityId, state: str, at: float, *, alone: str = "") -> bool:
        """Give ``id`` that state; whether it is there. With ``alone``, other versions that have ``state`` get that one,
        in the same transaction: at most one version has ``state`` then."""
        ...


class ScheduleStore(Protocol):
    """How far schedules are decided, and what they fired. A method returns when what it did is on disk."""

    async def mark(self, plan: PlanName) -> Mark | None:
        """How far ``plan`` is decided."""
        ...

    async def decide(self, before: Mark | None, mark: Mark, firings: Sequence[Firing] = ()) -> bool:
        """Replace the mark ``before`` (``None``: there is none yet) by ``mark``, and keep ``firings``, in one
        transaction; whether it was done. It is not where the mark is another one by now.

        A firing takes the place of one that was not ``FIRED``, and never that of one that was.
        """
        ...

    async def keep_firing(self, firing: Firing) -> None:
        """Keep one that no mark knows of: a backfill's."""
        ...

    async def firings(self, plan: PlanName, *, limit: int = 100, before: float = math.inf) -> list[Firing]:
        """What came of the due times before ``before``, the latest first."""
        ...


class Store(RunStore, CacheStore, LogStore, ShowStore, Inbox, Protocol):
    """Everything that a control plane keeps."""


class Executor(Protocol):
    """Runs attempts. Called from the event loop's thread only; ``report`` is called there too.

    An attempt ends with exactly one of ``Succeeded``, ``AttemptFault``, ``Lost``, also after ``cancel``; an eager one
    may end with ``Parked``.
    """

    async def start(self, report: Callable[[Report], None]) -> None:
        """Be ready to launch; may start workers in the background."""
        ...

    def launch(self, launch: Launch) -> None:
        """Run an attempt as soon as there is room. Eager attempts never wait for room."""
        ...

    def cancel(self, cancel: Cancel) -> None:
        """Stop an attempt; unknown ones are ignored."""
        ...

    def deliver(self, deliver: Deliver) -> None:
        """Hand journal entries to an eager attempt, even in the turn that launches it; unknown ones are ignored."""
        ...

    def running(self) -> frozenset[AttemptId]:
        """The attempts that were launched and have not ended."""
        ...

    async def close(self) -> None:
        """Stop everything and report nothing more."""
        ...
