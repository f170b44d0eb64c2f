"""Eager workflows as the documentation of flytekit.experimental has them: everything is awaited."""

import asyncio

from flytekit import task, workflow
from flytekit.configuration import Config
from flytekit.exceptions.user import FlyteRecoverableException
from flytekit.experimental import EagerException, eager
from union.remote import FlyteRemote


@task
def square(n: int) -> int:
    return n * n


@task
def refuse(n: int) -> int:
    raise ValueError(f"{n} is refused")


@task(retries=2)
def insist(n: int) -> int:
    import flytekit

    attempt = flytekit.current_context().attempt
    if attempt < 3:
        raise FlyteRecoverableException(f"attempt {attempt}")
    return n


@workflow
def fourth(n: int) -> int:
    return square(n=square(n=n))


@eager
async def sum_of_squares(n: int) -> int:
    return sum(await asyncio.gather(*[square(n=i) for i in range(n)]))


@eager
async def tower(n: int) -> int:
    base = await sum_of_squares(n=n)
    if base > 4:
        return await fourth(n=base)
    return base


@eager
async def careful(n: int) -> str:
    try:
        await refuse(n=n)
    except EagerException as error:
        return f"{type(error).__name__}: {error}"
    return "accepted"


@eager(
    remote=FlyteRemote(config=Config.auto(config_file="config.yaml")), client_secret_group="g", client_secret_key="k"
)
async def insistent(n: int) -> int:
    return await insist(n=n)


if __name__ == "__main__":
    print(asyncio.run(tower(n=3)))
    print(asyncio.run(tower(n=2)))
    print(asyncio.run(careful(n=7)))
