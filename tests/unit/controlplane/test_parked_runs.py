"""Runs that leave memory while they wait, and come back: over a store in memory, with an executor that is told what
drivers do."""

from __future__ import annotations

import asyncio
import gc
import heapq
import math
import selectors
import weakref
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from tests.unit.engine.playing import ONE, eager, graph, node, out, program, task
from whimbrel.controlplane.parked import LOOK, Berth, ParkedRuns
from whimbrel.controlplane.plane import ControlPlane, RunResult
from whimbrel.controlplane.system import RandomIds
from whimbrel.engine.run import Run
from whimbrel.errors import Fenced
from whimbrel.model.attempt import (
    AttemptFault,
    BeginCall,
    Cancel,
    Deliver,
    FireTimer,
    Launch,
    Parked,
    Report,
    Started,
    StartTimer,
    Succeeded,
)
from whimbrel.model.failure import Failure, Fault
from whimbrel.model.program import TaskKind
from whimbrel.model.run import AttemptId, EntryKind, Phase, RunOptions
from whimbrel.stores.memory import MemoryStore

SLEEPER = program(eager(), task(), graph(node("n0", "e")))


class SkippingSelector(selectors.DefaultSelector):
    """Waits by setting the clock."""

    def __init__(self) -> None:
        super().__init__()
        self.elapsed = 0.0

    def select(self, timeout: float | None = None) -> Any:
        if timeout is None:
            raise AssertionError("nothing will ever happen")
        self.elapsed += timeout
        return super().select(0)


class SkippingLoop(asyncio.SelectorEventLoop):
    """An event loop and the wall clock that goes with it."""

    def __init__(self) -> None:
        self.skipping = SkippingSelector()
        super().__init__(self.skipping)

    def time(self) -> float:
        return self.skipping.elapsed

    def now(self) -> float:
        return 1_000.0 + self.skipping.elapsed


def skipping(main: Callable[[SkippingLoop], Coroutine[Any, Any, None]]) -> None:
    loop = SkippingLoop()
    try:
        loop.run_until_complete(main(loop))
    finally:
        loop.close()


class Puppets:
    """An executor whose drivers sleep for ``naps`` seconds, one after the other, and park; with ``calls`` they
    make a call instead, and tasks end when ``finish`` is called."""

    def __init__(self, loop: SkippingLoop, *, naps: tuple[float, ...] = (), calls: bool = False) -> None:
        self.loop = loop
        self.naps = naps
        self.calls = calls
        self.launched: list[AttemptId] = []
        self.stopped: list[AttemptId] = []
        self.live: dict[AttemptId, Launch] = {}
        self._report: Callable[[Report], None]

    async def start(self, report: Callable[[Report], None]) -> None:
        self._report = report

    def launch(self, launch: Launch) -> None:
        assert launch.attempt not in self.launched, "launched twice"
        self.launched.append(launch.attempt)
        self.live[launch.attempt] = launch
        self.loop.call_soon(self._begin, launch)

    def _begin(self, launch: Launch) -> None:
        attempt, now = launch.attempt, self.loop.now()
        self.say(Started(attempt, "puppet", now))
        if launch.task.kind is TaskKind.TASK:
            return
        if any(entry.kind is EntryKind.ABORT for entry in launch.journal):
            self.end(AttemptFault(attempt, Failure(Fault.CANCELLED, "enough", recoverable=False), now))
        elif self.calls:
            self._call(launch)
        else:
            self._nap(launch)

    def _call(self, launch: Launch) -> None:
        attempt, now = launch.attempt, self.loop.now()
        if not launch.journal:
            self.say(BeginCall(attempt, "n0", "1", "t", False, ONE, "t", now))
        elif launch.journal[0].outcome is not None:
            self.end(Succeeded(attempt, out(5), now))
            return
        self.end(Parked(attempt, 0, 0.0, now))

    def _nap(self, launch: Launch) -> None:
        attempt, now = launch.attempt, self.loop.now()
        fired = 0
        for entry in launch.journal:
            if entry.outcome is None and entry.due <= now:
                self.say(FireTimer(attempt, "n0", entry.key, now))
            fired += entry.outcome is not None or entry.due <= now
        if fired == len(self.naps):
            self.end(Succeeded(attempt, out(5), now))
            return
        due = next((entry.due for entry in launch.journal if entry.outcome is None and entry.due > now), 0.0)
        if not due:
            due = now + self.naps[fired]
            self.say(StartTimer(attempt, "n0", f"t{fired + 1}", due, now))
        # Whoever fires a timer is told so; this one leaves as soon as it was.
        told = sum(entry.outcome is None and entry.due <= now for entry in launch.journal)
        self.end(Parked(attempt, told, due, now))

    def finish(self, path: str) -> None:
        (attempt,) = [attempt for attempt in self.live if attempt.path == path]
        self.end(Succeeded(attempt, out(2), self.loop.now()))

    def end(self, report: Report) -> None:
        del self.live[report.attempt]
        self.say(report)

    def say(self, report: Report) -> None:
        self._report(report)

    def cancel(self, cancel: Cancel) -> None:
        self.stopped.append(cancel.attempt)

    def deliver(self, deliver: Deliver) -> None:
        assert deliver.attempt in self.launched

    def running(self) -> frozenset[AttemptId]:
        return frozenset(self.live)

    async def close(self) -> None:
        self.live.clear()


