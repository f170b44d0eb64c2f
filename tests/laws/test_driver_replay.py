"""Law: a driver that dies anywhere is replayed to the same road, whatever the latencies and the values of what runs
after it."""

from __future__ import annotations

import asyncio
import random
from typing import Any

import pytest

from .journal_world import Crash, call, play


async def chain(name: str, length: int) -> list[int]:
    return [await call(name, i) for i in range(length)]


async def sample() -> list[int]:
    return [await call("same"), await call("same")]


async def wander(rng: random.Random) -> list[Any]:
    """A random program made of every asyncio construct that waits."""
    trail: list[Any] = []
    for _ in range(rng.randrange(1, 4)):
        match rng.randrange(8):
            case 0:
                trail.append(await asyncio.gather(*[chain(f"c{i}", rng.randrange(1, 4)) for i in range(3)]))
            case 1:
                trail.append(await asyncio.gather(*[sample() for _ in range(4)]))
            case 2:
                tasks = [asyncio.create_task(chain(f"r{i}", 2)) for i in range(3)]
                done, pending = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
                for task in tasks:
                    if task in pending:
                        task.cancel()
                await asyncio.gather(*pending, return_exceptions=True)
                trail.append([i for i, task in enumerate(tasks) if task in done])
                trail.append(await call("after", trail[-1][0]))
            case 3:
                try:
                    async with asyncio.timeout(0.5):
                        trail.append(await chain("t", 3))
                except TimeoutError:
                    trail.append("late")
                    trail.append(await call("cleanup"))
            case 4:
                for future in asyncio.as_completed([chain(f"a{i}", 2) for i in range(3)]):
                    trail.append(await future)
            case 5:
                try:
                    async with asyncio.TaskGroup() as group:
                        group.create_task(chain("g", 3))
                        group.create_task(asyncio.wait_for(chain("w", 2), 0.4))
                        await asyncio.sleep(0.2)
                        await call("x")
                except* TimeoutError:
                    trail.append("group")
                    await call("y")
            case 6:
                inner = asyncio.create_task(chain("s", 2))
                try:
                    trail.append(await asyncio.wait_for(asyncio.shield(inner), 0.3))
                except TimeoutError:
                    trail.append(await inner)
            case _:
                await asyncio.sleep(rng.random())
                trail.append(await call("slept"))
    return trail


@pytest.mark.parametrize("seed", range(150))
def test_replay_takes_the_same_road(seed: int) -> None:
    def program() -> Any:
        return wander(random.Random(seed))

    expected, whole = play(program, [], random.Random(seed))
    assert expected is not Crash
    points = {
        1,
        max(1, whole.writes // 2),
        max(1, whole.writes - 1),
        random.Random(seed).randrange(1, whole.writes + 1),
    }
    for crash_at in sorted(points):
        died, before = play(program, [], random.Random(seed), crash_at=crash_at)
        assert died is Crash
        _, after = play(program, before.journal(), random.Random(seed + 10_000))
        assert not after.diverged, f"crash at {crash_at}"
        finished = {(row.parent, row.key): row.outcome for row in before.rows}
        now = {(row.parent, row.key): row.outcome for row in after.rows}
        assert all(now[place] == outcome for place, outcome in finished.items())
        assert not [place for place in finished if after.executed[place]]
        # Nothing is left of the past, and the order of what was recorded is a prefix of the new order.
        assert [(row.parent, row.key) for row in after.rows[: len(before.rows)]] == [
            (row.parent, row.key) for row in before.rows
        ]


@pytest.mark.parametrize("seed", range(40))
def test_a_full_journal_answers_everything(seed: int) -> None:
    def program() -> Any:
        return wander(random.Random(seed))

    expected, whole = play(program, [], random.Random(seed))
    again, replay = play(program, whole.journal(), random.Random(seed + 1))
    assert again == expected
    assert not replay.executed
    assert not replay.diverged
