"""Every fault of a program is found, at once, each with its line; a right program has none."""

from typing import Any

import pytest
from msgspec.structs import replace

from tests.unit.graph.flows import INC, LINE, WITH_DEFAULT, X, node, out, program, task
from whimbrel.graph.check import check_graph, check_program
from whimbrel.graph.interfaces import program_interfaces
from whimbrel.model.interface import Interface, Parameter, Variable
from whimbrel.model.literal_types import (
    ANY,
    FLOAT,
    INTEGER,
    NONE,
    STRING,
    ListType,
    LiteralType,
    MapType,
    StructType,
    TupleType,
    UnionType,
)
from whimbrel.model.literals import FloatLiteral, IntLiteral, Literal, NoneLiteral, StrLiteral
from whimbrel.model.program import (
    START,
    Binding,
    BranchCase,
    BranchTarget,
    Comparison,
    Condition,
    Graph,
    Junction,
    ListBinding,
    LiteralBinding,
    MapBinding,
    Node,
    Program,
    PromiseBinding,
    SourceLine,
    TaskTarget,
    WorkflowTarget,
)


def told(program: Program) -> list[str]:
    return [problem.message for problem in check_program(program)]


def one(program: Program) -> str:
    [problem] = check_program(program)
    return problem.message


def const(value: Any) -> LiteralBinding:
    kinds: dict[type, type] = {int: IntLiteral, str: StrLiteral, float: FloatLiteral}
    literal: Literal = NoneLiteral() if value is None else kinds[type(value)](value)
    return LiteralBinding(literal)


RIGHT = program(
    node("n0", x=X),
    node("n1", "with_default", x=out("n0")),
    node("n2", "text", "n1", x=const(3)),
    output=out("n1"),
)


def test_a_right_program_has_no_problems() -> None:
    assert check_program(RIGHT) == []
    assert check_program(Program()) == []


def test_problems_name_the_line() -> None:
    [problem] = check_program(program(node("n0", x=const("a"))))
    assert (problem.file, problem.line) == (LINE.file, LINE.line)
    [problem] = check_program(program(output=const("a")))
    assert (problem.file, problem.line) == ("flows.py", 3)


def test_all_at_once() -> None:
    wrong = program(
        node("n0", x=const("a")),
        node("n0", x=X),
        node("n1"),
        node("n2", x=X, y=X),
        node("n3", "nobody", x=X),
        node("n4", x=out("n9")),
        node("n5", "inc", "n8", x=X),
        output=out("n2", "deep"),
    )
    assert told(wrong) == [
        "two nodes of wf are called n0",
        "inc(), input 'x': expected int, got str at $",
        "inc() lacks the input 'x' (int)",
        "inc() has no input 'y'; it takes x",
        "n3 runs the task nobody, which is not in the program",
        "inc(), input 'x': takes the output 'o0' of n9, which is not a node of wf",
        "n5 waits for n8, which is no node of wf",
        "wf, output 'o0': int from the output 'o0' of n2.deep has nothing at 'deep'",
    ]


@pytest.mark.parametrize(
    ("source", "target", "fits"),
    [
        (INTEGER, INTEGER, True),
        (INTEGER, FLOAT, True),
        (FLOAT, INTEGER, False),
        (INTEGER, UnionType((INTEGER, NONE)), True),
        (UnionType((INTEGER, NONE)), INTEGER, False),
        (ANY, INTEGER, True),
        (ListType(INTEGER), ListType(FLOAT), True),
        (ListType(INTEGER), INTEGER, False),
    ],
)
def test_types_on_edges(source: LiteralType, target: LiteralType, fits: bool) -> None:
    tasks = {spec.name: spec for spec in (task("gives", INTEGER, source), task("takes", target, INTEGER))}
    base = program(node("n0", "gives", x=X), node("n1", "takes", x=out("n0")))
    problems = check_program(Program(tasks, base.workflows))
    assert bool(problems) is not fits
    if problems:
        assert "from the output 'o0' of n0" in problems[0].message


POINT = StructType("flows.Point", {"a": INTEGER, "b": ListType(STRING)}, ("b",))


