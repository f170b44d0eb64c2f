"""Maps: over everything that can be called, in plain calls, on the engine and in eager bodies."""

from __future__ import annotations

import asyncio
import functools
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from whimbrel import (
    CallMismatch,
    CompileError,
    FlyteFile,
    ImperativeWorkflow,
    LaunchPlan,
    ValueMismatch,
    create_node,
    dynamic,
    eager,
    map_task,
    task,
    workflow,
)
from whimbrel.graph.interfaces import array_interface
from whimbrel.graph.render import render_mermaid, render_text
from whimbrel.model.program import ArrayTarget
from whimbrel.model.run import Phase
from whimbrel.testing.engine import TestEngine


class Parts(NamedTuple):
    whole: int
    rest: str


@task
def double(x: int) -> int:
    return x * 2


@task
def scaled(x: int, scale: int = 10) -> int:
    return x * scale


@task
def weighed(x: int, weights: list[int]) -> int:
    return x * sum(weights)


@task
def split(x: int) -> Parts:
    return Parts(x // 2, "odd" if x % 2 else "even")


@task
def pair(x: int) -> tuple[int, str]:
    return x, str(x)


@task
def picky(x: int) -> int:
    if x < 0:
        raise ValueError(f"{x} is negative")
    return x


@task
def optional(x: int) -> int | None:
    return x or None


@task
def nothing(x: int) -> None:
    return None


@task
async def slowly(x: int) -> int:
    await asyncio.sleep(0)
    return x + 1


@task
def total(xs: list[int]) -> int:
    return sum(xs)


@task
def known(xs: list[int | None]) -> int:
    return sum(x for x in xs if x is not None)


@task
def numbers(n: int) -> list[int]:
    return list(range(n))


@task
def described(wholes: list[int], rests: list[str]) -> str:
    return f"{wholes} {rests}"


@workflow
def quadruple(x: int) -> int:
    return double(x=double(x=x))


plan = LaunchPlan.create("quadruple again", quadruple)


@eager
async def awaited(x: int) -> int:
    return await double(x=x) + 1


@dynamic
def repeated(x: int) -> int:
    for _ in range(2):
        x = double(x=x)
    return x


# --- workflows, by what they show


@workflow
def over_task(n: int) -> int:
    return total(xs=map_task(double)(x=numbers(n=n)))


@workflow
def over_workflow(n: int) -> int:
    return total(xs=map_task(quadruple)(x=numbers(n=n)))


@workflow
def over_launch_plan(n: int) -> int:
    return total(xs=map_task(plan)(x=numbers(n=n)))


@workflow
def over_eager(n: int) -> int:
    return total(xs=map_task(awaited)(x=numbers(n=n)))


@workflow
def over_dynamic(n: int) -> int:
    return total(xs=map_task(repeated)(x=numbers(n=n)))


@workflow
def over_coroutine(n: int) -> int:
    return total(xs=map_task(slowly, concurrency=2)(x=numbers(n=n)))


@workflow
def over_map(n: int) -> list[list[int]]:
    return map_task(map_task(double))(x=[numbers(n=n), numbers(n=2)])


@workflow
def over_partial(n: int) -> int:
    return total(xs=map_task(functools.partial(weighed, weights=[1, 2]))(x=numbers(n=n)))


@workflow
def over_partial_promise(n: int) -> int:
    return total(xs=map_task(functools.partial(weighed, weights=numbers(n=n)))(x=numbers(n=n)))


@workflow
def over_default(n: int) -> int:
    return total(xs=map_task(scaled)(x=numbers(n=n)))


@workflow
def over_both(n: int) -> int:
    return total(xs=map_task(scaled)(x=numbers(n=n), scale=numbers(n=n)))


@workflow
def over_named_tuple(n: int) -> str:
    made = map_task(split)(x=numbers(n=n))
    return described(wholes=made.whole, rests=made.rest)


@workflow
def over_tuple(n: int) -> str:
    wholes, rests = map_task(pair)(x=numbers(n=n))
    return described(wholes=wholes, rests=rests)


@workflow
def over_options(n: int) -> int:
    first = map_task(double, metadata={"retries": 1})(x=numbers(n=n)).with_overrides(name="doubled")
    return total(xs=map_task(double).options(retries=2)(x=first))


@workflow
def over_node(n: int) -> int:
    node = create_node(map_task(double), x=numbers(n=n))
    return total(xs=node.o0)


@workflow
def over_nothing(n: int) -> int:
    first = map_task(nothing)(x=numbers(n=n))
    after = numbers(n=n)
    first >> after
    return total(xs=after)


@workflow
def losing(n: int) -> int:
    return known(xs=map_task(picky, min_success_ratio=0.5)(x=[1, -1, n]))


@workflow
def optionals(n: int) -> int:
    return known(xs=map_task(optional)(x=numbers(n=n)))


@workflow
def optionals_losing(n: int) -> int:
    return known(xs=map_task(optional, min_successes=1)(x=numbers(n=n)))


WAYS = [
    (over_task, 4, 12),
    (over_task, 0, 0),
    (over_workflow, 3, 12),
    (over_launch_plan, 3, 12),
    (over_eager, 3, 9),
    (over_dynamic, 3, 12),
    (over_coroutine, 3, 6),
    (over_map, 3, [[0, 2, 4], [0, 2]]),
    (over_partial, 3, 9),
    (over_partial_promise, 3, 9),
    (over_default, 3, 30),
    (over_both, 3, 5),
    (over_named_tuple, 3, "[0, 0, 1] ['even', 'odd', 'even']"),
    (over_tuple, 2, "[0, 1] ['0', '1']"),
    (over_options, 3, 12),
    (over_node, 3, 6),
    (over_nothing, 3, 3),
    (losing, 5, 6),
    (optionals, 3, 3),
    (optionals_losing, 3, 3),
]


@pytest.mark.parametrize(("flow", "n", "gives"), WAYS, ids=lambda value: getattr(value, "short_name", None))
def test_a_plain_call_and_the_engine_give_the_same(flow: Any, n: int, gives: Any) -> None:
    assert flow(n=n) == gives
    assert TestEngine().run(flow, n=n) == gives


@eager
async def every_way(n: int) -> list[Any]:
    xs = list(range(n))
    found: list[Any] = [
        await map_task(double)(x=xs),
        await map_task(quadruple)(xs),
        await map_task(plan)(x=xs),
        await map_task(awaited, concurrency=1)(x=xs),
        await map_task(repeated)(x=xs),
        await map_task(slowly)(x=xs),
        await map_task(map_task(double))(x=[xs, xs]),
        await map_task(functools.partial(weighed, weights=xs))(x=xs),
        await map_task(split)(x=xs),
        await map_task(picky, min_successes=1)(x=[-1, 2]),
        await map_task(nothing)(x=xs),
        await map_task(double).options(retries=1)(x=xs),
        await map_task(scaled)(x=xs),
        await map_task(double).aio(x=xs),
    ]
    return [str(value) for value in found]


def test_an_eager_body_awaits_maps() -> None:
    gives = [
        "[0, 2]",
        "[0, 4]",
        "[0, 4]",
        "[1, 3]",
        "[0, 4]",
        "[1, 2]",
        "[[0, 2], [0, 2]]",
        "[0, 1]",
        "Parts(whole=[0, 0], rest=['even', 'odd'])",
        "[None, 2]",
        "None",
        "[0, 2]",
        "[0, 10]",
        "[0, 2]",
    ]
    assert asyncio.run(every_way(n=2)) == gives
    assert TestEngine().run(every_way, n=2) == gives


def test_the_result_is_the_named_tuple_of_lists() -> None:
    made = map_task(split)(x=[4, 5])
    assert made == Parts([2, 2], ["even", "odd"])  # type: ignore[arg-type]
    assert isinstance(made, Parts)
    assert made.rest == ["even", "odd"]


def test_a_map_outside_everything() -> None:
    assert map_task(double)([1, 2]) == [2, 4]
    assert map_task(functools.partial(scaled, scale=3))([1, 2]) == [3, 6]
    assert map_task(functools.partial(scaled, 3))(scale=[1, 2]) == [3, 6]
    assert map_task(picky, min_success_ratio=0.3)([1, -2, 3]) == [1, None, 3]
    assert asyncio.run(map_task(awaited)([1, 2])) == [3, 5]  # type: ignore[arg-type]
    assert TestEngine().run(map_task(double), x=[1, 2]) == [2, 4]


def test_concurrency_is_kept_in_a_plain_eager_call() -> None:
    busy: list[int] = []
    most: list[int] = []

    @task
    async def watched(x: int) -> int:
        busy.append(x)
        most.append(len(busy))
        await asyncio.sleep(0)
        busy.remove(x)
        return x

    @eager
    async def body() -> list[int]:
        return await map_task(watched, concurrency=2).aio(x=[1, 2, 3, 4, 5])

    assert asyncio.run(body()) == [1, 2, 3, 4, 5]
    assert max(most) == 2


def test_a_failure_stops_the_rest_of_a_gathered_map() -> None:
    ended: list[int] = []

    @task
    async def waits(x: int) -> int:
        if x == 0:
            raise ValueError("zero")
        try:
            await asyncio.Event().wait()
        finally:
            ended.append(x)
        return x

    @eager
    async def body() -> list[int]:
        return await map_task(waits).aio(x=[0, 1, 2])

    with pytest.raises(ValueError, match="zero"):
        asyncio.run(body())
    assert ended == [1, 2]


@pytest.mark.parametrize("way", ["direct", "engine"])
def test_the_first_failure_is_the_maps(way: str) -> None:
    @workflow
    def fails() -> list[int]:
        return map_task(picky)(x=[1, -2, -3])

    with pytest.raises(ValueError, match="-2 is negative"):
        _ = fails() if way == "direct" else TestEngine().run(map_task(picky, concurrency=1), x=[1, -2, -3])


# --- what is wrong


def test_what_cannot_be_mapped() -> None:
    for target, why in (
        (lambda x: x, "a lambda"),
        (len, "built-in function len"),
        (double.options(retries=1), r"Map first: `map_task\(f\)\.options"),
    ):
        with pytest.raises(CallMismatch, match=why) as raised:
            map_task(target)  # type: ignore[call-overload]
        assert "test_maps.py" in str(raised.value)
    for said in ({"concurrency": -1}, {"min_successes": -1}, {"min_success_ratio": 1.5}, {"retires": 3}):
        with pytest.raises(CallMismatch):
            map_task(double, **said)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("target", "inputs", "error", "why"),
    [
        (double, {"x": 3}, ValueMismatch, r"expected list\[int\], got int"),
        (double, {"x": ["a"]}, ValueMismatch, r"expected int, got str 'a' at \$\[0\]"),
        (double, {"y": [3]}, CallMismatch, "has no input 'y'"),
        (double, {}, CallMismatch, "lacks the input 'x'"),
        (scaled, {"x": [1, 2], "scale": [1]}, CallMismatch, "different lengths: x has 2, scale has 1"),
        (functools.partial(double, x=1), {}, CompileError, "there is nothing to map over"),
        (functools.partial(double, z=1), {"x": [1]}, CompileError, "double has no input 'z'"),
    ],
)
def test_calls_that_do_not_fit(target: Any, inputs: dict[str, Any], error: type[Exception], why: str) -> None:
    with pytest.raises(error, match=why):
        map_task(target)(**inputs)


