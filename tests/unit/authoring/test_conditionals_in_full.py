"""Conditionals over everything that can be compared, with everything in their arms: a plain call, an engine and an
eager body that calls the workflow do the same."""

from __future__ import annotations

import asyncio
import datetime as dt
import enum
from dataclasses import dataclass
from typing import Any, NamedTuple

import pytest

from whimbrel import (
    EagerException,
    LaunchPlan,
    conditional,
    create_node,
    dynamic,
    eager,
    map_task,
    task,
    wait_for_input,
    workflow,
)
from whimbrel.errors import BranchFailed
from whimbrel.model.run import Phase
from whimbrel.testing.engine import TestEngine

UTC = dt.UTC
RAN: list[str] = []


@pytest.fixture(autouse=True)
def nothing_ran() -> None:
    RAN.clear()


class Color(enum.Enum):
    RED = "red"
    BLUE = "blue"


@dataclass
class Config:
    depth: int
    color: Color
    names: list[str]
    flag: bool = False


class Two(NamedTuple):
    a: int
    b: str


@task
def inc(x: int) -> int:
    RAN.append(f"inc {x}")
    return x + 1


@task
def two(x: int) -> Two:
    return Two(x, str(x))


@task
def note(x: int) -> None:
    RAN.append(f"note {x}")


@task
def many(n: int) -> list[int]:
    return list(range(n))


@workflow
def sub(x: int) -> int:
    return inc(x=inc(x=x))


plan = LaunchPlan.create("plan of a conditional", sub, fixed_inputs={"x": 10})


@dynamic
def unfolds(x: int) -> int:
    return inc(x=x)


@eager
async def awaits(x: int) -> int:
    return await inc(x=x)


each = map_task(inc)


@workflow
def attributes(c: Config) -> int:
    return (
        conditional("attributes")
        .if_((c.depth > 2) & (c.color == Color.RED))
        .then(inc(x=c.depth))
        .elif_((c.names[0] == "bob") | (c.depth == -1))
        .then(inc(x=100))
        .elif_(c.flag.is_true())
        .then(inc(x=200))
        .else_()
        .then(inc(x=0))
    )


@workflow
def times(moment: dt.datetime, span: dt.timedelta, day: dt.date) -> int:
    return (
        conditional("times")
        .if_(moment > dt.datetime(2024, 1, 1, tzinfo=UTC))
        .then(inc(x=1))
        .elif_(span >= dt.timedelta(hours=1))
        .then(inc(x=2))
        .elif_(day == dt.date(2020, 1, 1))
        .then(inc(x=3))
        .else_()
        .then(inc(x=4))
    )


@workflow
def enums(c: Color) -> int:
    return conditional("enums").if_(c == Color.RED).then(inc(x=1)).elif_(c == "blue").then(inc(x=5)).else_().fail("no")


@workflow
def truth(f: bool, k: int) -> int:
    return (
        conditional("truth")
        .if_(f.is_false())
        .then(inc(x=0))
        .elif_((f == True) & (k < 5))  # noqa: E712 (a promise is compared)
        .then(inc(x=5))
        .else_()
        .then(inc(x=9))
    )


@workflow
def absence(x: float | None) -> int:
    return conditional("absence").if_(x.is_none()).then(inc(x=0)).elif_(x >= 1).then(inc(x=1)).else_().then(inc(x=2))


@workflow
def every_entity(k: int) -> int:
    return (
        conditional("entities")
        .if_(k == 0)
        .then(sub(x=k))
        .elif_(k == 1)
        .then(plan())
        .elif_(k == 2)
        .then(unfolds(x=k))
        .elif_(k == 3)
        .then(awaits(x=k))
        .elif_(k == 4)
        .then(create_node(inc, x=inc(x=k)).o0)
        .elif_(k == 5)
        .then(inc(x=k).with_overrides(retries=3, node_name="other"))
        .else_()
        .then(wait_for_input("asked", timeout=dt.timedelta(seconds=1), expected_type=int))
    )


@workflow
def maps(k: int) -> list[int]:
    return conditional("maps").if_(k > 2).then(each(x=many(n=k))).else_().then(many(n=k))


@workflow
def nothing_given(k: int) -> None:
    conditional("nothing").if_(k > 2).then(note(x=k)).else_().then(note(x=0))


@workflow
def names_given(k: int) -> Two:
    given = conditional("names").if_(k > 2).then(two(x=k)).else_().then(two(x=0))
    return Two(inc(x=given.a), given.b)


@workflow
def pairs(k: int) -> tuple[int, int]:
    a, b = conditional("pairs").if_(k > 2).then((inc(x=k), inc(x=1))).else_().then((inc(x=0), inc(x=2)))
    return a, b


