"""``task_mock`` and ``patch``, for every kind of entity, wherever it is called."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any
from unittest.mock import MagicMock

import pytest

from flytekit import LaunchPlan, dynamic, reference_launch_plan, reference_task, reference_workflow, task, workflow
from flytekit import eager as mixed_eager
from flytekit.experimental import eager
from flytekit.testing import patch, task_mock
from whimbrel.errors import ValueMismatch
from whimbrel.testing.engine import TestEngine

ID = {"project": "p", "domain": "d", "version": "v1"}


@task
def plain_task(x: int) -> int:
    raise AssertionError("the real one ran")


@task
async def async_task(x: int) -> int:
    raise AssertionError("the real one ran")


@workflow
def flow(x: int) -> int:
    return plain_task(x=x)


@dynamic
def unfolding(x: int) -> int:
    return plain_task(x=x)


@eager
async def awaiting(x: int) -> int:
    return await plain_task(x=x)


@reference_task(name="elsewhere.t", **ID)
def far_task(x: int) -> int: ...


@reference_workflow(name="elsewhere.wf", **ID)
def far_flow(x: int) -> int: ...


@reference_launch_plan(name="elsewhere.lp", **ID)
def far_plan(x: int) -> int: ...


@task
def add_one(x: int) -> int:
    return x + 1


@workflow
def one(x: int) -> int:
    return add_one(x=x)


plan = LaunchPlan.get_or_create(one, "a plan to be mocked", default_inputs={"x": 1})

KINDS: dict[str, Any] = {
    "task": plain_task,
    "async task": async_task,
    "workflow": flow,
    "dynamic": unfolding,
    "eager": awaiting,
    "reference task": far_task,
    "reference workflow": far_flow,
    "reference plan": far_plan,
    "launch plan": plan,
}


@workflow
def w_task(x: int) -> int:
    return add_one(x=plain_task(x=x))


@workflow
def w_async(x: int) -> int:
    return add_one(x=async_task(x=x))


@workflow
def w_flow(x: int) -> int:
    return add_one(x=flow(x=x))


@workflow
def w_dynamic(x: int) -> int:
    return add_one(x=unfolding(x=x))


@workflow
def w_eager(x: int) -> int:
    return add_one(x=awaiting(x=x))


@workflow
def w_far_task(x: int) -> int:
    return add_one(x=far_task(x=x))


@workflow
def w_far_flow(x: int) -> int:
    return add_one(x=far_flow(x=x))


@workflow
def w_far_plan(x: int) -> int:
    return add_one(x=far_plan(x=x))


@workflow
def w_plan(x: int) -> int:
    return add_one(x=plan(x=x))


FLOWS = dict(
    zip(KINDS, [w_task, w_async, w_flow, w_dynamic, w_eager, w_far_task, w_far_flow, w_far_plan, w_plan], strict=True)
)


@dynamic
def in_dynamic(kind: str, x: int) -> int:
    return add_one(x=KINDS[kind](x=x))


@eager
async def in_eager(kind: str, x: int) -> int:
    return await add_one(x=await KINDS[kind](x=x))


@mixed_eager
async def in_mixed(kind: str, x: int) -> int:
    result = KINDS[kind](x=x)
    return add_one(x=await result if kind in ("async task", "eager") else result)


def called(entity: Any, **inputs: Any) -> Any:
    result = entity(**inputs)
    return asyncio.run(result) if asyncio.iscoroutine(result) else result


def on_the_engine(entity: Any, **inputs: Any) -> Any:
    return TestEngine().run(entity, **inputs)


WAYS: list[Callable[..., Any]] = [called, on_the_engine]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("place", ["itself", "workflow", "dynamic", "eager", "mixed eager"])
def test_a_mock_stands_in_wherever_it_is_called(kind: str, place: str, way: Callable[..., Any]) -> None:
    entity = KINDS[kind]
    with task_mock(entity) as mock:
        mock.side_effect = lambda x: x * 10
        match place:
            case "itself":
                assert way(entity, x=4) == 40
            case "workflow":
                assert way(FLOWS[kind], x=4) == 41
            case "dynamic":
                assert way(in_dynamic, kind=kind, x=4) == 41
            case "eager":
                assert way(in_eager, kind=kind, x=4) == 41
            case _:
                assert way(in_mixed, kind=kind, x=4) == 41
        mock.assert_called_once_with(x=4)


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("kind", KINDS)
def test_what_a_mock_raises_and_returns(kind: str, way: Callable[..., Any]) -> None:
    with task_mock(KINDS[kind]) as mock:
        mock.side_effect = [KeyError("k"), 7, "seven"]
        with pytest.raises(KeyError):
            way(FLOWS[kind], x=1)
        assert way(FLOWS[kind], x=1) == 8
        with pytest.raises(ValueMismatch):
            way(FLOWS[kind], x=1)
        mock.side_effect = None
        mock.return_value = 1
        assert way(FLOWS[kind], x=1) == 2
        assert mock.call_count == 4


def test_the_real_one_is_back() -> None:
    with task_mock(plan) as mock:
        mock.return_value = 0
        assert w_plan(x=1) == 1
    assert w_plan(x=1) == TestEngine().run(w_plan, x=1) == 3


@patch(flow)
@patch(far_plan)
def test_patch_takes_every_kind(mocked_plan: MagicMock, mocked_flow: MagicMock) -> None:
    mocked_plan.return_value = 1
    mocked_flow.return_value = 2
    assert (w_far_plan(x=1), w_flow(x=1)) == (2, 3)
    assert TestEngine().run(w_flow, x=1) == 3