@pytest.mark.parametrize(
    ("binding", "wanted", "message"),
    [
        (ListBinding((X, const(2))), ListType(INTEGER), ""),
        (ListBinding((X, const("a"))), ListType(INTEGER), "takes(), input 'x' at [1]: expected int, got str at $"),
        (ListBinding((X,)), TupleType((INTEGER, STRING)), "expected tuple[int, str], got a list of 1"),
        (ListBinding((X, const("a"))), TupleType((INTEGER, STRING)), ""),
        (ListBinding((X,)), INTEGER, "takes(), input 'x': expected int, got a list of 1"),
        (ListBinding((X,)), UnionType((NONE, ListType(INTEGER))), ""),
        (ListBinding((X,)), UnionType((NONE, ListType(STRING))), "at [0]: expected str, got int"),
        (ListBinding((X,)), UnionType((NONE, STRING)), "expected None | str, got a list of 1"),
        (ListBinding((X,)), UnionType((ListType(INTEGER), ListType(STRING))), ""),
        (MapBinding({"k": X}), MapType(INTEGER), ""),
        (MapBinding({"k": X}), MapType(STRING), "at .k: expected str, got int"),
        (MapBinding({"a": X}), POINT, ""),
        (MapBinding({"a": X, "z": X}), POINT, "Point has no field 'z'"),
        (MapBinding({"k": X}), ListType(INTEGER), "expected list[int], got a dict"),
        (ListBinding((X,)), ANY, ""),
        (PromiseBinding("n0", "o0", ("b", 0)), STRING, ""),
        (PromiseBinding("n0", "o0", ("b", 0)), INTEGER, "got str from the output 'o0' of n0.b[0]"),
        (PromiseBinding("n0", "o0", ("c",)), INTEGER, "Point from the output 'o0' of n0.c has nothing at 'c'"),
        (PromiseBinding("n0", "other"), INTEGER, "there is no output 'other' of n0; there is o0"),
        (PromiseBinding(START, "y"), INTEGER, "there is no input 'y'; there is x"),
    ],
)
def test_bindings(binding: Binding, wanted: LiteralType, message: str) -> None:
    tasks = {spec.name: spec for spec in (task("gives", INTEGER, POINT), task("takes", wanted, INTEGER))}
    base = program(node("n0", "gives", x=X), node("n1", "takes", "n0", x=binding))
    problems = [problem.message for problem in check_program(Program(tasks, base.workflows))]
    assert len(problems) == bool(message)
    assert message in "".join(problems)


def test_a_cycle_names_its_nodes() -> None:
    wrong = program(
        node("n0", "inc", "n3", x=X), node("n1", x=out("n0")), node("n2", x=X), node("n3", "inc", "n1", x=X)
    )
    assert one(wrong) == "wf: nodes wait for each other: n0 (inc) >> n1 (inc) >> n3 (inc) >> n0 (inc)"


def test_outputs_are_bound_once_and_to_what_is_declared() -> None:
    base = program(node("n0", x=X), output=out("n0"))
    graph = base.workflows["wf"]
    assert one(Program(base.tasks, {"wf": replace(graph, outputs={})})) == "wf: the output 'o0' is not bound"
    extra = replace(graph, outputs={**graph.outputs, "o1": X})
    assert one(Program(base.tasks, {"wf": extra})) == "wf: 'o1' is bound, but it is no output"


def test_a_default_must_fit() -> None:
    base = program(node("n0", x=X))
    graph = replace(base.workflows["wf"], interface=Interface({"x": Parameter(INTEGER, "", StrLiteral("a"))}))
    assert one(Program(base.tasks, {"wf": graph})) == (
        "wf: the default of 'x' does not fit its type: expected int, got str at $"
    )


def test_an_input_with_a_default_may_be_left_out() -> None:
    assert check_program(program(node("n0", WITH_DEFAULT.name, x=X))) == []


def test_names_agree_with_their_keys() -> None:
    assert one(Program({"other": INC})) == "the task inc stands under the name other"


