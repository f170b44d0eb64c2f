"""What the reports of attempts mean, and the answers of the cache, and the timers of retries and time-outs.

Knows: attempts, retries, cache answers. Must not know: graphs, or what a driver's body says.

Reports arrive at least once, late, and after the attempt was given up. Rule: a report counts only for the attempt
that is live; one of an attempt that is over is ignored, with a line in the story; one of an attempt that never was is
an error.
"""

from __future__ import annotations

from msgspec.structs import replace

from whimbrel.engine import faults, retry
from whimbrel.engine.journal import Journal, Key
from whimbrel.engine.machine import Machine
from whimbrel.engine.making import start
from whimbrel.engine.nodes import Attempt, Kind, NodeState, Stage, Verdict
from whimbrel.engine.reuse import make_fresh
from whimbrel.engine.stopping import (
    give_run_time,
    give_time,
    in_bracket,
    interrupt,
    settle,
    stop,
    stop_attempt_slowly,
)
from whimbrel.engine.table import Trigger
from whimbrel.model.attempt import AttemptFault, Lost, Parked, Started, Succeeded
from whimbrel.model.commands import SetTimer
from whimbrel.model.events import CacheHit, CacheMiss, OwnerChanged, RetryDue, TimeoutDue, WakeDue
from whimbrel.model.failure import Failure, Fault
from whimbrel.model.run import AttemptId, Phase


def known(machine: Machine, path: str, number: int) -> tuple[NodeState, Attempt]:
    """The attempt that an event speaks of. Raises ``IllegalTransition`` when there never was one."""
    node = machine.nodes.get(path)
    if node is None:
        raise machine.illegal(path, "there is no such node")
    if not 1 <= number <= len(node.attempts):
        raise machine.illegal(path, f"attempt {number} was never launched")
    return node, node.attempts[number - 1]


def live(machine: Machine, attempt: AttemptId, what: str) -> NodeState | None:
    """The node, if ``attempt`` is its live one; else the report is ignored."""
    node, found = known(machine, attempt.path, attempt.number)
    if found.live:
        return node
    machine.note(attempt.path, f"ignored: attempt {attempt.number} {what}", f"that attempt is {found.phase.value}")
    return None


def started(machine: Machine, event: Started) -> None:
    """The function is about to be called."""
    node = live(machine, event.attempt, "started")
    if node is None:
        return
    attempt = node.attempts[-1]
    if attempt.phase is Phase.RUNNING:
        machine.note(node.path, f"ignored: attempt {attempt.number} started", "it has said so before")
        return
    attempt.phase = Phase.RUNNING
    attempt.started_at = event.at
    attempt.worker = event.worker
    node.changed = machine.seq
    before = node.attempts[-2] if attempt.number > 1 else attempt
    attempt.counted_from = before.counted_from if before.phase is Phase.PAUSED else event.at
    if node.verdict is not None:
        return  # another driver goes on with the clean-up of one that is gone
    start(machine, node)
    if node.metadata.timeout is not None:
        machine.commands.append(timeout_timer(node, attempt))


def timeout_timer(node: NodeState, attempt: Attempt) -> SetTimer:
    """The timer that ends a running attempt."""
    due = attempt.counted_from + (node.metadata.timeout or 0.0)
    return SetTimer(due, TimeoutDue(node.path, attempt.number, due))


def parked_timers(node: NodeState) -> list[SetTimer]:
    """What wakes a parked body, or ends its wait, other than an entry for its journal."""
    number = len(node.attempts)
    timers = [SetTimer(node.due, WakeDue(node.path, number, node.due))] if node.due else []
    if node.metadata.timeout is not None:
        timers.append(timeout_timer(node, node.attempts[-1]))
    return timers


def backoff_timer(node: NodeState) -> SetTimer:
    """The timer that ends a backoff."""
    return SetTimer(node.due, RetryDue(node.path, len(node.attempts) + 1, node.due))


def succeeded(machine: Machine, event: Succeeded) -> None:
    """The function returned."""
    node = live(machine, event.attempt, "succeeded")
    if node is None or ended_too_late(machine, node):
        return
    machine.end_attempt(node, Phase.SUCCEEDED)
    if machine.reuse and node.kind.composed:
        make_fresh(node)  # nothing inside speaks for it
    if _leaves_nothing(machine, node, f"{node.path} returned without waiting for it"):
        machine.succeed(node, event.outputs)
    else:
        settle(machine, node, Verdict(Trigger.SUCCEED, outputs=event.outputs))


def ended_too_late(machine: Machine, node: NodeState) -> bool:
    """Whether the attempt, which has done its work, had been told to stop: then that is how the node ends."""
    if node.verdict is None:
        return False
    machine.note(node.path, "too late to succeed", "it was told to stop")
    _stopped(machine, node)
    return True


