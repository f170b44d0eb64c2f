"""An eager workflow whose body runs where it is called, and what it calls on the sandbox."""

import asyncio
import os

from flytekit import task
from flytekit.configuration import Config
from flytekit.experimental import EagerException, eager
from union.remote import FlyteRemote


@task
def process() -> int:
    return os.getpid()


@task
def where() -> str:
    return os.environ["WHERE"]


@task
def refuse(x: int) -> int:
    raise ValueError(f"{x} is refused")


@task
def double(x: int) -> int:
    return x * 2


@eager(remote=FlyteRemote(Config.for_sandbox()), local_entrypoint=True)
async def body(x: int) -> int:
    print(os.getpid())
    print(await process())
    return sum(await asyncio.gather(double(x=x), double(x=x + 1)))


@eager(remote=FlyteRemote(Config.for_sandbox()), local_entrypoint=True)
async def careful(x: int) -> str:
    try:
        await refuse(x=x)
    except ValueError as error:
        return f"ValueError: {error}, {EagerException.__name__ if isinstance(error, EagerException) else ''}"
    return "not refused"


if __name__ == "__main__":
    print(asyncio.run(body(x=2)))
    print(asyncio.run(careful(x=3)))
