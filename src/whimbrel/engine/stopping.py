"""How what goes on is stopped: at once where nothing has to be cleaned up, else as soon as that is done.

Knows: who may clean up, and for how long. Must not know: why something is stopped.

Rule: told to stop, a *driver* whose body has begun is interrupted: that is an entry of its journal, so the body gets
it between the same two outcomes in every driver, and its clean-up makes calls like any other. Rule: what is
*shielded* (the setup and the teardown of a bracket) is left alone once it has begun, and a teardown whose setup has
begun is left to come. Rule: an attempt inside a bracket has ended when its worker says so, not before: the teardown
must not meet it. Everything else is over at once. What is around something that goes on is ABORTING, with a
*verdict*: how it ends once everything inside has ended.
"""

from __future__ import annotations

from collections.abc import Collection

from whimbrel.engine import faults
from whimbrel.engine.machine import Machine
from whimbrel.engine.nodes import Frame, Kind, NodeState, Stage, Verdict, added
from whimbrel.engine.table import Trigger
from whimbrel.model.attempt import Cancel
from whimbrel.model.commands import Command, SetTimer
from whimbrel.model.events import CleanupDue
from whimbrel.model.failure import Failure
from whimbrel.model.run import AttemptId, Entry, EntryKind, Failed, Phase

INTERRUPTED = "abort"
"""The key of the entry that interrupts a body. No call has it: theirs are numbers, or begin with ``=``."""


def stop(
    machine: Machine,
    top: Collection[NodeState],
    failure: Failure,
    *,
    skip: bool = False,
    tell: NodeState | None = None,
    keep_inline: bool = False,
    shields: bool = True,
) -> None:
    """Stop every node of ``top`` that has not ended, and everything inside, the innermost first.

    ``skip``: those that were never ready are skipped, not aborted. ``tell``: the driver that lives on; its calls are
    given this outcome. ``keep_inline``: eager calls among ``top`` that their driver runs itself go on; it ends them.
    ``shields``: shielded nodes among ``top`` are left alone too.
    """
    found: list[tuple[NodeState, bool]] = []
    told = {id(tell)} if tell is not None else set()
    bare = set() if shields else {id(node) for node in top}
    stack = [(node, in_bracket(node), keep_inline) for node in top if not node.phase.terminal]
    while stack:
        node, guarded, spare = stack.pop()
        if _left_alone(node) and id(node) not in bare:
            continue
        if node.verdict is not None and node.verdict.trigger is Trigger.ABORT:
            continue  # it was told, and what is inside too; what it does since is clean-up
        guarded = guarded or _guarded(node)
        if _cleans_up(node):
            _interrupt(machine, node, Verdict(Trigger.ABORT, failure), timed=machine.verdict is None)
            told.add(id(node))
            spare = True
        elif not (spare and node.inline):
            found.append((node, guarded))
            spare = False
        stack.extend((child, guarded, spare) for child in node.children if not child.phase.terminal)
    for node, guarded in reversed(found):
        _stop_one(machine, node, failure, guarded, skip)
        if node.phase.terminal and isinstance(node.host, NodeState) and id(node.called_by) in told:
            machine.record_call(node)


def stop_by_force(
    machine: Machine, top: Collection[NodeState], failure: Failure, tell: NodeState | None = None
) -> None:
    """Stop everything of ``top`` and inside at once: the time to clean up is over."""
    found: list[NodeState] = []
    stack = [node for node in top if not node.phase.terminal]
    while stack:
        node = stack.pop()
        found.append(node)
        stack.extend(child for child in node.children if not child.phase.terminal)
    for node in reversed(found):
        machine.abort(node, failure)
        if tell is not None and isinstance(node.host, NodeState) and node.called_by is tell:
            machine.record_call(node)


def _stop_one(machine: Machine, node: NodeState, failure: Failure, guarded: bool, skip: bool) -> None:
    if node.phase is Phase.UNDEFINED:
        machine.abort(node, failure, Trigger.SKIP if skip else Trigger.ABORT)
        return
    going_on = sum(not child.phase.terminal for child in node.children)
    working = guarded and node.kind is not Kind.EAGER and node.stage is Stage.ATTEMPT
    if not going_on and not working:
        machine.abort(node, failure)
        return
    verdict = Verdict(Trigger.ABORT, failure)
    if working:
        stop_attempt_slowly(machine, node, verdict)
        return
    machine.stop_attempt(node, Phase.ABORTED, failure)
    node.stage = Stage.NOTHING
    condemn(machine, node, verdict)


def stop_attempt_slowly(machine: Machine, node: NodeState, verdict: Verdict) -> None:
    """Cancel the live attempt of a task; the node ends with ``verdict`` when its worker says that it has ended."""
    assert verdict.failure is not None
    if node.phase is not Phase.ABORTING:
        attempt = AttemptId(machine.run, node.path, len(node.attempts))
        machine.commands.append(Cancel(attempt, verdict.failure.message))
    condemn(machine, node, verdict)


def condemn(machine: Machine, node: NodeState, verdict: Verdict) -> None:
    """The node was told to stop, and ends with ``verdict`` once everything inside has ended."""
    if node.phase is not Phase.ABORTING:
        machine.move(node, Trigger.STOP, verdict.failure.message if verdict.failure is not None else "")
        driver = node.called_by if isinstance(node.host, NodeState) else None
        if driver is not None and verdict.trigger is Trigger.ABORT:
            driver.stopping = added(driver.stopping, node)
    settle(machine, node, verdict)


def settle(machine: Machine, node: NodeState, verdict: Verdict) -> None:
    """The node ends with ``verdict`` once everything inside has ended."""
    node.verdict = verdict
    node.inside = sum(not child.phase.terminal for child in node.children)
    if not node.inside and node.stage is not Stage.ATTEMPT:
        machine.settled.append(node)


