"""How a node that is ready begins: its inputs are bound, and its kind decides what is done.

Knows: which module begins which kind. Must not know: the rules of any kind.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from whimbrel.engine import faults
from whimbrel.engine.arrays import begin_array
from whimbrel.engine.binding import Unbound, resolve_all
from whimbrel.engine.brackets import failure_inputs, teardown_inputs, why_not
from whimbrel.engine.branches import begin_branch
from whimbrel.engine.frames import all_is_well, begin_launch_plan, begin_workflow
from whimbrel.engine.gates import begin_gate
from whimbrel.engine.machine import Machine
from whimbrel.engine.nodes import BracketState, Kind, NodeState
from whimbrel.engine.table import Trigger
from whimbrel.engine.tasks import begin_task
from whimbrel.model.run import Phase

BEGIN: Mapping[Kind, Callable[[Machine, NodeState], None]] = {
    Kind.TASK: begin_task,
    Kind.EAGER: begin_task,
    Kind.DYNAMIC: begin_task,
    Kind.ARRAY: begin_array,
    Kind.WORKFLOW: begin_workflow,
    Kind.LAUNCH_PLAN: begin_launch_plan,
    Kind.BRANCH: begin_branch,
    Kind.GATE: begin_gate,
}
"""What begins a node of each kind: its phase is QUEUED, its inputs are bound. Each may raise ``Unbound``, which fails
the node."""


def begin(machine: Machine, state: NodeState) -> None:
    """A node is ready: bind its inputs and do what its kind asks for."""
    if state.phase is not Phase.UNDEFINED:
        return
    if state.closes is not None and (reason := _needless(machine, state, state.closes)):
        machine.abort(state, faults.aborted(reason), Trigger.SKIP)
        machine.ended.append(state)
        return
    machine.move(state, Trigger.READY)
    state.queued_at = machine.at
    try:
        if state.closes is not None:
            told = failure_inputs if state.closes.setup is None else teardown_inputs
            state.inputs = told(machine, state.closes)
        elif state.node is not None:
            assert state.scope is not None
            state.inputs = resolve_all(state.node.inputs, state.scope, "input")
        kind_begins = BEGIN.get(state.kind)
        if kind_begins is None:
            raise Unbound(f"this version cannot run {state.kind.value} nodes")
        kind_begins(machine, state)
    except Unbound as unbound:
        machine.fail(state, faults.user(f"{state.name}: {unbound}", state.path, state.line))


def _needless(machine: Machine, state: NodeState, waited: BracketState) -> str:
    """Why a teardown or a failure node does not run; "" if it does."""
    if waited.setup is not None:
        return why_not(waited)
    assert state.scope is not None
    return "the workflow has succeeded" if all_is_well(machine, state.scope) else ""
