"""Two owners for one run, reports that come twice, clocks that jump."""

from __future__ import annotations

import asyncio
import functools
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.chaos.history import violations
from tests.e2e.chaos.killing import LIMIT, SCRIPT, Patient
from tests.laws import corpus
from tests.laws.corpus import SAMPLES
from whimbrel import eager, sleep, task
from whimbrel.authoring.entry import entry_program
from whimbrel.controlplane.plane import ControlPlane
from whimbrel.controlplane.ports import Store
from whimbrel.controlplane.system import RandomIds
from whimbrel.errors import Fenced
from whimbrel.executors.inline import InlineExecutor
from whimbrel.model.attempt import Launch, Report, Started
from whimbrel.model.events import Event
from whimbrel.model.literals import IntLiteral
from whimbrel.model.program import TaskKind
from whimbrel.model.run import AttemptId, Phase
from whimbrel.runtime.driver import Driver
from whimbrel.stores.blobs import ObjectBlobs
from whimbrel.stores.crashing import CrashingStore, SimulatedCrash
from whimbrel.stores.memory import MemoryStore
from whimbrel.stores.sql.store import SqlStore

BUSY = 75


class ShiftedClock:
    """The machine's clock, wrong by ``shift`` seconds."""

    def __init__(self, shift: float = 0.0) -> None:
        self.shift = shift

    def now(self) -> float:
        return time.time() + self.shift


def executor(*entities: Any, kind: type[InlineExecutor] = InlineExecutor, clock: ShiftedClock | None = None) -> Any:
    driver: Any = Driver if clock is None else functools.partial(Driver, clock=clock.now)
    return kind(
        blobs=ObjectBlobs("memory://"),
        driver=driver,
        entities={entity.name: entity for entity in entities},
        capture=False,
        threads=2,
    )


def plane(store: Store, runs: Any, owner: str, clock: ShiftedClock | None = None) -> ControlPlane:
    return ControlPlane(
        store=store, executor=runs, clock=clock or ShiftedClock(), ids=RandomIds(), owner=owner, listen=None
    )


async def launch(control: ControlPlane, entity: Any, **inputs: Any) -> None:
    program, workflow = entry_program(entity)
    literals = entity.signature.encode_inputs(entity.signature.bind((), inputs))
    await control.launch(program, workflow, literals, run_id="r")


async def until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + LIMIT
    while not condition():
        assert time.monotonic() < deadline, "nothing happened"
        await asyncio.sleep(0.001)


def started(events: list[Event]) -> set[AttemptId]:
    return {event.attempt for event in events if isinstance(event, Started)}


# --- two owners -----------------------------------------------------------------------------------------------------


def test_a_second_command_is_refused_and_the_first_undisturbed(tmp_path: Path) -> None:
    patient = Patient(tmp_path / "run", 3, length=15)
    process = patient.begin()
    patient.until_lines(process, 3)
    for arguments in (["resume", patient.run], ["run", str(patient.file), "main", "--x", "1"]):
        second = subprocess.run([SCRIPT, *arguments], cwd=patient.folder, capture_output=True, text=True, timeout=LIMIT)
        assert second.returncode == BUSY, second.stderr
        assert f"process {process.pid}" in second.stderr
    assert process.wait(LIMIT) == 0
    assert violations(patient.history()) == []


STOPPED: list[str] = []
RAN: list[int] = []
GATES: list[asyncio.Event] = []


@task
async def counted(x: int) -> int:
    RAN.append(x)
    return x


@task
async def held(x: int) -> int:
    """Waits for ever in the first owner, not at all in the second."""
    GATES.append(asyncio.Event())
    try:
        if len(GATES) == 1:
            await GATES[0].wait()
    except asyncio.CancelledError:
        STOPPED.append("held")
        raise
    return x


@eager
async def two_steps() -> int:
    return await counted(x=1) + await held(x=2)


def test_the_older_of_two_owners_can_write_nothing_and_stops_what_it_runs(tmp_path: Path) -> None:
    for record in (STOPPED, RAN, GATES):
        record.clear()

    async def main() -> None:
        first, second = SqlStore.open(tmp_path / "whimbrel.db"), SqlStore.open(tmp_path / "whimbrel.db")
        theirs, ours = (executor(counted, held, two_steps) for _ in range(2))
        old, new = plane(first, theirs, "host:1"), plane(second, ours, "host:2")
        await old.start()
        await new.start()
        await launch(old, two_steps)
        await until(lambda: GATES)
        while AttemptId("r", "n0/2", 1) not in started(await first.events("r")):  # noqa: ASYNC110 (a store says nothing)
            await asyncio.sleep(0.001)
        waiting = asyncio.ensure_future(old.wait("r"))
        await new.resume("r")
        result = await asyncio.wait_for(new.wait("r"), LIMIT)
        assert result.outputs == {"o0": IntLiteral(3)}
        events = await second.events("r")
        assert theirs.running()
        # It does not know yet. The next thing that it wants to write is refused.
        await old.abort("r", "by the old owner")
        with pytest.raises(Fenced):
            await asyncio.wait_for(waiting, LIMIT)
        await until(lambda: not theirs.running())
        assert STOPPED == ["held"]
        assert RAN == [1]
        assert await second.events("r") == events
        assert (await second.summary("r")).phase is Phase.SUCCEEDED
        await old.close()
        await new.close()
        first.close()
        second.close()

    asyncio.run(main())


