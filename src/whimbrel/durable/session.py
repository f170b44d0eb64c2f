"""One driver's memory of its eager workflow: who waits for what, what has been said, and what is delivered next.

A session lives in the thread of its event loop; only ``deliver`` and ``wake`` may be called from elsewhere. It moves
literals and outcomes, never Python values, and knows of entities only their names and digests.
"""

from __future__ import annotations

import asyncio
import heapq
import itertools
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Protocol

from msgspec import Struct

from whimbrel.durable.journal import Feed, Place, Record
from whimbrel.durable.loop import Delivery, EagerLoop
from whimbrel.durable.scope import Scope, trail_of
from whimbrel.errors import CallAborted, Parked
from whimbrel.model.attempt import (
    BeginCall,
    CancelCall,
    FinishCall,
    FireTimer,
    RecordValue,
    StartTimer,
)
from whimbrel.model.content import inputs_digest
from whimbrel.model.failure import Failure, Fault
from whimbrel.model.literals import Literal, Literals
from whimbrel.model.program import Metadata, Program, Target
from whimbrel.model.run import AttemptId, Done, Entry, EntryKind, Failed, Outcome, Reusable, choose


class Clock(Protocol):
    """Wall-clock time."""

    def __call__(self) -> float:
        """Seconds since the epoch."""
        ...


class CallRequest(Struct, frozen=True):
    """What an eager body wants done. ``define`` is asked for only when the call must be recorded."""

    entity: str
    inputs: Literals
    digest: str
    workflow: bool = False
    inline: bool = False
    metadata: Metadata = Metadata()
    line: str = ""
    target: Target | None = None
    """What is called, where that is no task or workflow by itself."""
    code: str = ""
    """The digest of the entity's code; only of calls that the driver runs itself, in a run that reuses outcomes."""


_FORGOTTEN_TIMERS = 50
"""How many cancelled timers may lie in the heap before it is looked at whether they are most of it."""


class _Timer:
    __slots__ = ("delivered", "due", "fire", "fired", "forgotten", "place")

    def __init__(self, place: Place, due: float, fire: Callable[[], None]) -> None:
        self.place = place
        self.due = due
        self.fire = fire
        self.fired = False
        self.delivered = False
        self.forgotten = False


