"""Programs that move large tables between processes, and say what each process used."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import numpy as np
import polars as pl
import pyarrow as pa

from whimbrel import StructuredDataset, eager, kwtypes, task


class Usage:
    """``figures``: MiB by which the most memory held has grown, and MiB read from files by any road, until the last
    ``look``.
    """

    def __init__(self) -> None:
        self._peak = _status("VmHWM")
        self._read = _read()
        self.figures = [0, 0]

    def look(self) -> None:
        """Take the figures."""
        self.figures[:] = (_status("VmHWM") - self._peak) // 1024, (_read() - self._read) // (1024 * 1024)


def _status(name: str) -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith(name)).split()[1])


def _read() -> int:
    lines = Path("/proc/self/io").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("rchar")).split()[1])


COLUMNS = [f"c{at}" for at in range(8)]
ROWS = 256 * 1024
"""Of a piece: 16 MiB."""


def pieces(count: int) -> Iterator[pa.Table]:
    """Doubles that do not compress."""
    random = np.random.default_rng(1)
    for _ in range(count):
        yield pa.table({name: random.random(ROWS) for name in COLUMNS})


def noted(tables: Iterator[pa.Table], note: str) -> Iterator[pa.Table]:
    """``tables``, which are written as they are taken; how much memory that took stands in the file ``note``."""
    usage = Usage()
    for table in tables:
        yield table
        usage.look()
    with open(note, "w") as file:
        file.write(str(usage.figures[0]))


@task
def written(count: int, note: str = "/dev/null") -> StructuredDataset:
    """A large table, written as it comes."""
    return StructuredDataset(noted(pieces(count), note))


@task
def changed(table: StructuredDataset, note: str = "/dev/null") -> StructuredDataset:
    """Read and written batch by batch."""
    batches = table.open(pa.Table).iter()
    upper = (batch.rename_columns([name.upper() for name in batch.column_names]) for batch in batches)
    return StructuredDataset(noted(upper, note))


@task
def mean(table: Annotated[pl.LazyFrame, kwtypes(C3=float)]) -> float:
    """One column of it."""
    value = table.select(pl.col("C3").mean()).collect().item()
    assert isinstance(value, float)
    return value


@eager
async def large(count: int, notes: str) -> tuple[float, StructuredDataset, list[int]]:
    """Passes it on, and never looks."""
    usage = Usage()
    made = await written(count=count, note=f"{notes}/written")
    upper = await changed(table=made, note=f"{notes}/changed")
    average = await mean(table=upper)
    usage.look()
    return average, upper, usage.figures
