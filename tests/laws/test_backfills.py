"""Law: a backfill launches what is missing, once, wherever the process dies, and never more at a time than it may."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import Any

import pytest
from msgspec.structs import replace

from tests.laws.schedule_world import BEGIN, DOMAIN, PROJECT, HandClock, Server, fired, kickoffs, plan, plan_name
from whimbrel.controlplane.backfills import DONE, RUNNING, STOPPED, Backfills, ended_in
from whimbrel.controlplane.system import RandomIds
from whimbrel.errors import EntityNotFound, InputInvalid, Overloaded, StoreFull
from whimbrel.model.launch_plan import CronSchedule, FixedRate
from whimbrel.model.run import Phase
from whimbrel.model.scheduled import Outcome
from whimbrel.stores.crashing import SimulatedCrash
from whimbrel.stores.crashing_entities import CrashingEntities
from whimbrel.stores.memory import MemoryStore

MINUTE = 60.0
CRON = plan("cron", CronSchedule("* * * * *", kickoff_time_input="at"))


def backfills(server: Server, store: Any, ended: Callable[[str], Awaitable[None]] | None = None) -> Backfills:
    return Backfills(
        store=store,
        launcher=server.executions,
        clock=HandClock(BEGIN + 100 * MINUTE),
        ids=RandomIds(),
        ended=ended or ended_in(server.plane),
        retry=0.001,
    )


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(60):
        while not await condition():  # noqa: ASYNC110  # what it waits for is in a store
            await asyncio.sleep(0.001)


def minutes(*numbers: int) -> list[float]:
    return [BEGIN + number * MINUTE for number in numbers]


def test_what_has_run_is_not_run_again() -> None:
    async def scenario() -> None:
        store, clock = MemoryStore(), HandClock()
        server = Server(store, clock)
        await server.begin()
        await store.add_entity(CRON)
        await server.activate(CRON)
        clock.at += 2 * MINUTE
        await server.scheduler.tick()
        past = backfills(server, store)
        wanted = await past.plan(CRON.id, BEGIN - 2 * MINUTE, BEGIN + 3 * MINUTE)
        there = [time.phase is not None for time in await past.times(wanted)]
        assert there == [False, False, False, True, True, False]
        for _ in range(2):
            id = await past.begin(wanted)
            await until(lambda: has_ended(past, id))  # noqa: B023  # awaited here
        assert await kickoffs(store) == [("cron", "v1", due) for due in minutes(-2, -1, 0, 1, 2, 3)]
        assert await fired(store, "cron") == minutes(-2, -1, 0, 1, 2, 3)
        rows = await store.firings(plan_name("cron"))
        assert [bool(row.backfill) for row in rows] == [True, False, False, True, True, True]
        # The schedule goes on, and passes over what was launched for it.
        clock.at += 2 * MINUTE
        await server.scheduler.tick()
        await server.settle()
        assert [due for _, _, due in await kickoffs(store)] == minutes(-2, -1, 0, 1, 2, 3, 4)
        await server.plane.close()

    asyncio.run(scenario())


async def has_ended(past: Backfills, id: str, state: str = DONE) -> bool:
    return (await past.get(PROJECT, DOMAIN, id)).state == state


def test_a_death_at_every_write() -> None:
    async def tell(at: int, before: bool) -> int:
        inner, clock = MemoryStore(), HandClock()
        await inner.add_entity(CRON)
        store = CrashingEntities(inner, at, before=before)
        server = Server(store, clock)
        await server.begin()
        past = backfills(server, store)
        wanted = await past.plan(CRON.id, BEGIN, BEGIN + 4 * MINUTE, 2)
        id = ""
        with suppress(SimulatedCrash):
            id = await past.begin(wanted)
            await until(lambda: has_ended(past, id))
        await past.close()
        with suppress(SimulatedCrash):
            await server.plane.close()
        if at:
            server = Server(inner, clock)
            await server.begin()
            await server.resume()
            past = backfills(server, inner)
            await past.resume()
            # Who was not told that it was begun begins it again.
            id = id or await past.begin(wanted)
            await until(lambda: has_ended(past, id))
            await server.settle()
            await server.plane.close()
        assert await kickoffs(inner) == [("cron", "v1", due) for due in minutes(0, 1, 2, 3, 4)]
        return store.writes

    writes = asyncio.run(tell(0, True))
    assert writes > 10
    for at in range(1, writes + 1):
        for before in (True, False):
            asyncio.run(tell(at, before))


@pytest.mark.parametrize("limit", [1, 3])
def test_no_more_at_a_time_than_it_may(limit: int) -> None:
    async def scenario() -> None:
        store = SlowStore()
        server = Server(store, HandClock())
        await server.begin()
        await store.add_entity(CRON)

        async def full() -> bool:
            return len(store.made - store.over) == limit or len(store.made) == 10

        async def ended(run: str) -> None:
            # Nobody ends before as many run as may, or all that there are.
            await until(full)
            store.over.add(run)

        past = backfills(server, store, ended)
        id = await past.begin(await past.plan(CRON.id, BEGIN, BEGIN + 9 * MINUTE, limit))
        await until(lambda: has_ended(past, id))
        assert store.most == limit
        await server.plane.close()

    asyncio.run(scenario())


class SlowStore(MemoryStore):
    """Says of runs that they go on until they are said to be over, and how many did at most."""

    def __init__(self) -> None:
        super().__init__()
        self.over: set[str] = set()
        self.made: set[str] = set()
        self.most = 0

    async def create(self, summary: Any, events: Any) -> None:
        await super().create(summary, events)
        self.made.add(summary.id)
        self.most = max(self.most, len(self.made - self.over))

    async def summary(self, run: str) -> Any:
        found = await super().summary(run)
        return found if run in self.over else replace(found, phase=Phase.RUNNING)


def test_one_that_is_stopped_launches_nothing_more() -> None:
    async def scenario() -> None:
        store = SlowStore()
        server = Server(store, HandClock())
        await server.begin()
        await store.add_entity(CRON)

        async def ended(run: str) -> None:
            await asyncio.sleep(0.001)

        past = backfills(server, store, ended)
        id = await past.begin(await past.plan(CRON.id, BEGIN, BEGIN + 9 * MINUTE, 2))

        async def two() -> bool:
            return len(store.made) == 2

        await until(two)
        assert (await past.get(PROJECT, DOMAIN, id)).state == RUNNING
        assert (await past.stop_one(PROJECT, DOMAIN, id)).state == STOPPED
        await past.resume()
        assert len(store.made) == 2
        await past.close()
        await server.plane.close()

    asyncio.run(scenario())


def test_what_cannot_be_launched_is_said_and_the_rest_goes_on() -> None:
    async def scenario() -> None:
        store = MemoryStore()
        server = Server(store, HandClock())
        await server.begin()
        unready = plan("unready", CronSchedule("* * * * *"))
        await store.add_entity(unready)
        past = backfills(server, store)
        id = await past.begin(await past.plan(unready.id, BEGIN, BEGIN + MINUTE))
        await until(lambda: has_ended(past, id))
        rows = await store.firings(plan_name("unready"))
        assert [(row.due, row.outcome) for row in rows] == [(due, Outcome.REFUSED) for due in minutes(1, 0)]
        assert "'at'" in rows[0].detail
        await server.plane.close()

    asyncio.run(scenario())


def test_a_server_that_has_enough_to_do_is_asked_again() -> None:
    async def scenario() -> None:
        store = MemoryStore()
        server = Server(store, HandClock())
        await server.begin()
        await store.add_entity(CRON)
        launch, refusals = server.executions.fire, iter([Overloaded(), StoreFull(), Overloaded()])

        async def fire(*said: Any) -> None:
            for refusal in refusals:
                raise refusal
            await launch(*said)

        server.executions.fire = fire
        past = backfills(server, store)
        id = await past.begin(await past.plan(CRON.id, BEGIN, BEGIN + MINUTE))
        await until(lambda: has_ended(past, id))
        assert await fired(store, "cron") == minutes(0, 1)
        assert await kickoffs(store) == [("cron", "v1", due) for due in minutes(0, 1)]
        await server.plane.close()

    asyncio.run(scenario())


def test_what_makes_no_sense_is_refused() -> None:
    async def scenario() -> None:
        store = MemoryStore()
        server = Server(store, HandClock())
        past = backfills(server, store)
        rate = plan("rate", FixedRate(1.0))
        for entity in (CRON, rate):
            await store.add_entity(entity)
        with pytest.raises(EntityNotFound):
            await past.plan(plan("nothing", FixedRate(60.0)).id, BEGIN, BEGIN)
        for id, since, end, concurrency in (
            (CRON.id, BEGIN, BEGIN + 101 * MINUTE, 1),
            (CRON.id, BEGIN, BEGIN - MINUTE, 1),
            (CRON.id, BEGIN, BEGIN, 0),
            (rate.id, BEGIN - 10_001, BEGIN, 1),
        ):
            with pytest.raises(InputInvalid):
                await past.plan(id, since, end, concurrency)

    asyncio.run(scenario())
