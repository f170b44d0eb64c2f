"""Eager workflows whose calls block, on the engine: durable, and told where they cannot wait."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from whimbrel import EagerException, overrides, task, workflow
from whimbrel.authoring.eager import eager
from whimbrel.authoring.mixed_eager import mixed_eager
from whimbrel.errors import CallMismatch
from whimbrel.testing.engine import TestEngine

tries: list[int] = []


@task
def add(x: int, y: int = 1) -> int:
    return x + y


@task
def flaky(x: int) -> int:
    tries.append(x)
    if len(tries) % 3:
        raise ConnectionError(x)
    return x


@workflow
def plus_two(x: int) -> int:
    return add(x=add(x=x))


def climb(x: int, steps: int) -> int:
    for _ in range(steps):
        x = add(x=x)
    return x


@mixed_eager
async def mixed(x: int) -> int:
    return plus_two(x=climb(x, 3)) + sum(add(x=i) for i in range(2))


@eager
async def awaited(x: int) -> int:
    for _ in range(3):
        x = await add(x=x)
    return await plus_two(x=x) + sum([await add(x=i) for i in range(2)])


@mixed_eager
async def overridden(x: int) -> int:
    with overrides(retries=2):
        return flaky(x=x)


@mixed_eager
async def in_a_callback(x: int) -> str:
    told: asyncio.Future[str] = asyncio.get_running_loop().create_future()

    def callback() -> None:
        try:
            add(x=x)
        except CallMismatch as error:
            told.set_result(str(error))

    asyncio.get_running_loop().call_soon(callback)
    return await told


@mixed_eager
async def on_a_thread(x: int) -> str:
    try:
        return str(await asyncio.to_thread(add, x=x))
    except CallMismatch as error:
        return str(error)


@mixed_eager(retries=1)
async def options_are_kept(x: int) -> int:
    return x


@workflow
def static(x: int) -> int:
    return add(x=mixed(x=x))


@pytest.mark.parametrize("entity", [mixed, awaited])
def test_blocking_and_awaited_calls_are_one_to_the_engine(entity: Any) -> None:
    engine = TestEngine()
    assert engine.run(entity, x=1) == 6 + 3
    assert len(engine.executed) == 7


def test_plain_python_gives_the_same() -> None:
    assert asyncio.run(mixed(x=1)) == 9


def test_a_mixed_body_is_a_node_of_a_static_workflow() -> None:
    assert TestEngine().run(static, x=1) == 10
    assert static(x=1) == 10


def test_overrides_hold_for_calls_that_block() -> None:
    tries.clear()
    assert TestEngine().run(overridden, x=4) == 4
    assert tries == [4, 4, 4]


def test_where_nothing_can_wait_it_is_told_with_the_line() -> None:
    for body in (in_a_callback, on_a_thread):
        message = TestEngine().run(body, x=1)
        assert "where an eager body cannot wait" in message
        assert "Call it in the body or in an asyncio task of it." in message
    assert f"{__file__}:" in TestEngine().run(in_a_callback, x=1)


def test_failures_are_of_both_classes() -> None:
    @mixed_eager
    async def catching(x: int) -> bool:
        try:
            flaky(x=x)
        except ConnectionError as error:
            return isinstance(error, EagerException)
        return False

    tries.clear()
    assert asyncio.run(catching(x=1))


def test_options_are_those_of_eager() -> None:
    assert options_are_kept.metadata.retries == 1
    with pytest.raises(CallMismatch, match="retires"):
        mixed_eager(retires=1)(mixed.fn)
