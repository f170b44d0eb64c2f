"""Drivers that leave memory: when, what they say, and that nothing of the body runs."""

from __future__ import annotations

import asyncio
import gc
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from msgspec.structs import replace

from whimbrel import eager, random, task
from whimbrel.model.attempt import (
    AttemptFault,
    BeginCall,
    FinishCall,
    FireTimer,
    Launch,
    Parked,
    RecordValue,
    Report,
    Started,
    StartTimer,
    Succeeded,
)
from whimbrel.model.literals import IntLiteral
from whimbrel.model.program import Metadata
from whimbrel.model.run import AttemptId, Done, Entry, EntryKind
from whimbrel.runtime.driver import Driver
from whimbrel.stores.blobs import ObjectBlobs

TRAIL: list[str] = []


class Clock:
    """Time that goes when it is told to."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class Desk:
    """The other side of a driver's journal: what is begun stays pending, what is drawn or cancelled is echoed."""

    def __init__(
        self,
        entity: Any,
        *,
        park_after: float | None,
        journal: tuple[Entry, ...] = (),
        clock: Callable[[], float] | None = None,
        **inputs: Any,
    ) -> None:
        self.said: list[Report] = []
        self.entries = {(entry.parent, entry.key): entry for entry in journal}
        self.seq = len(journal)
        self.echoes = True
        self.clock = Clock()
        self.rules: Callable[[Report], None] = lambda _report: None
        literals = entity.signature.encode_inputs(entity.signature.bind((), inputs))
        # The driver asks the spec for the code's digest alone.
        spec = replace(sleeps.spec(), code_digest=entity.code_digest())
        launch = Launch(AttemptId("r", "n0", 1), spec, literals, Metadata(), journal=journal, park_after=park_after)
        self.driver = Driver(
            launch,
            send=self.hear,
            blobs=ObjectBlobs("memory://"),
            load=lambda _code: entity,
            clock=clock or self.clock,
        )

    def hear(self, report: Report) -> None:
        self.said.append(report)
        match report:
            case BeginCall():
                self.enter(report, EntryKind.CALL, entity=report.entity, digest=report.digest)
            case StartTimer():
                self.enter(report, EntryKind.TIMER, due=report.due)
            case RecordValue():
                self.enter(report, EntryKind.VALUE)
                self.finish(report.key, Done({"o0": report.value}), report.parent)
            case FireTimer() if self.echoes:
                self.finish(report.key, Done({}), report.parent)
            case FinishCall():
                self.finish(report.key, report.outcome, report.parent)
        self.rules(report)

    def enter(self, report: Any, kind: EntryKind, **more: Any) -> None:
        self.entries[report.parent, report.key] = Entry(report.parent, report.key, kind, **more)

    def finish(self, key: str, outcome: Any, parent: str = "n0", *, tell: bool = True) -> None:
        self.seq += 1
        entry = replace(self.entries.pop((parent, key)), outcome=outcome, seq=self.seq)
        self.entries[parent, key] = entry
        if tell:
            self.driver.deliver((entry,))

    def journal(self) -> tuple[Entry, ...]:
        done = [entry for entry in self.entries.values() if entry.outcome is not None]
        return (*done, *(entry for entry in self.entries.values() if entry.outcome is None))

    def run(self) -> Report:
        """To its end: the last report."""
        thread = threading.Thread(target=self.driver.run, daemon=True)
        thread.start()
        thread.join(20)
        assert not thread.is_alive(), "the driver has not left"
        return self.said[-1]

    def kinds(self) -> list[type]:
        return [type(report) for report in self.said]


@task
def add_one(x: int) -> int:
    return x + 1


@eager
async def sleeps(x: int) -> int:
    try:
        await asyncio.sleep(3600)
    finally:
        TRAIL.append("left")
    return x


@eager
async def calls(x: int) -> int:
    try:
        return await add_one(x=x)
    except BaseException as error:
        TRAIL.append(type(error).__name__)
        raise


def test_a_body_that_sleeps_long_is_parked_at_once_and_nothing_of_it_runs() -> None:
    TRAIL.clear()
    desk = Desk(sleeps, park_after=60.0, x=1)
    end = desk.run()
    assert end == Parked(AttemptId("r", "n0", 1), 0, pytest.approx(4600.0, abs=1.0), 1000.0)
    assert desk.kinds() == [Started, StartTimer, Parked]
    gc.collect()
    assert TRAIL == []


def test_the_next_driver_comes_to_the_cleanup_once() -> None:
    TRAIL.clear()
    before = Desk(sleeps, park_after=60.0, x=7)
    before.run()
    after = Desk(sleeps, park_after=60.0, journal=before.journal(), x=7)
    after.clock.now = 5000.0
    end = after.run()
    assert isinstance(end, Succeeded)
    assert end.outputs == {"o0": IntLiteral(7)}
    assert after.kinds() == [Started, FireTimer, Succeeded]
    assert TRAIL == ["left"]


def test_a_sleep_that_is_shorter_than_the_threshold_is_not_parked() -> None:
    @eager
    async def naps() -> int:
        await asyncio.sleep(0.02)
        return 3

    desk = Desk(naps, park_after=60.0, clock=time.time)
    assert isinstance(desk.run(), Succeeded)


