"""An eager workflow as flytekit 1.16 has it: tasks that are not async block, the others are awaited."""

import asyncio

from flytekit import eager, task


@task
def square(n: int) -> int:
    return n * n


@task
async def increment(n: int) -> int:
    return n + 1


@eager
async def mixed(n: int) -> int:
    return square(n=await increment(n=n))


@eager
async def only_awaited(n: int) -> int:
    async with asyncio.timeout(30):
        return sum(await asyncio.gather(*[increment(n=i) for i in range(n)]))


if __name__ == "__main__":
    print(asyncio.run(mixed(n=2)))
    print(asyncio.run(only_awaited(n=3)))
