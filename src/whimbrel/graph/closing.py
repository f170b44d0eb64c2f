"""A part of a program that stands by itself: an entity with everything that it may run, and nothing else.

Knows the IR. Must not know why it is wanted.
"""

from __future__ import annotations

from collections.abc import Iterable

from msgspec.structs import replace

from whimbrel.graph.interfaces import all_nodes, called_in
from whimbrel.model.program import (
    BranchCase,
    BranchTarget,
    Graph,
    LaunchPlanTarget,
    Node,
    Program,
    TaskTarget,
    WorkflowTarget,
)


def closed(program: Program, wanted: Iterable[TaskTarget | WorkflowTarget | LaunchPlanTarget]) -> Program:
    """What ``wanted`` may run, those included, in the order of ``program``. What is neither in it nor among its
    references is left out."""
    found: dict[TaskTarget | WorkflowTarget | LaunchPlanTarget, None] = {}
    waiting = list(wanted)
    while waiting:
        target = waiting.pop()
        if target in found:
            continue
        found[target] = None
        match target:
            case WorkflowTarget(name=name) if name in program.workflows:
                waiting.extend(called_in(all_nodes(program.workflows[name])))
            case LaunchPlanTarget(name=name) if name in program.launch_plans:
                waiting.append(WorkflowTarget(program.launch_plans[name].workflow))
            case _:
                continue
    names = {kind: {target.name for target in found if isinstance(target, kind)} for kind in _KINDS}
    here = {target.name for target in found}
    return Program(
        {name: task for name, task in program.tasks.items() if name in names[TaskTarget]},
        {name: graph for name, graph in program.workflows.items() if name in names[WorkflowTarget]},
        {name: plan for name, plan in program.launch_plans.items() if name in names[LaunchPlanTarget]},
        {name: each for name, each in program.references.items() if name in here},
    )


_KINDS = (TaskTarget, WorkflowTarget, LaunchPlanTarget)


def unplaced(program: Program) -> Program:
    """``program`` without the author's lines, which are others wherever its files lie."""
    return replace(
        program,
        tasks={name: replace(task, line=None) for name, task in program.tasks.items()},
        workflows={name: _unplaced(graph) for name, graph in program.workflows.items()},
    )


def _unplaced(graph: Graph) -> Graph:
    failure = None if graph.failure_node is None else _node(graph.failure_node)
    return replace(graph, line=None, nodes=tuple(_node(node) for node in graph.nodes), failure_node=failure)


def _node(node: Node) -> Node:
    target = node.target
    if isinstance(target, BranchTarget):
        cases = tuple(BranchCase(case.condition, _node(case.node)) for case in target.cases)
        otherwise = None if target.otherwise is None else _node(target.otherwise)
        target = replace(target, cases=cases, otherwise=otherwise)
    return replace(node, line=None, target=target)
