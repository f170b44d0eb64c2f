"""Law: programs that pass tables on give the same in every way of running, and after a death at any write."""

from __future__ import annotations

import asyncio

from whimbrel.testing.blobs import MemoryBlobs
from whimbrel.testing.engine import TestEngine
from whimbrel.testing.resuming import for_each_write, with_always_replay

from .tables import by_thirds, made, means, parted, through_three

THIRDS = [285.0, 4.5, 4.0, 5.0, 45.0, 6.0]


def test_plainly_and_on_an_engine() -> None:
    assert through_three(rows=10) == 285
    assert asyncio.run(plainly(10)) == THIRDS
    assert TestEngine().run(through_three, rows=10) == 285
    assert TestEngine().run(by_thirds, rows=10) == THIRDS


async def plainly(rows: int) -> list[float]:
    return await by_thirds(rows=rows)


def test_crash_at_every_write() -> None:
    for entity, expected in ((through_three, 285), (by_thirds, THIRDS)):
        proof = for_each_write(entity, {"rows": 10}, expected=expected)
        assert proof.crashes >= proof.writes >= 2


def test_a_replayed_body_makes_the_same_tables() -> None:
    assert with_always_replay(by_thirds, {"rows": 10}).drivers


def test_the_same_contents_are_found_in_the_cache_by_another_run() -> None:
    engine = TestEngine()
    assert engine.run(by_thirds, rows=10) == THIRDS
    assert engine.executions["means"] == 1
    blobs = engine.blobs
    assert isinstance(blobs, MemoryBlobs)
    known = set(blobs.contents)
    # Written anew by other attempts, and the same for all that.
    assert engine.run(by_thirds, rows=10) == THIRDS
    assert engine.executions["means"] == 1
    assert engine.executions["made"] == engine.executions["parted"] == 2
    assert set(blobs.contents) == known
    assert engine.run(by_thirds, rows=11) != THIRDS
    assert engine.executions["means"] == 2


def test_tables_given_to_an_engine_and_taken_from_it() -> None:
    engine = TestEngine()
    table = engine.run(made, rows=4)
    folder = engine.run(parted, table=table)
    assert list(engine.run(means, table=folder)) == [1.5, 1.0, 2.0]