@workflow
def constants(k: int) -> int:
    return conditional("constants").if_(k > 2).then(k).else_().then(7)


@workflow
def downstream(k: int) -> int:
    first = conditional("first").if_(k > 2).then(inc(x=k)).else_().then(inc(x=0))
    second = conditional("second").if_(first > 5).then(inc(x=first)).else_().then(sub(x=first))
    return inc(x=second)


@workflow
def nested(k: int) -> int:
    return (
        conditional("outer")
        .if_(k > 10)
        .then(
            conditional("inner").if_(k > 100).then(inc(x=1000)).elif_(k > 50).then(inc(x=500)).else_().fail("too low")
        )
        .else_()
        .then(inc(x=k))
    )


CASES: list[tuple[Any, dict[str, Any], Any]] = [
    (attributes, {"c": Config(3, Color.RED, ["x"])}, 4),
    (attributes, {"c": Config(1, Color.RED, ["bob"])}, 101),
    (attributes, {"c": Config(1, Color.BLUE, ["x"], True)}, 201),
    (attributes, {"c": Config(9, Color.BLUE, ["x"])}, 1),
    (times, {"moment": dt.datetime(2025, 1, 1, tzinfo=UTC), "span": dt.timedelta(0), "day": dt.date(2020, 1, 1)}, 2),
    (times, {"moment": dt.datetime(2023, 1, 1, tzinfo=UTC), "span": dt.timedelta(1), "day": dt.date(2020, 1, 1)}, 3),
    (times, {"moment": dt.datetime(2023, 1, 1, tzinfo=UTC), "span": dt.timedelta(0), "day": dt.date(2020, 1, 1)}, 4),
    (enums, {"c": Color.RED}, 2),
    (enums, {"c": Color.BLUE}, 6),
    (truth, {"f": False, "k": 1}, 1),
    (truth, {"f": True, "k": 1}, 6),
    (truth, {"f": True, "k": 7}, 10),
    (absence, {"x": None}, 1),
    (absence, {"x": 1.5}, 2),
    (absence, {"x": 0.5}, 3),
    *((every_entity, {"k": k}, value) for k, value in enumerate([2, 12, 3, 4, 6, 6])),
    (maps, {"k": 4}, [1, 2, 3, 4]),
    (maps, {"k": 1}, [0]),
    (nothing_given, {"k": 1}, None),
    (names_given, {"k": 3}, Two(4, "3")),
    (names_given, {"k": 1}, Two(1, "0")),
    (pairs, {"k": 3}, (4, 2)),
    (pairs, {"k": 1}, (1, 3)),
    (constants, {"k": 1}, 7),
    (constants, {"k": 5}, 5),
    (downstream, {"k": 7}, 10),
    (downstream, {"k": 1}, 4),
    (nested, {"k": 5}, 6),
    (nested, {"k": 60}, 501),
    (nested, {"k": 600}, 1001),
]


@pytest.mark.parametrize(("flow", "inputs", "value"), CASES)
def test_the_right_arm_and_no_other_runs_in_every_way(flow: Any, inputs: dict[str, Any], value: Any) -> None:
    assert flow(**inputs) == value
    plain = list(RAN)
    RAN.clear()
    engine = TestEngine()
    assert engine.run(flow, **inputs) == value
    assert plain == RAN  # flyte#6185 and #6340: what ran is the arm that was taken
    assert all(node.phase in (Phase.SUCCEEDED, Phase.SKIPPED) for node in engine.tree.nodes.values())


@eager
async def calls_workflows(k: int) -> int:
    return await nested(k=k) + await downstream(k=k) + await every_entity(k=2)


def test_eager_bodies_call_workflows_that_branch() -> None:
    assert asyncio.run(calls_workflows(k=60)) == TestEngine().run(calls_workflows, k=60) == 501 + 63 + 3


@pytest.mark.parametrize(("flow", "inputs", "said"), [(nested, {"k": 20}, "too low")])
def test_the_text_of_fail_reaches_the_caller(flow: Any, inputs: dict[str, Any], said: str) -> None:
    """flyte#4483."""
    with pytest.raises(BranchFailed) as plain:
        flow(**inputs)
    engine = TestEngine()
    with pytest.raises(BranchFailed) as run:
        engine.run(flow, **inputs)
    assert str(plain.value) == str(run.value) == said
    assert isinstance(run.value, EagerException)
    failure = engine.failure()
    assert failure is not None
    assert failure.message == said
    assert failure.line.startswith(f"{__file__}:")
    assert RAN == []


def test_a_conditional_waits_for_what_its_conditions_and_arms_take() -> None:
    """flytekit#986."""
    graph = downstream.graph()
    assert graph.nodes[1].upstream == ("n0",)
    assert graph.nodes[2].upstream == ("n1",)