# --- who may clean up ----------------------------------------------------------------------------


def _left_alone(node: NodeState) -> bool:
    if node.closes is not None:
        return node.closes.owed
    if node.opens is not None:
        return node.begun
    return bool(node.metadata.shielded) and (node.phase is not Phase.UNDEFINED or bool(node.key))


def _guarded(node: NodeState) -> bool:
    """Whether a teardown will come that must not meet the node's attempt."""
    driver = node.called_by if isinstance(node.host, NodeState) else None
    return any(bracket.owed for bracket in node.within) or (driver is not None and driver.brackets)


def in_bracket(node: NodeState) -> bool:
    """Whether the node, or anything that it is inside, is in a bracket whose teardown will come."""
    if _guarded(node):
        return True
    host = node.host
    while host is not None:
        around = host.owner if isinstance(host, Frame) else host
        if around is None:
            return False
        if _guarded(around):
            return True
        host = around.host
    return False


def _cleans_up(node: NodeState) -> bool:
    """Whether the node's attempt is a driver whose body may have begun."""
    if node.stage is Stage.PARKED:
        return True
    if node.journal is None or node.stage is not Stage.ATTEMPT:
        return False
    return node.phase is Phase.ABORTING or node.attempts[-1].phase is Phase.RUNNING or len(node.journal) > 0


def interrupt(machine: Machine, node: NodeState, verdict: Verdict) -> None:
    """Tell a driver that its body has to stop; what the body had under way is stopped now."""
    assert verdict.failure is not None
    _interrupt(machine, node, verdict, timed=True)
    stop(machine, node.children, verdict.failure, tell=node, keep_inline=True)
    settle(machine, node, verdict)


def _interrupt(machine: Machine, node: NodeState, verdict: Verdict, *, timed: bool) -> None:
    assert node.journal is not None
    assert verdict.failure is not None
    key = (node.path, INTERRUPTED)
    if node.journal.get(key) is None:
        node.journal.begin(key, Entry(node.path, INTERRUPTED, EntryKind.ABORT, at=machine.at))
        machine.deliver(node, node.journal.finish(key, Failed(verdict.failure), machine.seq, machine.at))
    condemn(machine, node, verdict)
    if timed:
        give_time(machine, node)


# --- for how long --------------------------------------------------------------------------------


def give_time(machine: Machine, node: NodeState) -> None:
    """Let the node clean up until a new deadline."""
    node.deadline = machine.at + machine.options.cleanup_seconds
    node.deadlines += 1
    machine.commands.append(node_timer(node))


def give_run_time(machine: Machine) -> None:
    """Let everything clean up until a new deadline."""
    machine.deadline = machine.at + machine.options.cleanup_seconds
    machine.deadlines += 1
    machine.commands.append(run_timer(machine))


def node_timer(node: NodeState) -> SetTimer:
    """The timer that ends a node's clean-up."""
    return SetTimer(node.deadline, CleanupDue(node.path, node.deadlines, node.deadline))


def run_timer(machine: Machine) -> SetTimer:
    """The timer that ends the clean-up of an aborted run."""
    return SetTimer(machine.deadline, CleanupDue("", machine.deadlines, machine.deadline))


def cleanup_due(machine: Machine, event: CleanupDue) -> None:
    """What was stopped has had its time."""
    late = faults.aborted(f"the clean-up took longer than {machine.options.cleanup_seconds:g} s")
    if not event.path:
        if machine.verdict is None or event.number != machine.deadlines:
            machine.note("", "ignored: the clean-up's time is over", "nobody cleans up, or there is more time")
            return
        machine.note("", "the clean-up's time is over", late.message)
        end_by_force(machine, machine.verdict, late)
        return
    node = machine.nodes.get(event.path)
    if node is None:
        raise machine.illegal(event.path, "there is no such node")
    if node.verdict is None or node.verdict.failure is None or event.number != node.deadlines:
        machine.note(node.path, "ignored: the clean-up's time is over", "it does not clean up, or has more time")
        return
    machine.note(node.path, "the clean-up's time is over", late.message)
    verdict = node.verdict
    ended = Phase.TIMED_OUT if verdict.trigger is Trigger.TIME_OUT else Phase.ABORTED
    machine.stop_attempt(node, ended, node.verdict.failure)
    stop_by_force(machine, node.children, late)
    settle(machine, node, verdict)


def end_by_force(machine: Machine, why: Failure, failure: Failure) -> None:
    """End an aborted run: what still goes on is stopped at once."""
    assert machine.root is not None
    stop_by_force(machine, machine.root.nodes.values(), failure)
    machine.verdict = None
    machine.end_run(Trigger.END, why)


def outstanding(machine: Machine, node: NodeState) -> list[Command]:
    """What a new owner asks for the attempt of a node that was told to stop: a driver goes on, anything else stops."""
    if node.kind is not Kind.EAGER:
        return [Cancel(AttemptId(machine.run, node.path, len(node.attempts)), "it was told to stop")]
    timed: list[Command] = [node_timer(node)] if node.deadlines else []
    return [machine.launch_command(node), *timed]


def waits_for_stopped(machine: Machine, node: NodeState, driver: NodeState) -> bool:
    """Whether a shielded call must wait, since something that its driver called is being stopped."""
    driver.brackets = True
    driver.stopping = [other for other in driver.stopping if not other.phase.terminal]
    for other in driver.stopping:
        other.downstream = added(other.downstream, node)
    node.waiting = len(driver.stopping)
    if node.waiting:
        machine.note(node.path, "waits", "something of the body is being stopped")
    return node.waiting > 0
