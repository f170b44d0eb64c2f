"""A run has one driver in a process, whoever asks for it while it is on its way into memory; and ends are forgotten,
the oldest first."""

from __future__ import annotations

import asyncio
import heapq
from typing import Any

import pytest

from tests.unit.controlplane.test_parked_runs import Puppets, SkippingLoop, skipping
from tests.unit.engine.playing import ONE, graph, node, out, program, task
from whimbrel.controlplane import plane as planes
from whimbrel.controlplane.parked import SPARE, Berth, ParkedRuns
from whimbrel.controlplane.plane import ControlPlane
from whimbrel.controlplane.system import RandomIds
from whimbrel.errors import EntityNotFound
from whimbrel.model.run import Phase
from whimbrel.stores.memory import MemoryStore

TASKS = program(task(), graph(node("n0", "t")))


class Slow(MemoryStore):
    """What it has done is seen by others before the caller hears of it."""

    async def create(self, *args: Any) -> None:
        await super().create(*args)
        await asyncio.sleep(1)

    async def claim(self, *args: Any) -> Any:
        claimed = await super().claim(*args)
        await asyncio.sleep(1)
        return claimed


class Tasks(Puppets):
    """Tasks that end at once."""

    def _begin(self, launch: Any) -> None:
        super()._begin(launch)
        if launch.attempt in self.live:
            self.finish(launch.attempt.path)


def plane_on(loop: SkippingLoop, store: MemoryStore) -> ControlPlane:
    return ControlPlane(store=store, executor=Tasks(loop), clock=loop, ids=RandomIds(), owner="me", listen=None)


def test_a_run_that_is_being_launched_is_not_taken_over() -> None:
    async def main(loop: SkippingLoop) -> None:
        store = Slow()
        plane = plane_on(loop, store)
        await plane.start()
        launching = asyncio.ensure_future(plane.launch(TASKS, "w", ONE, run_id="r"))
        await asyncio.sleep(0.5)
        # As a server does with all that is unfinished when it starts.
        await plane.resume("r")
        await launching
        await plane.resume("r")
        assert (await plane.wait("r")).phase is Phase.SUCCEEDED
        assert (await store.summary("r")).epoch == 1
        await plane.close()

    skipping(main)


def test_who_aborts_a_run_that_is_being_taken_over_aborts_that_one() -> None:
    async def main(loop: SkippingLoop) -> None:
        store = Slow()
        plane = plane_on(loop, store)
        await plane.start()
        await plane.launch(TASKS, "w", ONE, run_id="r")
        await plane.close()
        plane = plane_on(loop, store)
        await plane.start()
        resuming = asyncio.ensure_future(plane.resume("r"))
        await asyncio.sleep(0.5)
        await plane.abort("r", "enough")
        await resuming
        assert (await plane.wait("r")).phase is Phase.ABORTED
        assert (await store.summary("r")).epoch == 2
        await plane.close()

    skipping(main)


def test_ends_are_forgotten_and_found_in_the_store(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(planes, "KEPT", 3)

    async def main(loop: SkippingLoop) -> None:
        plane = plane_on(loop, MemoryStore())
        await plane.start()
        for number in range(9):
            run = await plane.launch(TASKS, "w", ONE, run_id=f"r{number}")
            assert (await plane.wait(run)).phase is Phase.SUCCEEDED
        await asyncio.sleep(0)
        assert len(plane._driving) == len(plane._ends) == 3
        for number in range(9):
            result = await plane.wait(f"r{number}")
            assert (result.run, result.phase, result.outputs) == (f"r{number}", Phase.SUCCEEDED, out(2))
        with pytest.raises(EntityNotFound):
            await plane.wait("nobody")
        await plane.close()

    skipping(main)


def test_times_of_runs_that_are_gone_are_swept_out() -> None:
    async def main(loop: SkippingLoop) -> None:
        parked = ParkedRuns(loop, lambda run, berth: None)
        parked.add("stays", Berth(9e9, "me", 1))
        for number in range(10 * SPARE):
            parked.add(f"r{number}", Berth(1e9 + number, "me", 1))
            assert parked.take(f"r{number}") is not None
        assert len(parked._times) <= SPARE + 4
        assert (9e9, "stays") in parked._times
        assert heapq.nsmallest(1, parked._times)[0] == parked._times[0]
        parked.close()

    skipping(main)
