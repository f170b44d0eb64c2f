"""The programs that `server_runs.py` submits, in a module that workers can import."""

from __future__ import annotations

import whimbrel


@whimbrel.task
def step(x: int) -> int:
    """Add one."""
    return x + 1


@whimbrel.workflow
def three(x: int) -> int:
    """Three steps, one after the other."""
    return step(x=step(x=step(x=x)))


@whimbrel.eager
async def three_eager(x: int) -> int:
    """The same, by an eager body."""
    for _ in range(3):
        x = await step(x=x)
    return x
