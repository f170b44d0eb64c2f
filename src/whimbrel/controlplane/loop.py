"""The loop of one run: events in, one transaction a step, then the commands out.

An event is handled by the engine at once, in memory. What it wants done waits until the events so far are on disk.
One exception, by rule: launching a call that an eager body has just begun. Its *scheduled* row may ride the next
commit (attempts are at least once anyway), which saves a commit a call; its
*finished* row is on disk before the body is told.

A run of which nothing is left but parked bodies and gates *rests*: ``drive`` returns, and nothing of the run stays in
memory.

If the store refuses a write (another owner, a full disk), the in-memory state is ahead of the disk and is thrown
away: ``drive`` raises, the run stays as the disk has it, and can be resumed.

Knows the engine and the ports. Must not know Python values, users' code, SQL or processes.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable

import msgspec

from whimbrel.controlplane.caching import CacheDesk
from whimbrel.controlplane.ports import Clock, Executor, RunStore
from whimbrel.engine.run import Run
from whimbrel.model.attempt import BeginCall, Cancel, Deliver, Launch, RecordValue, Started, StartTimer
from whimbrel.model.commands import Command, EndRun, LookUpCache, ReleaseCache, SetTimer, WriteCache
from whimbrel.model.events import Event, OwnerChanged
from whimbrel.model.run import Phase, RunSummary

RIDE = 0.01
"""How long events that nothing waits for may ride before they are written, in seconds: long enough to share the
commit of a quick task's outcome, short enough to look live."""

_RIDERS = (BeginCall, Started, StartTimer, RecordValue)


def _launches_what_begins(event: Event, command: Command) -> bool:
    """Whether the command launches the very call that the event begins, and not something that waited for events
    still unwritten."""
    return (
        isinstance(event, BeginCall)
        and isinstance(command, Launch)
        and command.attempt.path.startswith(f"{event.parent}/{event.key}")
    )


def wake_at(run: Run, now: float) -> float:
    """When the run must be woken, if it were to rest now; 0.0 if it must not."""
    patience = run.options.park_after
    if patience is None or run.phase.terminal:
        return 0.0
    until = run.parked_until()
    return until if until is not None and until - now > patience else 0.0


def stated(known: RunSummary, run: Run, now: float) -> RunSummary:
    """The row of a run as it is now; the one that is ``known``, where nothing has changed that is worth writing it
    anew. How many nodes have ended changes all the time, and is not."""
    message, wake, waiting = run.remark, wake_at(run, now), len(run.waiting)
    if (known.phase, known.started_at, known.ended_at, known.message, known.wake_at, known.waiting) == (
        run.phase,
        run.started_at,
        run.ended_at,
        message,
        wake,
        waiting,
    ):
        return known
    return msgspec.structs.replace(
        known,
        phase=run.phase,
        started_at=run.started_at,
        ended_at=run.ended_at,
        message=message,
        wake_at=wake,
        waiting=waiting,
        nodes=len(run.nodes),
        done=run.done,
    )


