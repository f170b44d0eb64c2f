"""The programs of G13: what they move, and what each process used for it."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Annotated

import pyarrow as pa
import pyarrow.dataset
import pyarrow.fs

from whimbrel import FlyteFile, StructuredDataset, eager, kwtypes, task

PIECE = 1024 * 1024


class Used:
    """What this process has read from files and how much memory it has held since it was made, and for how long."""

    def __init__(self) -> None:
        self._read = _read()
        self._peak = _status("VmHWM")
        self._began = time.perf_counter()

    def so_far(self) -> list[float]:
        """Seconds, bytes read, and MiB by which the peak has grown."""
        return [time.perf_counter() - self._began, float(_read() - self._read), (_status("VmHWM") - self._peak) / 1024]


def _read() -> int:
    """Bytes that came from files by any road: Python's, obstore's, Arrow's."""
    return int(next(line for line in Path("/proc/self/io").read_text().splitlines() if line.startswith("rchar"))[7:])


def _status(name: str) -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith(name)).split()[1])


@task
def copied(source: FlyteFile, name: str) -> tuple[FlyteFile, list[float]]:
    """The same file again, as a stream: read, digested and written."""
    used = Used()
    made: FlyteFile = FlyteFile.new_remote_file(name)
    piece = memoryview(bytearray(PIECE))
    with source.open("rb", buffering=0) as given, made.open("wb") as out:
        while count := given.readinto(piece):
            out.write(piece[:count])
    return made, used.so_far()


@task
def copied_to_path(source: FlyteFile, name: str) -> tuple[FlyteFile, list[float]]:
    """The same by a file in the scratch directory, which is digested and moved when this returns."""
    used = Used()
    made: FlyteFile = FlyteFile.new(name)
    with source.open("rb", buffering=0) as given, Path(made).open("wb", buffering=0) as out:
        piece = memoryview(bytearray(PIECE))
        while count := given.readinto(piece):
            out.write(piece[:count])
    return made, used.so_far()


@eager
async def through_two_by_path(source: FlyteFile) -> list[list[float]]:
    """As ``through_two``."""
    used = Used()
    first, one = await copied_to_path(source=source, name="first.bin")
    _, two = await copied_to_path(source=first, name="second.bin")
    return [one, two, used.so_far()]


@eager
async def through_two(source: FlyteFile) -> list[list[float]]:
    """Two tasks, one after another; the parent passes on what it gets, and never looks."""
    used = Used()
    first, one = await copied(source=source, name="first.bin")
    _, two = await copied(source=first, name="second.bin")
    return [one, two, used.so_far()]


@task
def passed(table: StructuredDataset) -> StructuredDataset:
    """What it is given."""
    return table


@eager
async def one_column(table: StructuredDataset) -> list[float]:
    """Reads one column of many, itself."""
    same = await passed(table=table)
    used = Used()
    read = same.open(Annotated[pa.Table, kwtypes(c3=float)]).all()
    assert read.column_names == ["c3"]
    return [*used.so_far(), float(read.num_rows), float(os.getpid())]