def _leaves_nothing(machine: Machine, node: NodeState, reason: str) -> bool:
    """Stop what the body left under way. Whether nothing of it goes on."""
    if not node.children:
        return True
    stop(machine, node.children, faults.cancelled(reason))
    return all(child.phase.terminal for child in node.children)


def _stopped(machine: Machine, node: NodeState) -> None:
    """An attempt that was told to stop has ended, however it did."""
    verdict = node.verdict
    assert verdict is not None
    timed_out = verdict.trigger is Trigger.TIME_OUT
    machine.end_attempt(node, Phase.TIMED_OUT if timed_out else Phase.ABORTED, verdict.failure)
    _leaves_nothing(machine, node, f"the body of {node.path} was stopped")
    settle(machine, node, verdict)


def failed(machine: Machine, event: AttemptFault) -> None:
    """The function raised, or the worker says why it could not be called."""
    node = live(machine, event.attempt, f"failed: {event.failure.title}")
    if node is not None and not _ends_stopped(machine, node, event.failure):
        timed_out = event.failure.fault is Fault.TIMEOUT
        machine.end_attempt(node, Phase.TIMED_OUT if timed_out else Phase.FAILED, event.failure)
        _after_attempt(machine, node, event.failure)


def lost(machine: Machine, event: Lost) -> None:
    """The worker is gone."""
    node = live(machine, event.attempt, "was lost")
    if node is not None:
        failure = faults.lost(event.reason, node.path)
        if not _ends_stopped(machine, node, failure):
            machine.end_attempt(node, Phase.FAILED, failure)
            _after_attempt(machine, node, failure)


def _ends_stopped(machine: Machine, node: NodeState, failure: Failure) -> bool:
    """Whether the attempt had been told to stop. A driver that was lost while it cleaned up is replaced by one that
    goes on with it."""
    if node.verdict is None:
        return False
    if failure.fault is Fault.USER and node.verdict.failure is not None:
        note = f"the clean-up failed: {failure.title}"
        stopped = replace(node.verdict.failure, notes=(*node.verdict.failure.notes, note))
        node.verdict = replace(node.verdict, failure=stopped)
    by_machine = retry.blame(failure) is retry.Blame.SYSTEM
    if node.kind is Kind.EAGER and by_machine and retry.allowed(node, failure, machine.options.system_retries):
        machine.end_attempt(node, Phase.FAILED, failure)
        machine.note(node.path, "another driver goes on with the clean-up", failure.title)
        node.system_retries += 1
        machine.enqueue(node)
    else:
        _stopped(machine, node)
    return True


def parked(machine: Machine, event: Parked) -> None:
    """The driver has left memory: the body only waits. The attempt is over, and nothing is spent.

    If the driver has missed something, another one is launched at once.
    """
    node = live(machine, event.attempt, "was parked")
    if node is None:
        return
    if node.journal is None:
        raise machine.illegal(node.path, "only the attempt of an eager node can be parked")
    attempt = node.attempts[-1]
    attempt.counted_from = attempt.counted_from or event.at
    machine.end_attempt(node, Phase.PAUSED)
    if node.verdict is not None:
        # It left before it heard that it has to stop.
        machine.enqueue(node)
        return
    machine.move(node, Trigger.PARK)
    if event.seen < attempt.delivered:
        machine.wake(node, f"it had seen {event.seen} of {attempt.delivered} outcomes")
        return
    node.stage = Stage.PARKED
    node.due = event.wake_at
    if node.due:
        machine.commands.append(SetTimer(node.due, WakeDue(node.path, attempt.number, node.due)))


def wake_due(machine: Machine, event: WakeDue) -> None:
    """The time has come for which a body was parked."""
    node, _ = known(machine, event.path, event.number)
    if node.stage is Stage.PARKED and event.number == len(node.attempts):
        machine.wake(node, "a timer of its body is due")
    else:
        machine.note(node.path, f"ignored: attempt {event.number} is to be woken", "it is not parked")


def owner_changed(machine: Machine, event: OwnerChanged) -> None:
    """Another control plane drives the run.

    The loss of the old one is nobody's fault: attempts that it ran are launched again, and nothing is spent.
    """
    for path in event.gone:
        if path not in machine.nodes:
            raise machine.illegal(path, "there is no such node")
    machine.note("", f"owner is now {event.owner}", f"epoch {event.epoch}")
    for path in event.gone:
        node = machine.nodes[path]
        if node.stage is not Stage.ATTEMPT:
            machine.note(path, "ignored: its attempt is gone", "none was live")
            continue
        if node.verdict is not None and node.kind is not Kind.EAGER:
            _stopped(machine, node)
            continue
        machine.end_attempt(node, Phase.FAILED, faults.lost(f"{event.owner} took the run over", path))
        if node.verdict is None:
            machine.move(node, Trigger.RETRY, "its attempt ended with the control plane")
        machine.enqueue(node)
    # While nobody drove the run nothing could be cleaned up.
    if machine.verdict is not None:
        give_run_time(machine)
    for node in machine.nodes.values():
        if node.deadlines and node.stage is not Stage.NOTHING and node.verdict is not None:
            give_time(machine, node)


