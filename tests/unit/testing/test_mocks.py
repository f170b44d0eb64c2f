"""Stand-ins: for a task, a workflow, an eager workflow, a class of tasks."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from whimbrel.authoring.task import Task
from whimbrel.errors import CallMismatch
from whimbrel.testing.engine import TestEngine
from whimbrel.testing.mocks import Mock

from .flows import add_one, inner, outer, slow, times_out, too_slow, twice, twice_twice


def test_a_task() -> None:
    engine = TestEngine()
    mock = engine.mock(add_one, returns=10)
    assert engine.run(outer, x=1) == 10
    assert mock.calls == [{"x": 1}, {"x": 10}, {"x": 10}, {"x": 10}]
    assert engine.executions == {"add_one": 4}
    assert TestEngine().run(outer, x=1) == 5, "it lives in its engine alone"


def test_a_workflow() -> None:
    engine = TestEngine()
    mock = engine.mock(twice, side_effect=lambda x: x * 100)
    assert engine.run(twice_twice, x=1) == 10_000
    assert engine.run(outer, x=1) == 201
    assert mock.call_count == 3
    assert engine.run(twice, x=3) == 300


def test_an_eager_workflow() -> None:
    engine = TestEngine()
    mock = engine.mock(inner, returns=7)
    assert engine.run(outer, x=1) == 7
    assert engine.run(inner, x=1) == 7
    assert mock.calls == [{"x": 4}, {"x": 1}]
    assert engine.mock(inner, returns=8, takes=50).takes == 50
    assert engine.run(outer, x=1) == 8


def test_every_task_of_a_class() -> None:
    class Special(Task[..., Any]):
        """What a plug-in would bring."""

    engine = TestEngine()
    engine.mock(Special, returns=0)
    assert engine.run(add_one, x=1) == 2
    engine.mock(Task, returns=5)
    assert engine.run(add_one, x=1) == 5
    assert engine.run(twice, x=1) == 5


def test_side_effects() -> None:
    engine = TestEngine()
    engine.mock(add_one, side_effect=[1, KeyError("second"), 3])
    assert engine.run(add_one, x=0) == 1
    with pytest.raises(KeyError, match="second"):
        engine.run(add_one, x=0)
    assert engine.run(add_one, x=0) == 3
    with pytest.raises(CallMismatch, match="fewer side effects"):
        engine.run(add_one, x=0)
    engine.mock(add_one, side_effect=ZeroDivisionError)
    with pytest.raises(ZeroDivisionError):
        engine.run(add_one, x=0)


def test_a_coroutine_function() -> None:
    async def waits(x: int) -> int:
        await asyncio.sleep(1000)
        return x * 2

    engine = TestEngine()
    engine.mock(slow, side_effect=waits)
    assert engine.run(slow, x=4) == 8
    assert engine.world.elapsed >= 1000


def test_how_long_it_takes() -> None:
    engine = TestEngine()
    engine.mock(too_slow, returns=1, takes=5)
    assert engine.run(times_out, x=1) == "1"
    engine.mock(too_slow, returns=1, takes=50)
    assert engine.run(times_out, x=1) == "timed out"


def test_values_must_fit_the_real_annotations() -> None:
    engine = TestEngine()
    engine.mock(add_one, returns="ten")
    with pytest.raises(TypeError, match="add_one"):
        engine.run(outer, x=1)


def test_wrong_mocks() -> None:
    with pytest.raises(CallMismatch, match="one of them"):
        Mock(returns=1, side_effect=ValueError)
    with pytest.raises(CallMismatch, match="cannot be mocked"):
        TestEngine().mock(len, returns=1)


def test_options_do_not_matter() -> None:
    engine = TestEngine()
    engine.mock(add_one.options(retries=3), returns=3)
    assert engine.run(add_one, x=1) == 3
