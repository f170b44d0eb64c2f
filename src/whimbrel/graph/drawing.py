"""A graph as whoever draws it needs it: nodes by kind, edges with what flows along them, brackets.

Knows the IR. Must not know what it is drawn with.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from whimbrel.graph.interfaces import called
from whimbrel.graph.passes import arms, node_promises, promises
from whimbrel.graph.render import binding_text, condition_text
from whimbrel.model.program import (
    START,
    ArrayTarget,
    BranchTarget,
    GateTarget,
    Graph,
    LaunchPlanTarget,
    Node,
    Program,
    SourceLine,
    Target,
    TaskTarget,
)

END = "end-node"
"""The id that stands for the workflow's outputs."""


class DrawnNode(NamedTuple):
    """A node. ``parent`` is the branch that it is inside, ``arm`` the condition under which it runs there."""

    id: str
    kind: str
    name: str
    entity: str
    inputs: dict[str, str]
    parent: str
    arm: str
    mapped: tuple[str, ...]
    line: SourceLine | None


class DrawnEdge(NamedTuple):
    """``target`` waits for ``source``, and is given ``vars`` of it."""

    source: str
    target: str
    vars: tuple[str, ...]


def drawn_nodes(graph: Graph, program: Program) -> Iterator[DrawnNode]:
    """The nodes of ``graph`` in their order, each branch before what is inside it."""
    for node in graph.nodes:
        yield from drawn_node(node, program)


def drawn_node(node: Node, program: Program, parent: str = "", arm: str = "") -> Iterator[DrawnNode]:
    """``node`` and what is inside it."""
    target = node.target
    inputs = {name: binding_text(binding) for name, binding in node.inputs.items()}
    mapped = target.mapped if isinstance(target, ArrayTarget) else ()
    yield DrawnNode(node.id, _kind(target, program), node.name, _entity(target), inputs, parent, arm, mapped, node.line)
    if isinstance(target, BranchTarget):
        said = [condition_text(case.condition) for case in target.cases] + ["else"]
        for inside, condition in zip(arms(target), said, strict=False):
            yield from drawn_node(inside, program, node.id, condition)


def drawn_edges(graph: Graph) -> Iterator[DrawnEdge]:
    """What each node of ``graph`` waits for, in order; from ``START`` what is given to the workflow, to ``END`` what it
    gives. A branch waits for all that its arms need."""
    for node in graph.nodes:
        given: dict[str, dict[str, None]] = {above: {} for above in node.upstream}
        for promise in node_promises(node):
            given.setdefault(promise.node, {})[promise.var] = None
        # START first, then as it was written.
        for source in sorted(given, key=lambda id: id != START):
            yield DrawnEdge(source, node.id, tuple(given[source]))
    ends: dict[str, dict[str, None]] = {}
    for binding in graph.outputs.values():
        for promise in promises(binding):
            ends.setdefault(promise.node, {})[promise.var] = None
    for source, vars in ends.items():
        yield DrawnEdge(source, END, tuple(vars))


def _kind(target: Target, program: Program) -> str:
    match target:
        case TaskTarget(name=name):
            return program.tasks[name].kind.value if name in program.tasks else "reference"
        case ArrayTarget():
            return "array"
        case BranchTarget():
            return "branch"
        case GateTarget():
            return "gate"
        case LaunchPlanTarget(name=name):
            return "launch_plan" if name in program.launch_plans else "reference"
        case _:
            return "workflow" if target.name in program.workflows else "reference"


def _entity(target: Target) -> str:
    return called(target).name if isinstance(target, ArrayTarget) else target.name
