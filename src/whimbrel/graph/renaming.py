"""A program whose entities have other names, wherever they are named. Knows the IR. Must not know why."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct
from msgspec.structs import replace

from whimbrel.model.program import (
    ArrayTarget,
    BranchCase,
    BranchTarget,
    GateTarget,
    Graph,
    LaunchPlanTarget,
    Node,
    Program,
    TaskTarget,
    WorkflowTarget,
)


class Names(Struct, frozen=True):
    """New names by old ones, of each kind; what is not in them keeps its own."""

    tasks: Mapping[str, str] = {}
    workflows: Mapping[str, str] = {}
    launch_plans: Mapping[str, str] = {}


def renamed(program: Program, names: Names) -> Program:
    """``program`` with its entities under ``names``. References keep theirs."""
    tasks = {names.tasks.get(name, name): task for name, task in program.tasks.items()}
    workflows = {names.workflows.get(name, name): _graph(graph, names) for name, graph in program.workflows.items()}
    plans = {names.launch_plans.get(name, name): plan for name, plan in program.launch_plans.items()}
    return replace(
        program,
        tasks={name: replace(task, name=name) for name, task in tasks.items()},
        workflows={name: replace(graph, name=name) for name, graph in workflows.items()},
        launch_plans={
            name: replace(plan, name=name, workflow=names.workflows.get(plan.workflow, plan.workflow))
            for name, plan in plans.items()
        },
    )


def _graph(graph: Graph, names: Names) -> Graph:
    failure = None if graph.failure_node is None else _node(graph.failure_node, names)
    return replace(graph, nodes=tuple(_node(node, names) for node in graph.nodes), failure_node=failure)


def _node(node: Node, names: Names) -> Node:
    target = node.target
    match target:
        case BranchTarget():
            cases = tuple(BranchCase(case.condition, _node(case.node, names)) for case in target.cases)
            otherwise = None if target.otherwise is None else _node(target.otherwise, names)
            return replace(node, target=replace(target, cases=cases, otherwise=otherwise))
        case GateTarget():
            return node
        case _:
            return replace(node, target=_target(target, names))


Run = TaskTarget | WorkflowTarget | LaunchPlanTarget | ArrayTarget


def _target(target: Run, names: Names) -> Run:
    match target:
        case TaskTarget(name=name):
            return TaskTarget(names.tasks.get(name, name))
        case WorkflowTarget(name=name):
            return WorkflowTarget(names.workflows.get(name, name))
        case LaunchPlanTarget(name=name):
            return LaunchPlanTarget(names.launch_plans.get(name, name))
        case ArrayTarget():
            return replace(target, target=_target(target.target, names))