def timeout_due(machine: Machine, event: TimeoutDue) -> None:
    """The attempt has run for as long as it may."""
    node, attempt = known(machine, event.path, event.number)
    parked_here = node.stage is Stage.PARKED and event.number == len(node.attempts)
    if not (parked_here or attempt.phase is Phase.RUNNING) or node.verdict is not None:
        phase = node.phase if attempt.phase is Phase.RUNNING else attempt.phase
        machine.note(node.path, f"ignored: attempt {event.number} ran out of time", f"it is {phase.value}")
        return
    failure = faults.timed_out(node.metadata.timeout or 0.0, node.path)
    if node.journal is not None:
        interrupt(machine, node, Verdict(Trigger.TIME_OUT, failure))
        return
    if in_bracket(node):
        stop_attempt_slowly(machine, node, Verdict(Trigger.TIME_OUT, failure))
        return
    machine.stop_attempt(node, Phase.TIMED_OUT, failure)
    _after_attempt(machine, node, failure)


def _after_attempt(machine: Machine, node: NodeState, failure: Failure) -> None:
    """Retry, or end the node, once what its body left is over. Its attempt has ended."""
    by_user = retry.blame(failure) is retry.Blame.USER
    again = retry.allowed(node, failure, machine.options.system_retries)
    # The body is over, or starts over; a driver that was merely lost finds its calls where it left them.
    if (
        node.journal is not None
        and (by_user or not again)
        and not _leaves_nothing(machine, node, f"the body of {node.path} failed")
    ):
        settle(machine, node, Verdict(Trigger.FAIL, failure))
        return
    after_failure(machine, node, failure)


def after_failure(machine: Machine, node: NodeState, failure: Failure) -> None:
    """Retry, or end the node: nothing of its body goes on, unless another driver will find it."""
    by_user = retry.blame(failure) is retry.Blame.USER
    again = retry.allowed(node, failure, machine.options.system_retries)
    if not again:
        machine.fail(node, failure, Trigger.TIME_OUT if failure.fault is Fault.TIMEOUT else Trigger.FAIL)
        return
    machine.move(node, Trigger.RETRY, failure.title)
    if not by_user:
        node.system_retries += 1
        machine.enqueue(node)
        return
    node.user_retries += 1
    if node.journal is not None:
        node.journal.keep_successes(_shielded(machine, node.journal))
    wait = retry.delay(node.metadata, node.user_retries)
    if wait > 0.0:
        node.stage = Stage.BACKOFF
        node.due = machine.at + wait
        machine.commands.append(backoff_timer(node))
    else:
        machine.enqueue(node)


def _shielded(machine: Machine, journal: Journal) -> set[Key]:
    """Setups and teardowns: what they made is gone, so they are made again."""
    return {
        (entry.parent, entry.key) for entry in journal if entry.path and machine.nodes[entry.path].metadata.shielded
    }


def retry_due(machine: Machine, event: RetryDue) -> None:
    """The backoff is over."""
    node = machine.nodes.get(event.path)
    if node is None:
        raise machine.illegal(event.path, "there is no such node")
    if node.stage is Stage.BACKOFF and event.number == len(node.attempts) + 1:
        machine.enqueue(node)
    else:
        machine.note(node.path, f"ignored: attempt {event.number} is due", "the node does not wait for it")


def _asked(machine: Machine, path: str, what: str) -> NodeState | None:
    node = machine.nodes.get(path)
    if node is None:
        raise machine.illegal(path, "there is no such node")
    if node.stage is Stage.CACHE:
        return node
    if node.cache_key is None:
        raise machine.illegal(path, f"{what}, but nobody asked")
    machine.note(path, f"ignored: {what}", "the cache has answered, or the answer is not wanted any more")
    return None


def cache_hit(machine: Machine, event: CacheHit) -> None:
    """The cache had the outputs."""
    node = _asked(machine, event.path, "cache hit")
    if node is not None:
        node.cached = True
        node.cache_reason = event.reason
        machine.succeed(node, event.outputs, Trigger.CACHE_HIT, event.reason)


def cache_miss(machine: Machine, event: CacheMiss) -> None:
    """The cache had nothing."""
    node = _asked(machine, event.path, "cache miss")
    if node is not None:
        node.cache_reason = event.reason
        machine.note(node.path, "cache miss", event.reason)
        machine.enqueue(node)
