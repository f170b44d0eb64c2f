"""The limits: bare asyncio tasks and ``asyncio.to_thread``."""

import asyncio
import json
import time

CALLS = 1_000


async def step(x: int) -> int:
    return x + 1


def sync_step(x: int) -> int:
    return x + 1


async def sequential() -> int:
    x = 0
    for _ in range(CALLS):
        x = await asyncio.create_task(step(x))
    return x


async def gather() -> int:
    return sum(await asyncio.gather(*[asyncio.create_task(step(i)) for i in range(CALLS)]))


async def to_thread() -> int:
    x = 0
    for _ in range(CALLS):
        x = await asyncio.to_thread(sync_step, x)
    return x


async def to_thread_gather() -> int:
    return sum(await asyncio.gather(*[asyncio.to_thread(sync_step, i) for i in range(CALLS)]))


def measure(program):
    times = []
    for repetition in range(6):
        begin = time.perf_counter()
        asyncio.run(program())
        if repetition:
            times.append((time.perf_counter() - begin) / CALLS)
    return times


print(
    json.dumps(
        {
            "sequential": measure(sequential),
            "gather": measure(gather),
            "to_thread": measure(to_thread),
            "to_thread_gather": measure(to_thread_gather),
        }
    )
)
