"""What is large is done on a thread, what is small at once, and both give the same."""

from __future__ import annotations

import asyncio
import threading

import msgspec

from tests.unit.engine.playing import ONE, graph, node, program, task
from whimbrel.controlplane.offloading import LARGE, aside, is_large, replayed
from whimbrel.engine.run import Run
from whimbrel.model.events import RunRequested
from whimbrel.model.run import RunOptions


def test_the_large_leave_the_loop_and_the_small_do_not() -> None:
    async def main() -> None:
        here = threading.get_ident()
        assert await aside(False, threading.get_ident) == here
        assert await aside(True, threading.get_ident) != here

    asyncio.run(main())


def test_a_run_is_the_same_wherever_it_is_folded() -> None:
    small = program(task(), graph(node("n0", "t")))
    large = program(task(), graph(*(node(f"n{number}", "t") for number in range(LARGE + 1))))
    assert (is_large(small), is_large(large)) == (False, True)

    async def main() -> None:
        for one in (small, large):
            events = [RunRequested("r", "w", one, ONE, RunOptions(), 1.0)]
            folded, alone = await replayed(events), Run.replay(events)
            assert folded.story() == alone.story()
            assert msgspec.to_builtins(folded.phase) == msgspec.to_builtins(alone.phase)
            assert list(folded.nodes) == list(alone.nodes)

    asyncio.run(main())
