"""What the driver of an eager node says: calls that its body begins, ends and cancels, timers, values drawn.

Knows: the journal reports and what they make of nodes. Must not know: how a call is carried out once it is a node
like any other.

Rule: a report counts only if it comes from the live attempt of its driver (an older driver may still be running
somewhere). Rule: every report may come twice; the second changes nothing, and is answered with the outcome if there
is one.
"""

from __future__ import annotations

from whimbrel.engine import faults
from whimbrel.engine.attempts import live
from whimbrel.engine.journal import Journal, Key
from whimbrel.engine.machine import Machine
from whimbrel.engine.making import adopt, aim, start
from whimbrel.engine.nodes import Kind, NodeState, Verdict
from whimbrel.engine.stopping import settle, stop, waits_for_stopped
from whimbrel.engine.table import Trigger
from whimbrel.model.attempt import BeginCall, CancelCall, FinishCall, FireTimer, RecordValue, StartTimer
from whimbrel.model.failure import Fault
from whimbrel.model.program import Target, TaskTarget, WorkflowTarget
from whimbrel.model.run import Done, Entry, EntryKind, Failed

_STOPPED = (Fault.CANCELLED, Fault.ABORT)


def call_begun(machine: Machine, event: BeginCall) -> None:
    """The body calls something: a node for it, unless there is one already."""
    driver = live(machine, event.attempt, f"began call {event.key}")
    if driver is None:
        return
    journal = _journal(machine, driver)
    body = _body(machine, driver, event.parent)
    key = (event.parent, event.key)
    before = journal.get(key)
    if before is not None:
        if before.digest == event.digest and not event.replaces:
            machine.note(before.path, "ignored: the call was begun", "it had been begun before")
            if before.outcome is not None:
                machine.deliver(driver, before)
            return
        _displace(machine, journal, key, before.path)
    if event.define is not None:
        machine.define(event.define)
    state = _call_node(machine, event, key, body, _free_path(machine, body, event.key))
    entry = Entry(event.parent, event.key, EntryKind.CALL, event.entity, event.digest, at=event.at, path=state.path)
    journal.begin(key, entry)
    if event.inline:
        journal.bodies[f"{event.parent}/{event.key}"] = state.path
    if body.phase.terminal:
        machine.abort(state, faults.cancelled(f"{body.path} was over when it was called"))
        machine.record_call(state)
        return
    grafted = machine.nodes.get(event.graft) if event.graft else None
    if grafted is not None and grafted.phase.has_outputs and grafted.digest == event.digest:
        machine.move(state, Trigger.READY)
        state.queued_at = machine.at
        state.grafted_from = grafted.path
        state.cached = grafted.cached
        machine.succeed(state, grafted.outputs, Trigger.GRAFT, f"as {grafted.path}")
    elif event.inline:
        machine.move(state, Trigger.READY)
        state.queued_at = machine.at
        if event.recover:
            _recovered(machine, state, event.recover)
        else:
            start(machine, state)
    elif not (event.metadata.shielded and waits_for_stopped(machine, state, driver)):
        machine.ready.append(state)


def _recovered(machine: Machine, state: NodeState, origin: str) -> None:
    """The driver has chosen, from what it was launched with: a nested body is its to run, or not to run."""
    found = machine.reuse.give(origin)
    if found is None or found.entity != state.entity:
        raise machine.illegal(state.path, f"its driver takes the outcome of {origin}, of which nothing is known")
    machine.recover(state, found)


def _call_node(machine: Machine, event: BeginCall, key: Key, body: NodeState, path: str) -> NodeState:
    target = called_by(event)
    state = NodeState(path, path.rpartition("/")[2], Kind.WORKFLOW, target.name, target.name)
    aim(machine, state, target)
    if event.inline:
        state.kind = Kind.EAGER
        state.driver = body.driver
    state.inline = event.inline
    state.key = event.key
    state.call = key
    state.digest = event.digest
    state.inputs = event.inputs
    state.metadata = event.metadata
    state.line = event.line
    state.group = event.group
    state.host = body
    adopt(machine, state, body)
    return state


def called_by(event: BeginCall) -> Target:
    """What a body calls."""
    if event.target is not None:
        return event.target
    return WorkflowTarget(event.entity) if event.workflow else TaskTarget(event.entity)


def _free_path(machine: Machine, body: NodeState, key: str) -> str:
    """The body's path and ``key``, with ``~2``, ``~3``, … when calls stood there before: those are replaced.

    Keys are the author's, and may hold slashes: another call's path can be in the way without being replaced.
    """
    count, path = 1, f"{body.path}/{key}"
    free = path
    while (before := machine.nodes.get(free)) is not None:
        if before.host is body and before.key == key:
            _replace(machine, before)
        count += 1
        free = f"{path}~{count}"
    return free


def _replace(machine: Machine, old: NodeState) -> None:
    old.replaced = True
    old.changed = machine.seq


def _displace(machine: Machine, journal: Journal, key: Key, path: str) -> None:
    """Another call stands at ``key`` now. The old one stays visible, and is stopped if it has not ended."""
    old = machine.nodes.get(path) if path else None
    journal.forget(key)
    if old is not None:
        _replace(machine, old)
        machine.note(path, "replaced", "the body calls something else here than when this was recorded")
        stop(machine, [old], faults.cancelled("the body has changed: it calls something else here"))


