"""The loop is kept between coroutines, and what one leaves behind the next does not meet."""

from __future__ import annotations

import asyncio
import contextvars
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from whimbrel.runtime.warm_loop import WarmLoop


@pytest.fixture
def warm() -> Iterator[WarmLoop]:
    loop = WarmLoop()
    yield loop
    loop.close()


async def loop_id() -> int:
    await asyncio.sleep(0)
    return id(asyncio.get_running_loop())


def test_a_clean_loop_is_kept(warm: WarmLoop) -> None:
    assert warm.run(loop_id()) == warm.run(loop_id())


def test_an_error_comes_through_and_costs_the_loop(warm: WarmLoop) -> None:
    async def fail() -> None:
        raise ValueError("no")

    kept = [warm.run(loop_of())]
    with pytest.raises(ValueError, match="no"):
        warm.run(fail())
    assert kept[0].is_closed()
    warm.run(loop_id())


async def loop_of() -> Any:
    return asyncio.get_running_loop()


def test_tasks_that_were_left_are_cancelled(warm: WarmLoop) -> None:
    seen = []

    async def leave() -> asyncio.Task[None]:
        async def wait() -> None:
            try:
                await asyncio.Event().wait()
            finally:
                seen.append("cancelled")

        task = asyncio.create_task(wait())
        await asyncio.sleep(0)
        return task

    loop = warm.run(loop_of())
    task = warm.run(leave())
    assert task.cancelled()
    assert seen == ["cancelled"]
    assert loop.is_closed()


def test_threads_that_were_started_are_waited_for(warm: WarmLoop) -> None:
    go_on, done = threading.Event(), []

    def work() -> None:
        go_on.wait(10)
        done.append(1)

    async def leave() -> None:
        asyncio.get_running_loop().run_in_executor(None, work)
        asyncio.get_running_loop().call_soon(go_on.set)

    warm.run(leave())
    assert done == [1]


def test_coroutines_belong_to_the_context_that_runs_them(warm: WarmLoop) -> None:
    name: contextvars.ContextVar[str] = contextvars.ContextVar("name", default="nobody")

    async def read() -> str:
        return name.get()

    assert warm.run(read()) == "nobody"
    token = name.set("somebody")
    assert warm.run(read()) == "somebody"
    name.reset(token)
    assert warm.run(read()) == "nobody"
