"""The version of a program: what changes when it would do something else.

Source lines and documentation take no part: moving a function within its file makes no new version.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping

from msgspec.structs import replace

from whimbrel.graph.passes import arms
from whimbrel.model.codec import canonical
from whimbrel.model.program import BranchTarget, Graph, Node, Program, TaskSpec, WorkflowTarget


def program_digest(program: Program) -> str:
    """32 hex digits; equal for programs that do the same, whatever the order of their entities."""
    tasks = {name: _bare_task(task) for name, task in program.tasks.items()}
    workflows = {name: _bare_graph(graph) for name, graph in program.workflows.items()}
    return _digest(Program(tasks, workflows))


def graph_digest(graph: Graph) -> str:
    """32 hex digits of one workflow; of what it calls, only the names."""
    return _digest(_bare_graph(graph))


def task_digest(task: TaskSpec) -> str:
    """32 hex digits of one task."""
    return _digest(_bare_task(task))


def closure_digest(name: str, tasks: Mapping[str, TaskSpec], workflows: Mapping[str, Graph]) -> str:
    """32 hex digits of a workflow and the code of everything that it may run; "" when some of that is not known."""
    parts: dict[str, object] = {}
    waiting: list[tuple[bool, str]] = [(True, name)]
    while waiting:
        is_graph, called = waiting.pop()
        place = f"{'workflow' if is_graph else 'task'} {called}"
        if place in parts:
            continue
        if is_graph:
            graph = workflows.get(called)
            if graph is None:
                return ""
            parts[place] = _bare_graph(graph)
            waiting += _called(graph.nodes)
        else:
            task = tasks.get(called)
            if task is None or not task.code_digest:
                return ""
            parts[place] = task.code_digest
    return hashlib.sha256(canonical(parts)).hexdigest()[:32]


def _called(nodes: Iterable[Node]) -> list[tuple[bool, str]]:
    found: list[tuple[bool, str]] = []
    waiting = list(nodes)
    while waiting:
        target = waiting.pop().target
        if isinstance(target, BranchTarget):
            waiting += arms(target)
        else:
            found.append((isinstance(target, WorkflowTarget), target.name))
    return found


def _digest(noun: Program | Graph | TaskSpec) -> str:
    return hashlib.sha256(canonical(noun)).hexdigest()[:32]


def _bare_task(task: TaskSpec) -> TaskSpec:
    # Where the code lies on this machine is not what it does.
    return replace(task, line=None, doc="", components={}, code=replace(task.code, root=""))


def _bare_graph(graph: Graph) -> Graph:
    return replace(graph, line=None, doc="", nodes=tuple(_bare_node(node) for node in graph.nodes))


def _bare_node(node: Node) -> Node:
    target = node.target
    if isinstance(target, BranchTarget):
        cases = tuple(replace(case, node=_bare_node(case.node)) for case in target.cases)
        otherwise = None if target.otherwise is None else _bare_node(target.otherwise)
        target = replace(target, cases=cases, otherwise=otherwise)
    return replace(node, target=target, line=None)
