"""setup_teardown: the graph that it makes, what it does in plain calls, and what it refuses."""

from __future__ import annotations

import asyncio
import functools
from typing import NamedTuple

import pytest

from whimbrel import CompileError, Eager, PromiseMisuse, conditional, eager, setup_teardown, task, workflow
from whimbrel.graph.check import check_program
from whimbrel.model.program import Bracket, Graph

SAID: list[str] = []


@pytest.fixture(autouse=True)
def silence() -> None:
    SAID.clear()


class Place(NamedTuple):
    host: str
    port: int


@task
def up() -> str:
    SAID.append("up")
    return "name"


@task
def down(name: str, error: str | None) -> None:
    SAID.append(f"down {name} {error}")


@task
def quiet_down() -> None:
    SAID.append("quiet down")


@task
def bad_down() -> None:
    SAID.append("bad down")
    raise RuntimeError("stuck")


@task
def place() -> Place:
    return Place("here", 7)


@task
def leave(port: int, host: str, error: str | None = None) -> None:
    SAID.append(f"left {host}:{port} {error}")


@task
def bad_up() -> str:
    SAID.append("bad up")
    raise RuntimeError("no room")


@task
def down_without(name: str | None, error: str | None) -> None:
    SAID.append(f"down {name} {error}")


@task
def work(x: int) -> int:
    SAID.append(f"work {x}")
    return x + 1


@task
def fails(x: int) -> int:
    raise ValueError(f"{x} is not wanted")


@task
async def add(x: int, y: int) -> int:
    return x + y


@task
def takes_two(name: str, other: str) -> None: ...


@task
def told_wrongly(error: str) -> None: ...


@task
def needs(name: str) -> str:
    SAID.append(f"needs {name}")
    return name


@workflow
@setup_teardown(before=up, after=down)
@setup_teardown(before=place, after=leave)
def both(x: int) -> int:
    a = work(x=x)
    b = work(x=x)
    return add(x=a, y=b)


@workflow
@setup_teardown(before=up, after=quiet_down)
def empty(x: int) -> int:
    return x


@workflow
def in_the_middle(x: int) -> int:
    first = work(x=x)
    with setup_teardown(functools.partial(needs, name="db"), down) as name:
        second = add(x=first, y=1)
        needs(name=name)
        size = conditional("size").if_(second > 3).then(work(x=second)).else_().then(work(x=7))
    return add(x=size, y=first)


@workflow
@setup_teardown(before=up, after=down)
def failing(x: int) -> int:
    return work(x=fails(x=x))


def edges(graph: Graph) -> dict[str, tuple[str, ...]]:
    return {node.id: node.upstream for node in graph.nodes}


# --- the graph -------------------------------------------------------------------------------------------------------


def test_brackets_nest_the_innermost_closest_to_the_body() -> None:
    graph = both.graph()
    assert graph.brackets == (
        Bracket("n1", "n5", ("n2", "n3", "n4"), "error"),
        Bracket("n0", "n6", ("n1", "n2", "n3", "n4", "n5"), "error"),
    )
    assert edges(graph) == {
        "n0": (),
        "n1": ("n0",),
        "n2": ("n1",),
        "n3": ("n1",),
        "n4": ("n2", "n3"),
        "n5": ("n1", "n4"),
        "n6": ("n0", "n5"),
    }
    assert check_program(both.program()) == []


def test_an_empty_body_has_a_setup_and_then_a_teardown() -> None:
    graph = empty.graph()
    assert graph.brackets == (Bracket("n0", "n1"),)
    assert edges(graph) == {"n0": (), "n1": ("n0",)}


def test_a_bracket_around_a_part_of_a_body() -> None:
    graph = in_the_middle.graph()
    assert graph.brackets == (Bracket("n1", "n5", ("n2", "n3", "n4"), "error"),)
    found = edges(graph)
    assert found["n2"] == ("n0", "n1")
    assert set(found["n5"]) == {"n1", "n3", "n4"}
    assert found["n6"] == ("n4", "n0")


# --- plain calls -----------------------------------------------------------------------------------------------------


def test_a_plain_call_keeps_the_order() -> None:
    assert both(x=1) == 4
    assert SAID == ["up", "work 1", "work 1", "left here:7 None", "down name None"]


def test_a_plain_call_that_fails_is_torn_down() -> None:
    with pytest.raises(ValueError, match="1 is not wanted"):
        failing(x=1)
    assert SAID == ["up", "down name ValueError: 1 is not wanted"]


def test_an_empty_body_in_a_plain_call() -> None:
    assert empty(x=3) == 3
    assert SAID == ["up", "quiet down"]


def test_a_part_of_a_body_in_a_plain_call() -> None:
    assert in_the_middle(x=1) == 10
    assert SAID == ["work 1", "needs db", "needs db", "work 7", "down db None"]