def plane_of(loop: SkippingLoop, puppets: Puppets, store: MemoryStore, owner: str = "first") -> ControlPlane:
    return ControlPlane(store=store, executor=puppets, clock=loop, ids=RandomIds(), owner=owner)


async def settled(loop: SkippingLoop, plane: ControlPlane, parked: int = 1) -> None:
    """Until so many runs are parked."""
    for _ in range(200):
        if plane.parked == parked:
            return
        await asyncio.sleep(0.001)
    raise AssertionError(f"{plane.parked} runs are parked, not {parked}")


def test_a_run_that_sleeps_leaves_memory_and_comes_back() -> None:
    async def main(loop: SkippingLoop) -> None:
        puppets, store = Puppets(loop, naps=(3600.0, 7200.0)), MemoryStore()
        plane = plane_of(loop, puppets, store)
        await plane.start()
        run_id = await plane.launch(SLEEPER, "w", ONE)
        waiting = asyncio.ensure_future(plane.wait(run_id))
        state = weakref.ref(plane.run(run_id))
        await settled(loop, plane)
        gc.collect()
        assert state() is None, "the engine of a parked run is still in memory"
        with pytest.raises(KeyError):
            plane.run(run_id)
        summary = await store.summary(run_id)
        assert (summary.phase, summary.epoch) == (Phase.RUNNING, 1)
        assert summary.wake_at == pytest.approx(4600.0, abs=1.0)
        result = await waiting
        assert (result.phase, result.outputs) == (Phase.SUCCEEDED, out(5))
        assert loop.skipping.elapsed == pytest.approx(3600.0 + 7200.0, abs=5.0)
        summary = await store.summary(run_id)
        assert (summary.phase, summary.epoch, summary.wake_at) == (Phase.SUCCEEDED, 1, 0.0)
        assert [attempt.number for attempt in puppets.launched] == [1, 2, 3]
        assert await plane.wait(run_id) == result
        await plane.close()
        Run.replay(await store.events(run_id)).check_invariants()

    skipping(main)


def test_a_run_with_work_under_way_stays() -> None:
    async def main(loop: SkippingLoop) -> None:
        puppets, store = Puppets(loop, calls=True), MemoryStore()
        plane = plane_of(loop, puppets, store)
        await plane.start()
        run_id = await plane.launch(SLEEPER, "w", ONE)
        await asyncio.sleep(500)
        assert plane.run(run_id).nodes["n0"].phase is Phase.PAUSED
        assert plane.parked == 0
        assert (await store.summary(run_id)).wake_at == 0.0
        puppets.finish("n0/1")
        assert (await plane.wait(run_id)).phase is Phase.SUCCEEDED
        await plane.close()

    skipping(main)


def test_a_short_wait_does_not_send_a_run_away() -> None:
    async def main(loop: SkippingLoop) -> None:
        puppets, store = Puppets(loop, naps=(59.0,)), MemoryStore()
        plane = plane_of(loop, puppets, store)
        await plane.start()
        run_id = await plane.launch(SLEEPER, "w", ONE)
        await asyncio.sleep(30)
        assert plane.parked == 0
        assert plane.run(run_id).nodes["n0"].phase is Phase.PAUSED
        assert (await plane.wait(run_id)).phase is Phase.SUCCEEDED
        await plane.close()

    skipping(main)


