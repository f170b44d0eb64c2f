"""Dynamic workflows: bodies with real values, in plain calls, on the engine, and inside everything else."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from whimbrel import (
    CallMismatch,
    CompileError,
    FailurePolicy,
    FlyteFile,
    LaunchPlan,
    conditional,
    current_context,
    dynamic,
    eager,
    map_task,
    setup_teardown,
    task,
    workflow,
)
from whimbrel.engine.nodes import Kind
from whimbrel.model.attempt import Unfolded
from whimbrel.model.literals import RefLiteral
from whimbrel.model.program import LiteralBinding, TaskKind
from whimbrel.model.run import Phase
from whimbrel.testing.engine import TestEngine


class Ends(NamedTuple):
    first: int
    last: int


@task
def double(x: int) -> int:
    return x * 2


@task
def total(xs: list[int]) -> int:
    return sum(xs)


@task
def refuse(x: int) -> int:
    raise ValueError(f"{x} is refused")


@task
def count(text: str) -> int:
    return len(text)


@task
def read(file: FlyteFile) -> str:
    return Path(file).read_text()


@workflow
def quadruple(x: int) -> int:
    return double(x=double(x=x))


plan = LaunchPlan.create("quadruple in a dynamic workflow", quadruple)


@task
def before() -> str:
    return "open"


@task
def after(opened: str) -> None:
    return None


@eager
async def awaited(x: int) -> int:
    return await double(x=x) + await small(x=x)


@dynamic
def small(x: int) -> int:
    return double(x=x + 1)


@dynamic
def by_value(xs: list[int]) -> int:
    """Python decides: it sees the values."""
    if not xs:
        return 0
    results = [double(x=x) for x in sorted(xs) if x > 1]
    return total(xs=results) if len(results) > 1 else total(xs=[*results, 100])


@dynamic
def everything(x: int) -> int:
    gathered = map_task(double)(x=[x, x])
    chosen = conditional("large").if_(double(x=x) > 4).then(quadruple(x=x)).else_().then(double(x=x))
    return total(xs=[chosen, plan(x=x), awaited(x=x), small(x=x), total(xs=gathered)])


@dynamic
def named(x: int) -> Ends:
    return Ends(first=double(x=x), last=x)


@dynamic
def silent(x: int) -> None:
    double(x=x)


@dynamic
def fibonacci(n: int) -> int:
    return n if n < 2 else total(xs=[fibonacci(n=n - 1), fibonacci(n=n - 2)])


@dynamic
@setup_teardown(before, after)
def bracketed(x: int) -> int:
    return double(x=x)


@dynamic
def with_large_constants(n: int) -> int:
    return total(xs=[count(text="a" * n), count(text="b" * n)])


@dynamic
def with_a_file(text: str) -> str:
    path = Path(current_context().working_directory) / "given.txt"
    path.write_text(text)
    return read(file=FlyteFile(str(path)))


@workflow
def outer(x: int) -> int:
    inside = by_value(xs=[double(x=x), x])
    silent(x=x)
    ends = named(x=inside)
    return total(xs=[everything(x=ends.first), bracketed(x=ends.last)])


WAYS = [
    (by_value, {"xs": [3, 1, 2]}, 10),
    (by_value, {"xs": [2]}, 104),
    (by_value, {"xs": []}, 0),
    (everything, {"x": 3}, 12 + 12 + 14 + 8 + 12),
    (named, {"x": 4}, Ends(8, 4)),
    (silent, {"x": 4}, None),
    (fibonacci, {"n": 6}, 8),
    (bracketed, {"x": 4}, 8),
    (with_large_constants, {"n": 20_000}, 40_000),
    (with_a_file, {"text": "hello"}, "hello"),
    (outer, {"x": 1}, None),
]


@pytest.mark.parametrize(("flow", "inputs", "gives"), WAYS, ids=lambda value: getattr(value, "short_name", None))
def test_a_plain_call_and_the_engine_give_the_same(flow: Any, inputs: dict[str, Any], gives: Any) -> None:
    plain = flow(**inputs)
    assert gives is None or plain == gives
    assert TestEngine().run(flow, **inputs) == plain


@eager
async def awaiting(x: int) -> list[int]:
    first, second = await asyncio.gather(by_value(xs=[x, x + 1]), small(x=x))
    ends = await named(x=x)
    return [first, second, ends.first, await fibonacci.aio(n=4), await bracketed.options(retries=1)(x=x)]


def test_an_eager_body_awaits_dynamic_workflows() -> None:
    gives = [10, 6, 4, 3, 4]
    assert asyncio.run(awaiting(x=2)) == gives
    engine = TestEngine()
    assert engine.run(awaiting, x=2) == gives
    assert Kind.DYNAMIC in {node.kind for node in engine.tree.nodes.values()}


def test_its_nodes_are_those_that_the_body_has_called() -> None:
    engine = TestEngine()
    engine.run(by_value, xs=[3, 1, 2])
    assert list(engine.tree.nodes) == ["n0", "n0/dn0", "n0/dn1", "n0/dn2"]
    assert engine.tree.nodes["n0"].kind is Kind.DYNAMIC
    assert by_value.spec().kind is TaskKind.DYNAMIC


def test_a_body_that_calls_nothing_leaves_no_graph() -> None:
    engine = TestEngine()
    assert engine.run(by_value, xs=[]) == 0
    assert not [event for event in engine.events if isinstance(event, Unfolded)]


def test_large_constants_do_not_stand_in_the_log() -> None:
    engine = TestEngine()
    engine.run(with_large_constants, n=20_000)
    (event,) = [event for event in engine.events if isinstance(event, Unfolded)]
    (binding,) = event.graph.nodes[0].inputs.values()
    assert isinstance(binding, LiteralBinding)
    assert isinstance(binding.value, RefLiteral)


def test_what_it_calls_is_brought_along() -> None:
    assert list(outer.program().tasks) != []
    assert quadruple.name not in by_value.program().workflows
    engine = TestEngine()
    engine.run(everything, x=3)
    assert quadruple.name in engine.tree.program.workflows
    assert plan.name in engine.tree.program.launch_plans


@dynamic(failure_policy=FailurePolicy.FAIL_AFTER_EXECUTABLE_NODES_COMPLETE, retries=2, interruptible=True)
def goes_on(x: int) -> int:
    refuse(x=x)
    return total(xs=[double(x=x)])


@dynamic(retries=2)
def stops(x: int) -> int:
    refuse(x=x)
    return double(x=x)


def test_it_takes_the_options_of_a_task_and_of_a_workflow() -> None:
    engine = TestEngine()
    with pytest.raises(ValueError, match="3 is refused"):
        engine.run(goes_on, x=3)
    assert engine.executions == {"goes_on": 1, "refuse": 1, "double": 1, "total": 1}
    with pytest.raises(CallMismatch, match="retires"):
        dynamic(retires=3)(double.fn)


def test_a_failure_inside_does_not_run_the_body_again() -> None:
    engine = TestEngine()
    with pytest.raises(ValueError, match="3 is refused"):
        engine.run(stops, x=3)
    assert engine.executions["stops"] == 1
    assert engine.tree.failure is not None
    assert engine.tree.failure.node == "n0/dn0"


tries: list[int] = []


@dynamic(retries=2)
def flaky(x: int) -> int:
    tries.append(x)
    if len(tries) < 3:
        raise RuntimeError("not yet")
    return double(x=x)


def test_a_body_that_raises_is_tried_again() -> None:
    tries.clear()
    engine = TestEngine()
    assert engine.run(flaky, x=2) == 4
    assert len(tries) == 3


def test_what_the_body_raises_is_what_the_run_raises() -> None:
    @task
    def unused(x: int) -> int:
        return x

    tries.clear()
    with pytest.raises(RuntimeError, match="not yet"):
        flaky(x=1)


@dynamic(retries=2)
def wrong_types(x: int) -> int:
    if x:
        return total(xs=double(x=x))
    return x


@dynamic
def uses_a_promise(x: int) -> int:
    return double(x=x) + 1  # type: ignore[no-any-return]


@dynamic
def wrong_result(x: int) -> int:
    double(x=x)
    return "no"  # type: ignore[return-value]


def test_a_graph_that_is_wrong_fails_at_once_with_the_line() -> None:
    for flow in (wrong_types, wrong_result):
        engine = TestEngine()
        with pytest.raises(CompileError, match=r"expected (list\[int\]|int), got (int|str)") as raised:
            engine.run(flow, x=1)
        assert "test_dynamic.py" in str(raised.value)
        assert len(engine.executed) == 1, "it was tried again"


def test_promises_are_not_values_in_either_way() -> None:
    with pytest.raises(Exception, match=r"arithmetic \(\+\)"):
        uses_a_promise(x=1)
    with pytest.raises(Exception, match=r"arithmetic \(\+\)"):
        TestEngine().run(uses_a_promise, x=1)


def test_its_body_is_not_async() -> None:
    with pytest.raises(CompileError, match="not async"):

        @dynamic
        async def coroutine(x: int) -> int:
            return x

        coroutine.spec()


def test_the_body_knows_where_it_runs() -> None:
    engine = TestEngine()
    assert engine.run(asks, x=1) == f"{engine.run_id} {asks.name}"


@task
def join(parts: list[str]) -> str:
    return " ".join(parts)


@dynamic
def asks(x: int) -> str:
    context = current_context()
    return join(parts=[context.execution_id.name, context.task_id.name])


@dynamic(cache=True)
def cached(x: int) -> int:
    return double(x=x)


@workflow
def cached_twice(x: int) -> int:
    return total(xs=[cached(x=cached(x=x)), cached(x=x)])


def test_a_cached_one_is_not_laid_out_again() -> None:
    engine = TestEngine()
    assert engine.run(cached_twice, x=1) == 6
    engine.run(cached_twice, x=1)
    assert engine.executions == {
        "cached": engine.executions["cached"],
        "double": engine.executions["double"],
        "total": 2,
    }
    assert all(node.cached for node in engine.tree.nodes.values() if node.kind is Kind.DYNAMIC)


def test_a_stand_in_gives_values() -> None:
    engine = TestEngine()
    engine.mock(small, returns=1000)
    assert engine.run(everything, x=3) == 12 + 12 + 1006 + 1000 + 12
    assert engine.phase is Phase.SUCCEEDED
