"""A body that sleeps."""

from __future__ import annotations

import asyncio

from whimbrel import eager


@eager
async def sleeps(seconds: float) -> float:
    """Sleep that long."""
    await asyncio.sleep(seconds)
    return seconds
