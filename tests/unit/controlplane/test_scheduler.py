"""What a scheduler does besides firing once (tests/laws/test_scheduled_once.py): limits, what was missed, faults."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import pytest
from msgspec.structs import replace

from tests.laws.schedule_world import BEGIN, HandClock, Server, fired, kickoffs, plan, plan_name
from whimbrel.controlplane.scheduler import RETRY
from whimbrel.errors import InputInvalid, Overloaded, StoreFull
from whimbrel.model.launch_plan import CronSchedule, FixedRate
from whimbrel.model.registered import Entity
from whimbrel.model.run import Phase, RunSummary
from whimbrel.model.scheduled import Firing, Mark, Outcome
from whimbrel.stores.memory import MemoryStore
from whimbrel.wire.flyte.entities import ACTIVE, INACTIVE

MINUTE = 60.0
EACH_MINUTE = FixedRate(MINUTE, "at")


def at(*minutes: int) -> list[float]:
    return [BEGIN + minute * MINUTE for minute in minutes]


async def served(store: Any, clock: HandClock, *entities: Entity, catch_up: int = 100) -> Server:
    server = Server(store, clock, catch_up=catch_up)
    await server.begin()
    for entity in entities:
        await store.add_entity(entity)
        await server.activate(entity)
    await server.scheduler.tick()
    return server


class BusyStore(MemoryStore):
    """Says of some runs that they go on."""

    def __init__(self) -> None:
        super().__init__()
        self.busy: set[str] = set()

    async def create(self, summary: RunSummary, events: Any) -> None:
        await super().create(summary, events)
        self.busy.add(summary.id)

    async def summary(self, run: str) -> RunSummary:
        found = await super().summary(run)
        return replace(found, phase=Phase.RUNNING) if run in self.busy else found


def test_a_launch_plan_that_has_its_fill_is_skipped() -> None:
    async def scenario() -> None:
        store, clock = BusyStore(), HandClock()
        limited = plan("limited", EACH_MINUTE, concurrency_limit=2)
        server = await served(store, clock, limited)
        for _ in range(4):
            clock.at += MINUTE
            await server.scheduler.tick()
        assert await fired(store, "limited") == at(1, 2)
        store.busy.remove(sorted(store.busy)[0])
        # A server that has not seen them start counts them all the same.
        await server.plane.close()
        server = await served(store, clock)
        for _ in range(2):
            clock.at += MINUTE
            await server.scheduler.tick()
        assert await fired(store, "limited") == at(1, 2, 5)
        rows = await store.firings(plan_name("limited"))
        skipped = [row for row in rows if row.outcome is Outcome.SKIPPED]
        assert [row.due for row in skipped] == at(6, 4, 3)
        assert "2 executions are running" in skipped[0].detail
        await server.plane.close()

    asyncio.run(scenario())


@pytest.mark.parametrize(
    ("catch_up", "expected"), [(0, []), (1, [999]), (3, [997, 998, 999]), (10_000, range(1, 1000))]
)
def test_of_what_was_missed_the_newest_are_made_up_for(catch_up: int, expected: Sequence[int]) -> None:
    async def scenario() -> None:
        store, clock = MemoryStore(), HandClock()
        server = await served(store, clock, plan("often", EACH_MINUTE))
        await server.plane.close()
        clock.at += 1000.5 * MINUTE
        server = await served(store, clock, catch_up=catch_up)
        # The last is half a minute late, and was not missed.
        assert await fired(store, "often") == at(*expected, 1000)
        rows = await store.firings(plan_name("often"), limit=2_000)
        skipped = [row for row in rows if row.outcome is Outcome.SKIPPED]
        assert [row.due for row in skipped] == (at(1) if catch_up < 999 else [])
        assert all("backfill" in row.detail for row in skipped)
        clock.at += MINUTE
        await server.scheduler.tick()
        assert (await fired(store, "often"))[-1:] == at(1001)
        await server.plane.close()

    asyncio.run(scenario())


def test_what_cannot_be_launched_is_refused_and_the_schedule_goes_on() -> None:
    async def scenario() -> None:
        store, clock = MemoryStore(), HandClock()
        server = await served(store, clock, plan("unready", FixedRate(MINUTE)), plan("ready", EACH_MINUTE))
        for _ in range(2):
            clock.at += MINUTE
            await server.scheduler.tick()
        assert await fired(store, "ready") == at(1, 2)
        rows = await store.firings(plan_name("unready"))
        assert [(row.due, row.outcome) for row in rows] == [(due, Outcome.REFUSED) for due in at(2, 1)]
        assert "'at'" in rows[0].detail
        await server.plane.close()

    asyncio.run(scenario())


class FullStore(MemoryStore):
    """Takes no decision while it is full."""

    full = False

    async def decide(self, before: Mark | None, mark: Mark, firings: Sequence[Firing] = ()) -> bool:
        if self.full:
            raise StoreFull
        return await super().decide(before, mark, firings)


def test_a_store_that_fails_is_asked_again() -> None:
    async def scenario() -> None:
        store, clock = FullStore(), HandClock()
        server = await served(store, clock, plan("often", EACH_MINUTE))
        clock.at += MINUTE
        store.full = True
        assert await server.scheduler.tick() == clock.at + RETRY
        assert await fired(store, "often") == []
        store.full = False
        clock.at += RETRY
        await server.scheduler.tick()
        assert await fired(store, "often") == at(1)
        assert await kickoffs(store) == [("often", "v1", *at(1))]
        await server.plane.close()

    asyncio.run(scenario())


def test_a_server_that_has_enough_to_do_loses_no_due_time() -> None:
    async def scenario() -> None:
        store, clock = MemoryStore(), HandClock()
        server = await served(store, clock, plan("often", EACH_MINUTE))
        launch = server.executions.fire

        async def full(*said: Any) -> None:
            raise Overloaded

        server.executions.fire = full
        clock.at += MINUTE
        assert await server.scheduler.tick() == clock.at + RETRY
        assert await store.firings(plan_name("often")) == []
        server.executions.fire = launch
        clock.at += MINUTE
        await server.scheduler.tick()
        assert await fired(store, "often") == at(1, 2)
        await server.plane.close()

    asyncio.run(scenario())


def test_what_another_server_has_changed_is_noticed_when_it_is_due() -> None:
    async def scenario() -> None:
        store, clock = MemoryStore(), HandClock()
        ended, moved = plan("ended", EACH_MINUTE), plan("moved", EACH_MINUTE)
        server = await served(store, clock, ended, moved)
        clock.at += 0.5 * MINUTE
        await store.set_entity_state(ended.id, INACTIVE, clock.at)
        newer = plan("moved", EACH_MINUTE, "v2")
        await store.add_entity(newer)
        await store.set_entity_state(newer.id, ACTIVE, clock.at, alone=INACTIVE)
        clock.at += 0.5 * MINUTE
        await server.scheduler.tick()
        await server.scheduler.tick()
        assert [planned.id for planned in server.scheduler.planned] == [newer.id]
        clock.at += 0.5 * MINUTE
        await server.scheduler.tick()
        assert await kickoffs(store) == [("moved", "v2", BEGIN + 1.5 * MINUTE)]
        await server.plane.close()

    asyncio.run(scenario())


def test_to_activate_what_is_active_moves_nothing() -> None:
    async def scenario() -> None:
        store, clock = MemoryStore(), HandClock()
        often = plan("often", EACH_MINUTE)
        server = await served(store, clock, often)
        clock.at += 0.5 * MINUTE
        await server.activate(often)
        clock.at += 0.5 * MINUTE
        await server.scheduler.tick()
        assert await fired(store, "often") == at(1)
        await server.plane.close()

    asyncio.run(scenario())


def test_a_schedule_that_cannot_be_read_keeps_nobody() -> None:
    async def scenario() -> None:
        store, clock = MemoryStore(), HandClock()
        broken = plan("broken", CronSchedule("whenever"))
        unread = replace(plan("unread", EACH_MINUTE), model=b"\x00", state=ACTIVE)
        await store.add_entity(replace(broken, state=ACTIVE))
        await store.add_entity(unread)
        server = await served(store, clock, plan("often", EACH_MINUTE))
        assert [(each.id.name, bool(each.fault)) for each in server.scheduler.planned] == [
            ("broken", True),
            ("often", False),
        ]
        clock.at += MINUTE
        await server.scheduler.tick()
        assert await fired(store, "often") == at(1)
        await server.deactivate(broken)
        with pytest.raises(InputInvalid):
            await server.activate(broken)
        await server.plane.close()

    asyncio.run(scenario())


def test_a_scheduler_wakes_for_what_is_activated_and_stops() -> None:
    async def scenario() -> None:
        store, clock = MemoryStore(), HandClock()
        server = Server(store, clock)
        await server.plane.start()
        server.scheduler.start()
        often = plan("often", EACH_MINUTE)
        await store.add_entity(often)
        await server.activate(often)
        clock.at += MINUTE
        async with asyncio.timeout(60):
            while not await fired(store, "often"):  # noqa: ASYNC110  # what it waits for is in the store
                await asyncio.sleep(0.001)
        await server.scheduler.stop()
        clock.at += MINUTE
        await server.scheduler.tick()
        assert await fired(store, "often") == at(1)
        await server.plane.close()

    asyncio.run(scenario())
