"""Context variables and options that must reach calls in other processes."""

from __future__ import annotations

import asyncio
import os
from contextvars import ContextVar
from pathlib import Path

from whimbrel import current_context, eager, overrides, propagate, random, task, uuid4, workflow

tenant: ContextVar[str] = propagate(ContextVar("tenant", default="nobody"))
limits: ContextVar[dict[str, int]] = propagate(ContextVar("limits"))
private: ContextVar[str] = ContextVar("private", default="unset")


@task
def who(x: int) -> str:
    return f"{tenant.get()} {limits.get({})} {private.get()} {os.getpid() != x}"


@workflow
def ask_around(x: int) -> str:
    return who(x=x)


@eager
async def inner(x: int) -> str:
    return await who(x=x)


@eager
async def carries() -> list[str]:
    here = os.getpid()
    private.set("secret")
    seen = [await who(x=here)]
    token = tenant.set("acme")
    limits.set({"cpu": 2})
    seen += await asyncio.gather(who(x=here), ask_around(x=here), inner(x=here))
    tenant.reset(token)
    seen.append(await who(x=here))
    return seen


@task
def flaky(folder: str, name: str, until: int) -> int:
    with open(Path(folder) / name, "a") as file:
        file.write("x")
    attempt = current_context().attempt
    if attempt < until:
        raise RuntimeError(f"attempt {attempt}")
    return attempt


@workflow
def flaky_inside(folder: str, name: str, until: int) -> int:
    return flaky(folder=folder, name=name, until=until)


@eager
async def flaky_eager(folder: str, name: str, until: int) -> int:
    return await flaky(folder=folder, name=name, until=until)


@eager
async def retries_apply(folder: str) -> list[int]:
    with overrides(retries=2):
        first = await flaky(folder=folder, name="a", until=3)
        second = await flaky_inside(folder=folder, name="b", until=3)
        third = await flaky_eager(folder=folder, name="c", until=2)
        with overrides(retries=0):
            try:
                await flaky(folder=folder, name="d", until=2)
            except RuntimeError:
                fourth = 0
        fifth = await flaky.options(retries=3)(folder=folder, name="e", until=4)
    return [first, second, third, fourth, fifth]


def die_once(folder: str, drawn: list[str]) -> None:
    marker = Path(folder) / "first"
    if not marker.exists():
        marker.write_text("\n".join(drawn))
        os._exit(1)


@eager
async def draws(folder: str) -> list[str]:
    drawn = [str(uuid4()), f"{random()}"]
    before = await flaky(folder=folder, name="steps", until=1)
    die_once(folder, drawn)
    return [*drawn, str(before)]
