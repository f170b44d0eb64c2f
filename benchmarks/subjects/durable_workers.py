"""Durable steps through warm worker processes, beside a bare process pool and raw commits: ``durable_workers.py
DIRECTORY``. They take turns, so that all see the same machine."""

import asyncio
import json
import os
import sys
import time
from collections import defaultdict
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import worker_steps
from durable_steps import RawCommits

from whimbrel.controlplane.plane import ControlPlane
from whimbrel.controlplane.system import RandomIds, SystemClock
from whimbrel.executors.processes import ProcessExecutor
from whimbrel.model.literals import FloatLiteral, IntLiteral
from whimbrel.stores.home import Home, open_home

REPETITIONS = 5
SEQUENTIAL = 300
WIDE = 3_000


async def measured(plane: ControlPlane, entity, n: int) -> float:
    """What a body says of its calls."""
    result = await plane.wait(await plane.launch(entity.program(), entity.name, {"n": IntLiteral(n)}))
    (seconds,) = result.outputs.values()
    assert isinstance(seconds, FloatLiteral)
    return seconds.value


async def measure(home: Home, raw: RawCommits) -> dict[str, list[float]]:
    figures = defaultdict(list)
    workers = len(os.sched_getaffinity(0))
    plane = ControlPlane(
        store=home.store,
        executor=ProcessExecutor(blobs=home.blobs.location, workers=workers, warm=workers + 1),
        clock=SystemClock(),
        ids=RandomIds(),
        owner="benchmark",
    )
    await plane.start()
    with ProcessPoolExecutor(workers) as pool:
        for repetition in range(REPETITIONS + 1):
            row = {
                "step": await measured(plane, worker_steps.sequential, SEQUENTIAL),
                "commit": raw.commits(SEQUENTIAL),
            }
            begin = time.perf_counter()
            for number in range(SEQUENTIAL):
                pool.submit(worker_steps.plain, number).result()
            row["pool"] = (time.perf_counter() - begin) / SEQUENTIAL
            row["gathered"] = await measured(plane, worker_steps.gathered, WIDE)
            begin = time.perf_counter()
            for future in [pool.submit(worker_steps.plain, number) for number in range(WIDE)]:
                future.result()
            row["pool, many"] = (time.perf_counter() - begin) / WIDE
            if repetition:
                for name, seconds in row.items():
                    figures[name].append(seconds)
    await plane.close()
    return figures


def main(directory: str) -> None:
    raw = RawCommits(Path(directory, "raw.db"))
    raw.commits(200)
    with open_home(Path(directory, "home"), exclusive=True) as home:
        print(json.dumps(asyncio.run(measure(home, raw))))


if __name__ == "__main__":
    main(sys.argv[1])
