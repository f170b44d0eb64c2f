"""Large programs."""

from __future__ import annotations

import asyncio

from whimbrel import eager, task


@task
async def up(x: int) -> int:
    return x + 1


@eager
async def deep(n: int) -> int:
    return 0 if n == 0 else await up(x=await deep(n=n - 1))


@eager
async def wide(n: int) -> int:
    return sum(await asyncio.gather(*[up(x=i) for i in range(n)]))


@eager
async def long_loop(n: int) -> int:
    value = 0
    for _ in range(n):
        value = await up(x=value)
    return value


@eager
async def timed_loop(n: int) -> int:
    """Each step under a time-out that is met, and after a little sleep."""
    value = 0
    for _ in range(n):
        async with asyncio.timeout(10):
            value = await up(x=value)
        await asyncio.sleep(0.01)
    return value
