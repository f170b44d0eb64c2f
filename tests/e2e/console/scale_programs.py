"""Large runs, which the tests of the console open and watch."""

import asyncio
import time
from pathlib import Path

from whimbrel import eager, map_task, progress, task, workflow


@task
def one(x: int) -> int:
    return x + 1


@task
def picky(x: int) -> int:
    if x == 7_000:
        raise ValueError("not this one")
    return x


@workflow
def wide(xs: list[int]) -> list[int]:
    return map_task(one)(x=xs)


@workflow
def nearly(xs: list[int]) -> list[int | None]:
    return map_task(picky, min_success_ratio=0.9)(x=xs)


@task
def telling(door: str) -> int:
    """Says all the time that it has come further; the end of the way is sent each time."""
    count = 0
    while not Path(door).exists():
        count += 1
        progress(count, count, message=f"step {count}")
        print(f"step {count}")
        time.sleep(0.005)
    return count


@eager
async def busy(nodes: int, door: str) -> int:
    for at in range(nodes // 200):
        await asyncio.gather(*(one(x=at * 200 + each) for each in range(200)))
    return sum(await asyncio.gather(telling(door=door), telling(door=door)))


@task
def held(door: str) -> int:
    while not Path(door).exists():
        time.sleep(0.01)
    return 1


@workflow
def waits(door: str) -> int:
    return held(door=door)