def test_too_many_arguments_and_too_few_items() -> None:
    with pytest.raises(CallMismatch, match=r"map double\(\) takes 1 positional argument, got 2"):
        map_task(double)([1], [2])
    with pytest.raises(CallMismatch, match="has 1 items, of which 2 must succeed"):
        map_task(double, min_successes=2)([1])


@workflow
def wrong_item_type(n: int) -> int:
    return total(xs=map_task(double)(x=["a", "b"]))


@workflow
def no_list(n: int) -> int:
    return total(xs=map_task(double)(x=n))


@workflow
def items_that_may_be_missing(n: int) -> int:
    return total(xs=map_task(double, min_successes=1)(x=numbers(n=n)))


@pytest.mark.parametrize(
    ("flow", "why"),
    [
        (wrong_item_type, r"expected int, got str 'a' at \$\[0\]"),
        (no_list, r"expected list\[int\], got int"),
        (items_that_may_be_missing, r"expected list\[int\], got list\[int \| None\]"),
    ],
)
def test_what_is_wrong_with_a_map_in_a_workflow_is_told_when_it_is_compiled(flow: Any, why: str) -> None:
    with pytest.raises(CompileError, match=why) as raised:
        flow.program()
    assert raised.value.problems[0].file == __file__


@workflow
def unequal(n: int) -> int:
    return total(xs=map_task(scaled)(x=numbers(n=n), scale=numbers(n=2)))


