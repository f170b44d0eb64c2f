"""What is run on a server by tests of the client. Doors are files that a test makes when a task may go on."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from whimbrel import (
    FlyteDirectory,
    FlyteFile,
    LaunchPlan,
    approve,
    dynamic,
    eager,
    map_task,
    task,
    wait_for_input,
    workflow,
)


@dataclass
class Order:
    item: str
    count: int = 1


class Sums(NamedTuple):
    total: int
    count: int


@task
def double(x: int) -> int:
    """Twice as much."""
    print("doubling", x)
    return 2 * x


@task
def held(x: int, door: str) -> int:
    Path(f"{door}.begun").touch()
    while not Path(door).exists():
        time.sleep(0.02)
    return x


@task
def broken(x: int) -> int:
    raise ValueError(f"there is no {x}")


@task
def sums(xs: list[int]) -> Sums:
    return Sums(sum(xs), len(xs))


@task
def shout(file: FlyteFile, order: Order) -> tuple[FlyteFile, FlyteDirectory]:
    text = Path(file).read_text() * order.count
    Path("loud.txt").write_text(text.upper())
    Path("all").mkdir(exist_ok=True)
    Path("all", order.item).write_text(text)
    return FlyteFile("loud.txt"), FlyteDirectory("all")


@workflow
def chain(x: int = 4) -> int:
    """Doubles twice."""
    return double(x=double(x=x))


@workflow
def waits(x: int, door: str) -> int:
    return double(x=held(x=double(x=x), door=door))


@workflow
def fails(x: int) -> int:
    return broken(x=double(x=x))


@workflow
def files(file: FlyteFile, order: Order) -> tuple[FlyteFile, FlyteDirectory]:
    return shout(file=file, order=order)


@workflow
def asks(x: int) -> int:
    return double(x=approve(double(x=x), "release", timeout=None))


@workflow
def told() -> int:
    return double(x=wait_for_input("rows", timeout=None, expected_type=int))


@workflow
def mapped(xs: list[int]) -> list[int]:
    return map_task(double)(x=xs)


@dynamic
def unfolded(n: int) -> list[int]:
    return [double(x=number) for number in range(n)]


@eager
async def together(x: int) -> int:
    return await double(x=x) + await chain(x=1)


plan = LaunchPlan.create("tens", chain, default_inputs={"x": 10})
fixed = LaunchPlan.create("fixed", chain, fixed_inputs={"x": 3})
