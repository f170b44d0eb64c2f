"""Work on large programs and long logs, done on a thread: a server answers others meanwhile.

Knows: how large is large. Must not know: what is done.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import TypeVar

from whimbrel.engine.run import Run
from whimbrel.model.events import Event, RunRequested
from whimbrel.model.program import Program

T = TypeVar("T")

LARGE = 500
"""Nodes, or events, from which on a hop to a thread costs less than what it saves others: some ten milliseconds."""
LARGE_BYTES = 128 * 1024
"""The same of something encoded."""


async def aside(large: bool, work: Callable[[], T]) -> T:
    """What ``work`` gives: at once, or, where it is ``large``, from a thread. It must touch nothing that others see."""
    return await asyncio.to_thread(work) if large else work()


def is_large(program: Program) -> bool:
    """Whether a program is."""
    return sum(len(graph.nodes) for graph in program.workflows.values()) > LARGE


async def replayed(events: Sequence[Event], *, keep_story: bool = True) -> Run:
    """The run that ``events`` made."""
    first = events[0] if events else None
    large = len(events) > LARGE or (isinstance(first, RunRequested) and is_large(first.program))
    return await aside(large, lambda: Run.replay(events, keep_story=keep_story))