def test_without_a_threshold_a_run_stays() -> None:
    async def main(loop: SkippingLoop) -> None:
        puppets, store = Puppets(loop, naps=(7200.0,)), MemoryStore()
        plane = plane_of(loop, puppets, store)
        await plane.start()
        run_id = await plane.launch(SLEEPER, "w", ONE, options=RunOptions(park_after=None))
        await asyncio.sleep(3600)
        assert plane.parked == 0
        assert (await plane.wait(run_id)).phase is Phase.SUCCEEDED
        await plane.close()

    skipping(main)


@pytest.mark.parametrize("by", ["call", "inbox"])
def test_an_abort_brings_a_parked_run_back_to_clean_up(by: str) -> None:
    async def main(loop: SkippingLoop) -> None:
        puppets, store = Puppets(loop, naps=(1e6,)), MemoryStore()
        plane = plane_of(loop, puppets, store)
        await plane.start()
        run_id = await plane.launch(SLEEPER, "w", ONE)
        waiting = asyncio.ensure_future(plane.wait(run_id))
        await settled(loop, plane)
        if by == "call":
            await plane.abort(run_id, "enough")
        else:
            await store.send(run_id, "abort", "enough", loop.now())
        result = await waiting
        assert (result.phase, result.failure.message if result.failure else "") == (Phase.ABORTED, "enough")
        assert puppets.launched == [AttemptId(run_id, "n0", 1), AttemptId(run_id, "n0", 2)]
        assert loop.skipping.elapsed < 10.0
        await plane.close()

    skipping(main)


def test_two_aborts_while_it_comes_back() -> None:
    async def main(loop: SkippingLoop) -> None:
        puppets, store = Puppets(loop, naps=(1e6,)), MemoryStore()
        plane = plane_of(loop, puppets, store)
        await plane.start()
        run_id = await plane.launch(SLEEPER, "w", ONE)
        await settled(loop, plane)
        await asyncio.gather(plane.abort(run_id, "enough"), plane.abort(run_id, "really"))
        assert (await plane.wait(run_id)).phase is Phase.ABORTED
        await plane.close()

    skipping(main)


def test_parking_by_hand_ends_the_wait_and_leaves_the_row() -> None:
    async def main(loop: SkippingLoop) -> None:
        puppets, store = Puppets(loop, naps=(3600.0,)), MemoryStore()
        plane = plane_of(loop, puppets, store)
        await plane.start()
        run_id = await plane.launch(SLEEPER, "w", ONE)
        waiting = asyncio.ensure_future(plane.wait(run_id))
        await settled(loop, plane)
        plane.park(run_id)
        left = RunResult(run_id, Phase.RUNNING, {}, None)
        assert await waiting == left
        assert await plane.wait(run_id) == left
        assert (await store.summary(run_id)).wake_at > 0.0
        await asyncio.sleep(7200)
        assert [attempt.number for attempt in puppets.launched] == [1]
        await plane.resume(run_id)
        assert (await plane.wait(run_id)).phase is Phase.SUCCEEDED
        await plane.close()

    skipping(main)


def test_closing_ends_the_wait_for_parked_runs() -> None:
    async def main(loop: SkippingLoop) -> None:
        plane = plane_of(loop, Puppets(loop, naps=(3600.0,)), MemoryStore())
        await plane.start()
        run_id = await plane.launch(SLEEPER, "w", ONE)
        waiting = asyncio.ensure_future(plane.wait(run_id))
        await settled(loop, plane)
        await plane.close()
        assert (await waiting).phase is Phase.RUNNING

    skipping(main)


@pytest.mark.parametrize("away", [60.0, 90_000.0])
def test_another_process_finds_what_is_to_be_woken(away: float) -> None:
    async def main(loop: SkippingLoop) -> None:
        store = MemoryStore()
        first = plane_of(loop, Puppets(loop, naps=(3600.0,)), store)
        await first.start()
        ids = [await first.launch(SLEEPER, "w", ONE) for _ in range(3)]
        await settled(loop, first, 3)
        await first.close()
        await asyncio.sleep(away)
        puppets = Puppets(loop, naps=(3600.0,))
        second = plane_of(loop, puppets, store, "second")
        await second.start()
        assert sorted(await second.wake_parked()) == sorted(ids)
        assert await second.wake_parked() == []
        for run_id in ids:
            assert (await second.wait(run_id)).phase is Phase.SUCCEEDED
            assert ((await store.summary(run_id)).epoch, (await store.summary(run_id)).owner) == (2, "second")
        assert loop.skipping.elapsed == pytest.approx(max(3600.0, away), abs=5.0)
        assert await store.parked() == []
        await second.close()

    skipping(main)


