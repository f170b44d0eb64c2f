"""A run's loop waits for cache writes that its end left under way."""

from __future__ import annotations

import asyncio
import signal
from types import FrameType
from typing import Any

import pytest

from whimbrel.controlplane.caching import CacheDesk
from whimbrel.controlplane.loop import RunLoop
from whimbrel.controlplane.system import SystemClock
from whimbrel.engine.run import Run
from whimbrel.model.commands import CacheKey, WriteCache
from whimbrel.model.run import Phase, RunSummary
from whimbrel.stores.memory import MemoryStore


def too_long(signum: int, frame: FrameType | None) -> None:
    raise AssertionError("settling never ends")


@pytest.mark.parametrize("turns", range(4))
def test_settling_ends_at_whatever_turn_of_the_loop_a_write_ends(turns: int) -> None:
    """A write that has ended, whose callback has not run yet, once kept Python 3.12 busy for ever."""

    async def main() -> None:
        store = MemoryStore()
        unused: Any = None
        summary = RunSummary("r1", "wf", Phase.RUNNING, 0.0, epoch=1)
        loop = RunLoop(
            Run(), summary, store=store, cache=CacheDesk(store), executor=unused, clock=SystemClock(), watch=None
        )
        key = CacheKey("task", "1", "interface", {})
        loop.hold([WriteCache("n0", key, {})])
        driving = asyncio.ensure_future(loop.drive())
        while not loop._lookups:  # noqa: ASYNC110 (a turn at a time)
            await asyncio.sleep(0)
        for _ in range(turns):
            await asyncio.sleep(0)
        await loop.settle()
        assert await store.cached(key) is not None
        loop.stop()
        assert await driving is None

    before = signal.signal(signal.SIGALRM, too_long)
    signal.setitimer(signal.ITIMER_REAL, 10)
    try:
        asyncio.run(main())
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
