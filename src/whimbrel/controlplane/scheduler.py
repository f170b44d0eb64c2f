"""Launches what schedules ask for: one execution for each due time of an active launch plan, whoever dies when.

Theory of operation. The active launch plans that have a schedule wait in a heap, by when each is due next; nothing is
scanned. When one is due, it is read again (is it still active, since the same moment?), `schedules.decide` says which
due times are to be launched, they are launched, and last the *mark* is moved: up to when this plan has been decided.

Nothing fires twice. The name of an execution follows from the plan and the due time, and to create an execution that
is there creates nothing. So a process that dies anywhere before the mark moves leaves due times that are decided again
and launched at most once; after that they are never looked at again. The mark is moved by compare-and-set: of two
schedulers over one store both may try to launch, one execution comes of it, and one of them moves the mark.

Knows: the ports, decisions. Must not know: messages, transports, how an execution is made.
"""

from __future__ import annotations

import asyncio
import contextlib
import heapq
import itertools
import logging
from collections.abc import Callable
from typing import Protocol

from msgspec import Struct
from msgspec.structs import replace

from whimbrel.controlplane.ports import Clock, EntityStore, RunStore, ScheduleStore
from whimbrel.controlplane.schedules import Decision, Timetable, decide, execution_name, kickoff_time
from whimbrel.errors import EntityNotFound, InputInvalid, StoreError, UserError, WhimbrelError
from whimbrel.model.launch_plan import LaunchPlanSpec
from whimbrel.model.literals import DatetimeLiteral, Literals
from whimbrel.model.registered import Entity, EntityId, EntityKind, EntityQuery, Filter, Operator
from whimbrel.model.scheduled import Firing, Mark, Outcome, PlanName

log = logging.getLogger("whimbrel.schedules")

CATCH_UP = 100
"""Due times of one launch plan that are made up for after the server was away: enough for a night of a quarter of an
hour each, and too few to drown in."""
LOOK = 1.0
"""Seconds between two looks at the clock: it may jump."""
RETRY = 5.0
"""Seconds until a store that failed is asked again."""
AT_A_TIME = 32
"""Launch plans that are fired at the same time: their writes share commits, and others get a word in."""
_PAGE = 200
_REMEMBERED = 500
"""Executions of a plan with a limit that are looked at after a start: may they be running still?"""

ACTIVE = "ACTIVE"


class SchedulingStore(EntityStore, ScheduleStore, RunStore, Protocol):
    """What schedules are kept in."""


class Launcher(Protocol):
    """Makes executions."""

    async def fire(self, plan: EntityId, name: str, due: float, given: Literals) -> None:
        """Launch ``plan`` as the execution ``name``; nothing if there is one of that name. On disk when this returns.
        Raises ``UserError`` for what cannot be launched."""
        ...

    def run_of_name(self, project: str, domain: str, name: str) -> str:
        """The id of the run of the execution ``name``."""
        ...

    def plan_of(self, entity: Entity) -> LaunchPlanSpec:
        """What was registered as a launch plan. Raises ``InputInvalid`` for what cannot be read."""
        ...


class Planned(Struct):
    """An active launch plan with a schedule. ``next`` is when it is due, ``None`` for never; ``fault`` why its schedule
    cannot be read, "" if it can."""

    id: EntityId
    spec: LaunchPlanSpec
    activated_at: float
    known: Mark | None
    timetable: Timetable | None
    next: float | None = None
    fault: str = ""

    @property
    def name(self) -> PlanName:
        """Whatever the version."""
        return plan_name(self.id)

    @property
    def decided_at(self) -> float:
        """Up to when it is decided: what another activation decided does not count."""
        mark = self.known
        same = mark is not None and (mark.version, mark.activated_at) == (self.id.version, self.activated_at)
        return mark.decided_at if mark is not None and same else self.activated_at


def plan_name(id: EntityId) -> PlanName:
    """The launch plan of a version."""
    return PlanName(id.project, id.domain, id.name)


def given_for(spec: LaunchPlanSpec, due: float) -> Literals:
    """The inputs that the schedule of ``spec`` gives. Raises ``InputInvalid``."""
    if spec.schedule is None or not spec.schedule.kickoff_time_input:
        return {}
    return {spec.schedule.kickoff_time_input: DatetimeLiteral(kickoff_time(spec.schedule, due))}