def test_resuming_before_the_time_waits_for_it() -> None:
    async def main(loop: SkippingLoop) -> None:
        store = MemoryStore()
        first = plane_of(loop, Puppets(loop, naps=(3600.0,)), store)
        await first.start()
        run_id = await first.launch(SLEEPER, "w", ONE)
        await settled(loop, first)
        await first.close()
        puppets = Puppets(loop, naps=(3600.0,))
        second = plane_of(loop, puppets, store, "second")
        await second.start()
        await second.resume(run_id)
        await settled(loop, second)
        assert puppets.launched == []
        assert (await second.wait(run_id)).phase is Phase.SUCCEEDED
        assert loop.skipping.elapsed == pytest.approx(3600.0, abs=5.0)
        await second.close()

    skipping(main)


def test_a_run_that_was_taken_over_meanwhile_is_left_alone() -> None:
    async def main(loop: SkippingLoop) -> None:
        puppets, store = Puppets(loop, naps=(3600.0,)), MemoryStore()
        plane = plane_of(loop, puppets, store)
        await plane.start()
        run_id = await plane.launch(SLEEPER, "w", ONE)
        await settled(loop, plane)
        await store.claim(run_id, "another")
        with pytest.raises(Fenced, match="taken over by another"):
            await plane.wait(run_id)
        assert len(puppets.launched) == 1
        await plane.close()

    skipping(main)


def test_many_parked_runs_are_woken_each_at_its_time() -> None:
    async def main(loop: SkippingLoop) -> None:
        puppets, store = Puppets(loop, naps=(3600.0,)), MemoryStore()
        plane = plane_of(loop, puppets, store)
        await plane.start()
        ends: dict[str, float] = {}
        for _ in range(50):
            await plane.launch(SLEEPER, "w", ONE)
            await asyncio.sleep(7.0)
        await settled(loop, plane, 50)
        for summary in await store.parked():
            assert (await plane.wait(summary.id)).phase is Phase.SUCCEEDED
            ends[summary.id] = loop.now() - summary.wake_at
        assert max(ends.values()) < 1.0
        await plane.close()

    skipping(main)


# --- ParkedRuns -------------------------------------------------------------------------------------------------------


def test_the_clock_is_looked_at_again_and_again() -> None:
    async def main(loop: SkippingLoop) -> None:
        woken: list[tuple[float, str]] = []

        class Clock:
            shift = 0.0

            def now(self) -> float:
                return loop.now() + self.shift

        clock = Clock()
        parked = ParkedRuns(clock, lambda run, _berth: woken.append((loop.time(), run)))
        parked.add("late", Berth(101_000.0, "me", 1))
        parked.add("never", Berth(math.inf, "me", 1))
        await asyncio.sleep(100.0)
        assert woken == []
        clock.shift = 100_000.0
        await asyncio.sleep(LOOK)
        assert [run for _, run in woken] == ["late"]
        assert len(parked) == 1
        assert "never" in parked
        parked.close()
        assert len(parked) == 0

    skipping(main)


def test_a_run_is_woken_at_its_latest_time_alone() -> None:
    async def main(loop: SkippingLoop) -> None:
        woken: list[tuple[float, str]] = []
        parked = ParkedRuns(loop, lambda run, _berth: woken.append((round(loop.time()), run)))
        for delay, run in ((50.0, "a"), (10.0, "b"), (30.0, "c")):
            parked.add(run, Berth(loop.now() + delay, "me", 1))
        assert parked.take("b") is not None
        assert parked.take("b") is None
        parked.take("c")
        parked.add("c", Berth(loop.now() + 70.0, "me", 1))
        await asyncio.sleep(200.0)
        assert woken == [(50.0, "a"), (70.0, "c")]
        assert heapq.nsmallest(1, woken) == [(50.0, "a")]

    skipping(main)
