"""Programs with gates."""

from __future__ import annotations

import asyncio
import datetime as dt
from typing import NamedTuple

from whimbrel import (
    GateRejected,
    approve,
    conditional,
    create_node,
    dynamic,
    eager,
    map_task,
    sleep,
    task,
    wait_for_input,
    workflow,
)

HOUR = dt.timedelta(hours=1)
DAY = dt.timedelta(days=1)


class Split(NamedTuple):
    low: int
    high: int


@task
def double(x: int) -> int:
    return 2 * x


@task
def add(a: int, b: int) -> int:
    return a + b


@task
def split(x: int) -> Split:
    return Split(x - 1, x + 1)


@task
def note(x: int) -> None:
    assert x


@task
def how_long(x: int) -> dt.timedelta:
    return dt.timedelta(minutes=x)


@workflow
def reviewed(x: int) -> int:
    checked = approve(double(x=x), "ok", timeout=HOUR)
    rows = wait_for_input("rows", timeout=HOUR, expected_type=int)
    return add(a=checked, b=rows)


@workflow
def several(x: int) -> int:
    both = approve(split(x=x), "ok", HOUR)
    return add(a=both.low, b=both.high)


@workflow
def ordered(x: int) -> int:
    noted = approve(note(x=x), "ok", HOUR)
    done = double(x=x)
    noted >> done
    return done


@workflow
def by_node(x: int) -> int:
    first = create_node(double, x=x)
    second = create_node(double, x=first.o0)
    approve(first, "ok", HOUR) >> second
    return second.o0


@workflow
def rested(x: int) -> int:
    night = sleep(DAY)
    short = sleep(how_long(x=x))
    done = double(x=x)
    night >> short >> done
    return done


@workflow
def optional(x: int) -> int:
    got = wait_for_input("maybe", HOUR, int | None)
    return or_zero(x=got)


@task
def or_zero(x: int | None) -> int:
    return x or 0


@workflow
def branching(x: int) -> int:
    return (
        conditional("big")
        .if_(x > 10)
        .then(approve(double(x=x), "ok", HOUR))
        .elif_(x > 5)
        .then(wait_for_input("value", HOUR, int))
        .else_()
        .then(double(x=x))
    )


@workflow
def around(x: int) -> int:
    return add(a=reviewed(x=x), b=reviewed(x=1))


@workflow
def one(x: int) -> int:
    return approve(double(x=x), "ok", HOUR)


@workflow
def mapped(xs: list[int]) -> list[int]:
    return map_task(one)(x=xs)


@dynamic
def unfolding(x: int) -> int:
    total = approve(x, "n0", HOUR)
    for n in range(x):
        total = add(a=total, b=wait_for_input(f"n{n + 1}", HOUR, int))
    return total


@workflow
def unfolded(x: int) -> int:
    return unfolding(x=x)


@eager
async def asked(x: int) -> int:
    checked = await approve(await double(x=x), "ok", HOUR)
    rows = await wait_for_input("rows", expected_type=int)
    await sleep(DAY)
    return await add(a=checked, b=rows)


@eager
async def first_of(x: int) -> str:
    """A race of an answer and a time, and a rejection that is caught."""
    try:
        async with asyncio.timeout(3600):
            await approve({"rows": x}, "ok")
    except GateRejected as error:
        return f"rejected: {error}"
    except TimeoutError:
        pass
    answers = [
        asyncio.ensure_future(wait_for_input("a", expected_type=str)),
        asyncio.ensure_future(wait_for_input("b", expected_type=str)),
    ]
    done, rest = await asyncio.wait(answers, timeout=7200, return_when=asyncio.FIRST_COMPLETED)
    for task_ in rest:
        task_.cancel()
    return ",".join(sorted(task_.result() for task_ in done)) or "nobody"


@eager
async def chat(turns: int) -> list[str]:
    """The same gate again and again: each time another answer."""
    return [await wait_for_input("say", expected_type=str) for _ in range(turns)]


@eager
async def calls_workflow(x: int) -> int:
    return await reviewed(x=x)


@task
def asks_in_vain(x: int) -> int:
    return approve(x, "ok")


@eager
async def forgets(x: int) -> int:
    return await approve(double(x=x), "ok")
