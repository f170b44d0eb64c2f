"""Programs for the command line's tests: they leave traces in the directory FLOW_NOTES, and wait there to go on."""

from __future__ import annotations

import asyncio
import datetime as dt
import enum
import functools
import os
import signal
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, NamedTuple

from whimbrel import conditional, create_node, current_context, eager, task, workflow


def note(what: str = "") -> None:
    """One write with O_APPEND: whole lines, whoever writes at the same time."""
    context = current_context()
    line = f"{context.node} {context.attempt} {what}".rstrip() + "\n"
    descriptor = os.open(Path(os.environ["FLOW_NOTES"], "trace"), os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(descriptor, line.encode())
    os.close(descriptor)


def wait_for_release() -> None:
    while not Path(os.environ["FLOW_NOTES"], "released").exists():
        time.sleep(0.01)


# --- values ---------------------------------------------------------------------------------------------------------


class Colour(enum.Enum):
    RED = "red"
    GREEN = "green"


@dataclass
class Row:
    label: str
    price: float
    tags: list[str] = field(default_factory=list)


class Report(NamedTuple):
    total: float
    labels: list[str]


@task
def everything(
    count: int,
    ratio: float = 0.5,
    dry_run: bool = False,
    colour: Colour = Colour.RED,
    mode: Literal["fast", "slow"] = "fast",
    since: dt.datetime = dt.datetime(2024, 1, 1),
    every: dt.timedelta = dt.timedelta(seconds=90),
    rows: list[Row] | None = None,
    limits: dict[str, int] | None = None,
    label: str | None = None,
) -> str:
    """Show what came in.

    Args:
        count: How many there are.
    """
    return repr((count, ratio, dry_run, colour, mode, since, every, rows, limits, label))


@task
def report(rows: list[Row]) -> Report:
    return Report(sum(row.price for row in rows), [row.label for row in rows])


@task
def nothing() -> None:
    print("on stdout", flush=True)


@task
def letters(size: int) -> str:
    return "x" * size


# --- what runs ------------------------------------------------------------------------------------------------------


@task
def add(x: int, y: int = 1) -> int:
    note()
    return x + y


@task
def blocked(x: int) -> int:
    note("began")
    print("waiting", flush=True)
    wait_for_release()
    return x


@workflow
def gated(x: int) -> int:
    return add(x=blocked(x=add(x=x)))


@workflow
def chain(x: int) -> int:
    """Add three, one by one."""
    return add(x=add(x=add(x=x)))


@task(cache=True, cache_version="1")
def slow_square(x: int) -> int:
    note()
    return x * x


@workflow
def cached(x: int) -> int:
    return slow_square(x=x)


@eager
async def fan(n: int = 20) -> int:
    """Add up n numbers, each made by a task."""
    return sum(await asyncio.gather(*[add(x=i) for i in range(n)]))


# --- what fails -----------------------------------------------------------------------------------------------------


@task
def broken(x: int) -> int:
    print("about to break")
    raise ValueError(f"no {x} today")


@task(retries=2)
def flaky(x: int) -> int:
    if current_context().attempt < 2:
        raise RuntimeError("not yet")
    return x


@workflow
def fails(x: int) -> int:
    return add(x=broken(x=add(x=x)))


@eager
async def fails_inside(x: int) -> int:
    return await broken(x=x)


@workflow
def retried(x: int) -> int:
    return flaky(x=x)


# --- for kills ------------------------------------------------------------------------------------------------------


@task
def step(x: int) -> int:
    note()
    time.sleep(0.03)
    return x + 1


@workflow
def three(x: int) -> int:
    return step(x=step(x=step(x=x)))


@eager
async def walk(x: int) -> int:
    for _ in range(4):
        x = await step(x=x)
    return x


@eager
async def durable(x: int = 0) -> int:
    """Chains, a static workflow, a fan of chains, a nested eager one: adds 1 + 3 + 4 * 2 + 4."""

    async def chain_of(start: int) -> int:
        return await step(x=await step(x=start))

    x = await step(x=x)
    x = await three(x=x)
    ends = await asyncio.gather(*[chain_of(0) for _ in range(4)])
    return await walk(x=x + sum(ends))


DURABLE = 1 + 3 + 4 * 2 + 4


def bracket(fn: Any = None, *, before: Any, after: Any) -> Any:
    """The documented way to put a task before and a task behind a workflow."""
    if fn is None:
        return functools.partial(bracket, before=before, after=after)

    @functools.wraps(fn)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        first = create_node(before)
        result = fn(*args, **kwargs)
        last = create_node(after)
        first >> last
        return result

    return wrapper


@task
def is_large(x: int) -> bool:
    return x > 100


@workflow
def branching(x: int) -> int:
    large = is_large(x=x)
    return conditional("size").if_(large.is_true()).then(add(x=x, y=1000)).else_().then(chain(x=x))


@workflow
@bracket(before=nothing, after=nothing)
def bracketed(x: int) -> int:
    return chain(x=x)


@task
def dies_once(x: int) -> int:
    if current_context().attempt == 1:
        os.kill(os.getpid(), signal.SIGKILL)
    return x + 1


@workflow
def killed_worker(x: int) -> int:
    return dies_once(x=x)
