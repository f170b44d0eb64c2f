"""What a parked run costs, with worker processes and SQLite: ``python benchmarks/parked_runs.py [RUNS]``.

Launches RUNS (10,000) eager runs that sleep for a day, a few at a time, and says what is left when all are parked. Then
another control plane takes a few of them over.
"""

from __future__ import annotations

import asyncio
import gc
import os
import sys
import tempfile
import threading
import time
from pathlib import Path

from subjects.sleeping import sleeps

from whimbrel.controlplane.plane import ControlPlane
from whimbrel.controlplane.system import RandomIds
from whimbrel.executors.processes import ProcessExecutor
from whimbrel.stores.home import open_home

AT_ONCE = 32
WARM_UP = 64
WOKEN = 100


class Clock:
    """The machine's, and what it is set forward by."""

    ahead = 0.0

    def now(self) -> float:
        """Seconds since the epoch."""
        return time.time() + self.ahead


def resident() -> int:
    """Bytes of this process in memory."""
    gc.collect()
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def on_disk(directory: str) -> int:
    """Bytes of the database."""
    return sum(file.stat().st_size for file in Path(directory).glob("whimbrel.db*"))


def children() -> int:
    """Processes that this one has started."""
    tasks = Path(f"/proc/{os.getpid()}/task").iterdir()
    return sum(len((task / "children").read_text().split()) for task in tasks)


async def park(plane: ControlPlane, runs: int, seconds: float) -> None:
    """Launch so many, and wait until they are parked."""
    wanted, program = plane.parked + runs, sleeps.program()
    inputs = sleeps.signature.encode_inputs({"seconds": seconds})
    for launched in range(0, runs, AT_ONCE):
        some = min(AT_ONCE, runs - launched)
        await asyncio.gather(*[plane.launch(program, sleeps.name, inputs) for _ in range(some)])
        while plane.parked < wanted - runs + launched + some:  # noqa: ASYNC110 (nobody tells when they are)
            await asyncio.sleep(0.002)


async def main(runs: int, directory: str) -> None:
    """Measure."""
    with open_home(directory, exclusive=True) as home:
        clock = Clock()
        executor = ProcessExecutor(blobs=home.blobs.location, workers=1, warm=0)
        plane = ControlPlane(store=home.store, executor=executor, clock=clock, ids=RandomIds(), owner="benchmark")
        await plane.start()
        await park(plane, WARM_UP, 86_400.0)
        before, began = resident(), time.perf_counter()
        await park(plane, runs, 86_400.0)
        took = time.perf_counter() - began
        each = (resident() - before) / runs
        await asyncio.sleep(1.0)
        print(f"{runs} runs parked in {took:.1f} s ({1000 * took / runs:.2f} ms each)")
        print(f"{each:.0f} bytes of memory for each")
        print(f"{threading.active_count()} threads, {children()} worker processes")
        print(f"{on_disk(directory) / runs:.0f} bytes on disk for each")
        await plane.close()
        ids = [summary.id for summary in await home.store.parked(limit=WOKEN)]
        executor = ProcessExecutor(blobs=home.blobs.location, workers=1, warm=0)
        plane = ControlPlane(store=home.store, executor=executor, clock=clock, ids=RandomIds(), owner="another")
        await plane.start()
        began = time.perf_counter()
        for run in ids:
            await plane.resume(run)
        print(f"{WOKEN} resumed by another process in {time.perf_counter() - began:.2f} s; {plane.parked} parked again")
        await plane.close()


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as home:
        asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 10_000, home))
