"""Branches: one arm of several runs, and its end is the branch's.

Knows: conditions and arms. Must not know: what the arms run.
"""

from __future__ import annotations

from msgspec.structs import replace

from whimbrel.engine import faults
from whimbrel.engine.branch import arms, choose
from whimbrel.engine.machine import Machine
from whimbrel.engine.making import make, start
from whimbrel.engine.nodes import NodeState
from whimbrel.engine.table import Trigger
from whimbrel.model.program import BranchTarget


def begin_branch(machine: Machine, state: NodeState) -> None:
    """Choose an arm. Its nodes name those of the graph that the branch stands in."""
    assert state.node is not None
    assert state.scope is not None
    target = state.node.target
    assert isinstance(target, BranchTarget)
    chosen = choose(target, state.scope)
    start(machine, state)
    for node in arms(target):
        arm = make(machine, node, f"{state.path}/{node.id}", state.scope, state, state)
        if node is chosen:
            machine.ready.append(arm)
        else:
            machine.abort(arm, faults.aborted("another arm was taken" if chosen else "no arm was taken"), Trigger.SKIP)
    if chosen is None:
        nothing = f"no case of {target.name} holds, and it has no else"
        failure = faults.said(target.message) if target.message else faults.user(nothing)
        machine.fail(state, replace(failure, node=state.path, line=state.line))


def arm_ended(machine: Machine, branch: NodeState, arm: NodeState) -> None:
    """The arm that ran has ended, and with it the branch."""
    if branch.phase.terminal or branch.verdict is not None:
        return
    if arm.phase.has_outputs:
        machine.succeed(branch, arm.outputs)
    else:
        machine.fail(branch, arm.failure or faults.user("it failed", arm.path))
