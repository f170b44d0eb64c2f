"""Eager workflows called directly: ``eager_calls.py whimbrel|flytekit``."""

import asyncio
import importlib
import json
import sys
import time

NAME = sys.argv[1]
api = importlib.import_module(NAME)
CALLS = 1_000


@api.task
async def step(x: int) -> int:
    return x + 1


@api.task
def sync_step(x: int) -> int:
    return x + 1


@api.task
def nap(x: int) -> int:
    time.sleep(0.2)
    return x


@api.eager
async def sequential(n: int) -> int:
    x = 0
    for _ in range(n):
        x = await step(x=x)
    return x


@api.eager
async def gather(n: int) -> int:
    return sum(await asyncio.gather(*[step(x=i) for i in range(n)]))


async def value_of(call):
    """flytekit 1.16 returns the values of sync tasks, not awaitables."""
    return await call if hasattr(call, "__await__") else call


@api.eager
async def sync_sequential(n: int) -> int:
    x = 0
    for _ in range(n):
        x = await value_of(sync_step(x=x))
    return x


@api.eager
async def sync_gather(n: int) -> int:
    return sum(await asyncio.gather(*[value_of(sync_step(x=i)) for i in range(n)]))


@api.eager
async def overlap(n: int) -> int:
    return sum(await asyncio.gather(*[value_of(nap(x=i)) for i in range(n)]))


def measure(workflow, n: int, expected: int, repetitions: int = 5, per_call: bool = True):
    times = []
    for repetition in range(repetitions + 1):
        begin = time.perf_counter()
        result = asyncio.run(workflow(n=n))
        took = time.perf_counter() - begin
        assert result == expected, (workflow, result)
        if repetition:
            times.append(took / n if per_call else took)
    return times


print(
    json.dumps(
        {
            "sequential": measure(sequential, CALLS, CALLS),
            "gather": measure(gather, CALLS, sum(range(1, CALLS + 1))),
            "sync_sequential": measure(sync_sequential, CALLS, CALLS),
            "sync_gather": measure(sync_gather, CALLS, sum(range(1, CALLS + 1))),
            "overlap": measure(overlap, 10, sum(range(10)), per_call=False),
        }
    )
)