def test_lists_of_different_lengths_fail_the_node() -> None:
    engine = TestEngine()
    with pytest.raises(Exception, match="different lengths: x has 3, scale has 2"):
        engine.run(unequal, n=3)
    assert engine.phase is Phase.FAILED


# --- what it compiles to


def test_the_types_are_those_that_the_engine_works_with() -> None:
    for made in (
        map_task(double),
        map_task(split, min_successes=1),
        map_task(optional, min_success_ratio=0.5),
        map_task(functools.partial(weighed, weights=[1])),
        map_task(map_task(double, min_successes=1), min_successes=1),
    ):
        program = made.program()
        target = made.target()
        inner = program.tasks[made.named.name].interface
        if isinstance(target.target, ArrayTarget):
            inner = array_interface(target.target, inner)
        expected = array_interface(target, inner)
        assert {name: each.type for name, each in made.interface.inputs.items()} == {
            name: each.type for name, each in expected.inputs.items()
        }
        assert {name: each.type for name, each in made.interface.outputs.items()} == {
            name: each.type for name, each in expected.outputs.items()
        }


def test_equal_maps_have_equal_names_and_others_have_not() -> None:
    def named(**said: Any) -> str:
        return map_task(scaled, **said).name

    assert named() == named(concurrency=4)
    assert len({named(), named(min_successes=1), named(min_success_ratio=0.5), named(min_success_ratio=0.25)}) == 4


