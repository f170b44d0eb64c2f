"""How graphs unfold into nodes, how nodes begin, and what the end of one means for its neighbours.

Knows: graphs, frames, bindings, branches, failure policies. Must not know: attempts and their reports, what eager
bodies say.
"""

from __future__ import annotations

from msgspec.structs import replace

from whimbrel.engine import faults
from whimbrel.engine.binding import Unbound, complete, resolve_all
from whimbrel.engine.brackets import teardown_inputs, why_not
from whimbrel.engine.branch import arms, choose
from whimbrel.engine.cachekey import cache_key
from whimbrel.engine.journal import Journal
from whimbrel.engine.machine import NOT_SAID, Machine
from whimbrel.engine.nodes import BracketState, Frame, Kind, NodeState, Stage
from whimbrel.engine.reuse import make_fresh, place_of, settled_above
from whimbrel.engine.stopping import stop
from whimbrel.engine.table import Trigger
from whimbrel.model.commands import LookUpCache
from whimbrel.model.content import inputs_digest
from whimbrel.model.failure import Failure
from whimbrel.model.literals import Literals
from whimbrel.model.program import (
    START,
    Bracket,
    BranchTarget,
    FailurePolicy,
    Graph,
    Metadata,
    Node,
    TaskTarget,
    WorkflowTarget,
    overlay,
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
        nodes[node.id] = _make(machine, node, prefix + node.id, frame, frame, owner)
    frame.remaining = len(nodes)
    for node in graph.nodes:
        below = nodes[node.id]
        for above in dict.fromkeys(node.upstream):
            if above != START:
                nodes[above].downstream.append(below)
                below.waiting += 1
    for bracket in graph.brackets:
        _watch(frame, bracket)
    machine.ready.extend(state for state in nodes.values() if not state.waiting and state.closes is None)
    return frame


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
        node.within = [*node.within, state]


def _make(
    machine: Machine, node: Node, path: str, scope: Frame, host: Frame | NodeState, parent: NodeState | None
) -> NodeState:
    target = node.target
    state = NodeState(path, node.id, Kind.TASK, target.name, node.name or target.name)
    if isinstance(target, TaskTarget):
        state.spec = machine.tasks.get(target.name)
        state.kind = machine.kind_of(state.spec)
    elif isinstance(target, WorkflowTarget):
        state.kind = Kind.WORKFLOW
        state.graph = machine.workflows.get(target.name)
    else:
        state.kind = Kind.BRANCH
    state.node = node
    state.scope = scope
    state.host = host
    state.line = faults.located(node.line)
    adopt(machine, state, parent)
    return state


def adopt(machine: Machine, state: NodeState, parent: NodeState | None) -> None:
    """Enter a new node into the run."""
    state.created_at = machine.at
    if parent is not None:
        state.parent = parent.path
        parent.children.append(state)
        if parent.verdict is not None:
            parent.inside += 1
    machine.nodes[state.path] = state


# --- beginning -----------------------------------------------------------------------------------


def begin(machine: Machine, state: NodeState) -> None:
    """A node is ready: bind its inputs and do what its kind asks for."""
    if state.phase is not Phase.UNDEFINED:
        return
    if state.closes is not None and (reason := why_not(state.closes)):
        machine.abort(state, faults.aborted(reason), Trigger.SKIP)
        machine.ended.append(state)
        return
    machine.move(state, Trigger.READY)
    state.queued_at = machine.at
    try:
        if state.kind is Kind.BRANCH:
            _begin_branch(machine, state)
            return
        if state.closes is not None:
            state.inputs = teardown_inputs(machine, state.closes)
        elif state.node is not None:
            assert state.scope is not None
            state.inputs = resolve_all(state.node.inputs, state.scope, "input")
        if state.kind is Kind.WORKFLOW:
            _begin_workflow(machine, state)
        else:
            begin_task(machine, state)
    except Unbound as unbound:
        machine.fail(state, faults.user(f"{state.name}: {unbound}", state.path, state.line))


def begin_task(machine: Machine, state: NodeState) -> None:
    """Look the outputs up if they may be cached, else launch. The inputs are bound."""
    spec = state.spec
    if spec is None:
        raise Unbound(f"the program has no task {state.entity!r}")
    state.inputs = complete(state.inputs, spec.interface, spec.name)
    state.metadata = machine.metadata(spec, said_of(state))
    if state.kind is Kind.EAGER:
        state.driver = state
        state.journal = Journal()
    if machine.reuse and recovered(machine, state):
        return
    cache = state.metadata.cache
    if cache is not None:
        state.cache_key = cache_key(spec, cache, state.inputs)
        if machine.options.overwrite_cache:
            state.cache_reason = "not looked up: this run overwrites the cache"
        else:
            state.stage = Stage.CACHE
            machine.commands.append(LookUpCache(state.path, state.cache_key, cache.serialize))
            return
    machine.enqueue(state)


def said_of(state: NodeState) -> Metadata:
    """What is said of this call: by the workflow that it is in, and over that by the call itself."""
    own = state.node.overrides if state.node is not None else state.metadata
    owner = state.scope.owner if state.scope is not None else None
    if owner is None or owner.metadata == NOT_SAID:
        return own
    return owner.metadata if own == NOT_SAID else overlay(owner.metadata, own)


def _begin_workflow(machine: Machine, state: NodeState) -> None:
    state.metadata = said_of(state)
    graph = state.graph
    if graph is None:
        raise Unbound(f"the program has no workflow {state.entity!r}")
    above = state.scope
    while above is not None:
        if above.graph.name == graph.name:
            raise Unbound(f"{graph.name} contains itself")
        above = above.owner.scope if above.owner is not None else None
    state.inputs = complete(state.inputs, graph.interface, graph.name)
    if machine.reuse and recovered(machine, state):
        return
    start(machine, state)
    state.frame = unfold(machine, graph, state.inputs, state)
    if not state.frame.remaining:
        frame_done(machine, state.frame)


def recovered(machine: Machine, state: NodeState) -> bool:
    """Whether the node takes the outcome of an equal one in the run that this one recovers."""
    code = machine.code_of(state)
    found = None
    if code and settled_above(state):
        inputs = inputs_digest(state.inputs, state.metadata.carried)
        found = machine.reuse.take(state.entity, code, inputs, place_of(state))
    if found is not None:
        machine.recover(state, found)
    elif state.kind is not Kind.WORKFLOW:  # what is inside it speaks for itself
        make_fresh(state)
    return found is not None


def start(machine: Machine, state: NodeState) -> None:
    """Work on the node began."""
    machine.move(state, Trigger.START)
    if not state.started_at:
        state.started_at = machine.at


def _begin_branch(machine: Machine, state: NodeState) -> None:
    assert state.node is not None
    assert state.scope is not None
    target = state.node.target
    assert isinstance(target, BranchTarget)
    chosen = choose(target, state.scope)
    start(machine, state)
    for node in arms(target):
        arm = _make(machine, node, f"{state.path}/{node.id}", state.scope, state, state)
        if node is chosen:
            machine.ready.append(arm)
        else:
            machine.abort(arm, faults.aborted("another arm was taken" if chosen else "no arm was taken"), Trigger.SKIP)
    if chosen is None:
        message = target.message or f"no case of {target.name} holds, and it has no else"
        machine.fail(state, faults.user(message, state.path, state.line))


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
        frame.failure = failure
        reason = f"{state.path} failed: {failure.title}"
        if frame.owner is None:
            machine.move_run(Trigger.CHILD_FAIL, reason)
        else:
            machine.move(frame.owner, Trigger.CHILD_FAIL, reason)
    elif state.closes is not None:
        note = f"the teardown {state.path} failed too: {failure.title}"
        frame.failure = replace(frame.failure, notes=(*frame.failure.notes, note))
    if frame.graph.failure_policy is not FailurePolicy.FAIL_IMMEDIATELY:
        _skip_below(machine, state)
    elif first:
        stop(machine, frame.nodes.values(), faults.aborted(f"{state.path} failed"), skip=True)


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
            failure = faults.user(
                f"{frame.graph.name}: {unbound}",
                owner.path if owner is not None else "",
                faults.located(frame.graph.line),
            )
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


def arm_ended(machine: Machine, branch: NodeState, arm: NodeState) -> None:
    """The arm that ran has ended, and with it the branch."""
    if branch.phase.terminal or branch.verdict is not None:
        return
    if arm.phase.has_outputs:
        machine.succeed(branch, arm.outputs)
    else:
        machine.fail(branch, arm.failure or faults.user("it failed", arm.path))
