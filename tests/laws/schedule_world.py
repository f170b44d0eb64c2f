"""Worlds in which schedules fire: a store, a clock that is set by hand, and servers that may be replaced.

What is launched has no tasks, so a run is over when it has begun.
"""

from __future__ import annotations

import asyncio
import itertools
import random
from collections.abc import Callable, Sequence
from typing import Any

from whimbrel.controlplane.executions import Executions
from whimbrel.controlplane.plane import ControlPlane
from whimbrel.controlplane.registry import Registry
from whimbrel.controlplane.scheduler import Scheduler
from whimbrel.controlplane.schedules import execution_name
from whimbrel.controlplane.system import RandomIds
from whimbrel.engine.run import Run
from whimbrel.model.attempt import Cancel, Deliver, Launch, Report
from whimbrel.model.interface import Interface, Parameter
from whimbrel.model.launch_plan import LaunchPlanSpec, Schedule
from whimbrel.model.literal_types import Simple, SimpleType
from whimbrel.model.program import Graph, Program
from whimbrel.model.registered import Entity, EntityId, EntityKind, EntityQuery
from whimbrel.model.run import AttemptId
from whimbrel.model.scheduled import PlanName
from whimbrel.wire.flyte.entities import ACTIVE, INACTIVE, Assembled, model_bytes
from whimbrel.wire.flyte.executions import record_of

BEGIN = 1_767_225_600.0
"""The first of January 2026."""
PROJECT, DOMAIN = "flytesnacks", "development"
FLOW = Graph("flow", Interface({"at": Parameter(SimpleType(Simple.DATETIME))}))


class HandClock:
    """A clock that stands still."""

    def __init__(self, at: float = BEGIN) -> None:
        self.at = at

    def now(self) -> float:
        return self.at


class NoTasks:
    """An executor of what has no tasks."""

    async def start(self, report: Callable[[Report], None]) -> None: ...

    def launch(self, launch: Launch) -> None:
        raise AssertionError("there is no task")

    def cancel(self, cancel: Cancel) -> None: ...

    def deliver(self, deliver: Deliver) -> None: ...

    def running(self) -> frozenset[AttemptId]:
        return frozenset()

    async def close(self) -> None: ...


def plan(name: str, schedule: Schedule, version: str = "v1", **said: Any) -> Entity:
    """A registered launch plan, inactive. It has one input, the time that was due."""
    spec = LaunchPlanSpec(name, "flow", FLOW.interface, schedule=schedule, **said)
    body = model_bytes(Assembled(Program({}, {"flow": FLOW}, {name: spec}, {})))
    id = EntityId(EntityKind.LAUNCH_PLAN, PROJECT, DOMAIN, name, version)
    return Entity(id, b"", body, INACTIVE, BEGIN, BEGIN)


def plan_name(name: str) -> PlanName:
    return PlanName(PROJECT, DOMAIN, name)


class Server:
    """One process over a store: an engine, executions, a scheduler."""

    _numbers = itertools.count()

    def __init__(self, store: Any, clock: HandClock, *, catch_up: int = 1_000) -> None:
        self.store = store
        ids = RandomIds()
        self.plane = ControlPlane(
            store=store,
            executor=NoTasks(),
            clock=clock,
            ids=ids,
            owner=f"server {next(self._numbers)}",
            listen=None,
        )
        registry = Registry(store=store, clock=clock)
        self.registry = registry
        self.executions = Executions(registry=registry, store=store, plane=self.plane, clock=clock, ids=ids)
        self.scheduler = Scheduler(store=store, launcher=self.executions, clock=clock, catch_up=catch_up)

    async def begin(self) -> None:
        await self.plane.start()
        await self.scheduler.load()

    async def resume(self) -> None:
        """Carry on what the last one left, as a server does when it starts."""
        for summary in await self.store.summaries(limit=10_000):
            if not summary.phase.terminal:
                await self.plane.resume(summary.id)

    async def activate(self, entity: Entity) -> None:
        await self.registry.set_plan_state(entity.id, ACTIVE)
        self.scheduler.changed(entity.id)

    async def deactivate(self, entity: Entity) -> None:
        await self.registry.set_plan_state(entity.id, INACTIVE)
        self.scheduler.changed(entity.id)

    async def settle(self) -> None:
        """Until every run has ended."""
        for row in await self.store.summaries(limit=10_000):
            while not (await self.store.summary(row.id)).phase.terminal:  # noqa: ASYNC110  # its end is on disk, nowhere else
                await asyncio.sleep(0.001)


async def kickoffs(store: Any) -> list[tuple[str, str, float]]:
    """Of every run that there is: its plan and version, and the time that it was given. The runs are counted one by
    one, and each must have succeeded and have its execution."""
    executions = {
        record_of(row).run: row for row in await store.entities(EntityQuery(EntityKind.EXECUTION, limit=10_000))
    }
    found = []
    for summary in await store.summaries(limit=10_000):
        run = Run.replay(await store.events(summary.id), keep_story=False)
        assert run.phase.has_outputs, (summary.id, run.phase)
        target = record_of(executions.pop(summary.id)).target
        given: Any = run.inputs["at"]
        due = given.value.timestamp()
        assert summary.id == execution_name(plan_name(target.name), due)
        found.append((target.name, target.version, due))
    assert executions == {}
    return sorted(found)


async def fired(store: Any, name: str) -> Sequence[float]:
    """The due times that the history of a plan has as fired, the earliest first."""
    rows = await store.firings(plan_name(name), limit=10_000)
    return [row.due for row in reversed(rows) if row.outcome.value == "fired"]


class Interleaved:
    """A store whose calls let others in, before and after, as chance has it."""

    def __init__(self, inner: Any, rng: random.Random) -> None:
        self._inner = inner
        self._rng = rng

    def __getattr__(self, name: str) -> Any:
        call = getattr(self._inner, name)
        if not asyncio.iscoroutinefunction(call):
            return call

        async def interleaved(*arguments: Any, **named: Any) -> Any:
            for _ in range(self._rng.randrange(3)):
                await asyncio.sleep(0)
            try:
                return await call(*arguments, **named)
            finally:
                for _ in range(self._rng.randrange(3)):
                    await asyncio.sleep(0)

        return interleaved
