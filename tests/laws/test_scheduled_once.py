"""Law: a due time of an active launch plan is launched exactly once, wherever the process dies, however the clock goes,
and however many schedulers there are."""

from __future__ import annotations

import asyncio
import itertools
import random
from collections.abc import Callable, Coroutine, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.laws.schedule_world import BEGIN, HandClock, Interleaved, Server, fired, kickoffs, plan
from whimbrel.model.launch_plan import CronSchedule, FixedRate
from whimbrel.model.scheduled import Firing, Mark
from whimbrel.stores.crashing import SimulatedCrash
from whimbrel.stores.crashing_entities import CrashingEntities
from whimbrel.stores.memory import MemoryStore
from whimbrel.stores.sql.store import SqlStore

AnyStore = MemoryStore | SqlStore
MINUTE = 60.0
CRON = plan("cron", CronSchedule("*/2 * * * *", kickoff_time_input="at"))
RATE = plan("rate", FixedRate(3 * MINUTE, "at"))
RATE2 = plan("rate", FixedRate(2 * MINUTE, "at"), "v2")


@pytest.fixture(params=["memory", "sqlite"])
def stores(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[[], AnyStore]]:
    opened: list[SqlStore] = []

    def make() -> AnyStore:
        if request.param == "memory":
            return MemoryStore()
        opened.append(SqlStore.open(tmp_path / f"{len(opened)}.db"))
        return opened[-1]

    yield make
    for store in opened:
        store.close()


def expected(*plans: tuple[str, str, float, float, float]) -> list[tuple[str, str, float]]:
    """Plan, version, and in minutes from the beginning: the first due time, the distance, the last."""
    found = []
    for name, version, first, step, last in plans:
        due = first
        while due <= last:
            found.append((name, version, BEGIN + due * MINUTE))
            due += step
    return sorted(found)


class Story:
    """Sixteen minutes of two schedules, told by people who say again what they were not told was done. One schedule
    moves to another version on the way, and both end."""

    def __init__(self, store: AnyStore) -> None:
        self.store = store
        self.clock = HandClock()
        self.server: Server
        self.deaths = 0

    def steps(self) -> Iterator[Callable[[], Coroutine[Any, Any, Any]]]:
        changes: dict[int, list[Callable[[], Coroutine[Any, Any, Any]]]] = {
            0: [lambda: self.server.activate(CRON), lambda: self.server.activate(RATE)],
            8: [lambda: self.server.activate(RATE2)],
            13: [lambda: self.server.deactivate(CRON), lambda: self.server.deactivate(RATE2)],
        }
        for entity in (CRON, RATE, RATE2):
            yield lambda entity=entity: self.server.store.add_entity(entity)
        for minute in range(17):
            self.clock.at = BEGIN + minute * MINUTE
            yield from changes.get(minute, ())
            yield lambda: self.server.scheduler.tick()
            yield lambda: self.server.settle()

    async def serve(self, store: Any) -> None:
        self.server = Server(store, self.clock)
        await self.server.begin()
        await self.server.resume()

    async def tell(self, store: Any) -> None:
        """With ``store`` until that dies, and then with the one that is inside."""
        await self.serve(store)
        for step in self.steps():
            try:
                await step()
            except SimulatedCrash:
                self.deaths += 1
                with suppress(SimulatedCrash):
                    await self.server.plane.close()
                await self.serve(self.store)
                await step()
        await self.server.plane.close()

    async def check(self) -> None:
        assert await kickoffs(self.store) == WHOLE
        for name in ("cron", "rate"):
            assert await fired(self.store, name) == [due for plan, _, due in WHOLE if plan == name]


WHOLE = expected(("cron", "v1", 2, 2, 12), ("rate", "v1", 3, 3, 7), ("rate", "v2", 10, 2, 12))


def test_undisturbed(stores: Callable[[], AnyStore]) -> None:
    async def scenario() -> None:
        story = Story(stores())
        await story.tell(story.store)
        await story.check()

    asyncio.run(scenario())


