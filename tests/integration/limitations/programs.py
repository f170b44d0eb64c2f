"""Eager programs that do what the seed document says cannot be done. ``folder`` is where tasks leave traces."""

from __future__ import annotations

import asyncio
import os
import time
from contextvars import ContextVar
from pathlib import Path

from whimbrel import EagerException, current_context, eager, overrides, propagate, task, workflow
from whimbrel.types.files import FlyteFile

VERSION = "of the parent"

tenant: ContextVar[str] = propagate(ContextVar("tenant", default="nobody"))


def leave(folder: str, text: str) -> None:
    with open(Path(folder) / "trace", "a") as file:
        file.write(text + "\n")


def wait_for(folder: str, name: str) -> None:
    deadline = time.monotonic() + 30
    while not (Path(folder) / name).exists() and time.monotonic() < deadline:
        time.sleep(0.005)


# --- context managers ------------------------------------------------------------------------------------------------


@task
def asked_by(parent: int) -> str:
    return f"{tenant.get()}, elsewhere: {os.getpid() != parent}"


@workflow
def asked_in_a_workflow(parent: int) -> str:
    return asked_by(parent=parent)


@task
def third_time(folder: str) -> int:
    leave(folder, "try")
    attempt = current_context().attempt
    if attempt < 3:
        raise RuntimeError("not yet")
    return attempt


@eager
async def in_context(folder: str) -> list[str]:
    token = tenant.set("acme")
    seen = [await asked_by(parent=os.getpid()), await asked_in_a_workflow(parent=os.getpid())]
    tenant.reset(token)
    with overrides(retries=2):
        seen.append(str(await third_time(folder=folder)))
    return seen


# --- exceptions ------------------------------------------------------------------------------------------------------


class OutOfStock(LookupError):
    def __init__(self, item: str, *, left: int) -> None:
        super().__init__(f"{item}: {left} left")
        self.item = item
        self.left = left


@task
def take(item: str) -> int:
    try:
        {}[item]
    except KeyError as error:
        error.add_note("looked everywhere")
        raise OutOfStock(item, left=0) from error
    return 1


@eager
async def catches() -> list[str]:
    seen = []
    try:
        await take(item="pear")
    except OutOfStock as error:
        seen += [error.item, str(error.left)]
        seen += [str(isinstance(error.__cause__, KeyError)), getattr(error.__cause__, "__notes__", [""])[0]]
        seen.append(str("in take" in error.remote_traceback))
    try:
        await take(item="fig")
    except EagerException as error:
        seen.append(str(isinstance(error, OutOfStock)))
    return seen


# --- large values ----------------------------------------------------------------------------------------------------


@task
def make_large(n: int) -> list[int]:
    return list(range(100_000, 100_000 + n))


@task
def add_up(values: list[int]) -> int:
    return sum(values)


@eager
async def passes_on(n: int) -> int:
    values = await make_large(n=n)
    return await add_up(values=values)


@task
def write_report(size: int) -> FlyteFile:
    report: FlyteFile = FlyteFile.new_remote_file("report.txt")
    with report.open("w") as out:
        out.write("all is well\n" * size)
    return report


@task
def first_line(report: FlyteFile) -> str:
    with report.open() as lines:
        return str(lines.readline())


@eager
async def hands_on(size: int) -> list[str]:
    report = await write_report(size=size)
    line = await first_line(report=report)
    return [line, f"downloaded by the body: {report.downloaded}"]


# --- versions --------------------------------------------------------------------------------------------------------


@task
def version() -> str:
    return VERSION


@eager
async def versions() -> list[str]:
    return [VERSION, await version()]


# --- seen while it runs, and after an abort --------------------------------------------------------------------------


@task
def quick(folder: str, x: int) -> int:
    leave(folder, f"quick {x}")
    return x


@task
def waits(folder: str, x: int) -> int:
    leave(folder, f"waits {x}")
    print("waiting", flush=True)
    wait_for(folder, "go")
    return x


@eager
async def inner(folder: str) -> int:
    return await waits(folder=folder, x=2)


@eager
async def two_wait(folder: str) -> int:
    first = await quick(folder=folder, x=1)
    second, third = await asyncio.gather(inner(folder=folder), waits(folder=folder, x=3))
    return first + second + third


# --- arguments -------------------------------------------------------------------------------------------------------


@eager
async def wrong_argument(folder: str) -> list[str]:
    seen = []
    for arguments in ({"folder": folder, "x": "one"}, {"folder": folder}, {"folder": folder, "x": 1, "y": 2}):
        try:
            await quick(**arguments)  # type: ignore[arg-type]
        except Exception as error:
            seen.append(f"{type(error).__name__}: {error}")
    return seen
