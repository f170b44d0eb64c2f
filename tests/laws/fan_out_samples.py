"""Sample programs with maps and dynamic workflows, for the durability laws."""

from __future__ import annotations

import asyncio
import functools
from typing import NamedTuple

from whimbrel import (
    FailurePolicy,
    conditional,
    dynamic,
    eager,
    map_task,
    setup_teardown,
    task,
    workflow,
)


@task
def twice(x: int) -> int:
    return x * 2


@task
def scale(x: int, by: int, weights: list[int]) -> int:
    return x * by + sum(weights)


@task
def added(xs: list[int]) -> int:
    return sum(xs)


@task
def kept(xs: list[int | None]) -> list[int]:
    return [x for x in xs if x is not None]


@task
def odd_only(x: int) -> int:
    if x % 2 == 0:
        raise ValueError(f"{x} is even")
    return x


@task(cache=True)
def remembered(x: int) -> int:
    return x + 1


class Both(NamedTuple):
    low: int
    high: int


@task
def around(x: int) -> Both:
    return Both(x - 1, x + 1)


@task
def open_up() -> int:
    return 1


@task
def close_down(opened: int) -> None:
    return None


@workflow
def thrice(x: int) -> int:
    return added(xs=[x, twice(x=x)])


@workflow
def mapped(xs: list[int]) -> int:
    """Maps in a row, one within a limit, with a partial whose list is a promise, and several outputs."""
    doubled = map_task(twice, concurrency=2)(x=xs)
    scaled = map_task(functools.partial(scale, by=3, weights=doubled))(x=doubled)
    both = map_task(around)(x=scaled)
    return added(xs=map_task(thrice)(x=both.high))


@workflow
def mapped_losing(xs: list[int]) -> int:
    return added(xs=kept(xs=map_task(odd_only, min_success_ratio=0.5)(x=xs)))


@dynamic
def unfolding(xs: list[int]) -> int:
    """As many calls as there are items; nothing at all when there are none."""
    if not xs:
        return 0
    parts = [twice(x=x) for x in xs]
    return added(xs=[*parts, thrice(x=len(xs))])


@dynamic
def countdown(n: int) -> int:
    """It unfolds into itself."""
    if n == 0:
        return 1
    return added(xs=[n, countdown(n=n - 1)])


@dynamic(failure_policy=FailurePolicy.FAIL_AFTER_EXECUTABLE_NODES_COMPLETE, retries=1)
@setup_teardown(open_up, close_down)
def bracketed_inside(xs: list[int]) -> int:
    chosen = conditional("size").if_(twice(x=len(xs)) > 4).then(thrice(x=xs[0])).else_().then(twice(x=xs[0]))
    return added(xs=[chosen, added(xs=map_task(remembered)(x=xs))])


@eager
async def awaits_dynamic(x: int) -> int:
    found = await asyncio.gather(unfolding(xs=[x, x]), unfolding(xs=[]))
    return sum(found)


@dynamic
def lays_out_eager(x: int) -> int:
    return added(xs=map_task(awaits_dynamic)(x=[x, x + 1]))


@workflow
def dynamic_everywhere(x: int) -> int:
    first = unfolding(xs=[x, twice(x=x)])
    second = bracketed_inside(xs=[first, x, 3])
    third = added(xs=map_task(countdown)(n=[1, 2]))
    return added(xs=[second, third, lays_out_eager(x=x)])


@eager
async def eager_fans_out(x: int) -> list[int]:
    """Maps and dynamic workflows side by side, one of them lost, one cancelled."""
    first = await map_task(twice, concurrency=2)(x=[x, x + 1, x + 2])
    try:
        await map_task(odd_only)(x=[1, 2])
    except ValueError:
        first.append(100)
    losing, whole = await asyncio.gather(
        map_task(odd_only, min_successes=1)(x=[1, 2, 3]),
        map_task(functools.partial(scale, by=2))(x=first, weights=[[1], [2], [3], [4]]),
    )
    dropped = asyncio.create_task(countdown.aio(n=3))
    await asyncio.sleep(0)
    dropped.cancel()
    return [*first, len([one for one in losing if one]), sum(whole), await dynamic_everywhere_inside(x=x)]


@dynamic
def dynamic_everywhere_inside(x: int) -> int:
    return added(xs=[unfolding(xs=[x]), mapped(xs=[x, x])])
