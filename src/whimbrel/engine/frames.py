"""How graphs unfold into nodes, and what the end of one means for its neighbours.

Knows: graphs, frames, bindings, failure policies. Must not know: what the other kinds of nodes do, attempts and their
reports, what eager bodies say.
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec.structs import replace

from whimbrel.engine import faults
from whimbrel.engine.binding import Unbound, complete, resolve_all
from whimbrel.engine.machine import Machine
from whimbrel.engine.making import make, recovered, said_of, start
from whimbrel.engine.nodes import BracketState, Frame, Kind, NodeState, added
from whimbrel.engine.stopping import stop
from whimbrel.engine.table import Trigger
from whimbrel.model.failure import Failure
from whimbrel.model.literals import Literals
from whimbrel.model.program import (
    START,
    Bracket,
    FailurePolicy,
    Graph,
    Node,
)
from whimbrel.model.run import Phase

# --- unfolding -----------------------------------------------------------------------------------


def unfold(machine: Machine, graph: Graph, inputs: Literals, owner: NodeState | None) -> Frame:
    """Make the nodes of ``graph``; its sources are ready. Raises ``Unbound`` for a graph that could never end."""
    frame = Frame(graph, owner, inputs)
    names = {node.id for node in graph.nodes}
    for node in graph.nodes:
        for above in node.upstream:
            if above not in names and above != START:
                raise Unbound(f"{node.id} of {graph.name} waits for {above}, which is no node of it")
    for bracket in graph.brackets:
        for id in (bracket.setup, bracket.teardown, *bracket.members):
            if id not in names:
                raise Unbound(f"a bracket of {graph.name} names {id}, which is no node of it")
    prefix = f"{owner.path}/" if owner is not None else ""
    nodes = frame.nodes
    for node in graph.nodes:
        nodes[node.id] = make(machine, node, prefix + node.id, frame, frame, owner)
    if graph.failure_node is not None:
        _await_failure(machine, frame, graph.failure_node, f"{prefix}{graph.failure_node.id}")
    frame.remaining = len(nodes)
    for node in graph.nodes:
        below = nodes[node.id]
        for above in dict.fromkeys(node.upstream):
            if above != START:
                nodes[above].downstream = added(nodes[above].downstream, below)
                below.waiting += 1
    for bracket in graph.brackets:
        _watch(frame, bracket)
    machine.ready.extend(
        state
        for state in nodes.values()
        if not state.waiting and (state.closes is None or (state.closes.setup is None and not state.closes.left))
    )
    return frame


def _await_failure(machine: Machine, frame: Frame, node: Node, path: str) -> None:
    """Make the failure node: it waits for every other node, teardowns too, as a teardown waits for its bracket."""
    if node.id in frame.nodes:
        raise Unbound(f"the failure node of {frame.graph.name} has the id of another node, {node.id}")
    watched = list(frame.nodes.values())
    failing = make(machine, node, path, frame, frame, frame.owner)
    frame.nodes[node.id] = failing
    bracket = Bracket("", node.id, tuple(state.id for state in watched), frame.graph.failure_error)
    failing.closes = BracketState(bracket, None, failing, watched, len(watched))
    for state in watched:
        state.within = added(state.within, failing.closes)


def _watch(frame: Frame, bracket: Bracket) -> None:
    nodes = frame.nodes
    setup, teardown = nodes[bracket.setup], nodes[bracket.teardown]
    assert teardown.node is not None
    ids = dict.fromkeys((bracket.setup, *bracket.members, *teardown.node.upstream))
    watched = [nodes[id] for id in ids if id != START]
    state = BracketState(bracket, setup, teardown, watched, len(watched))
    setup.opens = state
    teardown.closes = state
    for node in watched:
        node.within = added(node.within, state)


def begin_launch_plan(machine: Machine, state: NodeState) -> None:
    """Unfold the workflow of a launch plan, on its fixed inputs over those that are given over its defaults."""
    plan = machine.launch_plans.get(state.entity)
    if plan is None:
        raise Unbound(machine.lacks("launch plan", state.entity))
    given = complete(state.inputs, plan.interface, plan.name)
    state.inputs = {**plan.defaults, **given, **plan.fixed}
    state.graph = machine.workflows.get(plan.workflow)
    begin_workflow(machine, state)


def _graphs_around(state: NodeState) -> Iterator[str]:
    """The names of the graphs that the node stands in, up to the body of an eager or dynamic node: that may recurse,
    since it can decide not to."""
    host = state.host
    while host is not None:
        if isinstance(host, Frame):
            if host.owner is not None and host.owner.kind is Kind.DYNAMIC:
                return
            yield host.graph.name
            host = host.owner
        elif host.kind is Kind.EAGER:
            return
        else:
            host = host.host


def begin_workflow(machine: Machine, state: NodeState) -> None:
    """Unfold the graph of a workflow. The inputs are bound."""
    state.metadata = said_of(state)
    graph = state.graph
    if graph is None:
        raise Unbound(machine.lacks("workflow", state.entity))
    if graph.name in _graphs_around(state):
        raise Unbound(f"{graph.name} contains itself")
    state.inputs = complete(state.inputs, graph.interface, graph.name)
    if machine.reuse and recovered(machine, state):
        return
    start(machine, state)
    state.frame = unfold(machine, graph, state.inputs, state)
    if not state.frame.remaining:
        frame_done(machine, state.frame)


# --- ending --------------------------------------------------------------------------------------


def member_ended(machine: Machine, frame: Frame, state: NodeState) -> None:
    """A node of a graph has ended: others may begin, or never will; or the graph is done."""
    if _over(machine, frame):
        return
    if frame.owner is None and machine.verdict is not None:
        if not frame.remaining:
            end_aborted(machine)
        return
    if frame.owner is not None and frame.owner.verdict is not None:
        return
    if state.phase.has_outputs:
        for below in state.downstream:
            below.waiting -= 1
            if not below.waiting and below.phase is Phase.UNDEFINED and below.closes is None:
                machine.ready.append(below)
    elif state.phase is not Phase.SKIPPED:
        _member_failed(machine, frame, state)
    if not frame.remaining:
        frame_done(machine, frame)


def _member_failed(machine: Machine, frame: Frame, state: NodeState) -> None:
    failure = state.failure or faults.user("it failed", state.path)
    first = frame.failure is None
    if frame.failure is None:
        _fail_frame(machine, frame, failure, f"{state.path} failed: {failure.title}")
    elif state.closes is not None and state.closes.setup is not None:
        note = f"the teardown {state.path} failed too: {failure.title}"
        frame.failure = replace(frame.failure, notes=(*frame.failure.notes, note))
    if frame.graph.failure_policy is not FailurePolicy.FAIL_IMMEDIATELY:
        _skip_below(machine, state)
    elif first:
        stop(machine, frame.nodes.values(), faults.aborted(f"{state.path} failed"), skip=True)


def _fail_frame(machine: Machine, frame: Frame, failure: Failure, reason: str) -> None:
    frame.failure = failure
    if frame.owner is None:
        machine.move_run(Trigger.CHILD_FAIL, reason)
    else:
        machine.move(frame.owner, Trigger.CHILD_FAIL, reason)


def all_is_well(machine: Machine, frame: Frame) -> bool:
    """Whether a graph whose other nodes have ended needs no failure node: it has succeeded, outputs and all."""
    stopped = machine.verdict if frame.owner is None else frame.owner.verdict
    if frame.failure is not None or stopped is not None:
        return False
    try:
        resolve_all(frame.graph.outputs, frame, "output")
    except Unbound as unbound:
        _fail_frame(machine, frame, _no_output(frame, unbound), str(unbound))
        return False
    return True


def _no_output(frame: Frame, unbound: Unbound) -> Failure:
    path = frame.owner.path if frame.owner is not None else ""
    return faults.user(f"{frame.graph.name}: {unbound}", path, faults.located(frame.graph.line))


def _skip_below(machine: Machine, state: NodeState) -> None:
    reason = faults.aborted(f"{state.path} failed upstream")
    stack = list(reversed(state.downstream))
    passed: set[str] = set()
    while stack:
        below = stack.pop()
        if below.phase is not Phase.UNDEFINED or below.path in passed:
            continue
        if below.closes is not None:
            # Its own time will tell whether it comes; what would have followed it does not.
            passed.add(below.path)
        else:
            machine.abort(below, reason, Trigger.SKIP)
        stack.extend(reversed(below.downstream))


def _over(machine: Machine, frame: Frame) -> bool:
    return (machine.phase if frame.owner is None else frame.owner.phase).terminal


def frame_done(machine: Machine, frame: Frame) -> None:
    owner, failure = frame.owner, frame.failure
    outputs: Literals = {}
    if failure is None:
        try:
            outputs = resolve_all(frame.graph.outputs, frame, "output")
        except Unbound as unbound:
            failure = _no_output(frame, unbound)
    if owner is None:
        fail_run(machine, failure) if failure is not None else machine.end_run(Trigger.SUCCEED, None, outputs)
    elif failure is not None:
        machine.fail(owner, failure)
    else:
        machine.succeed(owner, outputs)


def end_aborted(machine: Machine) -> None:
    """An aborted run has cleaned up."""
    failure, machine.verdict = machine.verdict, None
    machine.end_run(Trigger.END, failure)


def fail_run(machine: Machine, failure: Failure) -> None:
    """The run has failed, and nothing of it goes on."""
    machine.end_run(Trigger.FAIL, failure)
