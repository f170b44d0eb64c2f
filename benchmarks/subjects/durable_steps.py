"""Durable eager steps on SQLite (``synchronous=FULL``), inline executor, beside raw commits on the same disk:
``durable_steps.py sequential|blocking|gather|replay DIRECTORY``.

Sequential steps and raw commits take turns, fifty by fifty, inside one body, so that both see the same machine.
"""

import asyncio
import json
import sqlite3
import sys
import time
from collections import defaultdict
from pathlib import Path

import durable_tasks as tasks

from whimbrel.controlplane.plane import ControlPlane
from whimbrel.controlplane.system import RandomIds, SystemClock
from whimbrel.executors.inline import InlineExecutor
from whimbrel.model.literals import IntLiteral
from whimbrel.model.run import Phase
from whimbrel.runtime.driver import Driver
from whimbrel.stores.home import Home, open_home

ROUNDS = 60
WIDE = 1_000
RECORDED = 10_000
REPETITIONS = 5


class RawCommits:
    """One row, one transaction, one flush: what no durable step can do without."""

    def __init__(self, path: Path) -> None:
        # Made here, used in the driver's thread, by one at a time.
        self._connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("PRAGMA synchronous = FULL")
        self._connection.execute(
            "CREATE TABLE t (run TEXT, seq INTEGER, payload BLOB, PRIMARY KEY (run, seq)) WITHOUT ROWID"
        )
        self._seq = 0

    def commits(self, count: int) -> float:
        """Seconds a commit."""
        execute, payload = self._connection.execute, b"x" * 200
        begin = time.perf_counter()
        for _ in range(count):
            self._seq += 1
            execute("BEGIN IMMEDIATE")
            execute("INSERT INTO t VALUES ('one', ?, ?)", (self._seq, payload))
            execute("COMMIT")
        return (time.perf_counter() - begin) / count


def plane_over(home: Home) -> ControlPlane:
    return ControlPlane(
        store=home.store,
        executor=InlineExecutor(blobs=home.blobs, driver=Driver),
        clock=SystemClock(),
        ids=RandomIds(),
        owner="benchmark",
    )


async def run(plane: ControlPlane, entity, n: int) -> str:
    run_id = await plane.launch(entity.program(), entity.name, {"n": IntLiteral(n)})
    result = await plane.wait(run_id)
    assert result.phase is Phase.SUCCEEDED, result
    return run_id


async def steps(home: Home, entity, n: int, repetitions: int) -> None:
    plane = plane_over(home)
    await plane.start()
    for _ in range(repetitions):
        await run(plane, entity, n)
    await plane.close()


async def replay(home: Home, figures) -> None:
    """A run of 10,000 finished steps is parked just before its end, and resumed."""
    plane = plane_over(home)
    await plane.start()
    entity = tasks.recorded
    run_id = await plane.launch(entity.program(), entity.name, {"n": IntLiteral(RECORDED)})
    await asyncio.to_thread(tasks.recorded_all.wait)
    plane.park(run_id)
    await plane.wait(run_id)
    await plane.close()
    for repetition in range(REPETITIONS + 1):
        begin = time.perf_counter()
        events = await home.store.events(run_id)
        read = time.perf_counter() - begin
        tasks.recorded_all.clear()
        plane = plane_over(home)
        await plane.start()
        begin = time.perf_counter()
        await plane.resume(run_id)
        await asyncio.to_thread(tasks.recorded_all.wait)
        took = time.perf_counter() - begin
        plane.park(run_id)
        await plane.wait(run_id)
        await plane.close()
        begin = time.perf_counter()
        singly(home.path / "whimbrel.db", run_id, len(events))
        selects = time.perf_counter() - begin
        if repetition:
            figures["replay"].append(took)
            figures["read"].append(read)
            figures["selects"].append(selects)


def singly(database: Path, run_id: str, count: int) -> None:
    """Every event by a SELECT of its own."""
    connection = sqlite3.connect(database)
    for seq in range(1, count + 1):
        connection.execute("SELECT payload FROM events WHERE run = ? AND seq = ?", (run_id, seq)).fetchone()
    connection.close()


def main(what: str, directory: str) -> None:
    figures = defaultdict(list)
    tasks.raw = RawCommits(Path(directory, "raw.db"))
    tasks.raw.commits(200)
    with open_home(Path(directory, "home"), exclusive=True) as home:
        if what == "replay":
            asyncio.run(replay(home, figures))
        elif what == "gather":
            asyncio.run(steps(home, tasks.gathered, WIDE, REPETITIONS + 1))
            figures["step"] = tasks.step_times[1:]
        else:
            entity = tasks.sequential if what == "sequential" else tasks.blocking
            asyncio.run(steps(home, entity, ROUNDS, 1))
            figures["step"], figures["commit"] = tasks.step_times[5:], tasks.commit_times[5:]
    print(json.dumps(figures))


if __name__ == "__main__":
    main(*sys.argv[1:])
