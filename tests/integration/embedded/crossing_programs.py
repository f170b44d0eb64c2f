"""Programs whose failures, deaths and values cross processes.

``log`` is a file to which tasks add a line for each execution.
"""

from __future__ import annotations

import asyncio
import os
import signal
import time
from pathlib import Path

from whimbrel import EagerException, current_context, eager, task, workflow


class OutOfRangeError(ValueError):
    """An exception with a constructor of its own."""

    def __init__(self, value: int, *, limit: int) -> None:
        super().__init__(f"{value} is above {limit}")
        self.value = value
        self.limit = limit


def note(log: str, what: str) -> None:
    with open(log, "a") as file:
        file.write(f"{what} {current_context().attempt}\n")


def first_time(marker: str) -> bool:
    try:
        os.close(os.open(marker, os.O_CREAT | os.O_EXCL))
    except FileExistsError:
        return False
    return True


@task
def raise_type_error(x: int) -> int:
    raise TypeError(f"no {x} here")


@task
def raise_own(x: int) -> int:
    try:
        int("nonsense")
    except ValueError as error:
        raise OutOfRangeError(x, limit=3) from error


@task
def raise_group(x: int) -> int:
    raise ExceptionGroup("several", [ValueError("a"), KeyError("b")])


@eager
async def catch_each(x: int) -> list[str]:
    seen = []
    try:
        await raise_type_error(x=x)
    except TypeError as error:
        seen.append(f"TypeError: {error}; eager {isinstance(error, EagerException)}")
        seen.append(
            "in raise_type_error" if "in raise_type_error" in error.remote_traceback else error.remote_traceback
        )
    try:
        await raise_type_error(x=x)
    except EagerException as error:
        seen.append(f"EagerException: {error}; type {isinstance(error, TypeError)}")
    try:
        await raise_own(x=x)
    except OutOfRangeError as error:
        seen.append(f"{error}; {error.value} of {error.limit}; because {isinstance(error.__cause__, ValueError)}")
    try:
        await raise_group(x=x)
    except* KeyError as group:
        seen.append(f"keys: {len(group.exceptions)}")
    except* ValueError as group:
        seen.append(f"values: {len(group.exceptions)}")
    return seen


@task
def mark(log: str, x: int) -> int:
    note(log, f"mark {x}")
    return x * 10


@task
def mark_slowly(log: str, x: int, gate: str) -> int:
    note(log, f"slow {x}")
    deadline = time.monotonic() + 20
    while not os.path.exists(gate) and time.monotonic() < deadline:
        time.sleep(0.01)
    return x * 100


def wait_for_line(log: str, what: str) -> None:
    deadline = time.monotonic() + 20
    while what not in Path(log).read_text() and time.monotonic() < deadline:
        time.sleep(0.01)


@eager
async def driver_dies(folder: str) -> int:
    log, gate, died = (str(Path(folder) / name) for name in ("log", "gate", "died"))
    first = await mark(log=log, x=1)
    slow = asyncio.create_task(slowly(log, gate))
    second = await mark(log=log, x=2)
    # The slow call is under way when its worker has left a line.
    await asyncio.to_thread(wait_for_line, log, "slow")
    if first_time(died):
        os.kill(os.getpid(), signal.SIGKILL)
    first_time(gate)
    return first + second + await slow


async def slowly(log: str, gate: str) -> int:
    return await mark_slowly(log=log, x=3, gate=gate)


@task(retries=0)
def worker_dies(folder: str) -> int:
    note(str(Path(folder) / "log"), "dies")
    if first_time(str(Path(folder) / "died")):
        os.kill(os.getpid(), signal.SIGKILL)
    return 7


@workflow
def worker_dies_once(folder: str) -> int:
    return worker_dies(folder=folder)


@task
def make_big(n: int) -> list[int]:
    return list(range(n))


@task
def add_up(xs: list[int]) -> int:
    return sum(xs)


@workflow
def big_values(n: int) -> int:
    return add_up(xs=make_big(n=n))


@eager
async def big_values_eager(n: int) -> int:
    xs = await make_big(n=n)
    return await add_up(xs=xs) + len(xs)
