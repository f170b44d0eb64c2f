"""Workflows laid out piece by piece."""

import pytest

from whimbrel import CallMismatch, CompileError, ImperativeWorkflow, PromiseMisuse, entry_program, task, workflow
from whimbrel.model.program import START, ListBinding, PromiseBinding, WorkflowTarget


@task
def add(a: int, b: int = 1) -> int:
    return a + b


@task
def join(parts: list[int]) -> str:
    return "-".join(map(str, parts))


@workflow
def twice(x: int) -> int:
    return add(a=x, b=x)


def made() -> ImperativeWorkflow:
    wf = ImperativeWorkflow("my.flow")
    x = wf.add_workflow_input("x", int)
    first = wf.add_entity(add, a=x, b=2)
    second = wf.add_subwf(twice, x=first.o0)
    third = wf.add_task(join, parts=[first.outputs["o0"], second.o0, x])
    wf.add_workflow_output("text", third.o0)
    wf.add_workflow_output("numbers", [first.o0, second.o0], python_type=list[int])
    return wf


WF = made()


@workflow
def uses_it(x: int) -> str:
    return WF(x=x).text


def test_it_compiles() -> None:
    assert WF.ready()
    program, name = entry_program(WF)
    graph = program.workflows[name]
    assert (name, list(graph.interface.inputs), list(graph.interface.outputs)) == (
        "my.flow",
        ["x"],
        ["text", "numbers"],
    )
    assert [node.id for node in graph.nodes] == ["n0", "n1", "n2"]
    assert graph.nodes[1].target == WorkflowTarget(twice.name)
    n0, n1 = PromiseBinding("n0", "o0"), PromiseBinding("n1", "o0")
    assert graph.nodes[2].inputs == {"parts": ListBinding((n0, n1, PromiseBinding(START, "x")))}
    assert graph.outputs["numbers"] == ListBinding((n0, n1))


def test_it_runs() -> None:
    result = WF(x=1)
    assert result.text == "3-6-1"
    assert result.numbers == [3, 6]
    assert uses_it(x=1) == "3-6-1"


def test_it_can_be_called_by_others() -> None:
    program, name = entry_program(uses_it)
    assert program.workflows[name].outputs == {"o0": PromiseBinding("n0", "text")}
    assert "my.flow" in program.workflows


def test_one_output_called_o0_is_the_value_itself() -> None:
    wf = ImperativeWorkflow("single")
    wf.add_workflow_output("o0", wf.add_entity(add, a=wf.add_workflow_input("x", int, 4)).o0)
    assert wf() == 5
    assert wf.interface.inputs["x"].default is not None


def test_order_and_overrides() -> None:
    wf = ImperativeWorkflow("ordered")
    first = wf.add_entity(add, a=1)
    second = wf.add_entity(add, a=2).with_overrides(retries=3)
    second >> first
    graph = wf.graph()
    assert graph.nodes[0].upstream == ("n1",)
    assert graph.nodes[1].overrides.retries == 3


def test_problems_are_collected() -> None:
    wf = ImperativeWorkflow("wrong")
    x = wf.add_workflow_input("x", str)
    wf.add_entity(add, a=x)
    wf.add_entity(add, c=1)
    assert not wf.ready()
    with pytest.raises(CompileError) as caught:
        wf.program()
    text = str(caught.value)
    assert "expected int, got str from the input 'x'" in text
    assert "has no input 'c'" in text
    with pytest.raises(CompileError):
        wf(x="a")


def test_names_are_used_once_and_outputs_have_types() -> None:
    wf = ImperativeWorkflow("names")
    x = wf.add_workflow_input("x", int)
    with pytest.raises(CallMismatch, match="has an input 'x' already"):
        wf.add_workflow_input("x", int)
    with pytest.raises(PromiseMisuse, match="python_type"):
        wf.add_workflow_output("y", [x])
    wf.add_workflow_output("y", x)
    with pytest.raises(CallMismatch, match="has an output 'y' already"):
        wf.add_workflow_output("y", x)
    assert not wf.ready(), "it has no nodes yet"
