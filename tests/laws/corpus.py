"""Sample programs for the durability laws: static and eager, each with its expected result.

Tasks note every execution in ``EXECUTED`` (node path and attempt), so that a law can tell what ran twice.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any, NamedTuple

from whimbrel import EagerException, conditional, current_context, eager, task, workflow

EXECUTED: list[tuple[str, int]] = []


def note() -> None:
    """Leave a trace of this execution."""
    context = current_context()
    EXECUTED.append((context.node, context.attempt))


@task
def add_one(x: int) -> int:
    note()
    return x + 1


@task
async def double(x: int) -> int:
    note()
    await asyncio.sleep(0)
    return x * 2


@task
def total(xs: list[int]) -> int:
    note()
    return sum(xs)


@task
def is_large(x: int) -> bool:
    note()
    return x > 10


@task
def reject(x: int) -> int:
    note()
    raise ValueError(f"{x} is not wanted")


@dataclass
class Reading:
    sensor: str
    values: list[float]


@task
def read(sensor: str) -> Reading:
    note()
    return Reading(sensor, [1.0, 2.0, 3.0])


@task
def mean(reading: Reading) -> float:
    note()
    return sum(reading.values) / len(reading.values)


class Pair(NamedTuple):
    low: int
    high: int


@task
def spread(x: int) -> Pair:
    note()
    return Pair(x - 1, x + 1)


@workflow
def chain(x: int) -> int:
    return double(x=add_one(x=double(x=add_one(x=x))))


@workflow
def fan_out(x: int) -> int:
    return total(xs=[add_one(x=x), double(x=x), add_one(x=7), double(x=8)])


@workflow
def branch(x: int) -> int:
    y = add_one(x=x)
    return conditional("size").if_(y > 10).then(double(x=y)).else_().then(add_one(x=y))


@workflow
def nested(x: int) -> int:
    pair = spread(x=chain(x=x))
    return total(xs=[pair.low, pair.high, chain(x=3)])


@workflow
def structured(sensor: str) -> float:
    reading = read(sensor=sensor)
    return mean(reading=reading)


@eager
async def eager_loop(n: int) -> int:
    value = 0
    for i in range(n):
        value = await add_one(x=value + i)
    return value


async def branch_of(start: int, length: int) -> int:
    value = start
    for _ in range(length):
        value = await double(x=await add_one(x=value))
    return value


@eager
async def eager_gather(x: int) -> list[int]:
    return list(await asyncio.gather(branch_of(x, 2), branch_of(x + 1, 1), branch_of(x + 2, 3)))


@eager
async def eager_catches(x: int) -> str:
    try:
        await reject(x=x)
    except ValueError as error:
        both = isinstance(error, EagerException)
        return f"{error} but {await add_one(x=x)}" if both else "not an EagerException"
    return "accepted"


@eager
async def eager_calls_workflow(x: int) -> int:
    first = await chain(x=x)
    second = await branch(x=first)
    return first + second


@eager
async def inner(x: int) -> int:
    return await double(x=await add_one(x=x))


@eager
async def eager_nested(x: int) -> int:
    first, second = await asyncio.gather(inner(x=x), inner(x=x + 10))
    return await add_one(x=first + second)


@eager
async def eager_race(x: int) -> int:
    tasks = [asyncio.create_task(branch_of(x, n)) for n in (1, 3)]
    done, pending = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    for waiting in pending:
        waiting.cancel()
    await asyncio.gather(*pending, return_exceptions=True)
    return await add_one(x=min(finished.result() for finished in done))


@eager
async def eager_timeout(x: int) -> int:
    try:
        async with asyncio.timeout(0.01):
            await asyncio.sleep(30)
    except TimeoutError:
        return await add_one(x=x)
    return 0


@eager
async def eager_group(x: int) -> int:
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(branch_of(x + i, 1)) for i in range(3)]
    return sum(finished.result() for finished in tasks)


@eager
async def eager_as_completed(x: int) -> int:
    seen = [await future for future in asyncio.as_completed([branch_of(x + i, 1) for i in range(3)])]
    return await total(xs=sorted(seen))


@workflow
def eager_inside(x: int) -> int:
    return add_one(x=inner(x=add_one(x=x)))


class Sample(NamedTuple):
    """A program, its inputs, and what it must give; ``task_calls`` is how many task executions an undisturbed run
    makes (-1: it may vary)."""

    entity: Any
    inputs: dict[str, Any]
    expected: Any
    task_calls: int


SAMPLES = {
    "chain": Sample(chain, {"x": 1}, 10, 4),
    "fan_out": Sample(fan_out, {"x": 1}, 2 + 2 + 8 + 16, 5),
    "branch_small": Sample(branch, {"x": 1}, 3, 2),
    "branch_large": Sample(branch, {"x": 20}, 42, 2),
    "nested": Sample(nested, {"x": 1}, 9 + 11 + 18, 10),
    "structured": Sample(structured, {"sensor": "a"}, 2.0, 2),
    "eager_loop": Sample(eager_loop, {"n": 4}, 10, 4),
    "eager_gather": Sample(eager_gather, {"x": 1}, [10, 6, 38], 12),
    "eager_catches": Sample(eager_catches, {"x": 4}, "4 is not wanted but 5", 2),
    "eager_calls_workflow": Sample(eager_calls_workflow, {"x": 1}, 10 + 22, 6),
    "eager_nested": Sample(eager_nested, {"x": 1}, 4 + 24 + 1, 5),
    "eager_race": Sample(eager_race, {"x": 1}, 5, -1),
    "eager_timeout": Sample(eager_timeout, {"x": 1}, 2, 1),
    "eager_group": Sample(eager_group, {"x": 1}, 4 + 6 + 8, 6),
    "eager_as_completed": Sample(eager_as_completed, {"x": 1}, 18, 7),
    "eager_inside": Sample(eager_inside, {"x": 1}, 7, 4),
}