def test_workflows_do_not_call_themselves_round_a_corner() -> None:
    def calls(name: str, other: str) -> Graph:
        return Graph(name, Interface(), (Node("n0", WorkflowTarget(other)),), line=SourceLine(f"{name}.py", 1))

    [problem] = check_program(Program({}, {"a": calls("a", "b"), "b": calls("b", "c"), "c": calls("c", "a")}))
    assert problem.message == "a calls b calls c calls a: it would never end"
    assert problem.file == "a.py"


# --- branches --------------------------------------------------------------------------------------------------------


def branch(condition: Condition, *nodes: Node, otherwise: Node | None = None, message: str = "") -> Node:
    cases = tuple(BranchCase(condition, each) for each in nodes)
    return Node("n9", BranchTarget("c", cases, otherwise, message), upstream=("n0",), line=LINE)


BIG = Comparison(">", X, const(3))


def test_arms_are_checked_and_give_what_they_share() -> None:
    inside = node("n9-n0", x=out("n0"))
    other = node("n9-n1", "text", x=X)
    right = program(node("n0", x=X), branch(BIG, inside, otherwise=node("n9-n1", x=X)), output=out("n9"))
    assert check_program(right) == []
    fails = program(node("n0", x=X), branch(BIG, inside, message="no"), output=out("n9"))
    assert check_program(fails) == []
    mixed = program(node("n0", x=X), branch(BIG, inside, otherwise=other), output=out("n9"))
    assert "expected int, got int | str" in one(mixed)
    wrong = program(node("n0", x=X), branch(BIG, node("n9-n0", x=const("a")), message="no"))
    assert one(wrong) == "inc(), input 'x': expected int, got str at $"


def test_a_result_that_not_every_arm_gives_is_told_with_the_way_out() -> None:
    nothing = Graph("nothing", Interface())
    otherwise = Node("n9-n1", WorkflowTarget("nothing"))
    wrong = program(
        node("n0", x=X), branch(BIG, node("n9-n0", x=X), otherwise=otherwise), output=out("n9"), nothing=nothing
    )
    [problem] = check_program(wrong)
    assert "there is no output 'o0' of n9; there is none" in problem.message
    assert "else_()" in problem.remedy


@pytest.mark.parametrize(
    ("condition", "message"),
    [
        (BIG, ""),
        (Comparison("==", X, const(None)), ""),
        (Comparison("<", const(1.5), X), ""),
        (Comparison(">", X, const("3")), "conditional('c') compares int > str"),
        (Comparison("<", X, const(None)), "conditional('c') compares int < None"),
        (Junction("and", BIG, Comparison("==", X, const("a"))), "conditional('c') compares int == str"),
        (Comparison("==", out("n7"), const(1)), "takes the output 'o0' of n7"),
    ],
)
def test_conditions(condition: Condition, message: str) -> None:
    problems = told(program(node("n0", x=X), branch(condition, node("n9-n0", x=X), message="no")))
    assert len(problems) == bool(message)
    assert message in "".join(problems)


def test_an_optional_is_compared_with_its_value() -> None:
    tasks = {"maybe": task("maybe", INTEGER, UnionType((INTEGER, NONE))), "inc": INC}
    condition = Comparison("==", out("n0"), const(3))
    base = program(node("n0", "maybe", x=X), branch(condition, node("n9-n0", x=X), message="no"))
    assert check_program(Program(tasks, base.workflows)) == []


def test_ten_thousand_nodes_do_not_recurse() -> None:
    nodes = [node("n0", x=X), *(node(f"n{i}", x=out(f"n{i - 1}")) for i in range(1, 10_000))]
    assert check_program(program(*nodes, output=out("n9999"))) == []
    looped = [replace(nodes[0], upstream=("n9999",)), *nodes[1:]]
    [problem] = check_program(program(*looped, output=out("n9999")))
    assert "wait for each other" in problem.message


def test_one_graph_is_checked_against_interfaces_from_anywhere() -> None:
    interfaces = program_interfaces(RIGHT)
    assert check_graph(RIGHT.workflows["wf"], interfaces) == []
    assert interfaces(TaskTarget("nobody")) is None
    assert interfaces(WorkflowTarget("wf")) == Interface({"x": Parameter(INTEGER)}, {"o0": Variable(INTEGER)})