def test_a_failing_teardown_hides_no_failure() -> None:
    @workflow
    @setup_teardown(before=up, after=bad_down)
    def both_bad(x: int) -> int:
        return fails(x=x)

    with pytest.raises(ValueError, match="not wanted") as caught:
        both_bad(x=1)
    assert caught.value.__notes__ == ["the teardown bad_down failed too: RuntimeError: stuck"]


def test_a_failing_teardown_fails_what_went_well() -> None:
    @workflow
    @setup_teardown(before=up, after=bad_down)
    def good(x: int) -> int:
        return work(x=x)

    with pytest.raises(RuntimeError, match="stuck"):
        good(x=1)


@pytest.mark.parametrize(
    ("after", "said"),
    [
        (down, ["bad up"]),
        (down_without, ["bad up", "down None RuntimeError: no room"]),
        (quiet_down, ["bad up", "quiet down"]),
    ],
)
def test_after_a_failing_setup_comes_a_teardown_that_can_do_without(after: object, said: list[str]) -> None:
    @workflow
    @setup_teardown(before=bad_up, after=after)  # type: ignore[arg-type]
    def never(x: int) -> int:
        return work(x=x)

    with pytest.raises(RuntimeError, match="no room"):
        never(x=1)
    assert said == SAID


# --- eager bodies ----------------------------------------------------------------------------------------------------


@eager
@setup_teardown(before=up, after=down)
async def eager_both(x: int) -> int:
    async with setup_teardown(place, leave) as found:
        assert found.port == 7
        return await work(x=x)


@eager
@setup_teardown(before=up, after=down)
async def eager_failing(x: int) -> int:
    return await fails(x=x)


def test_an_eager_body_in_a_plain_call() -> None:
    assert isinstance(eager_both, Eager)
    assert asyncio.run(eager_both(x=1)) == 2
    assert SAID == ["up", "work 1", "left here:7 None", "down name None"]


def test_an_eager_body_that_fails() -> None:
    with pytest.raises(ValueError, match="not wanted"):
        asyncio.run(eager_failing(x=1))
    assert SAID == ["up", "down name ValueError: 1 is not wanted"]


def test_a_cancelled_body_is_torn_down_to_the_end() -> None:
    reached = asyncio.Event()
    closed: list[str] = []

    async def close(name: str, error: str | None) -> None:
        await asyncio.sleep(0)
        closed.append(f"{name} {error}")

    async def open_it() -> str:
        return "a"

    @setup_teardown(open_it, close)
    async def body() -> None:
        reached.set()
        await asyncio.Event().wait()

    async def main() -> None:
        running = asyncio.create_task(body())
        await reached.wait()
        running.cancel("the user said so")
        await asyncio.sleep(0)
        running.cancel("again")
        with pytest.raises(asyncio.CancelledError):
            await running

    asyncio.run(main())
    assert closed == ["a the user said so"]


def test_a_setup_is_not_interrupted() -> None:
    begun = asyncio.Event()
    closed: list[str] = []

    async def open_it() -> str:
        begun.set()
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        return "a"

    async def close(name: str) -> None:
        closed.append(name)

    async def body() -> None:
        async with setup_teardown(open_it, close):
            raise AssertionError("the body does not begin")

    async def main() -> None:
        running = asyncio.create_task(body())
        await begun.wait()
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running

    asyncio.run(main())
    assert closed == ["a"]


# --- what is refused -------------------------------------------------------------------------------------------------


def test_above_the_decorator_it_is_refused() -> None:
    with pytest.raises(PromiseMisuse, match="Write it below"):
        setup_teardown(up, quiet_down)(work)


def test_a_teardown_that_takes_what_nobody_gives() -> None:
    @workflow
    @setup_teardown(before=up, after=takes_two)
    def wrong(x: int) -> int:
        return work(x=x)

    with pytest.raises(CompileError, match="takes 'other', but the setup up gives one value"):
        wrong.graph()


def test_a_teardown_whose_error_is_no_text_or_none() -> None:
    @workflow
    @setup_teardown(before=up, after=told_wrongly)
    def wrong(x: int) -> int:
        return work(x=x)

    with pytest.raises(CompileError, match=r"Annotate it `str \| None`"):
        wrong.graph()


def test_a_plain_function_in_a_static_workflow() -> None:
    @workflow
    @setup_teardown(before=lambda: None, after=quiet_down)
    def wrong(x: int) -> int:
        return work(x=x)

    with pytest.raises(CompileError, match="Make it a task"):
        wrong.graph()


def test_each_kind_of_with_in_its_place() -> None:
    @eager
    async def blocking(x: int) -> int:
        with setup_teardown(up, down):
            return x

    with pytest.raises(PromiseMisuse, match="Write `async with`"):
        asyncio.run(blocking(x=1))


def test_one_object_is_one_block() -> None:
    bracket = setup_teardown(up, quiet_down)
    with bracket, pytest.raises(PromiseMisuse, match="entered twice"), bracket:
        raise AssertionError("it is refused")
    with bracket:
        SAID.append("again")
    assert SAID == ["up", "quiet down", "up", "again", "quiet down"]
