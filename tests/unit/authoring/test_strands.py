"""Plain functions that wait, in coroutines: ``strands``."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from contextvars import ContextVar
from typing import Any

import pytest

from whimbrel.authoring.strands import Strand, waiting_strand

place: ContextVar[str] = ContextVar("place", default="nowhere")


def wait(awaitable: Awaitable[Any]) -> Any:
    strand = waiting_strand()
    assert strand is not None
    return strand.wait(awaitable)


async def later(value: Any) -> Any:
    await asyncio.sleep(0)
    if isinstance(value, BaseException):
        raise value
    return value


def added(*values: int) -> int:
    return sum(wait(later(value)) for value in values)


async def body() -> int:
    return added(1, 2) + await later(3) + added(4)


def test_a_plain_function_waits() -> None:
    assert asyncio.run(Strand(body())) == 10


def test_others_go_on_meanwhile() -> None:
    seen: list[str] = []

    async def step(name: str) -> None:
        for number in range(3):
            seen.append(f"{name}{number}")
            added(1)

    async def both() -> None:
        await asyncio.gather(Strand(step("a")), Strand(step("b")))

    asyncio.run(both())
    assert seen == ["a0", "b0", "a1", "b1", "a2", "b2"]


def test_errors_come_out_where_the_function_waits() -> None:
    async def catching() -> str:
        try:
            added(1, ValueError("no"))  # type: ignore[arg-type]
        except ValueError as error:
            return f"{error}, {added(5)}"
        return "fine"

    async def failing() -> None:
        wait(later(KeyError("k")))

    assert asyncio.run(Strand(catching())) == "no, 5"
    with pytest.raises(KeyError):
        asyncio.run(Strand(failing()))


def test_cancelling_comes_out_where_the_function_waits_and_cleaning_up_may_wait() -> None:
    async def held() -> None:
        try:
            wait(asyncio.Event().wait())
        finally:
            cleaned.append(added(1, 2))

    async def main() -> None:
        task = asyncio.create_task(Strand(held()))
        await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    cleaned: list[int] = []
    asyncio.run(main())
    assert cleaned == [3]


def test_a_strand_that_never_began_is_closed_quietly() -> None:
    async def main() -> None:
        task = asyncio.create_task(Strand(body()))
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        Strand(body()).close()

    asyncio.run(main())


def test_closing_a_waiting_strand_ends_the_body() -> None:
    async def held() -> None:
        try:
            wait(later(1))
        finally:
            ended.append(True)

    ended: list[bool] = []
    strand = Strand(held())
    strand.send(None)
    strand.close()
    assert ended == [True]


def test_the_context_is_the_tasks() -> None:
    async def setting() -> str:
        place.set("here")
        added(1)
        return place.get()

    async def main() -> tuple[str, str]:
        return await Strand(setting()), place.get()

    assert asyncio.run(main()) == ("here", "here")


def test_strands_in_strands() -> None:
    async def outer(depth: int) -> int:
        below = await Strand(outer(depth - 1)) if depth else 0
        return below + added(1)

    assert asyncio.run(Strand(outer(5))) == 6


def test_a_strand_moves_from_driver_to_driver() -> None:
    """One begins it, another goes on with it."""

    async def main() -> int:
        inner = Strand(body())
        first = inner.send(None)
        assert first is None

        async def rest() -> int:
            try:
                while True:
                    inner.send(None)
            except StopIteration as stop:
                return int(stop.value)

        return await Strand(rest())

    assert asyncio.run(main()) == 10


def test_no_strand_elsewhere() -> None:
    async def main() -> list[Any]:
        found: list[Any] = []
        asyncio.get_running_loop().call_soon(lambda: found.append(waiting_strand()))
        found.append(await asyncio.to_thread(waiting_strand))
        await asyncio.sleep(0)
        return found

    assert asyncio.run(Strand(main())) == [None, None]