class RunLoop:
    """See the module. ``watch`` is called with each event once it is durable."""

    def __init__(
        self,
        run: Run,
        summary: RunSummary,
        *,
        store: RunStore,
        cache: CacheDesk,
        executor: Executor,
        clock: Clock,
        watch: Callable[[Run, Event], None] | None = None,
    ) -> None:
        self.run = run
        self.summary = summary
        self._store = store
        self._cache = cache
        self._executor = executor
        self._clock = clock
        self._watch = watch
        self._inbound: deque[tuple[Event, tuple[int, ...]]] = deque()
        self._handling = False
        self._unwritten: list[Event] = []
        self._asked: set[int] = set()
        """Requests that have become events."""
        self._answered: list[int] = []
        """Those of them that the inbox still has."""
        self._held: list[Command] = []
        self._written = run.seq
        self._wake = asyncio.Event()
        self._ride: asyncio.TimerHandle | None = None
        self._riding_since: float | None = None
        self._timers: set[asyncio.TimerHandle] = set()
        self._lookups: set[asyncio.Task[None]] = set()
        self._end: EndRun | None = None
        self._broken: BaseException | None = None
        self._stopping = False
        self.rests = False
        """Whether ``drive`` returned because the run only waits; ``summary.wake_at`` says until when."""

    # --- events in

    def post(self, event: Event, requests: tuple[int, ...] = ()) -> None:
        """Something has happened. Handled at once, unless an event is being handled; never raises (``drive`` does).

        ``requests`` are those that asked for it, by their ids: they leave the inbox as it is written. What was asked
        for by a request that has been here before has happened.
        """
        self._inbound.append((event, requests))
        if self._handling or self._broken is not None or self._stopping:
            return
        self._handling = True
        try:
            while self._inbound:
                self._handle(*self._inbound.popleft())
        except BaseException as error:
            self._broken = error
            self._wake.set()
        finally:
            self._handling = False

    def _handle(self, event: Event, requests: tuple[int, ...]) -> None:
        if requests:
            if self._asked.issuperset(requests):
                return
            self._asked.update(requests)
            self._answered.extend(requests)
        commands = self.run.handle(event)
        if isinstance(event, OwnerChanged):
            # A new owner asks for everything that is not answered, not only for what the change itself brings about.
            running = self._executor.running()
            commands = [
                command
                for command in self.run.outstanding()
                if not (isinstance(command, Launch) and command.attempt in running)
            ]
            # Launched by an event just before, and among what is asked for now.
            self._held = [command for command in self._held if not isinstance(command, Launch)]
        self._unwritten.append(event)
        for command in commands:
            if isinstance(command, SetTimer) or _launches_what_begins(event, command):
                self._carry_out(command)
            else:
                self._held.append(command)
        if self._held or not isinstance(event, _RIDERS):
            self._wake.set()
        elif self._riding_since is None:
            # The timer is left alone when the riders are gone: setting one for each step would cost more than looking.
            loop = asyncio.get_running_loop()
            self._riding_since = loop.time()
            if self._ride is None:
                self._ride = loop.call_at(self._riding_since + RIDE, self._ride_ends)

    def _ride_ends(self) -> None:
        self._ride = None
        if self._riding_since is None:
            return
        loop = asyncio.get_running_loop()
        due = self._riding_since + RIDE
        if loop.time() < due:
            self._ride = loop.call_at(due, self._ride_ends)
        else:
            self._wake.set()

    def hold(self, commands: list[Command]) -> None:
        """Carry these out once everything posted so far is durable."""
        self._held.extend(commands)
        self._wake.set()

    # --- commands out

    async def drive(self) -> EndRun | None:
        """Run until the run is over, or ``stop`` is called, or it rests (then ``None``). Raises what the store or the
        engine raised."""
        try:
            while self._end is None:
                await self._wake.wait()
                self._wake.clear()
                self._riding_since = None
                if self._broken is not None:
                    raise self._broken
                await self._step()
                self.rests = not self._stopping and self._may_rest()
                if self._stopping or self.rests:
                    return None
            return self._end
        finally:
            self._close()

    async def _step(self) -> None:
        events, commands, answered = self._unwritten, self._held, self._answered
        self._unwritten, self._held, self._answered = [], [], []
        if events:
            summary = self._summarise()
            await self._store.append(
                self.summary.id,
                self.summary.epoch,
                self._written + 1,
                events,
                summary if summary is not self.summary else None,
                answered,
            )
            self.summary = summary
            self._written += len(events)
            if self._watch is not None:
                for event in events:
                    self._watch(self.run, event)
        for command in commands:
            self._carry_out(command)

    def _carry_out(self, command: Command) -> None:
        match command:
            case Launch():
                self._executor.launch(msgspec.structs.replace(command, epoch=self.summary.epoch))
            case Deliver():
                self._executor.deliver(command)
            case Cancel():
                self._executor.cancel(command)
            case SetTimer():
                self._set_timer(command)
            case LookUpCache():
                self._later(self._look_up(command))
            case WriteCache():
                self._later(self._cache.write(self.summary.id, command, self._clock.now()))
            case ReleaseCache():
                self._later(self._cache.release(self.summary.id, command))
            case EndRun():
                self._end = command
                self._wake.set()

    def _set_timer(self, command: SetTimer) -> None:
        def ring() -> None:
            self._timers.discard(handle)
            self.post(msgspec.structs.replace(command.event, at=self._clock.now()))

        handle = asyncio.get_running_loop().call_later(max(command.due - self._clock.now(), 0.0), ring)
        self._timers.add(handle)

    async def _look_up(self, command: LookUpCache) -> None:
        self.post(await self._cache.look_up(self.summary.id, command, self._clock))

    def _later(self, work: object) -> None:
        task: asyncio.Task[None] = asyncio.ensure_future(work)  # type: ignore[call-overload]
        self._lookups.add(task)
        task.add_done_callback(self._done_later)

    def _done_later(self, task: asyncio.Task[None]) -> None:
        self._lookups.discard(task)
        if self.summary.wake_at and not self._lookups:
            self._wake.set()
        if not task.cancelled() and (error := task.exception()) is not None and self._broken is None:
            self._broken = error
            self._wake.set()

    def _summarise(self) -> RunSummary:
        return stated(self.summary, self.run, self._clock.now())

    def _wake_at(self) -> float:
        """When the run must be woken, if it were to rest now; 0.0 if it must not."""
        return wake_at(self.run, self._clock.now())

    def _may_rest(self) -> bool:
        """Whether the disk has everything, and nothing is under way."""
        busy = self._unwritten or self._held or self._inbound or self._lookups
        return self.summary.wake_at > 0.0 and not busy and self._wake_at() == self.summary.wake_at

    def stop(self) -> None:
        """Leave the run as it is: what is unwritten is written, nothing more is carried out, ``drive`` returns."""
        self._held.clear()
        self._stopping = True
        self._wake.set()

    async def settle(self) -> None:
        """Wait for cache writes that the end of the run left under way."""
        while self._lookups:
            # Not `gather`: from Python 3.12 on it does not yield when all are done; their callbacks would never run.
            await asyncio.wait(self._lookups)

    def _close(self) -> None:
        if self._ride is not None:
            self._ride.cancel()
        for handle in self._timers:
            handle.cancel()
        self._timers.clear()
        if self._end is None:
            for task in self._lookups:
                task.cancel()

    @property
    def over(self) -> bool:
        """Whether the run has reached its end on disk."""
        return self._end is not None or self.summary.phase in (
            Phase.SUCCEEDED,
            Phase.FAILED,
            Phase.ABORTED,
            Phase.TIMED_OUT,
        )