def test_a_map_is_shown() -> None:
    program = over_partial.program()
    assert "map over x: " in render_text(program, over_partial.name)
    assert "map weighed" in render_mermaid(program, over_partial.name)


def test_a_map_in_an_imperative_workflow() -> None:
    made = ImperativeWorkflow("made")
    xs = made.add_workflow_input("xs", list[int])
    node = made.add_entity(map_task(functools.partial(scaled, scale=3)), x=xs)
    made.add_workflow_output("ys", node.outputs["o0"], list[int])
    assert made(xs=[1, 2]).ys == [3, 6]
    assert TestEngine().run(made, xs=[1, 2]) == made(xs=[1, 2])


@task
def wrote(x: int) -> FlyteFile:
    from whimbrel import current_context

    path = Path(current_context().working_directory) / f"{x}.txt"
    path.write_text(str(x))
    return FlyteFile(str(path))


@task
def reads(file: FlyteFile) -> int:
    return int(Path(file).read_text())


@workflow
def files(n: int) -> int:
    return total(xs=map_task(reads)(file=map_task(wrote)(x=numbers(n=n))))


def test_files_go_through_maps() -> None:
    assert files(n=3) == 3
    assert TestEngine().run(files, n=3) == 3


@task
def long_list(n: int) -> list[str]:
    return [str(x) * 50 for x in range(n)]


@task
def length(text: str) -> int:
    return len(text)


@workflow
def over_a_large_list(n: int) -> int:
    return total(xs=map_task(length)(text=long_list(n=n)))


def test_a_list_that_is_kept_elsewhere() -> None:
    assert TestEngine().run(over_a_large_list, n=300) == over_a_large_list(n=300)
