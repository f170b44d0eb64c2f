"""No-op tasks that worker processes can import."""

from __future__ import annotations

from whimbrel.authoring.task import task


@task
def step(x: int) -> int:
    """Add one."""
    return x + 1


@task
async def step_async(x: int) -> int:
    """Add one."""
    return x + 1


def plain(x: int) -> int:
    """Add one, without whimbrel."""
    return x + 1
