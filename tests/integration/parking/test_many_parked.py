"""Ten thousand parked runs: rows in a database and a line each in memory, no threads and no processes.

The drivers are played by an executor that says at once what a sleeping body's driver says.
``benchmarks/parked_runs.py`` does the same with worker processes.
"""

from __future__ import annotations

import asyncio
import gc
import os
import threading
from collections.abc import Callable
from pathlib import Path

from tests.unit.engine.playing import ONE, eager, graph, node, out, program, task
from whimbrel.controlplane.plane import ControlPlane
from whimbrel.controlplane.system import RandomIds
from whimbrel.model.attempt import Cancel, Deliver, FireTimer, Launch, Parked, Report, Started, StartTimer, Succeeded
from whimbrel.model.run import AttemptId, Phase
from whimbrel.stores.sql.store import READERS, SqlStore

RUNS = 10_000
AT_ONCE = 200
MOST_BYTES_EACH = 1_500
"""Of resident memory, for a parked run."""
WHOLE = program(eager(), task(), graph(node("n0", "e")))


class Clock:
    def __init__(self) -> None:
        self.at = 1_000.0

    def now(self) -> float:
        return self.at


class Sleepers:
    """An executor whose drivers sleep for a day."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self._report: Callable[[Report], None]

    async def start(self, report: Callable[[Report], None]) -> None:
        self._report = report

    def launch(self, launch: Launch) -> None:
        asyncio.get_running_loop().call_soon(self._drive, launch)

    def _drive(self, launch: Launch) -> None:
        attempt, now = launch.attempt, self.clock.now()
        self._report(Started(attempt, "sleeper", now))
        if launch.journal:
            self._report(FireTimer(attempt, "n0", "t1", now))
            self._report(Succeeded(attempt, out(1), now))
            return
        self._report(StartTimer(attempt, "n0", "t1", now + 86_400.0, now))
        self._report(Parked(attempt, 0, now + 86_400.0, now))

    def cancel(self, cancel: Cancel) -> None:
        raise AssertionError(cancel)

    def deliver(self, deliver: Deliver) -> None:
        """The driver has ended already."""

    def running(self) -> frozenset[AttemptId]:
        return frozenset()

    async def close(self) -> None:
        """Nothing runs."""


def resident() -> int:
    """Bytes of this process in memory."""
    gc.collect()
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


async def park(plane: ControlPlane, runs: int) -> None:
    """Launch so many, and wait until they are parked."""
    wanted = plane.parked + runs
    for _ in range(0, runs, AT_ONCE):
        await asyncio.gather(*[plane.launch(WHOLE, "w", ONE) for _ in range(min(AT_ONCE, runs))])
    async with asyncio.timeout(30):
        while plane.parked < wanted:  # noqa: ASYNC110 (nobody tells when the last one is)
            await asyncio.sleep(0.01)


def test_ten_thousand_parked_runs_cost_rows(tmp_path: Path) -> None:
    async def main() -> None:
        clock = Clock()
        plane = ControlPlane(store=store, executor=Sleepers(clock), clock=clock, ids=RandomIds(), owner="first")
        await plane.start()
        await park(plane, 2 * AT_ONCE)
        threads, tasks, before = threading.active_count(), len(asyncio.all_tasks()), resident()
        await park(plane, RUNS)
        each = (resident() - before) / RUNS
        print(f"{each:.0f} bytes for each parked run")
        assert each < MOST_BYTES_EACH, f"{each:.0f} bytes for each parked run"
        # The store starts its readers when it needs them.
        assert threading.active_count() <= threads + READERS
        assert len(asyncio.all_tasks()) == tasks
        await plane.close()
        # Another process knows them all from one question, and wakes those whose time has come.
        clock.at += 86_400.0
        later = ControlPlane(store=store, executor=Sleepers(clock), clock=clock, ids=RandomIds(), owner="second")
        await later.start()
        ids = await later.wake_parked()
        assert len(ids) == RUNS + 2 * AT_ONCE
        ended = await asyncio.gather(*[later.wait(run) for run in ids[:50]])
        assert {result.phase for result in ended} == {Phase.SUCCEEDED}
        await later.close()

    store = SqlStore.open(tmp_path / "whimbrel.db")
    try:
        asyncio.run(main())
    finally:
        store.close()
