"""Programs for the tests of the testing kit."""

from __future__ import annotations

import asyncio
import threading

from whimbrel import eager, task, workflow
from whimbrel.authoring.durable_values import now, random, uuid4


@task
def add_one(x: int) -> int:
    return x + 1


@task
async def slow(x: int) -> int:
    await asyncio.sleep(3600)
    return x


@task(timeout=10)
async def too_slow(x: int) -> int:
    await asyncio.sleep(3600)
    return x


@task
def own_loop(x: int) -> int:
    async def inside() -> int:
        await asyncio.sleep(0)
        return x

    return asyncio.run(inside())


@workflow
def twice(x: int) -> int:
    return add_one(x=add_one(x=x))


@workflow
def twice_twice(x: int) -> int:
    return twice(x=twice(x=x))


@eager
async def inner(x: int) -> int:
    return await add_one(x=x)


@eager
async def outer(x: int) -> int:
    return await inner(x=await twice(x=await add_one(x=x)))


@eager
async def a_day(x: int) -> float:
    before = now()
    await asyncio.sleep(24 * 3600)
    await slow(x=x)
    return (now() - before).total_seconds()


@eager
async def draws(x: int) -> str:
    return f"{random()} {uuid4()} {now()}"


@eager
async def times_out(x: int) -> str:
    try:
        return str(await too_slow(x=x))
    except TimeoutError:
        return "timed out"


@eager
async def for_ever(x: int) -> int:
    await asyncio.Event().wait()
    return x


@eager
async def cleans_up(x: int) -> int:
    try:
        return await add_one(x=x)
    finally:
        CLEANED.append(x)


CLEANED: list[int] = []


@eager
async def thread_calls_back(x: int) -> int:
    """A thread that makes durable calls through the body's loop."""
    loop = asyncio.get_running_loop()

    def ask() -> int:
        return asyncio.run_coroutine_threadsafe(inner(x=x), loop).result(10)

    return await asyncio.to_thread(ask) + threading.active_count() * 0
