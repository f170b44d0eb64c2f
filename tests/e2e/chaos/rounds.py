"""An eager program that goes on, round after round, until it is told that it is enough.

What it gives depends on every step of every round and on how many there were. Without CHAOS_TRACE it makes as many as
CHAOS_ROUNDS says.
"""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

from steps import MODULUS, leave, linger, step, stumble

from whimbrel import eager, random, task, workflow


@task
def enough(done: int) -> bool:
    leave("begin")
    told = Path(f"{os.environ['CHAOS_TRACE']}.enough").exists() if "CHAOS_TRACE" in os.environ else False
    leave("end")
    return told or done == int(os.environ.get("CHAOS_ROUNDS", "-1"))


async def chain(x: int, *ks: int) -> int:
    for k in ks:
        x = await step(x=x, k=k)
    return x


@workflow
def diamond(x: int) -> int:
    a = step(x=x, k=1)
    return step(x=step(x=a, k=2), k=a)


@eager
async def inner(x: int) -> int:
    p, q = await asyncio.gather(chain(x, 3, 4), chain(x, 5))
    await asyncio.sleep(0.01)
    return (p * 31 + q) % MODULUS


@eager
async def outer(x: int) -> int:
    return await inner(x=await step(x=x, k=7))


@eager
async def main(x: int) -> int:
    leave("body")
    done = 0
    while not await enough(done=done):
        p, q, r = await asyncio.gather(chain(x, 8, 9), inner(x=x), stumble(x=x))
        x = (p * 31 + q * 17 + r) % MODULUS
        k = int(random() * 1000)
        x = (await step(x=x, k=k) - k) % MODULUS
        await asyncio.sleep(0.02)
        try:
            await asyncio.wait_for(linger(x=x), 0.005)
        except TimeoutError:
            x += 1
        x = await outer(x=await diamond(x=x))
        done += 1
    return x + done * MODULUS