def test_a_death_at_every_write(stores: Callable[[], AnyStore]) -> None:
    async def writes() -> int:
        story = Story(stores())
        counting = CrashingEntities(story.store)
        await story.tell(counting)
        return counting.writes

    async def dying(at: int, before: bool) -> None:
        story = Story(stores())
        await story.tell(CrashingEntities(story.store, at, before=before))
        assert story.deaths == 1, f"write {at} was not reached"
        await story.check()

    count = asyncio.run(writes())
    assert count > 2 * len(WHOLE)
    for at, before in itertools.product(range(1, count + 1), (True, False)):
        asyncio.run(dying(at, before))


jumps = st.one_of(
    st.floats(0.0, 10 * MINUTE),
    st.floats(-10 * MINUTE, 0.0),
    st.sampled_from([0.0, 30.0, MINUTE, -MINUTE, 2 * MINUTE]),
)


async def due_by(store: Any, furthest: float) -> list[tuple[str, str, float]]:
    minutes = (furthest - BEGIN) / MINUTE
    return expected(("cron", "v1", 2, 2, minutes), ("rate", "v1", 3, 3, minutes))


@given(st.lists(st.tuples(jumps, st.booleans()), max_size=12))
def test_clocks_that_jump(moves: list[tuple[float, bool]]) -> None:
    """Forth and back, with a server that dies now and then."""

    async def scenario() -> None:
        store, clock = MemoryStore(), HandClock()
        server = Server(store, clock)
        await server.begin()
        for entity in (CRON, RATE):
            await store.add_entity(entity)
            await server.activate(entity)
        await server.scheduler.tick()
        furthest = BEGIN
        for jump, dies in moves:
            clock.at += jump
            furthest = max(furthest, clock.at)
            if dies:
                await server.plane.close()
                server = Server(store, clock)
                await server.begin()
            await server.scheduler.tick()
            await server.settle()
        assert await kickoffs(store) == await due_by(store, furthest)
        await server.plane.close()

    asyncio.run(scenario())


@given(st.integers(), st.lists(st.tuples(jumps, jumps), max_size=8))
def test_two_schedulers_on_one_store(seed: int, moves: list[tuple[float, float]]) -> None:
    """Each with a clock of its own, and both at the same time."""

    async def scenario() -> None:
        store = MemoryStore()
        clocks = HandClock(), HandClock()
        rng = random.Random(seed)
        servers = [Server(Interleaved(store, rng), clock) for clock in clocks]
        for entity in (CRON, RATE):
            await store.add_entity(entity)
            await servers[0].activate(entity)
        for server in servers:
            await server.begin()
        furthest = BEGIN
        for move in moves:
            for clock, jump in zip(clocks, move, strict=True):
                clock.at += jump
                furthest = max(furthest, clock.at)
            # What a scheduler was told by the mark of the other, it plans anew: then it looks again.
            for _ in range(2):
                await asyncio.gather(*(server.scheduler.tick() for server in servers))
            await servers[0].settle()
        assert await kickoffs(store) == await due_by(store, furthest)
        for server in servers:
            await server.plane.close()

    asyncio.run(scenario())


class Counting(SqlStore):
    """Counts the decisions that another scheduler had made."""

    lost = 0

    async def decide(self, before: Mark | None, mark: Mark, firings: Sequence[Firing] = ()) -> bool:
        done = await super().decide(before, mark, firings)
        self.lost += not done
        return done


def test_two_schedulers_on_one_database(tmp_path: Path) -> None:
    async def scenario() -> None:
        stores = [Counting.open(tmp_path / "whimbrel.db") for _ in range(2)]
        clock = HandClock()
        servers = [Server(store, clock) for store in stores]
        plans = [plan(f"plan {number}", FixedRate(MINUTE, "at")) for number in range(40)]
        for entity in plans:
            await stores[0].add_entity(entity)
            await servers[0].activate(entity)
        for server in servers:
            await server.begin()
        for _ in range(3):
            clock.at += MINUTE
            await asyncio.gather(*(server.scheduler.tick() for server in servers))
        await servers[1].settle()
        due = [BEGIN + minute * MINUTE for minute in (1, 2, 3)]
        assert await kickoffs(stores[1]) == sorted((each.id.name, "v1", at) for each in plans for at in due)
        # They did get into each other's way.
        assert sum(store.lost for store in stores) > 0
        for server in servers:
            await server.plane.close()
        for store in stores:
            store.close()

    asyncio.run(scenario())
