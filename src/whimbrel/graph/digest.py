"""The version of a program: what changes when it would do something else.

Source lines and documentation take no part: moving a function within its file makes no new version.
"""

from __future__ import annotations

import hashlib

from msgspec.structs import replace

from whimbrel.graph.interfaces import Called, called_in
from whimbrel.graph.interfaces import called as innermost
from whimbrel.model.codec import canonical
from whimbrel.model.program import (
    ArrayTarget,
    BranchTarget,
    GateTarget,
    Graph,
    LaunchPlanTarget,
    Node,
    Program,
    TaskSpec,
    TaskTarget,
    WorkflowTarget,
)


def program_digest(program: Program) -> str:
    """32 hex digits; equal for programs that do the same, whatever the order of their entities."""
    tasks = {name: _bare_task(task) for name, task in program.tasks.items()}
    workflows = {name: _bare_graph(graph) for name, graph in program.workflows.items()}
    return _digest(Program(tasks, workflows, program.launch_plans, program.references))


def graph_digest(graph: Graph) -> str:
    """32 hex digits of one workflow; of what it calls, only the names."""
    return _digest(_bare_graph(graph))


def task_digest(task: TaskSpec) -> str:
    """32 hex digits of one task."""
    return _digest(_bare_task(task))


def closure_digest(target: Called | ArrayTarget, program: Program) -> str:
    """32 hex digits of what ``target`` runs and the code of everything in it; "" when some of that is not known."""
    parts: dict[str, object] = {}
    if isinstance(target, ArrayTarget):
        parts["map"] = _bare_array(target)
    waiting: list[Called] = [innermost(target)]
    while waiting:
        called = waiting.pop()
        name = called.name
        match called:
            case TaskTarget():
                task = program.tasks.get(name)
                if task is None or not task.code_digest:
                    return ""
                parts[f"task {name}"] = task.code_digest
            case WorkflowTarget():
                graph = program.workflows.get(name)
                if graph is None:
                    return ""
                if f"workflow {name}" not in parts:
                    parts[f"workflow {name}"] = _bare_graph(graph)
                    waiting += called_in(
                        graph.nodes if graph.failure_node is None else (*graph.nodes, graph.failure_node)
                    )
            case LaunchPlanTarget():
                plan = program.launch_plans.get(name)
                if plan is None:
                    return ""
                parts[f"launch plan {name}"] = (plan.workflow, plan.defaults, plan.fixed)
                waiting.append(WorkflowTarget(plan.workflow))
    return hashlib.sha256(canonical(parts)).hexdigest()[:32]


def _bare_array(target: ArrayTarget) -> ArrayTarget:
    # How many go on at a time is nothing that a result shows.
    inner = _bare_array(target.target) if isinstance(target.target, ArrayTarget) else target.target
    return replace(target, target=inner, concurrency=0)


def gate_digest(target: GateTarget) -> str:
    """32 hex digits of what a gate waits for, whatever its time."""
    return hashlib.sha256(canonical((target.kind, target.interface))).hexdigest()[:32]


def _digest(noun: Program | Graph | TaskSpec) -> str:
    return hashlib.sha256(canonical(noun)).hexdigest()[:32]


def _bare_task(task: TaskSpec) -> TaskSpec:
    # Where the code lies on this machine is not what it does.
    return replace(task, line=None, doc="", components={}, code=replace(task.code, root=""))


def _bare_graph(graph: Graph) -> Graph:
    failure_node = None if graph.failure_node is None else _bare_node(graph.failure_node)
    nodes = tuple(_bare_node(node) for node in graph.nodes)
    return replace(graph, line=None, doc="", nodes=nodes, failure_node=failure_node)


def _bare_node(node: Node) -> Node:
    target = node.target
    if isinstance(target, BranchTarget):
        cases = tuple(replace(case, node=_bare_node(case.node)) for case in target.cases)
        otherwise = None if target.otherwise is None else _bare_node(target.otherwise)
        target = replace(target, cases=cases, otherwise=otherwise)
    return replace(node, target=target, line=None)