def test_a_run_that_was_lost_is_taken_back_when_its_attempts_have_ended(tmp_path: Path) -> None:
    for record in (STOPPED, RAN, GATES):
        record.clear()

    async def main() -> None:
        store = MemoryStore()
        control = plane(store, executor(counted, held, two_steps), "host:1")
        await control.start()
        await launch(control, two_steps)
        await until(lambda: GATES)
        await store.claim("r", "host:2")  # Somebody who does nothing with it.
        await control.abort("r", "is refused")
        with pytest.raises(Fenced):
            await asyncio.wait_for(control.wait("r"), LIMIT)
        await control.resume("r")
        result = await asyncio.wait_for(control.wait("r"), LIMIT)
        assert result.outputs == {"o0": IntLiteral(3)}
        assert STOPPED == ["held"]
        assert RAN == [1]
        await control.close()

    asyncio.run(main())


# --- reports that come twice --------------------------------------------------------------------------------------


class Stuttering(InlineExecutor):
    """Says everything twice. ``launched`` counts tasks."""

    launched = 0

    def launch(self, launch: Launch) -> None:
        self.launched += launch.task.kind is not TaskKind.EAGER
        super().launch(launch)

    async def start(self, report: Callable[[Report], None]) -> None:
        def twice(said: Report) -> None:
            report(said)
            report(said)

        await super().start(twice)


# The laws skip time, this does not.
LONG = {"eager_sleeps"}


@pytest.mark.parametrize("name", [name for name, sample in SAMPLES.items() if not sample.racy and name not in LONG])
def test_what_is_reported_twice_happens_once(name: str) -> None:
    sample = SAMPLES[name]
    entities = [value for value in vars(corpus).values() if hasattr(value, "program") and hasattr(value, "signature")]
    stuttering = executor(*entities, kind=Stuttering)

    async def main() -> Any:
        control = plane(MemoryStore(), stuttering, "host:1")
        await control.start()
        await launch(control, sample.entity, **sample.inputs)
        result = await asyncio.wait_for(control.wait("r"), LIMIT)
        await control.close()
        assert result.phase is Phase.SUCCEEDED, result.failure
        return sample.entity.signature.decode_outputs(result.outputs)

    assert asyncio.run(main()) == sample.expected
    if sample.task_calls >= 0:
        assert stuttering.launched == sample.task_calls


# --- clocks ---------------------------------------------------------------------------------------------------------


@task(retries=2, backoff=0.05)
def third_try(x: int) -> int:
    RAN.append(x)
    if len(RAN) < 3:
        raise RuntimeError("not yet")
    return x


@eager
async def naps() -> int:
    total = 0
    for x in range(3):
        await sleep(0.02)
        total += await counted(x=x)
    async with asyncio.timeout(3600):
        await asyncio.sleep(0.02)
    return total + await third_try(x=10)


HOUR = 3600.0


@pytest.mark.parametrize("shift", [-6 * HOUR, 6 * HOUR, -400 * 24 * HOUR])
def test_a_clock_that_was_set_between_two_owners(shift: float) -> None:
    async def once(store: Store, clock: ShiftedClock) -> Any:
        control = plane(store, executor(counted, third_try, naps, clock=clock), "host:1", clock)
        await control.start()
        try:
            if await runs_of(store):
                await control.resume("r")
            else:
                await launch(control, naps)
            return (await asyncio.wait_for(control.wait("r"), 20)).outputs
        finally:
            await control.close()

    async def runs_of(store: Store) -> int:
        return len(await store.summaries())

    async def main() -> None:
        counting = CrashingStore(MemoryStore())
        RAN.clear()
        assert await once(counting, ShiftedClock()) == {"o0": IntLiteral(13)}
        assert counting.writes > 10
        for at in range(2, counting.writes - 1):
            inner = MemoryStore()
            RAN.clear()
            try:
                await once(CrashingStore(inner, at), ShiftedClock())
            except SimulatedCrash:
                pass
            began = time.monotonic()
            if (await inner.summary("r")).phase.terminal:
                continue
            assert await once(inner, ShiftedClock(shift)) == {"o0": IntLiteral(13)}
            # Nobody waited for hours; and a clock that was set forward cut nobody's waits into failures.
            assert time.monotonic() - began < 15

    asyncio.run(main())
