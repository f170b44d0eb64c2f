"""Bodies that wait. ``folder`` is where they say which process they are in, and where tasks wait to be released."""

from __future__ import annotations

import asyncio
import os
import time
from pathlib import Path

from whimbrel import eager, task


def note(folder: str, what: str) -> None:
    """Add a line."""
    with open(Path(folder) / "log", "a") as log:
        log.write(f"{what} {os.getpid()}\n")


@task
def add_one(x: int, folder: str) -> int:
    note(folder, "add_one")
    return x + 1


@task
def released(x: int, folder: str) -> int:
    note(folder, "released")
    while not (Path(folder) / "go").exists():
        time.sleep(0.01)
    return x * 10


@eager
async def naps(x: int, seconds: float, folder: str) -> int:
    note(folder, "driver")
    y = await add_one(x=x, folder=folder)
    try:
        await asyncio.sleep(seconds)
    finally:
        note(folder, "woken")
    return await add_one(x=y, folder=folder)


@eager
async def waits(x: int, folder: str) -> int:
    note(folder, "driver")
    return await released(x=x, folder=folder)