def test_a_body_that_waits_for_a_call_is_parked_after_the_threshold() -> None:
    TRAIL.clear()
    desk = Desk(calls, park_after=0.05, x=1)
    end = desk.run()
    assert end == Parked(AttemptId("r", "n0", 1), 0, 0.0, 1000.0)
    assert desk.kinds() == [Started, BeginCall, Parked]
    # Whoever is late talks to nobody.
    desk.finish("1", Done({"o0": IntLiteral(2)}))
    desk.driver.cancel("too late", 1.0)
    gc.collect()
    assert TRAIL == []
    after = Desk(calls, park_after=0.05, journal=desk.journal(), x=1)
    assert after.run() == Succeeded(AttemptId("r", "n0", 1), {"o0": IntLiteral(2)}, 1000.0)


def test_without_a_threshold_a_driver_stays() -> None:
    desk = Desk(calls, park_after=None, x=1)
    thread = threading.Thread(target=desk.driver.run, daemon=True)
    thread.start()
    thread.join(0.2)
    assert thread.is_alive()
    desk.finish("1", Done({"o0": IntLiteral(5)}))
    thread.join(10)
    assert desk.kinds() == [Started, BeginCall, Succeeded]


def test_what_was_delivered_is_counted() -> None:
    @eager
    async def twice(x: int) -> int:
        return await add_one(x=await add_one(x=x))

    desk = Desk(twice, park_after=0.1, x=1)

    def answer_the_first(report: Report) -> None:
        if isinstance(report, BeginCall) and report.key == "1":
            desk.finish("1", Done({"o0": IntLiteral(2)}))

    desk.rules = answer_the_first
    end = desk.run()
    assert isinstance(end, Parked)
    assert end.seen == 1


@pytest.mark.parametrize("park_after", [0.0, 0.05])
def test_a_thread_under_way_keeps_the_driver(park_after: float) -> None:
    release = threading.Event()

    @eager
    async def mixed(x: int) -> int:
        await asyncio.gather(asyncio.to_thread(release.wait, 10), asyncio.sleep(3600))
        return x

    desk = Desk(mixed, park_after=park_after, x=1)
    thread = threading.Thread(target=desk.driver.run, daemon=True)
    thread.start()
    thread.join(0.3)
    assert thread.is_alive()
    release.set()
    thread.join(10)
    assert isinstance(desk.said[-1], Parked)


def test_a_body_that_nothing_would_wake_is_not_parked() -> None:
    @eager
    async def waits_for_itself(x: int) -> int:
        await asyncio.Event().wait()
        return x

    desk = Desk(waits_for_itself, park_after=0.0, x=1)
    thread = threading.Thread(target=desk.driver.run, daemon=True)
    thread.start()
    thread.join(0.2)
    assert thread.is_alive()
    desk.driver.cancel("enough", 1.0)
    thread.join(10)
    assert isinstance(desk.said[-1], AttemptFault)


def test_a_timer_that_has_fired_is_waited_for() -> None:
    """Its entry is under way: to leave now would be to come back at once."""
    before = Desk(sleeps, park_after=60.0, x=7)
    before.run()
    after = Desk(sleeps, park_after=60.0, journal=before.journal(), x=7)
    after.clock.now = 5000.0
    after.echoes = False
    thread = threading.Thread(target=after.driver.run, daemon=True)
    thread.start()
    thread.join(0.2)
    assert after.kinds() == [Started, FireTimer]
    after.finish("t1", Done({}))
    thread.join(10)
    assert isinstance(after.said[-1], Succeeded)


def test_a_nested_body_that_waits_parks_with_its_driver() -> None:
    @eager
    async def outer(x: int) -> int:
        return await calls(x=x)

    TRAIL.clear()
    desk = Desk(outer, park_after=0.0, x=1)
    assert isinstance(desk.run(), Parked)
    assert desk.kinds() == [Started, BeginCall, BeginCall, Parked]
    desk.finish("1", Done({"o0": IntLiteral(2)}), "n0/1", tell=False)
    after = Desk(outer, park_after=None, journal=desk.journal(), x=1)
    assert isinstance(after.run(), Succeeded)
    assert TRAIL == []


def test_a_value_that_was_drawn_is_waited_for() -> None:
    @eager
    async def draws() -> float:
        value = random()
        await asyncio.sleep(3600)
        return value

    desk = Desk(draws, park_after=0.0)
    end = desk.run()
    assert isinstance(end, Parked)
    assert desk.kinds() == [Started, RecordValue, StartTimer, Parked]
    assert end.seen == 1


_AT_EXIT = """
import asyncio, threading
from tests.unit.runtime.test_parking import Desk
from whimbrel import eager

@eager
async def body() -> int:
    try:
        await asyncio.gather(asyncio.sleep(3600), asyncio.sleep(7200))
    finally:
        print("the body's finally ran")
    return 1

print(type(Desk(body, park_after=60.0).run()).__name__)
"""


def test_the_end_of_the_process_runs_nothing_of_a_parked_body() -> None:
    run = subprocess.run([sys.executable, "-X", "dev", "-c", _AT_EXIT], capture_output=True, text=True)
    assert (run.stdout, run.stderr) == ("Parked\n", "")


def test_threads_and_descriptors_of_parked_drivers_are_free() -> None:
    threads, descriptors = threading.active_count(), len(os.listdir("/proc/self/fd"))
    for n in range(20):
        assert isinstance(Desk(sleeps, park_after=60.0, x=n).run(), Parked)
    # Fewer than one each: what all drivers share may come, and what others left behind may go.
    assert threading.active_count() <= threads + 2
    assert len(os.listdir("/proc/self/fd")) <= descriptors + 5
