"""Orders and cycles: linear, in order of creation where they may be."""

from hypothesis import given
from hypothesis import strategies as st

from tests.unit.graph.flows import X, node, out
from whimbrel.graph.passes import find_cycle, node_promises, replace_in_node, topological_order, upstream
from whimbrel.model.literals import IntLiteral
from whimbrel.model.program import (
    START,
    Binding,
    BranchCase,
    BranchTarget,
    Comparison,
    Junction,
    ListBinding,
    LiteralBinding,
    MapBinding,
    Node,
    PromiseBinding,
)

EDGES = st.dictionaries(st.integers(0, 12), st.lists(st.integers(0, 12), max_size=4), max_size=13)


@given(EDGES)
def test_the_order_puts_sources_first_and_leaves_only_what_a_cycle_holds_up(numbers: dict[int, list[int]]) -> None:
    edges = {f"n{key}": [f"n{value}" for value in values] for key, values in numbers.items()}
    order, left = topological_order(edges)
    assert sorted([*order, *left]) == sorted(edges)
    place = {id: position for position, id in enumerate(order)}
    for id in order:
        assert all(place[source] < place[id] for source in edges[id] if source in edges)
    for id in left:
        assert any(source in left for source in edges[id])
    cycle = find_cycle(edges)
    assert bool(cycle) == bool(left)
    for first, second in zip(cycle, [*cycle[1:], *cycle[:1]], strict=True):
        assert first in edges[second]
    assert len(set(cycle)) == len(cycle)


def test_the_order_of_creation_is_kept() -> None:
    assert topological_order({"a": [], "b": [], "c": ["a"]})[0] == ["a", "b", "c"]


def test_upstream_is_in_order_of_binding_each_once_without_the_start() -> None:
    inputs: dict[str, Binding] = {
        "a": ListBinding((out("n2"), X, out("n1"))),
        "b": MapBinding({"k": out("n2", "f"), "l": out("n3")}),
        "c": LiteralBinding(IntLiteral(1)),
    }
    made = Node("n4", node("n4").target, inputs)
    assert upstream(made, ["n0", "n1"]) == ("n2", "n1", "n3", "n0")


def branch() -> Node:
    condition = Junction(
        "or", Comparison("==", out("n0"), X), Comparison("<", out("n1"), LiteralBinding(IntLiteral(1)))
    )
    inner = Node("n9-n1", BranchTarget("inner", (), node("n9-n1-n0", x=out("n3"))))
    return Node("n9", BranchTarget("c", (BranchCase(condition, node("n9-n0", x=out("n2"))),), inner))


def test_a_branch_needs_its_conditions_and_its_arms() -> None:
    assert [promise.node for promise in node_promises(branch())] == ["n0", START, "n1", "n2", "n3"]
    assert upstream(branch()) == ("n0", "n1", "n2", "n3")


def test_promises_are_replaced_everywhere() -> None:
    def change(promise: PromiseBinding) -> Binding:
        return PromiseBinding("new", promise.node, promise.path)

    changed = replace_in_node(branch(), change)
    assert [promise.var for promise in node_promises(changed)] == ["n0", START, "n1", "n2", "n3"]
    assert {promise.node for promise in node_promises(changed)} == {"new"}
