"""Branches: the arm that is taken runs, alone; compiled they are branch nodes whose arms hold what they need."""

from typing import Any, NamedTuple

import pytest

from whimbrel import CompileError, PromiseMisuse, conditional, entry_program, task, workflow
from whimbrel.errors import BranchFailed
from whimbrel.graph.check import check_program
from whimbrel.model.literals import BoolLiteral, IntLiteral, NoneLiteral
from whimbrel.model.program import (
    START,
    BranchTarget,
    Comparison,
    Junction,
    LiteralBinding,
    PromiseBinding,
    TaskTarget,
    WorkflowTarget,
)

RAN: list[str] = []


class Two(NamedTuple):
    a: int
    b: str


@task
def inc(x: int) -> int:
    RAN.append(f"inc {x}")
    return x + 1


@task
def dec(x: int) -> int:
    RAN.append(f"dec {x}")
    return x - 1


@task
def positive(x: int) -> bool:
    RAN.append(f"positive {x}")
    return x > 0


@task
def maybe(x: int) -> int | None:
    return x or None


@task
def two(x: int) -> Two:
    return Two(x, str(x))


@task
def note(x: int) -> None:
    RAN.append(f"note {x}")


@task
def word(x: int) -> str:
    return str(x)


@workflow
def sign(x: int) -> int:
    return conditional("sign").if_(x > 0).then(inc(x=x)).elif_(x < 0).then(dec(x=x)).else_().fail("zero")


@workflow
def several_nodes(x: int) -> int:
    y = inc(x=x)
    z = conditional("c").if_((y >= 3) & (x != 9) | (x == -5)).then(inc(x=inc(x=y))).else_().then(dec(x=x))
    return inc(x=z)


@workflow
def nested(x: int) -> int:
    return (
        conditional("outer")
        .if_(x > 10)
        .then(conditional("inner").if_(x > 20).then(inc(x=x)).else_().then(dec(x=dec(x=x))))
        .else_()
        .then(x)
    )


@workflow
def on_a_task(x: int) -> int:
    return (
        conditional("c").if_(positive(x=x).is_true()).then(inc(x=x)).elif_(positive(x=inc(x=x))).then(x).else_().then(7)
    )


@workflow
def without_else(x: int) -> int:
    conditional("c").if_(x > 3).then(note(x=x))
    return inc(x=x)


@workflow
def many_outputs(x: int) -> Two:
    result = conditional("c").if_(x > 3).then(two(x=x)).else_().then(two(x=inc(x=x)))
    return Two(result.a, result.b)


@workflow
def on_none(x: int) -> int:
    return conditional("c").if_(maybe(x=x).is_none()).then(inc(x=x)).else_().then(dec(x=x))


ALL = [sign, several_nodes, nested, on_a_task, without_else, many_outputs, on_none]


@pytest.mark.parametrize("flow", ALL, ids=lambda flow: flow.short_name)
def test_they_compile_to_right_programs(flow: Any) -> None:
    program, _ = entry_program(flow)
    assert check_program(program) == []


@pytest.mark.parametrize(
    ("flow", "x", "result", "ran"),
    [
        (sign, 1, 2, ["inc 1"]),
        (sign, -1, -2, ["dec -1"]),
        (several_nodes, 2, 6, ["inc 2", "inc 3", "inc 4", "inc 5"]),
        (several_nodes, 1, 1, ["inc 1", "dec 1", "inc 0"]),
        (several_nodes, 9, 9, ["inc 9", "dec 9", "inc 8"]),
        (several_nodes, -5, -1, ["inc -5", "inc -4", "inc -3", "inc -2"]),
        (nested, 21, 22, ["inc 21"]),
        (nested, 15, 13, ["dec 15", "dec 14"]),
        (nested, 5, 5, []),
        (on_a_task, 1, 2, ["positive 1", "inc 1", "inc 1", "positive 2"]),
        (without_else, 4, 5, ["note 4", "inc 4"]),
        (without_else, 3, 4, ["inc 3"]),
        (many_outputs, 4, Two(4, "4"), []),
        (many_outputs, 1, Two(2, "2"), ["inc 1"]),
        (on_none, 0, 1, ["inc 0"]),
        (on_none, 5, 4, ["dec 5"]),
    ],
)
def test_a_plain_call_takes_one_arm(flow: Any, x: int, result: Any, ran: list[str]) -> None:
    RAN.clear()
    assert flow(x=x) == result
    assert ran == RAN


def test_fail_fails_with_the_message() -> None:
    with pytest.raises(BranchFailed, match=r"^zero$"):
        sign(x=0)


def test_the_branch_node() -> None:
    [node] = sign.graph().nodes
    target = node.target
    assert isinstance(target, BranchTarget)
    assert (node.id, node.upstream, target.name, target.message, target.otherwise) == ("n0", (), "sign", "zero", None)
    first, second = target.cases
    x = PromiseBinding(START, "x")
    assert first.condition == Comparison(">", x, LiteralBinding(IntLiteral(0)))
    assert (first.node.id, first.node.target, first.node.inputs) == ("n0-n0", TaskTarget(inc.name), {"x": x})
    assert (second.node.id, second.node.target) == ("n0-n1", TaskTarget(dec.name))
    assert sign.graph().outputs == {"o0": PromiseBinding("n0", "o0")}


