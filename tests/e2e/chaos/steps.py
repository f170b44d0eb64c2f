"""What the programs of the chaos tests are made of: tasks that leave a line when they begin and another when they end.

A line is written with one ``write`` to a file that was opened with O_APPEND, so lines of several processes are whole
and their order is the order of the writes. Without CHAOS_TRACE nothing is written and nothing takes time.
"""

from __future__ import annotations

import asyncio
import os
import time

from whimbrel import current_context, task

MODULUS = 10007

OWNER = os.getppid()
"""Who started this worker. Asked once: a worker that has lost its owner has a moment to live, and another parent."""


def leave(what: str) -> None:
    trace = os.environ.get("CHAOS_TRACE")
    if trace is None:
        return
    context = current_context()
    line = f"{what} {context.node} {context.attempt} {os.getpid()} {OWNER}\n"
    descriptor = os.open(trace, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    os.write(descriptor, line.encode())
    os.close(descriptor)


def work(seed: int) -> None:
    if "CHAOS_TRACE" in os.environ:
        time.sleep(0.005 + (seed * 7919 % 16) / 1000)


@task
def step(x: int, k: int) -> int:
    leave("begin")
    work(x + k)
    leave("end")
    return (x * 3 + k) % MODULUS


@task(retries=1)
def stumble(x: int) -> int:
    leave("begin")
    if "CHAOS_TRACE" in os.environ and current_context().attempt == 1:
        raise RuntimeError("stumbled")
    leave("end")
    return (x + 5) % MODULUS


@task
def fail(x: int) -> int:
    leave("begin")
    raise ValueError(f"no {x}")


@task
async def linger(x: int) -> int:
    leave("begin")
    await asyncio.sleep(60)
    return x


def square(x: int) -> int:
    return x * x % MODULUS
