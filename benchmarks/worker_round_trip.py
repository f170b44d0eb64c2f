"""What an attempt costs on its way through an executor: no engine, no store, no-op tasks.

Beside it, in the same run: a bare ``ProcessPoolExecutor``, and a frame over a socket to a process that sends it back.
One line of JSON a figure:

python benchmarks/worker_round_trip.py
"""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import os
import socket
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ProcessPoolExecutor
from contextlib import asynccontextmanager
from pathlib import Path

import worker_tasks

from whimbrel.controlplane.ports import Executor
from whimbrel.executors.inline import InlineExecutor
from whimbrel.executors.processes import ProcessExecutor
from whimbrel.model.attempt import Launch, Report, Succeeded
from whimbrel.model.literals import IntLiteral
from whimbrel.model.program import Metadata, TaskSpec
from whimbrel.model.run import AttemptId
from whimbrel.runtime.driver import Driver
from whimbrel.stores.blobs import ObjectBlobs

REPETITIONS = 5
SEQUENTIAL = 1_000
TOGETHER = 4_000


class Client:
    """Launches attempts and waits for their ends."""

    def __init__(self, executor: Executor) -> None:
        self._executor = executor
        self._number = 0
        self._left = 0
        self._done: asyncio.Future[None] | None = None

    def hear(self, report: Report) -> None:
        """What the executor calls."""
        if isinstance(report, Succeeded):
            self._left -= 1
            if not self._left and self._done is not None:
                self._done.set_result(None)

    async def run(self, task: TaskSpec, count: int) -> None:
        """Launch ``count`` attempts at once and wait for all."""
        self._left = count
        self._done = asyncio.get_running_loop().create_future()
        for _ in range(count):
            self._number += 1
            attempt = AttemptId("bench", f"n{self._number}", 1)
            self._executor.launch(Launch(attempt, task, {"x": IntLiteral(1)}, Metadata()))
        await self._done


@asynccontextmanager
async def client_of(executor: Executor) -> AsyncIterator[Client]:
    """A client of an executor, warmed up."""
    client = Client(executor)
    await executor.start(client.hear)
    await client.run(worker_tasks.step.spec(), 50)
    yield client
    await executor.close()


async def measure(name: str, make: Callable[[int], Executor], *, task: TaskSpec, workers: int) -> None:
    """The round trip of one at a time, and the rate of many."""
    async with client_of(make(1)) as client:
        say(f"{name}: sequential round trip", "us", [await timed(client, task, 1) * 1e6 for _ in range(REPETITIONS)])
    async with client_of(make(workers)) as client:
        rates = [TOGETHER / await together(client, task) for _ in range(REPETITIONS)]
        say(f"{name}: rate with {workers} workers", "1/s", rates)


async def timed(client: Client, task: TaskSpec, width: int) -> float:
    """Seconds per attempt, one after the other."""
    begin = time.perf_counter()
    for _ in range(SEQUENTIAL):
        await client.run(task, width)
    return (time.perf_counter() - begin) / SEQUENTIAL


async def together(client: Client, task: TaskSpec) -> float:
    """Seconds for many at once."""
    begin = time.perf_counter()
    await client.run(task, TOGETHER)
    return time.perf_counter() - begin


def bare_pool(workers: int) -> None:
    """The same through the standard library's pool."""
    context = multiprocessing.get_context("forkserver")
    with ProcessPoolExecutor(1, mp_context=context) as pool:
        pool.submit(worker_tasks.plain, 1).result()
        figures = []
        for _ in range(REPETITIONS):
            begin = time.perf_counter()
            for _ in range(SEQUENTIAL):
                pool.submit(worker_tasks.plain, 1).result()
            figures.append((time.perf_counter() - begin) / SEQUENTIAL * 1e6)
        say("ProcessPoolExecutor: sequential round trip", "us", figures)
    with ProcessPoolExecutor(workers, mp_context=context) as pool:
        list(pool.map(worker_tasks.plain, range(100)))
        figures = []
        for _ in range(REPETITIONS):
            begin = time.perf_counter()
            for future in [pool.submit(worker_tasks.plain, 1) for _ in range(TOGETHER)]:
                future.result()
            figures.append(TOGETHER / (time.perf_counter() - begin))
        say(f"ProcessPoolExecutor: rate with {workers} workers", "1/s", figures)


def bare_socket() -> None:
    """A hundred bytes to a forked process and back."""
    ours, theirs = socket.socketpair()
    if not (child := os.fork()):
        ours.close()
        while data := theirs.recv(4096):
            theirs.sendall(data)
        os._exit(0)
    theirs.close()
    figures = []
    for _ in range(REPETITIONS):
        begin = time.perf_counter()
        for _ in range(SEQUENTIAL):
            ours.sendall(b"x" * 100)
            ours.recv(4096)
        figures.append((time.perf_counter() - begin) / SEQUENTIAL * 1e6)
    ours.close()
    os.waitpid(child, 0)
    say("socket: bytes there and back", "us", figures)


def say(name: str, unit: str, figures: list[float]) -> None:
    """One line of JSON."""
    line = {
        "name": name,
        "unit": unit,
        "median": round(statistics.median(figures), 1),
        "least": round(min(figures), 1),
        "most": round(max(figures), 1),
    }
    print(json.dumps(line), flush=True)


async def main() -> None:
    """All of it."""
    workers = len(os.sched_getaffinity(0))
    print(json.dumps({"python": sys.version.split()[0], "processors": workers}), flush=True)
    bare_socket()
    bare_pool(workers)
    with tempfile.TemporaryDirectory() as directory:
        blobs = ObjectBlobs(Path(directory, "blobs"))

        def processes(count: int) -> Executor:
            return ProcessExecutor(blobs=blobs.location, workers=count, warm=count)

        def inline(count: int) -> Executor:
            return InlineExecutor(blobs=blobs, driver=Driver, threads=count)

        def on_the_loop(_count: int) -> Executor:
            return InlineExecutor(blobs=blobs, driver=Driver, threads=0)

        step, step_async = worker_tasks.step.spec(), worker_tasks.step_async.spec()
        await measure("processes", processes, task=step, workers=workers)
        await measure("processes, async task", processes, task=step_async, workers=workers)
        await measure("inline threads", inline, task=step, workers=workers)
        await measure("inline on the loop", on_the_loop, task=step, workers=1)


if __name__ == "__main__":
    asyncio.run(main())
