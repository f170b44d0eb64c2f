"""Use cases around the engine: start a run, resume it, abort it, wait for its end. One per process; every
composition builds one.

A run that only waits for long is *parked*: it leaves memory, and comes back when its time has come, or when somebody
asks for something. Until then it is a row in the store, and a line in ``ParkedRuns``.

Runs that nobody drives any more are resumed by claiming them: the claim raises the epoch, so that whoever drove them
before can write nothing more.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections import OrderedDict
from collections.abc import Callable

import msgspec
from msgspec import Struct

from whimbrel.controlplane.caching import CacheDesk
from whimbrel.controlplane.loop import RunLoop, stated
from whimbrel.controlplane.offloading import aside, is_large, replayed
from whimbrel.controlplane.parked import Berth, ParkedRuns
from whimbrel.controlplane.ports import Clock, Executor, Ids, Store
from whimbrel.controlplane.requests import event_of
from whimbrel.controlplane.rerun import Rerun, settle
from whimbrel.engine.run import Run
from whimbrel.errors import Fenced, RunNotResumable, UnresolvedReference
from whimbrel.graph.references import unresolved, unresolved_text
from whimbrel.model.attempt import AttemptEnd, Cancel, DeckUpdate, LogChunk, Progress, Report
from whimbrel.model.commands import Command
from whimbrel.model.events import AbortRequested, Event, NodeAbortRequested, OwnerChanged, RunRequested
from whimbrel.model.failure import Failure
from whimbrel.model.literals import Literals
from whimbrel.model.program import Program
from whimbrel.model.run import AttemptId, Phase, RunOptions, RunOrigin, RunSummary

LISTEN = 0.25
"""How often requests of other processes are looked for, in seconds."""

LOADS = 32
"""How many parked runs are read from the store at a time."""

Watch = Callable[[Run, Event | LogChunk | Progress], None]

KEPT = 256
"""Ends of runs that are remembered for who comes to wait for them; of older ones the store is asked."""

Asked = tuple[Event, tuple[int, ...]]
"""What is to happen to a run, and the requests in its inbox that asked for it."""


class RunResult(Struct, frozen=True):
    """How a run ended. ``phase`` is RUNNING when it was parked."""

    run: str
    phase: Phase
    outputs: Literals
    failure: Failure | None


class _NotBefore:
    """A clock that begins no earlier than ``recorded``: what is due a minute after that is not due in an hour because
    the machine's clock was set back.
    """

    def __init__(self, clock: Clock, recorded: float) -> None:
        self._clock = clock
        self._behind = max(recorded - clock.now(), 0.0)

    def now(self) -> float:
        return self._clock.now() + self._behind


class ControlPlane:
    """See the module. ``watch`` sees every durable event, and logs and progress as they come; ``broken`` hears of a run
    that could not be driven on, and why; ``admit`` raises ``Overloaded`` when there is no room for another one.

    ``listen`` is how often, in seconds, requests of other processes are looked for; ``None`` for a store that no
    other process sees.
    """

    def __init__(
        self,
        *,
        store: Store,
        executor: Executor,
        clock: Clock,
        ids: Ids,
        owner: str,
        watch: Watch | None = None,
        broken: Callable[[str, BaseException], None] | None = None,
        admit: Callable[[], None] | None = None,
        listen: float | None = LISTEN,
    ) -> None:
        self._listen_every = listen
        self._store = store
        self._executor = executor
        self._clock = clock
        self._ids = ids
        self._owner = owner
        self._watch = watch
        self._broken = broken
        self._admit = admit
        self._cache = CacheDesk(store)
        self._loops: dict[str, RunLoop] = {}
        self._disowned: dict[str, dict[AttemptId, asyncio.Future[None]]] = {}
        self._driving: dict[str, asyncio.Future[RunResult | None]] = {}
        """Of each run that is driven here: its end; ``None`` where it was parked, and will be driven on. Of runs that
        were driven here: the last ``KEPT`` ends."""
        self._ends: OrderedDict[str, None] = OrderedDict()
        """The runs in ``_driving`` that have ended, or were left, the oldest first."""
        self._parked = ParkedRuns(clock, self._wake)
        self._loading: dict[str, list[Asked]] = {}
        """Runs on their way into memory (new ones, parked ones, those that are taken over), and what is to happen to
        each first."""
        self._gate = asyncio.Semaphore(LOADS)
        self._awaited: dict[str, asyncio.Future[RunResult | None]] = {}
        """Who waits for a parked run."""
        self._leaving: set[str] = set()
        """Of those on their way back: who is not to be driven."""
        self._closing = False
        self._listening: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Be ready to run things."""
        await self._executor.start(self._report)
        if self._listen_every is not None:
            self._listening = asyncio.ensure_future(self._listen(self._listen_every))

    async def close(self) -> None:
        """Leave every run as it is, and stop the executor."""
        self._closing = True
        for run_id in list(self._awaited):
            self.park(run_id)
        self._parked.close()
        for loop in self._loops.values():
            loop.stop()
        if self._listening is not None:
            self._listening.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._listening
        await asyncio.gather(*self._driving.values(), return_exceptions=True)
        await self._executor.close()
        self._cache.close()

    # --- use cases

    async def launch(
        self,
        program: Program,
        workflow: str,
        inputs: Literals,
        *,
        options: RunOptions | None = None,
        source: str = "",
        run_id: str = "",
        rerun: Rerun | None = None,
        origin: RunOrigin = RunOrigin(),  # noqa: B008  frozen
    ) -> str:
        """Start a run of ``workflow`` and return its id. The run exists on disk when this returns. ``origin`` says by
        which name lists know it.

        With ``rerun`` it takes what another run has done. Raises ``UnresolvedReference``, and ``Overloaded``, before
        anything is written.
        """
        self.must_have_room()
        nowhere = unresolved(program)
        if nowhere:
            raise UnresolvedReference(unresolved_text(nowhere[0]))
        now = self._clock.now()
        run_id = run_id or self._ids.new_run_id()
        options = msgspec.structs.replace(options or RunOptions(), regained=True)
        requested = RunRequested(run_id, workflow, program, inputs, options, now)
        run = Run()

        def begin() -> tuple[RunRequested, list[Command]]:
            first = requested
            if rerun is not None:
                first = settle(
                    msgspec.structs.replace(requested, reuse=rerun.reuse, recovered_from=rerun.run, moved=rerun.moved)
                )
            return first, run.handle(first)

        event, commands = await aside(is_large(program), begin)
        summary = RunSummary(
            run_id, workflow, Phase.UNDEFINED, now, epoch=1, owner=self._owner, source=source, origin=origin
        )
        # It may have nothing to do at all: one that begins with a gate rests at once.
        summary = stated(summary, run, now)
        # Whoever finds it in the store from here on must not take it for one that nobody drives.
        self._loading[run_id] = []
        try:
            await self._store.create(summary, [event])
        except BaseException:
            del self._loading[run_id]
            raise
        loop = self._adopt(run, summary, self._clock)
        self._loaded(loop)
        if self._watch is not None:
            self._watch(run, event)
        loop.hold(commands)
        return run_id

    def must_have_room(self) -> None:
        """Raises ``Overloaded`` when no run may be launched now."""
        if self._admit is not None:
            self._admit()

    async def resume(self, run_id: str) -> str:
        """Take a run over and carry it on; one that is driven here is already. Raises ``EntityNotFound``;
        ``RunNotResumable`` if it has ended."""
        if run_id in self._loops or run_id in self._loading:
            return run_id
        self._parked.take(run_id)
        await self._take_over(run_id)
        self._call_back(run_id)
        return run_id

    async def wake_parked(self) -> list[str]:
        """Look after every run that the store has as parked, whoever parked it: each is claimed and carried on when its
        time comes. For a process that owns all runs of its store, after it has started. Returns their ids."""
        found = []
        for summary in await self._store.parked():
            if not (summary.id in self._loops or summary.id in self._loading or summary.id in self._parked):
                self._parked.add(summary.id, Berth(summary.wake_at, summary.owner, summary.epoch))
                found.append(summary.id)
        return found

    @property
    def driven(self) -> int:
        """How many runs are in memory."""
        return len(self._loops)

    @property
    def parked(self) -> int:
        """How many runs are parked, and looked after here."""
        return len(self._parked)

    async def _take_over(self, run_id: str, *first: Event) -> None:
        """Claim a run and drive it. ``first`` happens before anything is launched again; what is asked of the run
        meanwhile, right after that."""
        self._loading[run_id] = []
        try:
            loop = await self._taken_over(run_id, *first)
        except BaseException:
            del self._loading[run_id]
            self._leaving.discard(run_id)
            raise
        self._loaded(loop)

    def _loaded(self, loop: RunLoop) -> None:
        run_id = loop.summary.id
        for asked in self._loading.pop(run_id):
            loop.post(*asked)
        if run_id in self._leaving:
            self._leaving.discard(run_id)
            loop.stop()

    async def _taken_over(self, run_id: str, *first: Event) -> RunLoop:
        summary = await self._store.summary(run_id)
        if summary.phase.terminal:
            raise RunNotResumable(
                f"run {run_id} has ended ({summary.phase.value}): there is nothing to resume. Start a new run."
            )
        # Attempts that this process gave up must have ended: their names may be given again.
        await asyncio.gather(*self._disowned.get(run_id, {}).values())
        self._disowned.pop(run_id, None)
        summary = await self._store.claim(run_id, self._owner)
        events = await self._store.events(run_id)
        run = await replayed(events)
        clock = _NotBefore(self._clock, events[-1].at)
        # Left for the owner before: what was to be aborted must not get to its end before anybody listens.
        requests = await self._requests(run_id)
        if first:
            # One abort is as good as another; two would leave no time to clean up.
            kinds = tuple(type(event) for event in first if isinstance(event, AbortRequested))
            aborts = tuple(id for event, ids in requests if isinstance(event, kinds) for id in ids)
            requests = [asked for asked in requests if not isinstance(asked[0], kinds)]
            requests += [(event, aborts) for event in first]
        loop = self._adopt(run, summary, clock)
        running = self._executor.running()
        gone = tuple(attempt.path for attempt in run.live_attempts() if attempt not in running)
        for asked in requests:
            loop.post(*asked)
        if not run.phase.terminal:
            loop.post(OwnerChanged(summary.epoch, self._owner, clock.now(), gone))
        return loop

    async def abort(self, run_id: str, reason: str) -> None:
        """End a run that this process drives, or that nobody drives.

        What has to clean up does so first; a second abort ends that, too.
        """
        request = AbortRequested(reason, self._clock.now())
        if not self._post(run_id, request):
            await self._take_over(run_id, request)

    async def abort_node(self, run_id: str, path: str, reason: str) -> None:
        """End the launch plan at ``path``, in a run that this process drives, or that nobody drives."""
        request = NodeAbortRequested(path, reason, self._clock.now())
        if not self._post(run_id, request):
            await self._take_over(run_id, request)

    async def wait(self, run_id: str) -> RunResult:
        """Wait until the run is over, or ``park`` was called. Raises what stopped it from being driven."""
        while True:
            if run_id in self._parked:
                future = self._awaited.get(run_id)
                if future is None:
                    future = self._awaited[run_id] = asyncio.get_running_loop().create_future()
            elif run_id in self._driving:
                future = self._driving[run_id]
            else:
                return await self._ended(run_id)
            result = await asyncio.shield(future)
            if result is not None:
                return result

    async def _ended(self, run_id: str) -> RunResult:
        """The end of a run as the store has it; one without is driven by nobody here, and is given as it is."""
        run = await replayed(await self._store.events(run_id), keep_story=False)
        return RunResult(run_id, run.phase, run.outputs, run.failure)

    def park(self, run_id: str) -> None:
        """Stop driving a run; it stays as it is on disk. ``wait`` returns."""
        if run_id in self._loops:
            self._loops[run_id].stop()
        elif run_id in self._loading:
            self._leaving.add(run_id)
        elif self._parked.take(run_id) is not None:
            left: asyncio.Future[RunResult | None] = asyncio.get_running_loop().create_future()
            left.set_result(RunResult(run_id, Phase.RUNNING, {}, None))
            self._driven_as(run_id, left)
            self._call_back(run_id)

    def goes_on(self, run_id: str) -> bool:
        """Whether a run is driven here and has not come to its end, not even in memory."""
        loop = self._loops.get(run_id)
        return loop is not None and not loop.run.phase.terminal

    def run(self, run_id: str) -> Run:
        """The state of a run that is being driven."""
        return self._loops[run_id].run

    def progress_of(self, run_id: str) -> tuple[int, int] | None:
        """Of a run that is driven here: how many of its nodes have ended, and how many are known."""
        loop = self._loops.get(run_id)
        return None if loop is None else (loop.run.done, len(loop.run.nodes))

    # --- inside

    def _post(self, run_id: str, event: Event, requests: tuple[int, ...] = ()) -> bool:
        """Let something happen to a run that is looked after here; whether it is."""
        if (loop := self._loops.get(run_id)) is not None:
            loop.post(event, requests)
        elif (first := self._loading.get(run_id)) is not None:
            first.append((event, requests))
        elif (berth := self._parked.take(run_id)) is not None:
            self._wake(run_id, berth, (event, requests))
        else:
            return False
        return True

    def _wake(self, run_id: str, berth: Berth, *first: Asked) -> None:
        """Bring a parked run back; ``first`` happens to it before anything else."""
        self._loading[run_id] = list(first)
        self._driven_as(run_id, asyncio.ensure_future(self._come_back(run_id, berth)))
        self._call_back(run_id)

    def _call_back(self, run_id: str) -> None:
        """Those who wait for a parked run look again."""
        if (awaited := self._awaited.pop(run_id, None)) is not None and not awaited.done():
            awaited.set_result(None)

    async def _come_back(self, run_id: str, berth: Berth) -> RunResult | None:
        try:
            async with self._gate:
                summary = await self._store.summary(run_id)
                if summary.epoch != berth.epoch:
                    raise Fenced(f"run {run_id} was parked here, and taken over by {summary.owner}")
                if berth.owner != self._owner:
                    summary = await self._store.claim(run_id, self._owner)
                events = await self._store.events(run_id)
                run = await replayed(events)
        except BaseException:
            del self._loading[run_id]
            self._leaving.discard(run_id)
            raise
        clock = _NotBefore(self._clock, events[-1].at)
        loop = self._loops[run_id] = self._loop_of(run, summary, clock)
        first = self._loading.pop(run_id)
        if berth.owner == self._owner:
            loop.hold(run.outstanding())
        for asked in first:
            loop.post(*asked)
        if berth.owner != self._owner and not run.phase.terminal:
            loop.post(OwnerChanged(summary.epoch, self._owner, clock.now()))
        if self._closing or run_id in self._leaving:
            self._leaving.discard(run_id)
            loop.stop()
        return await self._drive(loop)

    def _adopt(self, run: Run, summary: RunSummary, clock: Clock) -> RunLoop:
        loop = self._loops[summary.id] = self._loop_of(run, summary, clock)
        self._driven_as(summary.id, asyncio.ensure_future(self._drive(loop)))
        return loop

    def _driven_as(self, run_id: str, end: asyncio.Future[RunResult | None]) -> None:
        self._driving[run_id] = end
        self._ends.pop(run_id, None)
        end.add_done_callback(lambda done: self._note_end(run_id, done))

    def _note_end(self, run_id: str, end: asyncio.Future[RunResult | None]) -> None:
        """Remember the end of a run, and forget the oldest of many."""
        if not end.cancelled() and (error := end.exception()) is not None and self._broken is not None:
            self._broken(run_id, error)
        if self._driving.get(run_id) is not end:
            # It is driven on already, or was parked.
            return
        self._ends[run_id] = None
        self._ends.move_to_end(run_id)
        while len(self._ends) > KEPT:
            oldest, _ = self._ends.popitem(last=False)
            del self._driving[oldest]

    def _loop_of(self, run: Run, summary: RunSummary, clock: Clock) -> RunLoop:
        return RunLoop(
            run,
            msgspec.structs.replace(summary, owner=self._owner),
            store=self._store,
            cache=self._cache,
            executor=self._executor,
            clock=clock,
            watch=self._watch,
        )

    async def _drive(self, loop: RunLoop) -> RunResult | None:
        run_id = loop.summary.id
        try:
            end = await loop.drive()
            await loop.settle()
        except Exception:
            self._disown(run_id)
            raise
        finally:
            del self._loops[run_id]
        if loop.rests and not self._closing:
            # Nothing has been awaited since it came to rest: whatever is asked of it now finds it here.
            summary = loop.summary
            del self._driving[run_id]
            self._parked.add(run_id, Berth(summary.wake_at, summary.owner, summary.epoch))
            return None
        if end is None:
            return RunResult(run_id, loop.run.phase, {}, None)
        return RunResult(run_id, end.phase, end.outputs, end.failure)

    def _disown(self, run_id: str) -> None:
        """Stop what runs for a run that this process has lost: another owner runs it again, and nobody hears of it."""
        for attempt in self._executor.running():
            if attempt.run == run_id:
                self._disowned.setdefault(run_id, {})[attempt] = asyncio.get_running_loop().create_future()
                self._executor.cancel(Cancel(attempt, "its run is driven by this process no more"))

    def _report(self, report: Report) -> None:
        disowned = self._disowned.get(report.attempt.run)
        if disowned is not None and isinstance(report, AttemptEnd):
            ended = disowned.get(report.attempt)
            if ended is not None and not ended.done():
                ended.set_result(None)
            if all(each.done() for each in disowned.values()):
                del self._disowned[report.attempt.run]
        loop = self._loops.get(report.attempt.run)
        if isinstance(report, DeckUpdate):
            self._store.deck_nowait(report)
        elif isinstance(report, LogChunk | Progress):
            if isinstance(report, LogChunk):
                self._store.log_nowait(report.attempt, report.stream, report.text, report.at, report.level)
            else:
                self._store.progress_nowait(report)
            if self._watch is not None and loop is not None:
                self._watch(loop.run, report)
        elif loop is not None:
            loop.post(report)

    async def _listen(self, every: float) -> None:
        while True:
            await asyncio.sleep(every)
            await self.look()

    async def look(self) -> None:
        """Look once whether other processes ask for anything. Every ``listen`` seconds this happens by itself."""
        for run_id in await self._store.addressed():
            if run_id in self._loops or run_id in self._parked or run_id in self._loading:
                for event, requests in await self._requests(run_id):
                    self._post(run_id, event, requests)
            elif (await self._store.summary(run_id)).phase.terminal:
                # It ended before it could be asked. Whoever asked sees that.
                await self._store.dismiss(run_id, [request.id for request in await self._store.requests(run_id)])

    async def _requests(self, run_id: str) -> list[Asked]:
        """What is asked of a run. Each request stays where it is until what comes of it is on disk."""
        asked: list[Asked] = []
        unknown: list[int] = []
        for request in await self._store.requests(run_id):
            event = event_of(request, self._clock.now())
            if event is None:
                unknown.append(request.id)
            else:
                asked.append((event, (request.id,)))
        if unknown:
            await self._store.dismiss(run_id, unknown)
        return asked
