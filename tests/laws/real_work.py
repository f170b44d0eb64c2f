"""Eager bodies that do real work themselves: threads, HTTP, arrays. It is not recorded; it happens again on replay."""

from __future__ import annotations

import asyncio
import threading
import time

import httpx
import numpy as np

from whimbrel import eager, task


@task
def scale(x: float) -> float:
    return x * 10


@task
def ranked(values: list[float]) -> list[float]:
    return sorted(values)


@eager
async def forecast(url: str, days: int) -> list[float]:
    """A program that was written for plain asyncio."""
    async with httpx.AsyncClient(timeout=5) as client:
        pages = await asyncio.gather(*[client.get(f"{url}/{day}") for day in range(days)])
        readings = np.array([float(page.text) for page in pages])
        smooth = np.convolve(readings, np.ones(2) / 2, mode="valid")
        scaled = await asyncio.gather(*[scale(x=float(value)) for value in smooth])
        last = float((await client.get(f"{url}/{int(sum(scaled))}")).text)
    loop, norm = asyncio.get_running_loop(), loop_future()

    def background() -> None:
        length = float(np.linalg.norm(np.array(scaled)))
        loop.call_soon_threadsafe(norm.set_result, length)

    thread = threading.Thread(target=background)
    thread.start()
    values = await ranked(values=[*scaled, last, await norm])
    thread.join()
    return values


def loop_future() -> asyncio.Future[float]:
    return asyncio.get_running_loop().create_future()


def slowly(x: int) -> int:
    time.sleep(0.02)
    return x * 2


@eager
async def looks_then_waits(x: int) -> int:
    """Real work with a time-out, then a wait that outlives the process."""
    async with asyncio.timeout(5):
        looked = await asyncio.to_thread(slowly, x)
    await asyncio.sleep(3600)
    return int(await scale(x=float(looked)))
