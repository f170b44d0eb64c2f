"""Launches the due times of a launch plan that lie in the past: all from one moment to another.

What a backfill launches has the names that the schedule itself gives. So what ran is not run again, and to repeat a
backfill, or to carry it on after a death, launches what is missing. A backfill is an entity: its due times follow from
it, and are gone through from the first again by the next server.

Knows: the ports, decisions, how executions are made. Must not know: messages, transports.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import logging
from collections.abc import Awaitable, Callable
from itertools import dropwhile, islice, takewhile
from typing import TypeVar

from msgspec import Struct
from msgspec.structs import replace

from whimbrel.controlplane.plane import ControlPlane
from whimbrel.controlplane.ports import Clock, Ids
from whimbrel.controlplane.scheduler import Launcher, SchedulingStore, given_for, plan_name
from whimbrel.controlplane.schedules import Timetable, execution_name
from whimbrel.errors import EntityNotFound, InputInvalid, UserError, WhimbrelError
from whimbrel.model.codec import decoder, encode
from whimbrel.model.registered import Entity, EntityId, EntityKind, EntityQuery, Filter, Operator
from whimbrel.model.run import Phase
from whimbrel.model.scheduled import Backfill, Firing, Outcome

T = TypeVar("T")

log = logging.getLogger("whimbrel.schedules")

LONGEST = 10_000
"""Due times of one backfill: a week of minutes. More is rather a slip of the keyboard."""
CONCURRENCY = 4
"""Executions of a backfill at a time, where nothing is said: what is due now should not have to wait for the past."""
LOOK = 0.5
"""Seconds between two looks at a run that this process does not drive."""
RETRY = 5.0
"""Seconds until a store that failed, or a server that had enough to do, is asked again."""

RUNNING, DONE, STOPPED = "RUNNING", "DONE", "STOPPED"
"""The states of a backfill."""

_backfills = decoder(Backfill)


class DueTime(Struct, frozen=True, gc=False):
    """A due time, the execution that is there for it or would be, and the phase of its run; ``None``: there is none."""

    due: float
    execution: str
    run: str
    phase: Phase | None


def backfill_of(entity: Entity) -> Backfill:
    """What a backfill is to launch."""
    found: Backfill = _backfills.decode(entity.model)
    return found


class Backfills:
    """See the module. ``ended`` returns when a run of this process is over, or at once if it is not driven here."""

    def __init__(
        self,
        *,
        store: SchedulingStore,
        launcher: Launcher,
        clock: Clock,
        ids: Ids,
        ended: Callable[[str], Awaitable[None]],
        told: Callable[[Firing], None] | None = None,
        retry: float = RETRY,
    ) -> None:
        self._store = store
        self._launcher = launcher
        self._clock = clock
        self._ids = ids
        self._ended = ended
        self._told = told
        self._retry = retry
        self._tasks: dict[str, asyncio.Task[None]] = {}

    # --- asking ------------------------------------------------------------------------------------------------

    async def plan(self, id: EntityId, since: float, until: float, concurrency: int = CONCURRENCY) -> Backfill:
        """What a backfill of the launch plan ``id`` would be. Raises ``EntityNotFound``; ``InputInvalid`` for a plan
        without a schedule, a time that is yet to come, more than ``LONGEST`` due times."""
        entity = await self._store.entity(id)
        if entity is None:
            raise EntityNotFound(f"{id} is not registered.")
        schedule = self._launcher.plan_of(entity).schedule
        if schedule is None:
            raise InputInvalid(f"{id} has no schedule; launch it by itself.")
        if until > self._clock.now():
            raise InputInvalid("the end of a backfill is yet to come; its schedule launches what is due then.")
        if since > until:
            raise InputInvalid("a backfill that ends before it begins; say since and until the other way round.")
        if concurrency < 1:
            raise InputInvalid(f"{concurrency} executions at a time are none; say one or more.")
        name = plan_name(id)
        mark = await self._store.mark(name)
        # What is not active any more counts from where it counted when it was.
        known = mark is not None and mark.version == id.version
        anchor = mark.activated_at if mark is not None and known else entity.updated_at
        made = Backfill(name, id.version, since, until, concurrency, anchor)
        if len(await self._moments(made, LONGEST + 1)) > LONGEST:
            raise InputInvalid(f"{id} was due more than {LONGEST} times in that time; say a shorter one.")
        return made

    async def times(self, backfill: Backfill) -> list[DueTime]:
        """Its due times, the earliest first, and what there is of each."""
        return [await self._time(backfill, due) for due in await self._moments(backfill)]

    async def begin(self, backfill: Backfill) -> str:
        """Launch it; its id. On disk when this returns."""
        id = EntityId(EntityKind.BACKFILL, backfill.plan.project, backfill.plan.domain, self._ids.new_run_id())
        now = self._clock.now()
        await self._store.add_entity(Entity(id, b"", encode(backfill), RUNNING, now, now))
        self._start(id, backfill)
        return id.name

    async def get(self, project: str, domain: str, id: str) -> Entity:
        """Raises ``EntityNotFound``."""
        found = await self._store.entity(EntityId(EntityKind.BACKFILL, project, domain, id))
        if found is None:
            raise EntityNotFound(f"there is no backfill {id} ({project}/{domain}).")
        return found

    async def stop_one(self, project: str, domain: str, id: str) -> Entity:
        """Launch nothing more of a backfill; what runs goes on. Raises ``EntityNotFound``."""
        found = await self.get(project, domain, id)
        task = self._tasks.pop(id, None)
        if task is not None:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
        if found.state == RUNNING:
            await self._store.set_entity_state(found.id, STOPPED, self._clock.now())
        return await self.get(project, domain, id)

    # --- life --------------------------------------------------------------------------------------------------

    async def resume(self) -> None:
        """Carry on with those that the last server left."""
        running = (Filter("state", Operator.EQ, (RUNNING,)),)
        found: list[Entity] = []
        for offset in itertools.count(0, 100):
            query = EntityQuery(EntityKind.BACKFILL, filters=running, offset=offset, descending=False)
            page = await self._store.entities(query)
            found += page
            if len(page) < query.limit:
                break
        # Only now: one that is done leaves the pages.
        for entity in found:
            self._start(entity.id, backfill_of(entity))

    async def close(self) -> None:
        """Leave them as they are."""
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _start(self, id: EntityId, backfill: Backfill) -> None:
        if id.name not in self._tasks:
            task = self._tasks[id.name] = asyncio.ensure_future(self._carry_out(id, backfill))
            task.add_done_callback(lambda _: self._tasks.pop(id.name, None))

    # --- launching ---------------------------------------------------------------------------------------------

    async def _carry_out(self, id: EntityId, backfill: Backfill) -> None:
        room = asyncio.Semaphore(backfill.concurrency)
        waiting: set[asyncio.Task[None]] = set()
        try:
            for due in await self._until_kept(lambda: self._moments(backfill)):
                await room.acquire()
                run = await self._launched(id, backfill, due)
                task = asyncio.ensure_future(self._let_end(run, room))
                waiting.add(task)
                task.add_done_callback(waiting.discard)
            while waiting:
                await asyncio.wait(waiting)
            await self._until_kept(lambda: self._store.set_entity_state(id, DONE, self._clock.now()))
        except Exception:
            log.exception("the backfill %s is carried on by the next server: this is a fault of this one", id.name)
        finally:
            for task in waiting:
                task.cancel()

    async def _launched(self, id: EntityId, backfill: Backfill, due: float) -> str:
        """Launch one, unless it is there; the id of its run, "" where it was refused."""
        time = await self._until_kept(lambda: self._time(backfill, due))
        if time.phase is not None:
            return time.run
        plan = _plan_id(backfill)
        firing = Firing(
            backfill.plan, due, backfill.version, time.execution, time.run, Outcome.FIRED, 0.0, backfill=id.name
        )

        async def launch() -> Firing:
            try:
                entity = await self._store.entity(plan)
                if entity is None:
                    raise EntityNotFound(f"{plan} is not registered.")
                given = given_for(self._launcher.plan_of(entity), due)
                await self._launcher.fire(plan, time.execution, due, given)
            except UserError as error:
                return replace(firing, outcome=Outcome.REFUSED, at=self._clock.now(), detail=str(error))
            return replace(firing, at=self._clock.now())

        done = await self._until_kept(launch)
        await self._until_kept(lambda: self._store.keep_firing(done))
        if self._told is not None:
            self._told(done)
        return time.run if done.outcome is Outcome.FIRED else ""

    async def _let_end(self, run: str, room: asyncio.Semaphore) -> None:
        try:
            while run:
                summary = await self._until_kept(lambda: self._store.summary(run))
                if summary.phase.terminal:
                    return
                await self._ended(run)
        finally:
            room.release()

    async def _until_kept(self, work: Callable[[], Awaitable[T]]) -> T:
        """Ask a store that fails, or a server that has enough to do, again, until they do what they are asked."""
        while True:
            try:
                return await work()
            except UserError:
                raise
            except WhimbrelError as error:
                log.warning("a backfill waits: %s", error)
                await asyncio.sleep(self._retry)

    async def _moments(self, backfill: Backfill, count: int = LONGEST) -> list[float]:
        entity = await self._store.entity(_plan_id(backfill))
        if entity is None:
            raise EntityNotFound(f"{_plan_id(backfill)} is not registered.")
        schedule = self._launcher.plan_of(entity).schedule
        assert schedule is not None, "a backfill is made of a launch plan with a schedule, which never changes"
        times = Timetable(schedule, backfill.anchor).since(backfill.since - 1.0)
        due = takewhile(lambda time: time <= backfill.until, dropwhile(lambda time: time < backfill.since, times))
        return list(islice(due, count))

    async def _time(self, backfill: Backfill, due: float) -> DueTime:
        plan = backfill.plan
        execution = execution_name(plan, due)
        run = self._launcher.run_of_name(plan.project, plan.domain, execution)
        phase: Phase | None = None
        with contextlib.suppress(EntityNotFound):
            phase = (await self._store.summary(run)).phase
        return DueTime(due, execution, run, phase)


def _plan_id(backfill: Backfill) -> EntityId:
    plan = backfill.plan
    return EntityId(EntityKind.LAUNCH_PLAN, plan.project, plan.domain, plan.name, backfill.version)


def ended_in(plane: ControlPlane) -> Callable[[str], Awaitable[None]]:
    """What waits for the end of a run of ``plane``; for a little while where it is driven by nobody here."""

    async def ended(run: str) -> None:
        try:
            result = await plane.wait(run)
        except (KeyError, WhimbrelError):
            result = None
        if result is None or not result.phase.terminal:
            await asyncio.sleep(LOOK)

    return ended