class Scheduler:
    """See the module. ``start`` it once; ``told`` hears of every firing that was kept.

    ``catch_up`` is how many missed due times of a plan are launched, the newest; older ones are skipped.
    """

    def __init__(
        self,
        *,
        store: SchedulingStore,
        launcher: Launcher,
        clock: Clock,
        catch_up: int = CATCH_UP,
        told: Callable[[Firing], None] | None = None,
    ) -> None:
        self._store = store
        self._launcher = launcher
        self._clock = clock
        self._catch_up = catch_up
        self._told = told
        self._planned: dict[PlanName, Planned] = {}
        self._heap: list[tuple[float, int, Planned]] = []
        """An entry whose plan is planned otherwise by now is passed over."""
        self._numbers = itertools.count()
        self._changed: dict[PlanName, None] = {}
        self._running: dict[PlanName, set[str]] = {}
        """Of plans that limit how many may run: their runs that may not have ended."""
        self._wake = asyncio.Event()
        self._closing = False
        self._loop: asyncio.Task[None] | None = None

    # --- life --------------------------------------------------------------------------------------------------

    async def load(self) -> None:
        """Read every active launch plan."""
        active = (Filter("state", Operator.EQ, (ACTIVE,)),)
        for offset in itertools.count(0, _PAGE):
            query = EntityQuery(
                EntityKind.LAUNCH_PLAN, filters=active, sort="created_at", descending=False, limit=_PAGE, offset=offset
            )
            page = await self._store.entities(query)
            for entity in page:
                await self._plan(entity)
            if len(page) < _PAGE:
                return

    def start(self) -> None:
        """Load, and fire what is due, until ``stop``."""
        self._loop = asyncio.ensure_future(self._forever())

    async def stop(self) -> None:
        """Fire nothing more; what is being launched is launched."""
        self._closing = True
        self._wake.set()
        if self._loop is not None:
            with contextlib.suppress(asyncio.CancelledError):
                await self._loop

    def changed(self, id: EntityId) -> None:
        """The state of a launch plan may have changed."""
        self._changed[plan_name(id)] = None
        self._wake.set()

    @property
    def planned(self) -> list[Planned]:
        """The active launch plans with a schedule, by place and name."""
        return [self._planned[name] for name in sorted(self._planned)]

    def find(self, name: PlanName) -> Planned | None:
        """``name``, if it is active and has a schedule."""
        return self._planned.get(name)

    async def _forever(self) -> None:
        loaded = False
        while not self._closing:
            pause: float | None
            try:
                if not loaded:
                    await self.load()
                    loaded = True
                following = await self.tick()
                pause = None if following is None else min(max(following - self._clock.now(), 0.0), LOOK)
            except StoreError as error:
                log.error("schedules wait for the store: %s", error)
                pause = RETRY
            if self._changed or self._closing:
                continue
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(pause):
                    await self._wake.wait()
            self._wake.clear()

    # --- looking -----------------------------------------------------------------------------------------------

    async def tick(self) -> float | None:
        """Look once: fire what is due. When something is due next; ``None`` if never."""
        while self._changed:
            name = next(iter(self._changed))
            del self._changed[name]
            try:
                await self._read(name)
            except StoreError:
                self._changed[name] = None
                raise
        now = self._clock.now()
        due: list[Planned] = []
        while self._heap and self._heap[0][0] <= now:
            _, _, planned = heapq.heappop(self._heap)
            if self._planned.get(planned.name) is planned:
                due.append(planned)
        if due:
            room = asyncio.Semaphore(AT_A_TIME)
            await asyncio.gather(*(self._fire(planned, room) for planned in due))
        return self._heap[0][0] if self._heap else None

    async def _read(self, name: PlanName) -> None:
        """Plan ``name`` anew, as the store has it."""
        query = EntityQuery(
            EntityKind.LAUNCH_PLAN,
            name.project,
            name.domain,
            name.name,
            filters=(Filter("state", Operator.EQ, (ACTIVE,)),),
            limit=1,
        )
        active = await self._store.entities(query)
        if active:
            await self._plan(active[0])
        else:
            self._forget(name)

    async def _plan(self, entity: Entity) -> None:
        name = plan_name(entity.id)
        try:
            spec = self._launcher.plan_of(entity)
        except InputInvalid as error:
            log.error("%s", error)
            self._forget(name)
            return
        if spec.schedule is None:
            self._forget(name)
            return
        known = await self._store.mark(name)
        planned = Planned(entity.id, spec, entity.updated_at, known, None)
        try:
            planned.timetable = Timetable(spec.schedule, entity.updated_at)
            planned.next = planned.timetable.after(max(planned.decided_at, planned.activated_at))
        except InputInvalid as error:
            planned.fault = str(error)
            log.error("%s is never launched by its schedule: %s", name, error)
        self._planned[name] = planned
        self._push(planned)

    def _forget(self, name: PlanName) -> None:
        self._planned.pop(name, None)
        self._running.pop(name, None)

    def _push(self, planned: Planned, at: float | None = None) -> None:
        when = planned.next if at is None else at
        if when is not None:
            heapq.heappush(self._heap, (when, next(self._numbers), planned))

    # --- firing ------------------------------------------------------------------------------------------------

    async def _fire(self, planned: Planned, room: asyncio.Semaphore) -> None:
        async with room:
            if self._closing:
                self._push(planned)
                return
            try:
                await self._decide(planned)
            except Exception as error:
                # Nothing was decided: it is due still. A fault of ours must not keep the other launch plans.
                unknown = None if isinstance(error, WhimbrelError) else error
                log.error("%s could not be launched, and is tried again: %s", planned.name, error, exc_info=unknown)
                self._push(planned, self._clock.now() + RETRY)

    async def _decide(self, planned: Planned) -> None:
        entity = await self._store.entity(planned.id)
        if entity is None or entity.state != ACTIVE or entity.updated_at != planned.activated_at:
            # Another server has changed it.
            self.changed(planned.id)
            return
        assert planned.timetable is not None, "what has no timetable is never due"
        decision = decide(
            planned.timetable,
            activated_at=planned.activated_at,
            decided_at=planned.decided_at,
            now=self._clock.now(),
            catch_up=self._catch_up,
        )
        firings = self._skipped(planned, decision)
        for due in decision.due:
            if self._closing:
                self._push(planned)
                return
            firings.append(await self._one(planned, due))
        mark = Mark(planned.name, planned.id.version, planned.activated_at, decision.decided_at)
        if not await self._store.decide(planned.known, mark, firings):
            # Another scheduler was here, and has launched the same.
            self.changed(planned.id)
            return
        planned.known = mark
        planned.next = decision.next
        self._push(planned)
        if self._told is not None:
            for firing in firings:
                self._told(firing)

    def _skipped(self, planned: Planned, decision: Decision) -> list[Firing]:
        first = decision.skipped_from
        if first is None:
            return []
        reason = (
            f"the server was away: of what was due before, the newest {self._catch_up} are launched; "
            "a backfill launches the others"
        )
        log.warning("%s: due times are skipped: %s", planned.name, reason)
        return [replace(self._firing(planned, first), outcome=Outcome.SKIPPED, detail=reason)]

    async def _one(self, planned: Planned, due: float) -> Firing:
        firing = self._firing(planned, due)
        limit = planned.spec.concurrency_limit
        try:
            if limit and await self._is_full(planned, firing, limit):
                reason = f"{limit} executions are running, which is what the launch plan allows"
                return replace(firing, outcome=Outcome.SKIPPED, detail=reason)
            await self._launcher.fire(planned.id, firing.execution, due, given_for(planned.spec, due))
        except UserError as error:
            log.error("%s is refused: %s", planned.name, error)
            return replace(firing, outcome=Outcome.REFUSED, detail=str(error))
        if limit:
            self._running[planned.name].add(firing.run)
        return replace(firing, at=self._clock.now())

    def _firing(self, planned: Planned, due: float) -> Firing:
        name = planned.name
        execution = execution_name(name, due)
        run = self._launcher.run_of_name(name.project, name.domain, execution)
        return Firing(name, due, planned.id.version, execution, run, Outcome.FIRED, self._clock.now())

    async def _is_full(self, planned: Planned, firing: Firing, limit: int) -> bool:
        """Whether as many run as may; not where the execution is there already."""
        name = planned.name
        if name not in self._running:
            kept = await self._store.firings(name, limit=_REMEMBERED)
            self._running[name] = {row.run for row in kept if row.outcome is Outcome.FIRED}
        running = self._running[name]
        for run in list(running):
            if not await self._is_under_way(run):
                running.discard(run)
        return len(running) >= limit and not await self._is_there(firing.run)

    async def _is_under_way(self, run: str) -> bool:
        try:
            return not (await self._store.summary(run)).phase.terminal
        except EntityNotFound:
            return False

    async def _is_there(self, run: str) -> bool:
        try:
            await self._store.summary(run)
        except EntityNotFound:
            return False
        return True
