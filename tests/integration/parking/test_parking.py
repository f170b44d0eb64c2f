"""Bodies that are parked, with worker processes and SQLite: their processes go, and the runs end as they should."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from whimbrel.controlplane.plane import ControlPlane
from whimbrel.controlplane.system import RandomIds, SystemClock
from whimbrel.engine.run import Run
from whimbrel.executors.processes import ProcessExecutor
from whimbrel.model.run import Phase, RunOptions
from whimbrel.runtime.loading import load_module, locate
from whimbrel.stores.home import Home, open_home

PATIENCE = 30.0
SOON = RunOptions(park_after=0.1)


@pytest.fixture(scope="module")
def programs() -> ModuleType:
    where = locate(Path(__file__).with_name("napping.py"))
    return load_module(where.module, where.root)


@asynccontextmanager
async def engine(home: Home, owner: str = "tests") -> AsyncIterator[ControlPlane]:
    plane = ControlPlane(
        store=home.store,
        executor=ProcessExecutor(blobs=home.blobs.location, workers=1, warm=0),
        clock=SystemClock(),
        ids=RandomIds(),
        owner=owner,
    )
    await plane.start()
    try:
        yield plane
    finally:
        await plane.close()


async def launch(plane: ControlPlane, entity: Any, **inputs: Any) -> str:
    literals = entity.signature.encode_inputs(entity.signature.bind((), inputs))
    return await plane.launch(entity.program(), entity.name, literals, options=SOON)


async def until(condition: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, "nothing happened"
        await asyncio.sleep(0.01)


def said(folder: Path, what: str) -> list[int]:
    """The processes that said it, in order."""
    log = folder / "log"
    lines = log.read_text().splitlines() if log.exists() else []
    return [int(line.split()[1]) for line in lines if line.split()[0] == what]


def gone(pid: int) -> bool:
    return not Path(f"/proc/{pid}").exists()


def phases(run: Run) -> list[Phase]:
    return [attempt.phase for attempt in run.nodes["n0"].attempts]


def test_a_driver_that_sleeps_leaves_and_its_process_too(programs: ModuleType, tmp_path: Path) -> None:
    async def main() -> None:
        async with engine(home) as plane:
            # Longer than an idle driver host stays (1 s), with room for a busy machine.
            run = await launch(plane, programs.naps, x=1, seconds=5.0, folder=str(tmp_path))
            await until(lambda: plane.parked)
            assert 0.0 < (await home.store.summary(run)).wake_at - time.time() < 5.0
            driver = said(tmp_path, "driver")[-1]
            await until(lambda: gone(driver))
            assert said(tmp_path, "woken") == []
            result = await asyncio.wait_for(plane.wait(run), PATIENCE)
            assert programs.naps.signature.decode_outputs(result.outputs) == 3
            state = Run.replay(await home.store.events(run))
            assert phases(state)[0] is Phase.PAUSED
            assert phases(state)[-1] is Phase.SUCCEEDED
            assert state.nodes["n0"].system_retries == state.nodes["n0"].user_retries == 0

    with open_home(tmp_path / "home", exclusive=True) as home:
        asyncio.run(main())
    assert len(said(tmp_path, "add_one")) == 2
    # A driver that parks again, while the last call waits for a process, has passed by there as well.
    assert said(tmp_path, "woken")
    assert len(set(said(tmp_path, "driver"))) >= 2


def test_the_end_of_a_call_brings_a_driver_back(programs: ModuleType, tmp_path: Path) -> None:
    async def main() -> None:
        async with engine(home) as plane:
            run = await launch(plane, programs.waits, x=4, folder=str(tmp_path))
            await until(lambda: plane.run(run).nodes["n0"].phase is Phase.PAUSED)
            driver = said(tmp_path, "driver")[-1]
            await until(lambda: gone(driver))
            assert plane.parked == 0, "a run with a task under way is driven on"
            (tmp_path / "go").touch()
            result = await asyncio.wait_for(plane.wait(run), PATIENCE)
            assert programs.waits.signature.decode_outputs(result.outputs) == 40

    with open_home(tmp_path / "home", exclusive=True) as home:
        asyncio.run(main())
    assert len(said(tmp_path, "released")) == 1


def test_another_owner_carries_on_with_what_was_parked(programs: ModuleType, tmp_path: Path) -> None:
    async def first() -> str:
        async with engine(home) as plane:
            run = await launch(plane, programs.naps, x=1, seconds=0.6, folder=str(tmp_path))
            await until(lambda: plane.parked)
            return run

    async def second(run: str) -> None:
        async with engine(home, "another") as plane:
            assert await plane.wake_parked() == [run]
            result = await asyncio.wait_for(plane.wait(run), PATIENCE)
            assert result.phase is Phase.SUCCEEDED
            assert (await home.store.summary(run)).epoch == 2

    with open_home(tmp_path / "home", exclusive=True) as home:
        asyncio.run(second(asyncio.run(first())))
    assert len(said(tmp_path, "add_one")) == 2


def test_an_abort_brings_a_parked_body_back_to_clean_up(programs: ModuleType, tmp_path: Path) -> None:
    async def main() -> None:
        async with engine(home) as plane:
            run = await launch(plane, programs.naps, x=1, seconds=10_000.0, folder=str(tmp_path))
            await until(lambda: plane.parked)
            await plane.abort(run, "enough")
            result = await asyncio.wait_for(plane.wait(run), PATIENCE)
            assert result.phase is Phase.ABORTED

    with open_home(tmp_path / "home", exclusive=True) as home:
        asyncio.run(main())
    # A driver that parks again, while the last call waits for a process, has passed by there as well.
    assert said(tmp_path, "woken")
