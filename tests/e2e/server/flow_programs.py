"""Programs that the tests of the server run."""

import time
from datetime import timedelta
from pathlib import Path

from whimbrel import approve, sleep, task, workflow


@task
def double(x: int) -> int:
    print("doubling", x)
    return 2 * x


@task
def held(x: int, door: str) -> int:
    """Says that it has begun, and goes on when the door is opened."""
    with open(f"{door}.begun", "a") as begun:
        begun.write("x")
    while not Path(door).exists():
        time.sleep(0.01)
    return x


@task
def broken(x: int) -> int:
    raise ValueError("not today")


@workflow
def waits(x: int, door: str) -> int:
    return double(x=held(x=double(x=x), door=door))


@workflow
def doubles(x: int) -> int:
    return double(x=double(x=x))


@workflow
def fails(x: int) -> int:
    return broken(x=double(x=x))


@workflow
def asks(x: int) -> int:
    return double(x=approve(double(x=x), "release", timeout=None))


@workflow
def adds(x: int) -> int:
    return double(x=x)


@workflow
def naps(x: int) -> int:
    nap = sleep(timedelta(seconds=0.3))
    done = double(x=x)
    nap >> done
    return done


@workflow
def through(x: int) -> int:
    return x