class Session:
    """See the module. ``recorded`` is the journal so far: entries with an outcome in order of delivery, then those
    in flight.

    ``define`` gives the program of an entity by name, to be sent with its first call. ``reuse`` is what another run has
    for nested eager calls and drawn values; ``moved`` says that equal calls at other places may take it too.
    ``park_after``: see ``RunOptions``.
    """

    def __init__(
        self,
        *,
        attempt: AttemptId,
        recorded: Sequence[Entry],
        record: Record,
        define: Callable[[str], Program],
        clock: Clock,
        reuse: Sequence[Reusable] = (),
        moved: bool = False,
        park_after: float | None = None,
    ) -> None:
        self.attempt = attempt
        self._park_after = park_after
        self._received = 0
        self._inline: set[Place] = set()
        self._echoes: set[Place] = set()
        """Places that an entry is under way to, by what was recorded here."""
        self.clock = clock
        self._born = clock()
        self._feed = Feed(recorded)
        self._moved = moved
        self._drawn: dict[Place, Literal] = {}
        self._reusable: dict[tuple[str, str, str], dict[str, Reusable]] = {}
        self._answered: set[Place] = set()
        for row in reuse:
            if row.kind is EntryKind.CALL:
                self._reusable.setdefault((row.entity, row.code, row.inputs), {})[row.place] = row
            elif row.outputs is not None:
                self._drawn[row.parent, row.key] = row.outputs["o0"]
        self._record = record
        self._define = define
        self._loop: EagerLoop | None = None
        self._waiting: dict[Place, asyncio.Future[Outcome]] = {}
        self._closed: set[Place] = set()
        self._timers: dict[Place, _Timer] = {}
        self._timer_heap: list[tuple[float, int, _Timer]] = []
        self._forgotten = 0
        self._tiebreak = itertools.count()
        self._defined: set[str] = set()
        self._ended: str | None = None
        self.on_interrupt: Callable[[Failure], None] | None = None
        """Told, as one event among the others, that the body has to stop and may clean up."""

    # --- what the event loop asks

    def attach(self, loop: EagerLoop) -> None:
        """The loop that the body runs on."""
        self._loop = loop

    def deliver(self, entries: Sequence[Entry]) -> None:
        """Entries have become durable. From any thread."""
        self._feed.append(entries)
        # Counted after they are there: who reads the number first, and then finds the feed empty, has had so many.
        self._received += len(entries)
        self.wake()

    def wake(self) -> None:
        """Let an idle loop look again. From any thread."""
        # It may close at any moment: whoever drove it has parked, or has ended.
        if self._loop is not None:
            with suppress(RuntimeError):
                self._loop.call_soon_threadsafe(_nothing)

    def deliver_one(self, patient: bool) -> Delivery:
        """``Source``: hand one event to the program."""
        while (entry := self._feed.peek()) is not None:
            place = (entry.parent, entry.key)
            self._echoes.discard(place)
            if place in self._closed:
                self._feed.pop()
                self._closed.discard(place)
                continue
            if entry.kind is EntryKind.ABORT:
                if patient and self._feed.replaying:
                    return "held"
                self._feed.pop()
                assert isinstance(entry.outcome, Failed)
                # Clean-up has a deadline; it is no time to leave.
                self._park_after = None
                if self.on_interrupt is not None:
                    self.on_interrupt(entry.outcome.failure)
                return "delivered"
            future = self._waiting.get(place)
            if future is not None:
                self._feed.pop()
                del self._waiting[place]
                if future.done():
                    continue
                assert entry.outcome is not None
                future.set_result(entry.outcome)
                return "delivered"
            timer = self._timers.get(place)
            if timer is not None:
                self._feed.pop()
                del self._timers[place]
                if timer.forgotten:
                    continue
                timer.delivered = True
                timer.fire()
                return "delivered"
            if entry.kind is EntryKind.VALUE:
                # Values are read where they are drawn; nobody waits for them.
                self._feed.pop()
                continue
            if patient:
                return "held"
            self._feed.pass_over()
        if patient and self._overdue():
            return "held"
        self._fire_due()
        return "nothing"

    def _overdue(self) -> bool:
        """Whether the next timer was due before this driver began: the work that it guards is being done again now,
        and may well end as it did."""
        due = self.timer_due()
        return due == 0.0 and self._timer_heap[0][0] <= self._born

    def timer_due(self) -> float | None:
        """``Source``: seconds until a durable timer is due."""
        while self._timer_heap and (self._timer_heap[0][2].fired or self._timer_heap[0][2].forgotten):
            heapq.heappop(self._timer_heap)
        return max(self._timer_heap[0][0] - self.clock(), 0.0) if self._timer_heap else None

    def park(self, idle: float) -> float | None:
        """``Source``: park when the program has waited for ``park_after`` seconds, or waits for a timer alone that is
        later than that; not when what it waits for is due sooner, nor when nothing would ever wake it."""
        after, received = self._park_after, self._received
        if after is None or self._ended is not None or self._echoes:
            return None
        if self._feed.peek() is not None:
            return 0.0
        calls = any(place not in self._inline for place in self._waiting)
        due = self.timer_due()
        if not calls and not self._timers:
            return None
        if due is not None and due <= after:
            return None
        if calls and idle < after:
            return after - idle
        raise Parking(received, self._timer_heap[0][0] if due is not None else 0.0)

    def _fire_due(self) -> None:
        while self.timer_due() == 0.0:
            timer = heapq.heappop(self._timer_heap)[2]
            timer.fired = True
            self._echoes.add(timer.place)
            self._record(FireTimer(self.attempt, *timer.place, self.clock()))

    # --- what the program does

    def code_has_changed(self) -> None:
        """The body's code is not what made the journal: what it does not come for may be grafted elsewhere."""
        self._feed.changed = True

    @property
    def replaying(self) -> bool:
        """Whether recorded outcomes are still to be delivered."""
        return self._feed.replaying > 0

    def unclaimed(self) -> list[Entry]:
        """Recorded calls that the program has not come to."""
        return self._feed.unclaimed()

    @property
    def diverged(self) -> bool:
        """Whether the program has gone another way than when it was recorded."""
        return self._feed.diverged

    def end(self, reason: str) -> None:
        """The run is being aborted: from now on every durable call raises ``CallAborted``, so that clean-up cannot
        wait for ever. Calls under way have failed."""
        self._ended = reason
        for future in self._waiting.values():
            if not future.done():
                future.set_result(Failed(Failure(Fault.ABORT, reason, recoverable=False)))
        self._waiting.clear()

    async def call(self, scope: Scope, key: str, request: CallRequest, trail: str = "") -> Outcome:
        """Make a call and wait for its durable outcome. ``trail`` is that of the scope in which it begins.

        For an inline call this is only the wait: see ``open`` and ``finish``. When the awaiting task is cancelled,
        so is the call.
        """
        place = (scope.parent, key)
        return await self.wait(place, self.open(scope, key, request, trail))

    def open(self, scope: Scope, key: str, request: CallRequest, trail: str = "") -> asyncio.Future[Outcome]:
        """Claim or begin the call at ``key``. Raises ``CallAborted`` after ``end``."""
        if self._ended is not None:
            raise CallAborted(f"{request.entity} was not called: {self._ended}")
        assert self._loop is not None
        place = (scope.parent, key)
        known = self._feed.known.get(place)
        replaces = False
        if known is not None and known.digest != request.digest:
            self._feed.displace(place)
            known, replaces = None, True
        future: asyncio.Future[Outcome] = self._loop.create_future()
        self._waiting[place] = future
        if request.inline:
            self._inline.add(place)
        self._closed.discard(place)
        if known is not None:
            self._feed.claim(place)
            return future
        grafted = self._feed.graft(scope.parent, key, request.digest)
        recovered = self._recovered(place, request) if grafted is None else None
        self._record(
            BeginCall(
                self.attempt,
                scope.parent,
                key,
                request.entity,
                request.workflow,
                request.inputs,
                request.digest,
                self.clock(),
                inline=request.inline,
                metadata=request.metadata,
                define=self._definition(request.entity),
                replaces=replaces,
                graft=grafted.path if grafted is not None else "",
                line=request.line,
                target=request.target,
                recover=recovered.origin if recovered is not None else "",
                group=trail if trail != trail_of(key) else "",
            )
        )
        if request.inline and grafted is not None:
            self._feed.known[place] = grafted
        elif recovered is not None:
            self._answered.add(place)
        return future

    def answered(self, scope: Scope, key: str) -> bool:
        """Whether the call at ``key`` has, or will be given, an outcome without anybody running it: it is recorded,
        grafted, or taken from another run."""
        if (scope.parent, key) in self._answered:
            return True
        known = self._feed.known.get((scope.parent, key))
        return known is not None and known.outcome is not None

    def finish(self, scope: Scope, key: str, outcome: Outcome) -> None:
        """An inline call has ended; its outcome is delivered once it is durable."""
        self._echoes.add((scope.parent, key))
        self._record(FinishCall(self.attempt, scope.parent, key, outcome, self.clock()))

    async def wait(self, place: Place, future: asyncio.Future[Outcome]) -> Outcome:
        """Wait for the outcome of an opened call; cancelled, cancel the call."""
        try:
            return await future
        except asyncio.CancelledError:
            self.cancel(place)
            raise

    def cancel(self, place: Place) -> None:
        """The program does not want this call any more: that is its outcome."""
        self._waiting.pop(place, None)
        self._closed.add(place)
        known = self._feed.known.get(place)
        if known is None or known.outcome is None:
            self._echoes.add(place)
            self._record(CancelCall(self.attempt, *place, self.clock()))

    def set_timer(self, scope: Scope, when: float, fire: Callable[[], None]) -> Callable[[], None] | None:
        """A timer of the program's, due at ``when`` in the loop's time. Returns how to cancel it.

        ``None`` after ``end``: nobody would deliver it, and clean-up that sleeps a moment would sleep for ever.
        """
        if self._ended is not None:
            return None
        assert self._loop is not None
        place = (scope.parent, scope.next_timer())
        known = self._feed.known.get(place)
        now = self.clock()
        due = now + (when - self._loop.time())
        if known is not None:
            # A clock that was set back since must not make anybody wait for longer than was asked.
            due = min(known.due, due)
        timer = _Timer(place, due, fire)
        self._timers[place] = timer
        if known is None:
            self._record(StartTimer(self.attempt, *place, due, now))
        if known is None or known.outcome is None:
            heapq.heappush(self._timer_heap, (due, next(self._tiebreak), timer))
        else:
            self._feed.claim(place)

        def forget() -> None:
            if timer.delivered:
                # `asyncio.sleep` cancels its timer when it is over.
                return
            timer.forgotten = True
            self._timers.pop(place, None)
            if timer.fired or (known is not None and known.outcome is not None):
                # Its entry is under way, or recorded: nobody waits for it any more.
                self._closed.add(place)
            self._sweep_timers()

        return forget

    def _sweep_timers(self) -> None:
        """Let go of timers that were cancelled long before they were due, as asyncio does: most time-outs are."""
        self._forgotten += 1
        if self._forgotten > _FORGOTTEN_TIMERS and 2 * self._forgotten > len(self._timer_heap):
            self._forgotten = 0
            self._timer_heap = [row for row in self._timer_heap if not row[2].forgotten]
            heapq.heapify(self._timer_heap)

    def draw(self, scope: Scope, make: Callable[[], Literal]) -> Literal:
        """A value that replays draw again."""
        place = (scope.parent, scope.next_value())
        known = self._feed.known.get(place)
        if known is not None and isinstance(known.outcome, Done):
            return known.outcome.outputs["o0"]
        drawn = self._drawn.get(place)
        value = make() if drawn is None else drawn
        self._echoes.add(place)
        self._record(RecordValue(self.attempt, *place, value, self.clock()))
        return value

    @property
    def reuses(self) -> bool:
        """Whether there are outcomes of another run that calls may take."""
        return bool(self._reusable)

    def _recovered(self, place: Place, request: CallRequest) -> Reusable | None:
        """The outcome for a nested eager call: of an equal call."""
        if not self._reusable or not request.inline or not request.code:
            return None
        content = (request.entity, request.code, inputs_digest(request.inputs, request.metadata.carried))
        rows = self._reusable.get(content, {})
        found = choose(rows, "/".join(place), moved=self._moved)
        if found is not None:
            del rows[found.place]
        return found

    def _definition(self, entity: str) -> Program | None:
        if entity in self._defined:
            return None
        self._defined.add(entity)
        return self._define(entity)


class Parking(Parked):
    """The driver leaves memory: what the control plane must know of it, as in the report."""

    def __init__(self, seen: int, wake_at: float) -> None:
        super().__init__(seen, wake_at)
        self.seen = seen
        self.wake_at = wake_at


def _nothing() -> None:
    """A callback that only ends an idle wait."""


def cancelled(message: str = "the program cancelled the call") -> Failed:
    """The outcome of a call that the program gave up."""
    return Failed(Failure(Fault.CANCELLED, message, recoverable=False))
