"""The writer: groups, refusals, statements at fault, riders, closing. On a real database."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from whimbrel.errors import Fenced, StoreError, StoreFull
from whimbrel.stores.sql.database import Cursor, Parameters
from whimbrel.stores.sql.sqlite import SqliteDatabase
from whimbrel.stores.sql.writer import RIDERS_KEPT, Writer

INSERT = "INSERT INTO reservations VALUES (:key, :holder, 0)"


def add(key: str, holder: object = "h") -> Callable[[Cursor], str]:
    def work(cursor: Cursor) -> str:
        cursor.execute(INSERT, {"key": key, "holder": holder})
        return key

    return work


def refuse(cursor: Cursor) -> None:
    raise Fenced("no")


class Observed(SqliteDatabase):
    """Lets a test hold the writer, and counts commits."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, busy_timeout=1.0)
        self.commits = 0
        self.connections: list[sqlite3.Connection] = []
        self.free = threading.Event()
        self.free.set()

    def connect(self, *, write: bool) -> sqlite3.Connection:
        assert self.free.wait(10)
        connection = super().connect(write=write)
        connection.set_trace_callback(self._trace)
        self.connections.append(connection)
        return connection

    def _trace(self, statement: str) -> None:
        self.commits += statement == "COMMIT"


class World:
    def __init__(self, path: Path) -> None:
        SqliteDatabase.open(path, owner=True)
        self.path = path
        self.database = Observed(path)
        self.carried: list[int] = []
        self.writer: Writer[Parameters] = Writer(self.database, self._carry, rider_delay=0.0)

    def _carry(self, cursor: Cursor, rows: Sequence[Parameters]) -> None:
        cursor.executemany(INSERT, rows)
        self.carried.append(len(rows))

    def reserved(self) -> list[str]:
        connection = sqlite3.connect(self.path)
        try:
            return [key for (key,) in connection.execute("SELECT key FROM reservations ORDER BY key")]
        finally:
            connection.close()

    async def together(self, *jobs: Callable[[Cursor], Any]) -> list[Any]:
        """Queue the jobs while the writer is held, so that they make one group."""
        self.database.free.clear()
        futures = [self.writer.submit(job) for job in jobs]
        self.database.free.set()
        return await asyncio.gather(*futures, return_exceptions=True)


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path / "whimbrel.db")
    yield made
    made.database.free.set()
    made.writer.close()


def test_what_is_queued_is_committed_at_once(world: World) -> None:
    async def main() -> None:
        keys = [f"{n:04}" for n in range(1000)]
        first = world.writer.submit(add("first"))
        await first
        world.database.commits = 0
        assert await asyncio.gather(*[world.writer.submit(add(key)) for key in keys]) == keys
        # The writer may have begun when the first of them came, and again while the others did.
        assert world.database.commits < 100
        assert world.reserved() == [*keys, "first"]

    asyncio.run(main())


def test_a_result_is_told_when_it_is_durable(world: World) -> None:
    async def main() -> None:
        for n in range(20):
            key = f"{n:02}"
            assert await world.writer.submit(add(key)) == key
            assert key in world.reserved()

    asyncio.run(main())


def test_a_refusal_fails_alone_and_costs_no_second_commit(world: World) -> None:
    async def main() -> None:
        outcomes = await world.together(add("a"), refuse, add("b"))
        assert [str(outcome) for outcome in outcomes] == ["a", "no", "b"]
        assert isinstance(outcomes[1], Fenced)
        assert world.database.commits <= 2
        assert world.reserved() == ["a", "b"]

    asyncio.run(main())


@pytest.mark.parametrize(
    "bad",
    [
        pytest.param(add("a"), id="a key that is taken"),
        pytest.param(add("c", holder=None), id="a null where none may be"),
        pytest.param(add("c", holder=object()), id="a value that SQL has not"),
        pytest.param(add("c", holder=2**80), id="a number too large"),
        pytest.param(add("\udc80"), id="text that UTF-8 has not"),
    ],
)
def test_a_statement_at_fault_fails_alone(world: World, bad: Callable[[Cursor], str]) -> None:
    async def main() -> None:
        outcomes = await world.together(add("a"), add("b"), bad, refuse, add("d"))
        assert outcomes[:2] == ["a", "b"]
        assert isinstance(outcomes[2], StoreError)
        assert outcomes[2].__cause__ is not None
        assert isinstance(outcomes[3], Fenced)
        assert outcomes[4] == "d"
        assert world.reserved() == ["a", "b", "d"]

    asyncio.run(main())


