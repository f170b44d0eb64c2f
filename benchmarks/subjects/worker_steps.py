"""Eager bodies whose calls go through worker processes, timed from inside; for ``durable_workers.py``."""

from __future__ import annotations

import asyncio
import time

import whimbrel


@whimbrel.task
def step(x: int) -> int:
    """Add one."""
    return x + 1


@whimbrel.eager
async def sequential(n: int) -> float:
    """Seconds a step."""
    x = 0
    begin = time.perf_counter()
    for _ in range(n):
        x = await step(x=x)
    return (time.perf_counter() - begin) / n


@whimbrel.eager
async def gathered(n: int) -> float:
    """Seconds a step, all at once."""
    begin = time.perf_counter()
    await asyncio.gather(*[step(x=x) for x in range(n)])
    return (time.perf_counter() - begin) / n


def plain(x: int) -> int:
    """Add one, without whimbrel."""
    return x + 1
