"""Programs that clean up: they leave traces in the directory FLOW_NOTES, and wait there until they are released."""

from __future__ import annotations

import asyncio
import os
import time
from pathlib import Path

from whimbrel import eager, setup_teardown, task, workflow


def note(what: str) -> None:
    """One write with O_APPEND: whole lines, whoever writes at the same time."""
    descriptor = os.open(Path(os.environ["FLOW_NOTES"], "trace"), os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(descriptor, f"{what}\n".encode())
    os.close(descriptor)


def released(gate: str) -> bool:
    return Path(os.environ["FLOW_NOTES"], gate).exists()


@task
def open_it(name: str) -> str:
    note(f"open {name}")
    return name.upper()


@task
def close_it(name: str) -> None:
    note(f"close {name}")


@task
def close_slowly(name: str) -> None:
    """Close it once the gate is open."""
    note(f"closing {name}")
    while not released("close"):
        time.sleep(0.01)
    note(f"close {name}")


@task
def work(x: int) -> int:
    """Wait to be released; say so when it is stopped."""
    note("work begins")
    try:
        while not released("work"):
            time.sleep(0.01)
    finally:
        note("work ends")
    if released("fail"):
        raise ValueError("the work failed")
    return x + 1


@task
async def work_async(x: int) -> int:
    note("async work begins")
    try:
        while not released("work"):  # noqa: ASYNC110
            await asyncio.sleep(0.01)
    finally:
        note("async work ends")
    return x + 1


@eager
async def cleaning(x: int) -> int:
    """`finally` makes a durable call."""
    name = await open_it(name="a")
    try:
        return await work(x=x)
    finally:
        await close_it(name=name)


@eager
async def cleaning_slowly(x: int) -> int:
    """Its clean-up takes as long as one lets it."""
    name = await open_it(name="a")
    try:
        return await work(x=x)
    finally:
        note("body cleans up")
        await close_slowly(name=name)
        await close_it(name="z")


@eager
async def stubborn(x: int) -> int:
    """It will not be stopped."""
    while True:
        try:
            await work(x=x)
        except BaseException:
            note("no")


@eager(timeout=1.0)
async def out_of_time(x: int) -> int:
    name = await open_it(name="a")
    try:
        return await work(x=x)
    finally:
        await close_it(name=name)


@eager
async def branch_cancelled(x: int) -> str:
    """A race that one branch loses."""
    loser = asyncio.create_task(asyncio.wait_for(work(x=x), 3600))
    other = asyncio.create_task(asyncio.wait_for(work_async(x=x), 3600))
    await open_it(name="a")
    while not await both_begun():  # noqa: ASYNC110
        await asyncio.sleep(0.05)
    loser.cancel()
    other.cancel()
    await asyncio.gather(loser, other, return_exceptions=True)
    while not await both_ended():  # noqa: ASYNC110
        await asyncio.sleep(0.05)
    return "stopped"


@task(cache=False)
def both_begun() -> bool:
    text = Path(os.environ["FLOW_NOTES"], "trace").read_text()
    return "async work begins" in text and "\nwork begins" in f"\n{text}"


@task(cache=False)
def both_ended() -> bool:
    text = Path(os.environ["FLOW_NOTES"], "trace").read_text()
    return "async work ends" in text and "\nwork ends" in f"\n{text}"


# --- brackets --------------------------------------------------------------------------------------------------------


@task
def open_a() -> str:
    note("open a")
    return "a"


@task
def open_b() -> str:
    note("open b")
    return "b"


@task
def close(name: str, error: str | None) -> None:
    note(f"close {name}: {error}")


@task
def close_when_released(name: str, error: str | None) -> None:
    note(f"closing {name}")
    while not released("close"):
        time.sleep(0.01)
    note(f"close {name}: {error}")


@task
def add(x: int, y: int) -> int:
    return x + y


@workflow
@setup_teardown(before=open_a, after=close)
@setup_teardown(before=open_b, after=close)
def bracketed(x: int) -> int:
    return add(x=work(x=x), y=work_async(x=x))


@workflow
@setup_teardown(before=open_a, after=close_when_released)
def closing_slowly(x: int) -> int:
    return work(x=x)


@eager
@setup_teardown(before=open_a, after=close)
async def bracketed_eager(x: int) -> int:
    async with setup_teardown(open_b, close) as name:
        note(f"body has {name}")
        return sum(await asyncio.gather(work(x=x), work_async(x=x)))


@eager
@setup_teardown(before=open_a, after=close_when_released)
async def closing_slowly_eager(x: int) -> int:
    return await work(x=x)


@eager(timeout=1.5)
@setup_teardown(before=open_a, after=close)
async def bracket_out_of_time(x: int) -> int:
    return await work(x=x)


@task(timeout=1.0)
def work_out_of_time(x: int) -> int:
    return work.fn(x=x)


@workflow
@setup_teardown(before=open_a, after=close)
def static_out_of_time(x: int) -> int:
    return work_out_of_time(x=x)
