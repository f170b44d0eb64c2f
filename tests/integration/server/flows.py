"""A project of a user of flytekit: what its clients register on a server of ours."""

import os
import time
from datetime import timedelta

from flytekit import (
    Deck,
    FlyteFile,
    LaunchPlan,
    approve,
    conditional,
    current_context,
    dynamic,
    eager,
    map_task,
    task,
    wait_for_input,
    workflow,
)


@task
def double(x: int) -> int:
    return 2 * x


@task
def add(a: int, b: int = 1) -> int:
    return a + b


@task
def listed(xs: list[int]) -> int:
    return sum(xs)


@task
def broken(x: int) -> int:
    if x > 0:
        raise ValueError(f"no {x} today")
    return x


@workflow
def inner(x: int) -> int:
    return double(x=x)


@workflow
def nested(x: int, y: int = 3) -> int:
    return add(a=inner(x=x), b=double(x=y))


@workflow
def mapped(xs: list[int]) -> int:
    return listed(xs=map_task(double)(x=xs))


@workflow
def branchy(x: int) -> int:
    return conditional("big").if_(x > 10).then(double(x=x)).else_().then(add(a=x))


@dynamic
def laid_out(n: int) -> list[int]:
    return [double(x=each) for each in range(n)]


@workflow
def unfolding(n: int) -> int:
    return listed(xs=laid_out(n=n))


@workflow
def failing(x: int) -> int:
    return broken(x=double(x=x))


@workflow
def gated(x: int) -> int:
    return add(a=approve(double(x=x), "ok", timeout=timedelta(hours=1)))


@workflow
def waiting(x: int) -> int:
    return add(a=wait_for_input("first", timeout=timedelta(hours=1), expected_type=int), b=x)


fixed = LaunchPlan.get_or_create(nested, "fixed", default_inputs={"x": 5}, fixed_inputs={"y": 10})


@workflow
def planned(x: int) -> int:
    return add(a=fixed(x=x))


@task
def patient(folder: str, x: int) -> int:
    open(os.path.join(folder, f"begun-{x}"), "w").close()
    while not os.path.exists(os.path.join(folder, "go")):
        time.sleep(0.05)
    return x


@workflow
def waits(folder: str, x: int) -> int:
    return patient(folder=folder, x=double(x=x))


waiting_plan = LaunchPlan.get_or_create(waits, "waiting_plan")


@workflow
def plans_that_wait(folder: str) -> int:
    return add(a=waiting_plan(folder=folder, x=1), b=1)


@task
async def halved(x: int) -> int:
    return x // 2


@eager
async def growing(x: int) -> int:
    half = await halved(x=x)
    return nested(x=half)


@eager
async def stuck(folder: str) -> int:
    return patient(folder=folder, x=7)


@task(enable_deck=True)
def shouted(file: FlyteFile) -> FlyteFile:
    with open(file) as read:
        text = read.read().upper()
    Deck("own", f"<p>it says {text}</p>")
    path = os.path.join(current_context().working_directory, "shouted.txt")
    with open(path, "w") as written:
        written.write(text)
    return FlyteFile(path)


@workflow
def reading(file: FlyteFile) -> FlyteFile:
    return shouted(file=file)


@task
def once_broken(folder: str, x: int) -> int:
    if not os.path.exists(os.path.join(folder, "mended")):
        raise ValueError("it is broken")
    return x


@workflow
def mended(folder: str) -> int:
    return once_broken(folder=folder, x=double(x=4))
