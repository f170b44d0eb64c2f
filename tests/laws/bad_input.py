"""Programs that go wrong, for the laws of bad input."""

from __future__ import annotations

from typing import Any

from whimbrel import eager, task


@task
def add_one(x: int) -> int:
    return x + 1


@task
def double(x: int) -> int:
    return x * 2


@task
def rows(x: int) -> list[dict[str, float]]:
    broken: Any = [{"price": 1.0}, {"price": 2.0}, {"price": "a lot"}]
    return broken  # type: ignore[no-any-return]


@eager
async def inner_rows(x: int) -> list[dict[str, float]]:
    broken: Any = [{"price": float(await add_one(x=x))}, {"price": object()}]
    return broken  # type: ignore[no-any-return]


@eager
async def reads_rows(x: int) -> int:
    y = await add_one(x=x)
    return len(await rows(x=y))


@eager
async def catches_rows(x: int) -> str:
    try:
        await rows(x=x)
    except TypeError as error:
        return f"{error} / {await add_one(x=x)}"
    return ""


@eager
async def reads_inner_rows(x: int) -> int:
    return len(await inner_rows(x=x))


@eager
async def steps(n: int) -> int:
    value = 0
    for _ in range(n):
        value = await add_one(x=value)
    return value


async def steps_with_a_start(n: int) -> int:
    """The next version: a call before the loop, which moves all others."""
    value = 0 * await double(x=100)
    for _ in range(n):
        value = await add_one(x=value)
    return value


async def steps_without_the_first(n: int) -> int:
    """The next version: the first call is gone."""
    value = 1
    for _ in range(n - 1):
        value = await add_one(x=value)
    return value
