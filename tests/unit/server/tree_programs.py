"""Programs whose trees are looked at."""

import asyncio

import whimbrel
from whimbrel import conditional, eager, task, workflow


@task
def rows(n: int) -> list[int]:
    return list(range(1_000_000, 1_000_000 + n))


@task
def more(xs: list[int]) -> list[int]:
    return [x + 1 for x in xs]


@task
def total(xs: list[int]) -> int:
    return sum(xs)


@task
def both(left: list[int], right: list[int]) -> int:
    return sum(left) + sum(right)


@task
def collected(parts: list[list[int]]) -> int:
    return sum(map(sum, parts))


@task
def double(x: int) -> int:
    return 2 * x


@eager
async def pipeline(n: int) -> int:
    first = await rows(n=n)
    second = await more(xs=first)
    return await both(left=first, right=second)


@eager
async def scalars(n: int) -> int:
    return await double(x=await double(x=n))


@eager
async def gathered(n: int) -> int:
    parts = await asyncio.gather(rows(n=n), rows(n=n + 1), rows(n=n + 2))
    return await collected(parts=parts)


@eager
async def the_same_twice(n: int) -> int:
    first = await rows(n=n)
    await rows(n=n)
    return await total(xs=first)


@eager
async def passed_around(xs: list[int]) -> int:
    await total(xs=xs)
    return await total(xs=xs)


@task
def same(xs: list[int]) -> list[int]:
    return xs


@eager
async def handed_back(n: int) -> int:
    made = list(range(2_000_000, 2_000_000 + n))
    back = await same(xs=made)
    return await total(xs=back)


@workflow
def inner(a: int, b: int) -> int:
    return double(x=b)


@workflow
def outer(x: int, y: int) -> int:
    chosen = conditional("which").if_(x > 3).then(double(x=x)).else_().then(double(x=y))
    return inner(a=x, b=chosen)


async def chain(x: int) -> int:
    one, two = await asyncio.gather(double(x=x), double(x=x + 1))
    return await double(x=one + two)


@eager
async def nested(x: int) -> int:
    async with asyncio.TaskGroup() as group:
        first = group.create_task(chain(x))
        async with asyncio.TaskGroup() as inside:
            inside.create_task(double(x=100))
        group.create_task(double(x=200))
    other = asyncio.create_task(chain(x + 10))
    await asyncio.gather(*[double(x=at) for at in range(2)])
    await asyncio.gather(chain(x + 20))
    await asyncio.wait([other])
    for each in asyncio.as_completed([double(x=300)]):
        await each
    async with asyncio.timeout(60):
        return await double(x=first.result())


async def joins(group: asyncio.TaskGroup) -> None:
    group.create_task(double(x=7))
    await double(x=8)


@eager
async def shared_group() -> None:
    async with asyncio.TaskGroup() as group:
        group.create_task(joins(group))


@eager
async def within(x: int) -> int:
    return sum(
        await asyncio.gather(
            nested(x=x),
            double(
                x=x,
            ),
        )
    )


@task
def fails(x: int) -> int:
    raise ValueError(f"no {x}")


@eager
async def decides(x: int) -> int:
    await double(x=x)
    await asyncio.sleep(5)
    whimbrel.random()
    try:
        await fails(x=x)
    except ValueError:
        pass
    doomed = asyncio.create_task(chain(x))
    await double(x=9)
    doomed.cancel()
    await scalars(n=2)
    await asyncio.sleep(3600)
    return x
