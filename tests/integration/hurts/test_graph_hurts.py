"""What hurts in flytekit's graph language, right here: maps, conditionals, dynamic workflows."""

from __future__ import annotations

import asyncio
import functools
from typing import Any, NamedTuple

import pytest

from flytekit import LaunchPlan, WorkflowFailurePolicy, conditional, dynamic, map_task, reference_task, task, workflow
from flytekit.experimental import eager
from tests.unit.authoring import registered
from whimbrel.testing.engine import TestEngine

ran: list[str] = []


@pytest.fixture(autouse=True)
def nothing_ran() -> None:
    ran.clear()


class Bounds(NamedTuple):
    low: int
    high: int


@task
def bounds(x: int) -> Bounds:
    return Bounds(x - 1, x + 1)


@task
def add(x: int, y: int = 1) -> int:
    return x + y


@task
def weighted(x: int, weights: list[int]) -> int:
    return x * sum(weights)


@task
def total(xs: list[int]) -> int:
    return sum(xs)


@task
def step(name: str, x: int) -> int:
    ran.append(name)
    return x


@workflow
def twice(x: int) -> int:
    return add(x=add(x=x))


plan = LaunchPlan.get_or_create(twice, "twice by plan", default_inputs={"x": 0})


@eager
async def climbed(x: int) -> int:
    return await add(x=await add(x=x))


@dynamic
def unrolled(x: int) -> int:
    return total(xs=[add(x=i) for i in range(x)])


def both_ways(flow: Any, **inputs: Any) -> Any:
    """What a plain call gives, which must be what the engine gives."""
    plain = flow(**inputs)
    plain = asyncio.run(plain) if asyncio.iscoroutine(plain) else plain
    assert TestEngine().run(flow, **inputs) == plain
    return plain


# --- maps -------------------------------------------------------------------------------------------------------------


@workflow
def named_outputs(xs: list[int]) -> tuple[int, int]:
    mapped = map_task(bounds)(x=xs)
    return total(xs=mapped.low), total(xs=mapped.high)


def test_a_map_of_a_task_with_named_outputs() -> None:
    assert tuple(both_ways(named_outputs, xs=[1, 5])) == (4, 8)


@workflow
def other_targets(xs: list[int]) -> list[int]:
    mapped = [map_task(target)(x=xs) for target in (plan, twice, climbed, unrolled)]
    return [total(xs=results) for results in mapped]


def test_maps_of_launch_plans_workflows_eager_and_dynamic_ones() -> None:
    assert both_ways(other_targets, xs=[2, 3]) == [9, 9, 9, 9]


@workflow
def partly(xs: list[int], weights: list[int]) -> list[int]:
    return map_task(functools.partial(weighted, weights=weights))(x=xs)


def test_a_partial_that_binds_a_list() -> None:
    assert both_ways(partly, xs=[1, 2], weights=[3, 4]) == [7, 14]


# --- conditionals -----------------------------------------------------------------------------------------------------


@workflow
def nested(x: int) -> int:
    return (
        conditional("outer")
        .if_(x > 100)
        .then(
            conditional("inner")
            .if_(x > 200)
            .then(step(name="inner first", x=x))
            .else_()
            .then(step(name="inner second", x=x))
        )
        .else_()
        .then(step(name="outer second", x=x))
    )


@pytest.mark.parametrize(("x", "arm"), [(1, "outer second"), (150, "inner second"), (250, "inner first")])
def test_a_nested_conditional_runs_one_arm(x: int, arm: str) -> None:
    assert both_ways(nested, x=x) == x
    assert ran == [arm, arm]


@task
def is_even(x: int) -> bool:
    return x % 2 == 0


@workflow
def by_truth(x: int) -> int:
    even = is_even(x=x)
    first = conditional("true").if_(even.is_true()).then(step(name="even", x=x)).else_().then(step(name="odd", x=x))
    return conditional("false").if_(even.is_false()).then(step(name="odd", x=first)).else_().then(add(x=first))


@pytest.mark.parametrize(("x", "result", "arms"), [(2, 3, ["even"]), (3, 3, ["odd", "odd"])])
def test_is_true_takes_the_right_branch(x: int, result: int, arms: list[str]) -> None:
    assert both_ways(by_truth, x=x) == result
    assert ran == [*arms, *arms]


@workflow
def failing(x: int) -> int:
    return conditional("size").if_(x > 10).then(add(x=x)).else_().fail("the number must be above ten")


def test_the_text_of_fail_is_kept() -> None:
    for run in (failing, functools.partial(TestEngine().run, failing)):
        with pytest.raises(Exception, match="the number must be above ten"):
            run(x=1)


# --- dynamic workflows ------------------------------------------------------------------------------------------------


@task
def refuse(x: int) -> int:
    ran.append("refused")
    raise ValueError(f"{x} is refused")


@dynamic(failure_policy=WorkflowFailurePolicy.FAIL_AFTER_EXECUTABLE_NODES_COMPLETE)
def patient(x: int) -> int:
    refused = refuse(x=x)
    late = step(name="third", x=step(name="second", x=step(name="first", x=x)))
    return total(xs=[refused, late])


def test_a_dynamic_workflow_takes_options_of_workflows() -> None:
    with pytest.raises(ValueError, match="1 is refused"):
        TestEngine().run(patient, x=1)
    assert sorted(ran) == ["first", "refused", "second", "third"]


@reference_task(project="p", domain="d", name=f"{registered.__name__}.double", version="v1")
def double(x: int) -> int: ...


@dynamic
def referring(x: int) -> int:
    return total(xs=[double(x=i) for i in range(x)])


def test_references_inside_a_dynamic_workflow() -> None:
    assert both_ways(referring, x=4) == 12


@eager
async def mixing(x: int) -> list[int]:
    return [await unrolled(x=x), *await map_task(add)(x=[x]), await plan(x=x), await inside_dynamic(x=x)]


@dynamic
def inside_dynamic(x: int) -> int:
    return add(x=climbed(x=x))


def test_eager_and_dynamic_mix() -> None:
    assert both_ways(mixing, x=3) == [6, 4, 5, 6]
