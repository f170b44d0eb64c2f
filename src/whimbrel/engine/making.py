"""How a node comes into being, and what every kind of node does when it begins.

Knows: targets, and what is said of a call. Must not know: what the kinds do (their own modules), attempts, reports.
"""

from __future__ import annotations

from typing import assert_never

from whimbrel.engine import faults
from whimbrel.engine.machine import NOT_SAID, Machine
from whimbrel.engine.nodes import Frame, Kind, NodeState, added
from whimbrel.engine.reuse import make_fresh, place_of, settled_above
from whimbrel.engine.table import Trigger
from whimbrel.model.content import inputs_digest
from whimbrel.model.program import (
    ArrayTarget,
    BranchTarget,
    GateTarget,
    LaunchPlanTarget,
    Metadata,
    Node,
    Target,
    TaskTarget,
    WorkflowTarget,
    overlay,
)


def make(
    machine: Machine, node: Node, path: str, scope: Frame, host: Frame | NodeState, parent: NodeState | None
) -> NodeState:
    """The state of a node of a graph, which waits for what is upstream of it."""
    target = node.target
    state = NodeState(path, node.id, Kind.TASK, target.name, node.name or target.name)
    aim(machine, state, target)
    state.node = node
    state.scope = scope
    state.host = host
    state.line = faults.located(node.line)
    adopt(machine, state, parent)
    return state


def adopt(machine: Machine, state: NodeState, parent: NodeState | None) -> None:
    """Enter a new node into the run."""
    state.created_at = machine.at
    state.born = state.changed = machine.seq
    if parent is not None:
        state.parent = parent.path
        parent.children = added(parent.children, state)
        if parent.verdict is not None:
            parent.inside += 1
    machine.nodes[state.path] = state


def aim(machine: Machine, state: NodeState, target: Target) -> None:
    """Say what the node runs, and so what kind of node it is."""
    state.target = target
    match target:
        case TaskTarget():
            state.spec = machine.tasks.get(target.name)
            state.kind = machine.kind_of(state.spec)
        case WorkflowTarget():
            state.kind = Kind.WORKFLOW
            state.graph = machine.workflows.get(target.name)
        case LaunchPlanTarget():
            state.kind = Kind.LAUNCH_PLAN
        case ArrayTarget():
            state.kind = Kind.ARRAY
        case GateTarget():
            state.kind = Kind.GATE
            machine.gates.setdefault(target.name, []).append(state)
        case BranchTarget():
            state.kind = Kind.BRANCH
        case _:
            assert_never(target)


def said_of(state: NodeState) -> Metadata:
    """What is said of this call: by the workflow that it is in, and over that by the call itself."""
    own = state.node.overrides if state.node is not None else state.metadata
    above = _said_around(state)
    if above == NOT_SAID:
        return own
    return above if own == NOT_SAID else overlay(above, own)


def _said_around(state: NodeState) -> Metadata:
    """What the graph that the node stands in is told by whoever called it. What is said of a dynamic node is said of
    its body's attempt; what that unfolds into goes by what is said around the node."""
    owner = state.scope.owner if state.scope is not None else None
    while owner is not None and owner.kind is Kind.DYNAMIC:
        while owner.scope is None and isinstance(owner.host, NodeState) and owner.host.kind is Kind.ARRAY:
            owner = owner.host
        owner = owner.scope.owner if owner.scope is not None else None
    return owner.metadata if owner is not None else NOT_SAID


def recovered(machine: Machine, state: NodeState) -> bool:
    """Whether the node takes the outcome of an equal one in the run that this one recovers."""
    code = machine.code_of(state)
    found = None
    if code and settled_above(state):
        inputs = inputs_digest(state.inputs, state.metadata.carried)
        found = machine.reuse.take(state.entity, code, inputs, place_of(state))
    if found is not None:
        machine.recover(state, found)
    elif not state.kind.composed:  # else what is inside it speaks for itself
        make_fresh(state)
    return found is not None


def start(machine: Machine, state: NodeState) -> None:
    """Work on the node began."""
    machine.move(state, Trigger.START)
    if not state.started_at:
        state.started_at = machine.at
