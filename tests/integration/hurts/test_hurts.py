"""What hurts in flytekit 1.16, right here: each under the names that its users import. Listed in scripts/hurts.py."""

from __future__ import annotations

import asyncio
import functools
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from flytekit import FlyteContextManager, task, workflow
from flytekit.core.node_creation import create_node
from flytekit.exceptions.eager import EagerException
from flytekit.experimental import eager
from whimbrel import setup_teardown
from whimbrel.testing.engine import TestEngine

done: list[str] = []


@task
def add(x: int, y: int = 1) -> int:
    return x + y


@task
def before() -> None:
    done.append("before")


@task
def after() -> None:
    done.append("after")


@task
def refuse(x: int) -> int:
    raise ValueError(f"{x} is refused")


@task
def slow_step(name: str) -> str:
    done.append(name)
    return name


# --- functions --------------------------------------------------------------------------------------------------------

SOURCELESS = """
from flytekit import task, workflow

@task
def t(x: int) -> int:
    return x + 1

@workflow
def wf(x: int) -> int:
    return t(x=x)
"""


def test_functions_without_source() -> None:
    """As at a prompt: no file holds their lines."""
    space: dict[str, Any] = {"__name__": "not_a_file"}
    exec(compile(SOURCELESS, "<prompt>", "exec"), space)
    assert space["wf"](x=1) == 2


def test_a_task_that_only_raises() -> None:
    with pytest.raises(ValueError, match="4 is refused"):
        refuse(x=4)
    engine = TestEngine()
    with pytest.raises(ValueError, match="4 is refused"):
        engine.run(refuse, x=4)


COMPILED = """
print(wf(x=1))
try:
    wf.program()
except Exception as error:
    print(error)
"""


@pytest.mark.parametrize("by_stdin", [False, True])
def test_a_function_of_a_notebook(by_stdin: bool, tmp_path: Path) -> None:
    """At a prompt or in a cell it runs as plain Python; that no worker could load it is told, with the way out."""
    program = SOURCELESS + COMPILED
    told = subprocess.run(
        [sys.executable, "-"] if by_stdin else [sys.executable, "-c", program],
        input=program if by_stdin else None,
        capture_output=True,
        text=True,
        cwd=tmp_path,
        check=True,
    )
    value, _, message = told.stdout.partition("\n")
    assert value == "2"
    assert "is in the module '__main__', which has no file: a worker cannot import it" in message
    assert "Write it in a file." in message


class Range(NamedTuple):
    low: int
    high: int


@task
def spread(x: int) -> tuple[int, int]:
    return x - 1, x + 1


@task
def named_spread(x: int) -> Range:
    return Range(x - 1, x + 1)


@eager
async def tuples(x: int) -> list[int]:
    low, high = await spread(x=x)
    named = await named_spread(x=x)
    return [low, high, named.low, named.high]


def test_tuples_come_back_as_tuples() -> None:
    assert asyncio.run(tuples(x=5)) == TestEngine().run(tuples, x=5) == [4, 6, 4, 6]


# --- decorated workflows ----------------------------------------------------------------------------------------------


def bracketed(fn: Callable[..., Any]) -> Callable[..., Any]:
    """The recipe of the documentation."""

    @functools.wraps(fn)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        begin = create_node(before)
        result = fn(*args, **kwargs)
        end = create_node(after)
        state = FlyteContextManager.current_context().compilation_state
        if state is not None:
            begin >> state.nodes[1]
            state.nodes[-2] >> end
        return result

    return wrapper


@workflow
@bracketed
@bracketed
def stacked(x: int) -> int:
    return add(x=x)


@workflow
def around(x: int) -> int:
    return stacked(x=x)


def test_decorated_workflows_stacked_twice() -> None:
    for entity in (stacked, around):
        done.clear()
        assert TestEngine().run(entity, x=1) == 2
        assert done == ["before", "before", "after", "after"]


@workflow
@setup_teardown(before=before, after=after)
def parallel_ends() -> tuple[str, str, str]:
    return slow_step(name="a"), slow_step(name="b"), slow_step(name="c")


@workflow
@setup_teardown(before=before, after=after)
def failing_body(x: int) -> int:
    return refuse(x=x)


@workflow
@setup_teardown(before=before, after=after)
def empty_body(x: int) -> int:
    return x


