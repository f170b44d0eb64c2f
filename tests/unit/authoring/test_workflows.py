"""Static workflows: what they compile to, and that a plain call means the same."""

import asyncio
import threading
from dataclasses import dataclass
from typing import NamedTuple

import pytest

from whimbrel import (
    CallMismatch,
    CompileError,
    FailurePolicy,
    ValueMismatch,
    Workflow,
    conditional,
    create_node,
    current_context,
    eager,
    entry_program,
    task,
    workflow,
)
from whimbrel.model.literals import FloatLiteral, IntLiteral, StrLiteral
from whimbrel.model.program import (
    START,
    LiteralBinding,
    PromiseBinding,
    TaskKind,
    TaskTarget,
    WorkflowTarget,
)

RAN: list[str] = []


class Result(NamedTuple):
    value: int
    name: str


@dataclass
class Box:
    inner: list[int]


@task
def one() -> int:
    RAN.append("one")
    return 1


@task
def add(a: int, b: int = 10) -> int:
    RAN.append(f"add {a} {b}")
    return a + b


@task
async def add_later(a: int) -> int:
    await asyncio.sleep(0)
    return a + 1


@task
def half(x: float) -> float:
    return x / 2


@task
def show(s: str) -> None:
    RAN.append(f"show {s}")


@task
def box(n: int) -> Box:
    return Box([n, n + 1])


@workflow
def inner(x: int, y: int = 5) -> Result:
    """Add two numbers.

    :param x: the first
    """
    return Result(value=add(a=x, b=y), name="inner")


@eager
async def eager_add(a: int) -> int:
    return await add(a=a) + 1


@workflow(failure_policy=FailurePolicy.FAIL_AFTER_EXECUTABLE_NODES_COMPLETE, interruptible=True)
def outer(x: int) -> tuple[int, str, float]:
    first = one()
    second = add(first)
    result = inner(x=second)
    show(s=result.name)
    third = eager_add(a=result.value)
    return third, result.name, half(x=second)


@workflow
def with_async(x: int) -> int:
    return add_later(a=add_later(a=x))


@workflow
def constants() -> tuple[int, str]:
    return 3, "x"


@workflow
def list_of(n: int) -> list[int]:
    return [add(a=n), 7, n]


@workflow
def boxed(n: int) -> list[int]:
    return box(n=n).inner


def test_nodes_bindings_and_upstream() -> None:
    graph = outer.graph()
    assert [node.id for node in graph.nodes] == ["n0", "n1", "n2", "n3", "n4", "n5"]
    assert [node.target for node in graph.nodes] == [
        TaskTarget(one.name),
        TaskTarget(add.name),
        WorkflowTarget(inner.name),
        TaskTarget(show.name),
        TaskTarget(eager_add.name),
        TaskTarget(half.name),
    ]
    assert graph.nodes[1].inputs == {"a": PromiseBinding("n0", "o0"), "b": LiteralBinding(IntLiteral(10))}
    assert graph.nodes[2].inputs == {"x": PromiseBinding("n1", "o0"), "y": LiteralBinding(IntLiteral(5))}
    assert [node.upstream for node in graph.nodes] == [(), ("n0",), ("n1",), ("n2",), ("n2",), ("n1",)]
    assert graph.outputs == {
        "o0": PromiseBinding("n4", "o0"),
        "o1": PromiseBinding("n2", "name"),
        "o2": PromiseBinding("n5", "o0"),
    }
    assert graph.failure_policy is FailurePolicy.FAIL_AFTER_EXECUTABLE_NODES_COMPLETE
    assert graph.metadata.interruptible is True


def test_every_node_knows_its_line() -> None:
    lines = [node.line for node in outer.graph().nodes]
    assert all(line is not None and line.file == __file__ for line in lines)
    assert lines[1] is not None
    assert lines[1].text == "second = add(first)"


def test_the_program_is_closed() -> None:
    program, name = entry_program(outer)
    assert name == outer.name
    assert set(program.tasks) == {one.name, add.name, show.name, half.name, eager_add.name}
    assert set(program.workflows) == {outer.name, inner.name}
    assert program.tasks[eager_add.name].kind is TaskKind.EAGER
    code = program.tasks[add.name].code
    assert (code.module, code.name) == (__name__, "add")