def test_when_the_machine_is_at_fault_all_of_the_group_fails_and_none_is_kept(world: World) -> None:
    def broken(cursor: Cursor) -> None:
        raise OSError(28, "No space left on device")

    async def main() -> None:
        outcomes = await world.together(add("a"), broken, add("b"))
        # What went before the group, if the writer began early, is kept whole.
        kept = [outcome for outcome in outcomes if isinstance(outcome, str)]
        assert world.reserved() == kept
        assert isinstance(outcomes[1], StoreFull)
        assert isinstance(outcomes[2], StoreFull)
        assert await world.writer.submit(add("c")) == "c"

    asyncio.run(main())


def test_riders_go_with_the_next_group(world: World) -> None:
    async def main() -> None:
        world.database.free.clear()
        blocked = world.writer.submit(add("a"))
        for n in range(5):
            world.writer.ride({"key": f"rider {n}", "holder": "h"})
        job = world.writer.submit(add("b"))
        world.database.free.set()
        await asyncio.gather(blocked, job)
        assert sum(world.carried) == 5
        assert not world.writer.has_riders
        assert len(world.reserved()) == 7

    asyncio.run(main())


def test_riders_do_not_wait_for_ever(world: World) -> None:
    world.writer.ride({"key": "rider", "holder": "h"})
    # The thread writes it by itself: nobody submits anything, nobody closes.
    for _ in range(10_000):
        if world.reserved() == ["rider"]:
            return
        threading.Event().wait(0.001)
    pytest.fail("the rider was not written")


def test_closing_writes_what_is_queued(world: World) -> None:
    async def main() -> None:
        world.database.free.clear()
        futures = [world.writer.submit(add(f"{n:02}")) for n in range(10)]
        world.writer.ride({"key": "rider", "holder": "h"})
        world.database.free.set()
        world.writer.close()
        assert await asyncio.gather(*futures) == [f"{n:02}" for n in range(10)]
        assert world.reserved() == [*[f"{n:02}" for n in range(10)], "rider"]
        with pytest.raises(StoreError, match="closed"):
            world.writer.submit(add("late"))
        with pytest.raises(StoreError, match="closed"):
            world.writer.ride({"key": "late", "holder": "h"})
        world.writer.close()

    asyncio.run(main())


def test_riders_that_no_disk_takes_are_kept_and_their_loss_is_said(tmp_path: Path) -> None:
    world = World(tmp_path / "whimbrel.db")
    faulty = True

    def carry(cursor: Cursor, rows: Sequence[Parameters]) -> None:
        if faulty:
            raise OSError(28, "No space left on device")
        cursor.executemany(INSERT, rows)

    async def main() -> None:
        nonlocal faulty
        writer: Writer[Parameters] = Writer(world.database, carry, rider_delay=0.0)
        writer.ride({"key": "kept", "holder": "h"})
        with pytest.raises(StoreFull):
            await writer.submit(add("a"))
        faulty = False
        await writer.submit(add("b"))
        assert world.reserved() == ["b", "kept"]
        faulty = True
        for n in range(RIDERS_KEPT + 10):
            writer.ride({"key": str(n), "holder": "h"})
        with pytest.raises(StoreFull):
            await writer.submit(add("c"))
        with pytest.raises(StoreFull, match=f"{RIDERS_KEPT + 10} log chunks are lost"):
            writer.close()

    asyncio.run(main())


def test_a_rider_at_fault_does_not_harm_the_group(tmp_path: Path) -> None:
    world = World(tmp_path / "whimbrel.db")

    async def main() -> None:
        world.database.free.clear()
        first = world.writer.submit(add("a"))
        world.writer.ride({"key": "rider", "holder": None})
        job = world.writer.submit(add("b"))
        world.database.free.set()
        assert await asyncio.gather(first, job) == ["a", "b"]
        assert world.reserved() == ["a", "b"]
        with pytest.raises(StoreError, match="1 log chunks are lost"):
            world.writer.close()

    asyncio.run(main())


def test_a_caller_whose_loop_is_gone_does_not_stop_the_writer(world: World) -> None:
    async def leave() -> None:
        world.database.free.clear()
        world.writer.submit(add("a"))

    asyncio.run(leave())
    world.database.free.set()
    asyncio.run(check(world))


async def check(world: World) -> None:
    assert await world.writer.submit(add("b")) == "b"
    assert world.reserved() == ["a", "b"]


def test_results_of_several_loops_go_to_each_its_own(world: World) -> None:
    seen: dict[int, list[str]] = {}

    def run(number: int) -> None:
        async def main() -> list[str]:
            jobs = [world.writer.submit(add(f"{number}-{n:03}")) for n in range(100)]
            return await asyncio.gather(*jobs)

        seen[number] = asyncio.run(main())

    threads = [threading.Thread(target=run, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen == {number: [f"{number}-{n:03}" for n in range(100)] for number in range(4)}
    assert len(world.reserved()) == 400