def test_setup_and_teardown_with_parallel_ends() -> None:
    for seed in range(4):
        done.clear()
        TestEngine(seed=seed).run(parallel_ends)
        assert (done[0], done[-1], sorted(done[1:-1])) == ("before", "after", ["a", "b", "c"])


def test_teardown_runs_when_the_body_fails() -> None:
    done.clear()
    with pytest.raises(ValueError, match="1 is refused"):
        TestEngine().run(failing_body, x=1)
    assert done == ["before", "after"]
    done.clear()
    with pytest.raises(ValueError, match="1 is refused"):
        failing_body(x=1)
    assert done == ["before", "after"]


def test_a_bracket_around_nothing() -> None:
    done.clear()
    assert TestEngine().run(empty_body, x=1) == 1
    assert done == ["before", "after"]


# --- eager ------------------------------------------------------------------------------------------------------------


@eager
async def climbed(x: int) -> int:
    return await add(x=await add(x=x))


@workflow
def eager_inside(x: int) -> int:
    return add(x=climbed(x=x))


def test_eager_inside_a_workflow() -> None:
    assert eager_inside(x=1) == TestEngine().run(eager_inside, x=1) == 4


@eager
async def one_fails(x: int) -> list[str]:
    results = await asyncio.gather(add(x=x), refuse(x=x), climbed(x=x), return_exceptions=True)
    return [f"{type(result).__name__}: {result}" for result in results]


def test_one_failing_child_holds_nobody_up() -> None:
    assert TestEngine().run(one_fails, x=1) == ["int: 2", "ValueError: 1 is refused", "int: 3"]


@eager
async def telling(x: int) -> str:
    try:
        await refuse(x=x)
    except EagerException as error:
        return f"{type(error).__name__}: {error}, {isinstance(error, ValueError)}"
    return ""


def test_errors_keep_their_class_and_their_words() -> None:
    assert asyncio.run(telling(x=7)) == TestEngine().run(telling, x=7) == "ValueError: 7 is refused, True"


@task
def forever(x: int) -> int:
    return x


@eager
async def limited(x: int) -> int:
    try:
        async with asyncio.timeout(5):
            return await forever(x=x)
    except TimeoutError:
        return -1


def test_a_call_can_be_timed_out() -> None:
    engine = TestEngine()
    engine.mock(forever, returns=1, takes=3600.0)
    assert engine.run(limited, x=1) == -1


@eager
async def without_output(x: int):  # type: ignore[no-untyped-def]
    await slow_step(name=f"step {x}")


def test_no_annotation_of_the_output() -> None:
    done.clear()
    assert asyncio.run(without_output(x=1)) is None
    assert TestEngine().run(without_output, x=2) is None
    assert done == ["step 1", "step 2"]


@dataclass
class Sized:
    size: int
    label: str = "a"


@task
def size_of(thing: Sized) -> int:
    return thing.size


@eager
async def with_objects(x: int) -> int:
    sizes = await asyncio.gather(*[size_of(thing=Sized(x + i)) for i in range(3)])
    return sum(sizes)


def test_names_of_calls_with_objects_are_the_same_in_every_process() -> None:
    first, second = TestEngine(), TestEngine()
    assert first.run(with_objects, x=1) == second.run(with_objects, x=1) == 6
    names = [sorted(engine.tree.nodes) for engine in (first, second)]
    assert names[0] == names[1]
    assert len(names[0]) >= 4


@eager
async def many(count: int) -> int:
    return sum(await asyncio.gather(*[add(x=i) for i in range(count)]))


def test_a_hundred_calls_take_no_hundred_polls() -> None:
    """There the launches of one body are limited to sixty a minute."""
    engine = TestEngine()
    assert engine.run(many, count=200) == 199 * 100 + 200
    assert sum(engine.executions.values()) == 200


@eager
async def recovering(x: int) -> int:
    try:
        return await refuse(x=x)
    except ValueError:
        return await add(x=0)


@workflow
def with_a_plan_b(x: int) -> int:
    return add(x=recovering(x=x))


def test_an_error_inside_a_workflow_is_caught_in_an_eager_step() -> None:
    assert with_a_plan_b(x=9) == TestEngine().run(with_a_plan_b, x=9) == 2