def test_a_task_run_by_itself_is_a_workflow_of_one_node() -> None:
    program, name = entry_program(add)
    graph = program.workflows[name]
    assert graph.interface == add.interface
    [node] = graph.nodes
    assert node.inputs == {"a": PromiseBinding(START, "a"), "b": PromiseBinding(START, "b")}
    assert graph.outputs == {"o0": PromiseBinding("n0", "o0")}


def test_a_plain_call_runs_in_python_order() -> None:
    RAN.clear()
    assert outer(x=1) == (27 - 10 + 10, "inner", 5.5)
    assert RAN == ["one", "add 1 10", "add 11 5", "show inner", "add 16 10"]


def test_results_that_are_no_promises() -> None:
    assert constants() == (3, "x")
    assert constants.graph().outputs == {"o0": LiteralBinding(IntLiteral(3)), "o1": LiteralBinding(StrLiteral("x"))}
    assert list_of(n=1) == [11, 7, 1]
    assert boxed(n=1) == [1, 2]


def test_an_int_constant_becomes_a_float_where_one_is_wanted() -> None:
    def body() -> float:
        return half(x=3)

    [node] = workflow(body).graph().nodes
    assert node.inputs["x"] in (LiteralBinding(FloatLiteral(3.0)), LiteralBinding(IntLiteral(3)))
    assert workflow(body)() == 1.5


def test_async_tasks_and_eager_ones_run_inside_a_plain_call() -> None:
    assert with_async(x=1) == 3

    async def inside_a_loop() -> int:
        return with_async(x=1)

    assert asyncio.run(inside_a_loop()) == 3


def test_inputs_and_outputs_of_a_workflow_are_checked() -> None:
    with pytest.raises(ValueMismatch, match=r"inner\(\), input 'x'"):
        inner(x="1")
    with pytest.raises(CallMismatch, match="has no input 'z'"):
        inner(z=1)

    def liar(x: int) -> str:
        return add(a=x)

    with pytest.raises(ValueMismatch, match=r"liar\(\), return value: expected str, got int"):
        workflow(liar)(x=1)


def test_a_workflow_is_compiled_once_and_not_at_import() -> None:
    traced: list[int] = []

    def body(x: int) -> int:
        traced.append(1)
        return add(a=x)

    made = workflow(body)
    assert traced == []
    assert made.graph() is made.graph()
    assert traced == [1]


def test_a_workflow_calls_another_and_both_are_compiled() -> None:
    def body(x: int) -> int:
        value, _name = inner(x=x)
        return inner(x=value).value

    graph = workflow(body).graph()
    assert [node.target.name for node in graph.nodes] == [inner.name, inner.name]
    assert inner.graph().doc == "Add two numbers."
    assert inner.interface.inputs["x"].description == "the first"
    assert workflow(body)(x=1) == 11


def test_a_thousand_and_ten_thousand_nodes_in_a_chain() -> None:
    def body(x: int) -> int:
        for _ in range(10_000):
            x = add(a=x)
        return x

    graph = Workflow(body, {}).graph()
    assert len(graph.nodes) == 10_000
    assert graph.nodes[-1].upstream == ("n9998",)


@task
def who() -> str:
    return current_context().execution_id.name


@workflow
def asks_twice() -> tuple[str, str]:
    return who(), who()


def test_one_plain_call_is_one_execution() -> None:
    first, second = asks_twice()
    assert first == second
    assert asks_twice() != (first, second)


def test_create_node_in_a_plain_call_runs_at_once() -> None:
    RAN.clear()
    node = create_node(add, a=1)
    assert RAN == ["add 1 10"]
    assert (node.o0 == 11) is not None
    with pytest.raises(Exception, match="has no output 'o1'"):
        _ = node.o1


def test_create_node_wants_an_entity() -> None:
    def body(x: int) -> int:
        return create_node(add.fn, a=x).o0

    with pytest.raises(CompileError, match="create_node is given function 'add'"):
        workflow(body).graph()


def test_conditional_is_for_workflows() -> None:
    with pytest.raises(Exception, match="used outside a @workflow"):
        conditional("c")


def test_threads_run_workflows_side_by_side() -> None:
    results: list[int] = []
    threads = [threading.Thread(target=lambda n=n: results.append(inner(x=n).value)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(results) == [n + 5 for n in range(8)]


def test_aio_is_refused_in_a_workflow() -> None:
    def body(x: int) -> int:
        return add.aio(a=x)

    with pytest.raises(CompileError, match=r"add\.aio\(\) is used in a workflow"):
        workflow(body).graph()
