"""G13: a file of 1 GB through two tasks, against a plain copy; one column of a table of 1 GB, against pyarrow.

Tasks run in warm worker processes over a local home, as `whimbrel run` runs them.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from harness import HERE, Table, environment

from whimbrel import FlyteFile, StructuredDataset
from whimbrel.controlplane.plane import ControlPlane
from whimbrel.controlplane.system import RandomIds, SystemClock
from whimbrel.executors.processes import ProcessExecutor
from whimbrel.model.literals import Literals
from whimbrel.model.run import Phase
from whimbrel.runtime.loading import load_module, locate
from whimbrel.runtime.values import keep_files
from whimbrel.stores.home import open_home

MIB = 1024
REPETITIONS = 3
COLUMNS = 16
ROWS = MIB * 1024 * 1024 // (8 * COLUMNS)

COPY = """
import os, sys, time
source, target = sys.argv[1:]
piece = memoryview(bytearray(1024 * 1024))
began = time.perf_counter()
with open(source, "rb", buffering=0) as given, open(target, "wb", buffering=0) as out:
    while count := given.readinto(piece):
        out.write(piece[:count])
    os.fsync(out.fileno())
print(time.perf_counter() - began)
"""

COLUMN = """
import sys, time
import pyarrow.parquet
before = int(next(line for line in open("/proc/self/io") if line.startswith("rchar"))[7:])
began = time.perf_counter()
table = pyarrow.parquet.read_table(sys.argv[1], columns=["c3"])
seconds = time.perf_counter() - began
print(seconds, int(next(line for line in open("/proc/self/io") if line.startswith("rchar"))[7:]) - before)
"""


def script(text: str, *args: str) -> list[float]:
    """What a script prints, run in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-c", text, *args], check=True, capture_output=True, text=True, env=environment()
    )
    return [float(word) for word in done.stdout.split()]


def write_file(path: Path) -> None:
    """1 GB that nothing can compress."""
    piece = os.urandom(1024 * 1024)
    with path.open("wb") as out:
        for _ in range(MIB):
            out.write(piece)


def write_table(path: Path) -> None:
    """Doubles in many columns, in groups of rows, as Arrow writes them."""
    import numpy as np
    import pyarrow as pa
    import pyarrow.parquet as pq

    random = np.random.default_rng(1)
    schema = pa.schema({f"c{at}": pa.float64() for at in range(COLUMNS)})
    rows = ROWS // 16
    with pq.ParquetWriter(path, schema) as writer:
        for _ in range(16):
            writer.write_table(pa.table({name: random.random(rows) for name in schema.names}))


async def executed(where: Path, entity: Any, inputs: Literals) -> Any:
    """The outputs of one run, in a home of its own."""
    with open_home(where, exclusive=True) as home:
        plane = ControlPlane(
            store=home.store,
            executor=ProcessExecutor(blobs=home.blobs.location, workers=2),
            clock=SystemClock(),
            ids=RandomIds(),
            owner="g13",
        )
        await plane.start()
        try:
            run = await plane.launch(entity.program(), entity.name, inputs)
            result = await plane.wait(run)
        finally:
            await plane.close()
        if result.phase is not Phase.SUCCEEDED:
            raise SystemExit(f"{entity.name}: {result.failure}")
        return entity.signature.decode_outputs(result.outputs)


def kept(where: Path, entity: Any, name: str, value: Any) -> Literals:
    """An input, in the home's own store: putting it there is no part of any figure."""
    with open_home(where, exclusive=True) as home:
        literal = entity.signature.encode_inputs({name: value})[name]
        return {name: keep_files(literal, home.blobs)}


def files(table: Table, programs: Any, scratch: Path) -> None:
    """A file through two tasks."""
    source = scratch / "source.bin"
    write_file(source)
    home = scratch / "home"
    inputs = kept(home, programs.through_two, "source", FlyteFile(source))
    ours, plain, parents, peaks, around, inside, by_path = [], [], [], [], [], [], []
    for at in range(REPETITIONS):
        plain.append(sum(script(COPY, str(source), str(scratch / f"copy-{number}"))[0] for number in range(2)))
        for number in range(2):
            (scratch / f"copy-{number}").unlink()
        # A store that has the file already would keep the old one: each run has a home of its own.
        fresh = scratch / f"home-{at}"
        shutil.copytree(home, fresh, copy_function=os.link)
        began = time.perf_counter()
        one, two, parent = asyncio.run(executed(fresh, programs.through_two, inputs))
        whole = time.perf_counter() - began
        ours.append(parent[0])
        around.append(whole - parent[0])
        inside.append(one[0] + two[0])
        parents.append(parent[1])
        peaks.extend([one[2], two[2], parent[2]])
        shutil.rmtree(fresh)
        shutil.copytree(home, fresh, copy_function=os.link)
        by_path.append(asyncio.run(executed(fresh, programs.through_two_by_path, inputs))[2][0])
        shutil.rmtree(fresh)
    shutil.rmtree(home)
    source.unlink()
    table.add("1 GiB through two tasks, digested, flushed", ours, plain, than="a plain copy, twice, flushed", goal=1.3)
    table.note("of that inside the tasks", f"{statistics.median(inside):.2f} s; the rest begins them and keeps results")
    table.note("beside that, starting and stopping an engine and its workers", f"{statistics.median(around):.2f} s")
    table.note("the same by files in the tasks' scratch directories, moved", f"{statistics.median(by_path):.2f} s")
    table.note("bytes that the parent read while both ran", f"at most {max(parents):,.0f}")
    table.note("memory by which any process grew", f"at most {max(peaks):.0f} MiB")


def column(table: Table, programs: Any, scratch: Path) -> None:
    """One column in an eager body."""
    source = scratch / "source.parquet"
    write_table(source)
    home = scratch / "home"
    inputs = kept(home, programs.one_column, "table", StructuredDataset(uri=source))
    ours, plain, read, peaks = [], [], [], []
    for _ in range(REPETITIONS):
        plain.append(script(COLUMN, str(source)))
        seconds, count, peak, rows, _ = asyncio.run(executed(home, programs.one_column, inputs))
        assert rows == ROWS // 16 * 16
        ours.append(seconds)
        read.append(count)
        peaks.append(peak)
    size = source.stat().st_size
    theirs = [row[0] for row in plain]
    table.add(f"one column of {COLUMNS} in an eager body, 1 GiB of Parquet", ours, theirs, than="pyarrow", goal=1.3)
    table.note(
        "bytes read for it",
        f"{statistics.median(read):,.0f} of {size:,}; pyarrow {statistics.median(row[1] for row in plain):,.0f}",
    )
    table.note(
        "memory by which the body's process grew", f"at most {max(peaks):.0f} MiB, the column is {ROWS // 131072} MiB"
    )


def measure() -> Table:
    """Both parts. Needs about 5 GB of disk."""
    table = Table("G13", "data by reference: 1 GiB through tasks, one column of 1 GiB")
    where = locate(HERE / "data_tasks.py")
    programs = load_module(where.module, where.root)
    with tempfile.TemporaryDirectory(dir=os.environ.get("WHIMBREL_BENCH_DIR")) as scratch:
        files(table, programs, Path(scratch))
        column(table, programs, Path(scratch))
    return table


if __name__ == "__main__":
    measure()