def test_an_arm_of_several_nodes_is_a_workflow_of_its_own() -> None:
    program, name = entry_program(several_nodes)
    _, branch, last = program.workflows[name].nodes
    target = branch.target
    assert isinstance(target, BranchTarget)
    [case] = target.cases
    assert isinstance(case.condition, Junction)
    assert case.condition.op == "or"
    assert isinstance(case.node.target, WorkflowTarget)
    arm = program.workflows[case.node.target.name]
    assert case.node.inputs == {"n0_o0": PromiseBinding("n0", "o0")}
    assert [node.inputs["x"] for node in arm.nodes] == [PromiseBinding(START, "n0_o0"), PromiseBinding("n1-n0", "o0")]
    assert [node.upstream for node in arm.nodes] == [(), ("n1-n0",)]
    assert branch.upstream == ("n0",)
    assert last.upstream == ("n1",)


def test_calls_of_a_condition_stand_before_the_branch() -> None:
    nodes = on_a_task.graph().nodes
    assert [node.id for node in nodes] == ["n0", "n1", "n2", "n3"]
    assert isinstance(nodes[0].target, BranchTarget)
    assert nodes[0].upstream == ("n1", "n3")
    condition = nodes[0].target.cases[0].condition
    assert condition == Comparison("==", PromiseBinding("n1", "o0"), LiteralBinding(BoolLiteral(True)))


def test_none_is_compared_with_none() -> None:
    target = on_none.graph().nodes[0].target
    assert isinstance(target, BranchTarget)
    condition = target.cases[0].condition
    assert isinstance(condition, Comparison)
    assert condition.right == LiteralBinding(NoneLiteral())


def test_without_else_nothing_runs_and_nothing_fails() -> None:
    program, name = entry_program(without_else)
    target = program.workflows[name].nodes[0].target
    assert isinstance(target, BranchTarget)
    assert target.otherwise is not None
    assert isinstance(target.otherwise.target, WorkflowTarget)
    assert program.workflows[target.otherwise.target.name].nodes == ()


def refused(body: Any) -> str:
    with pytest.raises(CompileError) as caught:
        workflow(body).graph()
    assert len(caught.value.problems) == 1
    return str(caught.value)


def test_a_result_needs_an_else() -> None:
    def body(x: int) -> int:
        return conditional("c").if_(x > 3).then(inc(x=x))

    assert ".else_()" in refused(body)
    with pytest.raises(Exception, match="else_"):
        workflow(body)(x=4)


def test_arms_of_different_types_are_told() -> None:
    def body(x: int) -> int:
        return conditional("c").if_(x > 3).then(inc(x=x)).else_().then(word(x=x))

    assert "expected int, got int | str" in refused(body)


def test_a_condition_compares_like_with_like() -> None:
    def body(x: int) -> int:
        return conditional("c").if_(x > "3").then(inc(x=x)).else_().then(dec(x=x))

    assert "compares int > str" in refused(body)


def test_python_values_need_no_conditional() -> None:
    def body(x: int) -> int:
        return conditional("c").if_(3 > 2).then(inc(x=x)).else_().then(dec(x=x))

    assert "a condition is made of bool" in refused(body)


def test_what_is_made_in_an_arm_stays_in_it() -> None:
    kept: list[Any] = []

    def keep(value: Any) -> Any:
        kept.append(value)
        return value

    def body(x: int) -> int:
        conditional("c").if_(x > 3).then(keep(inc(x=x))).else_().then(dec(x=x))
        return dec(x=kept[0])

    assert "only in that arm" in refused(body)


def test_nodes_of_two_arms_cannot_be_ordered() -> None:
    kept: list[Any] = []

    def keep(value: Any) -> Any:
        kept.append(value)
        return value

    def body(x: int) -> int:
        result = conditional("c").if_(x > 3).then(keep(inc(x=x))).else_().then(keep(dec(x=x)))
        kept[0] >> kept[1]
        return result

    assert "different arms" in refused(body)


def test_ordering_lifts_to_the_branch() -> None:
    def body(x: int) -> int:
        a = inc(x=x)
        result = conditional("c").if_(x > 3).then(a >> dec(x=x)).else_().then(dec(x=x))
        last = dec(x=x)
        result >> last
        return last

    graph = workflow(body).graph()
    assert graph.nodes[1].upstream == ("n0",)
    assert graph.nodes[2].upstream == ("n1",)


def test_a_comparison_is_no_argument() -> None:
    def body(x: int) -> int:
        return inc(x=(x > 3))

    assert "only `conditional().if_` takes" in refused(body)


def test_arms_of_promises_refuse_bool_locally_too() -> None:
    def body(x: int) -> int:
        return conditional("c").if_(x > 3 and x < 5).then(inc(x=x)).else_().then(dec(x=x))

    with pytest.raises(PromiseMisuse, match=r"Join comparisons with & and \|"):
        workflow(body)(x=4)
