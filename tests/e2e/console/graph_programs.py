"""Programs whose graphs the tests look at."""

import asyncio
import time
from pathlib import Path

from whimbrel import dynamic, eager, map_task, random, task, workflow


@task
def extract(n: int) -> list[int]:
    return list(range(1_000_000, 1_000_000 + n))


@task
def clean(xs: list[int]) -> list[int]:
    return [x + 1 for x in xs]


@task
def total(xs: list[int]) -> int:
    return sum(xs)


@task
def trial(rate: float, depth: int) -> float:
    return rate * depth


@task
def held(x: int, door: str) -> int:
    """Says that it has begun, and goes on when the door is opened."""
    print("at the door", flush=True)
    while not Path(door).exists():
        time.sleep(0.01)
    return x


async def refine(rate: float) -> float:
    low, high = await asyncio.gather(trial(rate=rate / 2, depth=1), trial(rate=rate * 2, depth=1))
    return await trial(rate=(low + high) / 2, depth=2)


@eager
async def search(n: int, door: str) -> float:
    sales = await extract(n=n)
    cleaned = await clean(xs=sales)
    seed = random()
    async with asyncio.TaskGroup() as group:
        first = group.create_task(refine(0.1))
        second = group.create_task(refine(0.2))
    await asyncio.sleep(0.01)
    rounds = await asyncio.gather(*(trial(rate=first.result() * by, depth=3) for by in (1.0, 2.0, 3.0)))
    await total(xs=cleaned)
    await held(x=1, door=door)
    return max(*rounds, second.result(), seed - seed)


@workflow
def doubled(a: list[int], extra: list[int]) -> list[int]:
    return clean(xs=clean(xs=a))


@dynamic
def unfolded(xs: list[int]) -> int:
    return total(xs=clean(xs=xs))


@workflow
def wide(xs: list[int], other: list[int], flag: bool = True) -> int:
    """Graphs inside graphs, and two inputs that go different ways."""
    inner = doubled(a=xs, extra=other)
    each = map_task(one_more)(x=inner)
    unfolded(xs=other)
    return total(xs=each)


@task
def one_more(x: int) -> int:
    return x + 1


@eager
async def many(count: int) -> int:
    return len(await asyncio.gather(*(one_more(x=at) for at in range(count))))


@eager
async def sleeps(door: str) -> None:
    await held(x=1, door=door)
    await asyncio.sleep(7 * 3600)