def call_ended(machine: Machine, state: NodeState) -> None:
    """A call's node has ended: its outcome becomes an entry."""
    machine.record_call(state)


def call_finished(machine: Machine, event: FinishCall) -> None:
    """A call that the driver ran itself has ended."""
    driver = live(machine, event.attempt, f"finished call {event.key}")
    if driver is None:
        return
    journal = _journal(machine, driver)
    state = _call_at(machine, driver, journal, (event.parent, event.key))
    if state.phase.terminal:
        machine.note(state.path, "ignored: the call finished", "it was over")
        return
    if not state.inline:
        raise machine.illegal(state.path, "the driver says that it finished a call that it does not run")
    if state.verdict is not None:
        machine.note(state.path, "ignored: the call finished", "how it ends was known")
        return
    outcome = event.outcome
    stop(machine, state.children, faults.cancelled(f"{state.path} returned without waiting for it"), tell=driver)
    if isinstance(outcome, Done):
        state.cached = outcome.cached
        settle(machine, state, Verdict(Trigger.SUCCEED, outputs=outcome.outputs))
    elif outcome.failure.fault in _STOPPED:
        settle(machine, state, Verdict(Trigger.ABORT, outcome.failure))
    else:
        timed_out = outcome.failure.fault is Fault.TIMEOUT
        settle(machine, state, Verdict(Trigger.TIME_OUT if timed_out else Trigger.FAIL, outcome.failure))


def call_cancelled(machine: Machine, event: CancelCall) -> None:
    """The program does not want a call any more: that is its outcome, unless it has one."""
    driver = live(machine, event.attempt, f"cancelled call {event.key}")
    if driver is None:
        return
    journal = _journal(machine, driver)
    key = (event.parent, event.key)
    entry = journal.get(key)
    if entry is not None and entry.kind is not EntryKind.CALL:
        if entry.outcome is None:
            failure = faults.cancelled("the program cancelled the timer", driver.path)
            machine.deliver(driver, journal.finish(key, Failed(failure), machine.seq, machine.at))
        return
    state = _call_at(machine, driver, journal, key)
    if state.phase.terminal:
        machine.note(state.path, "ignored: the call was cancelled", "it was over")
        return
    stop(machine, [state], faults.cancelled("the program cancelled the call"), tell=driver, shields=False)


def timer_started(machine: Machine, event: StartTimer) -> None:
    """The program set a timer. The driver watches the clock; the journal remembers when it is due."""
    driver = live(machine, event.attempt, f"set timer {event.key}")
    key = (event.parent, event.key)
    if driver is None or _again(machine, driver, key):
        return
    _journal(machine, driver).begin(key, Entry(*key, EntryKind.TIMER, at=event.at, due=event.due))


def timer_fired(machine: Machine, event: FireTimer) -> None:
    """A timer's time has come: from now on that has happened before everything that follows."""
    driver = live(machine, event.attempt, f"fired timer {event.key}")
    if driver is None:
        return
    journal = _journal(machine, driver)
    key = (event.parent, event.key)
    entry = journal.get(key)
    if entry is None or entry.kind is not EntryKind.TIMER:
        raise machine.illegal(driver.path, f"timer {event.key} fired, but was never set")
    if entry.outcome is None:
        entry = journal.finish(key, Done({}), machine.seq, machine.at)
    machine.deliver(driver, entry)


def value_drawn(machine: Machine, event: RecordValue) -> None:
    """The program drew a value that a replay must draw again."""
    driver = live(machine, event.attempt, f"drew value {event.key}")
    key = (event.parent, event.key)
    if driver is None or _again(machine, driver, key):
        return
    journal = _journal(machine, driver)
    journal.begin(key, Entry(*key, EntryKind.VALUE, at=event.at))
    machine.deliver(driver, journal.finish(key, Done({"o0": event.value}), machine.seq, machine.at))


def _again(machine: Machine, driver: NodeState, key: Key) -> bool:
    """Whether a timer or value stands at ``key`` already; if it has an outcome, that is the answer."""
    entry = _journal(machine, driver).get(key)
    if entry is None:
        return False
    machine.note(driver.path, f"ignored: {entry.kind.value} {key[1]} was recorded", "it had been recorded before")
    if entry.outcome is not None:
        machine.deliver(driver, entry)
    return True


def _journal(machine: Machine, driver: NodeState) -> Journal:
    if driver.journal is None:
        raise machine.illegal(driver.path, "only the attempt of an eager node has calls")
    return driver.journal


def _body(machine: Machine, driver: NodeState, parent: str) -> NodeState:
    """The node whose body the driver calls ``parent``: itself, or the current incarnation of an inline call."""
    if parent == driver.path:
        return driver
    path = _journal(machine, driver).bodies.get(parent)
    if path is None:
        raise machine.illegal(driver.path, f"its driver runs no body {parent}")
    return machine.nodes[path]


def _call_at(machine: Machine, driver: NodeState, journal: Journal, key: Key) -> NodeState:
    path = journal.paths.get(key)
    if path is None:
        raise machine.illegal(driver.path, f"there is no call {key[1]} in {key[0]}")
    return machine.nodes[path]
