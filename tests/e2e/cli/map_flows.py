"""A map whose items leave a trace each."""

from __future__ import annotations

import os
import time
from pathlib import Path

from whimbrel import dynamic, eager, map_task, task, workflow

NOTES = Path(os.environ["FLOW_NOTES"])


@task
def item(x: int) -> int:
    with (NOTES / "items").open("a") as notes:
        notes.write(f"{x}\n")
    time.sleep(0.005)
    return x


@task
def total(xs: list[int]) -> int:
    return sum(xs)


@workflow
def wide(n: int) -> int:
    return total(xs=map_task(item, concurrency=4)(x=numbers(n=n)))


@task
def numbers(n: int) -> list[int]:
    return list(range(n))


@dynamic
def laid_out(n: int) -> int:
    return total(xs=[item(x=x) for x in range(n)])


@eager
async def awaited(n: int) -> int:
    first = await map_task(item)(x=list(range(n)))
    return await total(xs=first)
