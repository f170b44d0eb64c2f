"""A map and a gather as wide as they are told to be."""

from __future__ import annotations

import asyncio

from whimbrel import eager, map_task, task, workflow


@task
def numbers(n: int) -> list[int]:
    return list(range(n))


@task
def same(x: int) -> int:
    return x


@task
def total(xs: list[int]) -> int:
    return sum(xs)


@workflow
def mapped(n: int) -> int:
    return total(xs=map_task(same)(x=numbers(n=n)))


@eager
async def gathered(n: int) -> int:
    return sum(await asyncio.gather(*[same(x=x) for x in range(n)]))
