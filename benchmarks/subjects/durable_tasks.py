"""The programs of ``durable_steps.py``, in a module that drivers can import."""

from __future__ import annotations

import asyncio
import threading
import time
from typing import Any

import whimbrel

ROUND = 50

raw: Any = None
step_times: list[float] = []
commit_times: list[float] = []
recorded_all = threading.Event()


@whimbrel.task
async def step(x: int) -> int:
    """Add one."""
    return x + 1


@whimbrel.task
def blocking_step(x: int) -> int:
    """Add one, on a thread."""
    return x + 1


@whimbrel.task
async def endless() -> None:
    """What keeps a run from ending."""
    await asyncio.Event().wait()


@whimbrel.eager
async def sequential(n: int) -> int:
    """Rounds of raw commits and of steps."""
    x = 0
    for _ in range(n):
        commit_times.append(raw.commits(ROUND))
        begin = time.perf_counter()
        for _ in range(ROUND):
            x = await step(x=x)
        step_times.append((time.perf_counter() - begin) / ROUND)
    return x


@whimbrel.eager
async def blocking(n: int) -> int:
    """The same with functions that block."""
    x = 0
    for _ in range(n):
        commit_times.append(raw.commits(ROUND))
        begin = time.perf_counter()
        for _ in range(ROUND):
            x = await blocking_step(x=x)
        step_times.append((time.perf_counter() - begin) / ROUND)
    return x


@whimbrel.eager
async def gathered(n: int) -> int:
    """All at once."""
    begin = time.perf_counter()
    total = sum(await asyncio.gather(*[step(x=i) for i in range(n)]))
    step_times.append((time.perf_counter() - begin) / n)
    return total


@whimbrel.eager
async def recorded(n: int) -> int:
    """Many steps, and then a wait that nothing ends."""
    total = sum(await asyncio.gather(*[step(x=i) for i in range(n)]))
    recorded_all.set()
    await endless()
    return total
