"""The documented set-up/tear-down pattern: locally, compiled, stacked."""

import functools
from collections.abc import Callable
from typing import Any

import pytest

from whimbrel import CompileError, FlyteContextManager, create_node, current_context, task, workflow
from whimbrel.authoring.compilation import CompilationState

RAN: list[str] = []
SEEN: list[int] = []


@task
def before() -> None:
    RAN.append(f"before {current_context().execution_id.name}")


@task
def after() -> None:
    RAN.append(f"after {current_context().execution_id.name}")


@task
def open_() -> None:
    RAN.append("open")


@task
def close() -> None:
    RAN.append("close")


@task
def less(x: float) -> float:
    RAN.append("less")
    return x - 1


@task
def square(x: float) -> float:
    RAN.append("square")
    return x**2


def setup_teardown(fn: Any = None, *, before: Any, after: Any) -> Any:
    if fn is None:
        return functools.partial(setup_teardown, before=before, after=after)

    @functools.wraps(fn)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        ctx = FlyteContextManager.current_context()
        first = create_node(before)
        outputs = fn(*args, **kwargs)
        last = create_node(after)
        if ctx.compilation_state is not None:
            first >> ctx.compilation_state.nodes[1]
            ctx.compilation_state.nodes[-2] >> last
        return outputs

    return wrapper


def through_a_call(fn: Callable[..., Any]) -> Callable[..., Any]:
    """The same pattern, which asks for the context after the body, and in a function of its own."""

    def link(first: Any, last: Any) -> None:
        state = FlyteContextManager.current_context().compilation_state
        if state is not None:
            first >> state.nodes[1]
            state.nodes[-2] >> last

    @functools.wraps(fn)
    def wrapper(*args: Any, **kwargs: Any) -> Any:
        first = create_node(before)
        outputs = fn(*args, **kwargs)
        link(first, create_node(after))
        return outputs

    return wrapper


@workflow
@setup_teardown(before=before, after=after)
def documented(x: float) -> float:
    return square(x=less(x=x))


@workflow
@setup_teardown(before=before, after=after)
@setup_teardown(before=open_, after=close)
def stacked(x: float) -> float:
    state = FlyteContextManager.current_context().compilation_state
    if state is not None:
        SEEN.append(len(state.nodes))
    return square(x=less(x=x))


@workflow
@through_a_call
@through_a_call
@through_a_call
def stacked_thrice(x: float) -> float:
    return square(x=less(x=x))


@workflow
@setup_teardown(before=before, after=after)
def empty(x: float) -> float:
    return x


def order_of(graph: Any) -> dict[str, tuple[str, ...]]:
    names = {node.id: f"{node.target.name.rpartition('.')[2]}" for node in graph.nodes}
    return {names[node.id]: tuple(names[id] for id in node.upstream) for node in graph.nodes}


def test_the_signature_is_the_innermost_one() -> None:
    assert list(documented.interface.inputs) == ["x"]
    assert documented.name == f"{__name__}.documented"


def test_the_pattern_locally() -> None:
    RAN.clear()
    assert documented(x=10.0) == 81.0
    assert [entry.partition(" ")[0] for entry in RAN] == ["before", "less", "square", "after"]
    assert RAN[0].partition(" ")[2] == RAN[-1].partition(" ")[2]


def test_the_pattern_compiled() -> None:
    graph = documented.graph()
    assert [node.id for node in graph.nodes] == ["n0", "n1", "n2", "n3"]
    assert order_of(graph) == {"before": (), "less": ("before",), "square": ("less",), "after": ("square",)}


def test_stacked_decorators_each_see_what_they_wrap() -> None:
    SEEN.clear()
    assert order_of(stacked.graph()) == {
        "before": (),
        "open_": ("before",),
        "less": ("open_",),
        "square": ("less",),
        "close": ("square",),
        "after": ("close",),
    }
    assert SEEN == [2], "the body sees every node so far"
    RAN.clear()
    assert stacked(x=3.0) == 4.0
    assert [entry.partition(" ")[0] for entry in RAN] == ["before", "open", "less", "square", "close", "after"]


def test_the_same_decorator_three_times_whatever_way_it_asks() -> None:
    upstream = {node.id: node.upstream for node in stacked_thrice.graph().nodes}
    assert upstream == {
        "n0": (),
        "n1": ("n0",),
        "n2": ("n1",),
        "n3": ("n2",),
        "n4": ("n3",),
        "n5": ("n4",),
        "n6": ("n5",),
        "n7": ("n6",),
    }


def test_an_empty_body_orders_tear_down_behind_set_up() -> None:
    assert order_of(empty.graph()) == {"before": (), "after": ("before",)}
    assert empty(x=2.0) == 2.0


def test_nodes_is_a_live_view_and_none_outside() -> None:
    assert FlyteContextManager.current_context().compilation_state is None
    seen: list[Any] = []

    def body(x: float) -> float:
        state = FlyteContextManager.current_context().compilation_state
        assert isinstance(state, CompilationState)
        nodes = state.nodes
        seen.append(len(nodes))
        a = create_node(less, x=x)
        seen.append(nodes == [a])
        b = create_node(square, x=a.o0)
        seen.append((len(nodes), nodes[-1] == b, nodes[0] == b, nodes[:1] == [a], list(nodes) == [a, b]))
        return b.o0

    workflow(body).graph()
    assert seen == [0, True, (2, True, False, True, True)]


def test_an_index_out_of_range_says_that_the_body_is_empty() -> None:
    def body(x: float) -> float:
        state = FlyteContextManager.current_context().compilation_state
        assert state is not None
        state.nodes[1] >> state.nodes[0]
        return x

    with pytest.raises(CompileError, match=r"there is no nodes\[1\]: is its body empty"):
        workflow(body).graph()
