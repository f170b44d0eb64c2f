"""Drafts become graphs: ids, upstream, arms, order across arms."""

from tests.unit.graph.flows import LINE, X, out
from whimbrel.graph.builder import DraftNode, GraphBuilder
from whimbrel.model.interface import Interface
from whimbrel.model.literal_types import INTEGER
from whimbrel.model.literals import IntLiteral
from whimbrel.model.program import (
    START,
    Binding,
    BranchTarget,
    Comparison,
    LiteralBinding,
    PromiseBinding,
    TaskTarget,
    WorkflowTarget,
)

BIG = Comparison(">", X, LiteralBinding(IntLiteral(3)))


def builder() -> GraphBuilder:
    return GraphBuilder("wf", {"x": INTEGER})


def add(made: GraphBuilder, x: Binding = X) -> DraftNode:
    return made.add(TaskTarget("inc"), {"o0": INTEGER}, {"x": x}, LINE)


def whole(draft: DraftNode) -> dict[str, Binding]:
    return {"o0": out(draft.id)}


def test_ids_count_in_order_of_creation() -> None:
    made = builder()
    first, second = add(made), add(made)
    made.order(second, first, LINE)
    made.order(second, first, LINE)
    graph = made.finish(Interface(), {})
    assert [(node.id, node.upstream) for node in graph.nodes] == [("n0", ("n1",)), ("n1", ())]


def test_arms_are_inside_their_branch() -> None:
    made = builder()
    add(made)
    branch = made.begin_branch("c", LINE)
    arm = made.open(branch, BIG, LINE)
    inside = add(made, out("n0"))
    made.close(arm, whole(inside), inside.outputs)
    last = made.open(branch, None, LINE)
    deeper = made.begin_branch("d", LINE)
    deep = made.open(deeper, BIG, LINE)
    made.close(deep, whole(add(made)), {"o0": INTEGER})
    made.close(made.open(deeper, None, LINE), {}, {}, "no")
    made.close(last, whole(deeper), deeper.outputs)
    assert made.open_arm is None
    assert add(made).id == "n2"
    graph = made.finish(Interface(), {})
    node = graph.nodes[1]
    target = node.target
    assert isinstance(target, BranchTarget)
    assert (node.id, node.upstream, node.inputs) == ("n1", ("n0",), {})
    assert (target.cases[0].node.id, target.cases[0].node.upstream) == ("n1-n0", ())
    assert target.otherwise is not None
    assert target.otherwise.id == "n1-n1"
    inner = target.otherwise.target
    assert isinstance(inner, BranchTarget)
    assert inner.cases[0].node.id == "n1-n1-n0"
    assert (inner.message, inner.otherwise) == ("no", None)
    assert made.graphs == {}


def test_an_arm_takes_what_it_needs_with_it() -> None:
    made = builder()
    outside = add(made)
    branch = made.begin_branch("c", LINE)
    arm = made.open(branch, BIG, LINE)
    first = add(made, out("n0"))
    second = add(made, out(first.id))
    made.order(first, second, LINE)
    made.close(arm, whole(second), second.outputs)
    made.close(made.open(branch, None, LINE), {"o0": PromiseBinding("n0", "o0", ("f",))}, {"o0": None})
    made.order(outside, second, LINE)
    graph = made.finish(Interface(), {})
    target = graph.nodes[1].target
    assert isinstance(target, BranchTarget)
    assert target.cases[0].node.target == WorkflowTarget("wf.n1-arm0")
    assert target.cases[0].node.inputs == {"n0_o0": out("n0")}
    moved = made.graphs["wf.n1-arm0"]
    assert list(moved.interface.inputs) == ["n0_o0"]
    assert [node.inputs["x"] for node in moved.nodes] == [PromiseBinding(START, "n0_o0"), out("n1-n0")]
    assert made.graphs["wf.n1-arm1"].outputs == {"o0": PromiseBinding(START, "n0_o0", ("f",))}
    assert graph.nodes[1].upstream == ("n0",)


def test_names_of_an_arms_inputs_do_not_meet() -> None:
    made = GraphBuilder("wf", {"n0_o0": INTEGER})
    add(made, PromiseBinding(START, "n0_o0"))
    branch = made.begin_branch("c", LINE)
    arm = made.open(branch, BIG, LINE)
    first = add(made, PromiseBinding(START, "n0_o0"))
    second = add(made, out("n0"))
    made.close(arm, {"a": out(first.id), "b": out(second.id)}, {"a": INTEGER, "b": INTEGER})
    made.finish(Interface(), {})
    inputs = [node.inputs["x"] for node in made.graphs["wf.n1-arm0"].nodes]
    assert inputs == [PromiseBinding(START, "n0_o0"), PromiseBinding(START, "n0_o0_")]


def test_order_goes_to_the_level_that_both_share() -> None:
    made = builder()
    before = add(made)
    branch = made.begin_branch("c", LINE)
    arm = made.open(branch, BIG, LINE)
    inside = add(made)
    made.close(arm, whole(inside), inside.outputs)
    after = add(made)
    made.order(before, inside, LINE)
    made.order(inside, after, LINE)
    graph = made.finish(Interface(), {})
    assert [node.upstream for node in graph.nodes] == [(), ("n0",), ("n1",)]
    assert made.problems == []


def test_what_cannot_be_ordered_is_told() -> None:
    made = builder()
    branch = made.begin_branch("c", LINE)
    drafts = []
    for condition in (BIG, None):
        arm = made.open(branch, condition, LINE)
        drafts.append(add(made))
        made.close(arm, whole(drafts[-1]), drafts[-1].outputs)
    made.order(drafts[0], drafts[1], LINE)
    made.order(branch, branch, LINE)
    assert [problem.message.partition(":")[0] for problem in made.problems] == [
        "the nodes n0-n0 and n0-n1 are in different arms of one conditional",
        "the node n0 is ordered before itself",
    ]
    assert all((problem.file, problem.line) == (LINE.file, LINE.line) for problem in made.problems)
