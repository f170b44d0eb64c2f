"""One run as a state machine: ``Run.handle(event) -> list[Command]``, and nothing else changes it.

Knows: which module handles which event. Must not know: the rules themselves; README.md states them, table.py lists
them.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any

from whimbrel.engine import arrays, attempts, beginning, branches, calls, dynamic, faults, frames, gates, stopping
from whimbrel.engine.binding import Unbound, check, complete
from whimbrel.engine.invariants import check_run
from whimbrel.engine.machine import Machine
from whimbrel.engine.nodes import Frame, Kind, NodeState, Signal, Stage
from whimbrel.engine.reuse import ReuseTable
from whimbrel.engine.snapshot import snapshot
from whimbrel.engine.table import Trigger
from whimbrel.model.attempt import (
    AttemptFault,
    BeginCall,
    CancelCall,
    FinishCall,
    FireTimer,
    Lost,
    Parked,
    RecordValue,
    Started,
    StartTimer,
    Succeeded,
    Unfolded,
)
from whimbrel.model.commands import Command, EndRun, LookUpCache
from whimbrel.model.events import (
    AbortRequested,
    CacheHit,
    CacheMiss,
    CleanupDue,
    Event,
    GateDue,
    NodeAbortRequested,
    OwnerChanged,
    RetryDue,
    RunRequested,
    SignalReceived,
    TimeoutDue,
    WakeDue,
)
from whimbrel.model.failure import Failure
from whimbrel.model.literals import Literals
from whimbrel.model.program import Program
from whimbrel.model.run import AttemptId, Phase, RunOptions


class Run:
    """A run. ``seq`` counts the events handled: the place of the last one in the log, from 1."""

    def __init__(self, *, keep_story: bool = True) -> None:
        self._machine = Machine(keep_story=keep_story)

    @classmethod
    def replay(cls, events: Iterable[Event], *, keep_story: bool = True) -> Run:
        """The run that ``events`` lead to. What they asked for is dropped: see ``outstanding``."""
        run = cls(keep_story=keep_story)
        for event in events:
            run.handle(event)
        return run

    # --- events in, commands out -----------------------------------------------------------------

    def handle(self, event: Event) -> list[Command]:
        """Take an event in and say what is to be done about it.

        An event that comes late or twice is handled too (it has its place in the log), and changes nothing. Raises
        ``IllegalTransition`` for one that cannot be; the run is then as it was before.
        """
        machine = self._machine
        machine.seq += 1
        machine.at = event.at
        machine.commands = []
        try:
            if (machine.phase is Phase.UNDEFINED) is not (type(event) is RunRequested):
                when = "before" if machine.phase is Phase.UNDEFINED else "after"
                raise machine.illegal("", f"{type(event).__name__} {when} the run was requested")
            if machine.phase.terminal:
                machine.note("", f"ignored: {type(event).__name__}", f"the run is {machine.phase.value}")
                return []
            _HANDLERS[type(event)](machine, event)
        except BaseException:
            machine.seq -= 1
            raise
        settled, ended, ready = machine.settled, machine.ended, machine.ready
        while settled or ended or ready:
            if settled:
                _conclude(machine, settled.popleft())
            elif ended:
                _hear(machine, ended.popleft())
            else:
                beginning.begin(machine, ready.popleft())
        if machine.queue or machine.drivers:
            machine.launch_queued()
        return machine.commands

    def outstanding(self) -> list[Command]:
        """Everything that must be asked again after a replay, once ``OwnerChanged`` has said which attempts are gone.

        Launches of attempts that have not ended (also of those that an executor may still run: it knows), look-ups
        that have no answer, timers, and the end of a run that is over. Not among them: cache writes and
        cancellations, which a crash may lose and which nothing depends on.
        """
        machine = self._machine
        if machine.phase.terminal:
            return [EndRun(machine.phase, machine.outputs, machine.failure)]
        commands: list[Command] = []
        for node in machine.nodes.values():
            if node.stage is Stage.CACHE:
                assert node.cache_key is not None
                assert node.metadata.cache is not None
                commands.append(LookUpCache(node.path, node.cache_key, node.metadata.cache.serialize))
            elif node.stage is Stage.BACKOFF:
                commands.append(attempts.backoff_timer(node))
            elif node.stage is Stage.PARKED:
                commands.extend(attempts.parked_timers(node))
            elif node.stage is Stage.GATE:
                if node.due:
                    commands.append(gates.gate_timer(node))
            elif node.stage is Stage.ATTEMPT and node.verdict is None:
                commands.append(machine.launch_command(node))
                if node.attempts[-1].phase is Phase.RUNNING and node.metadata.timeout is not None:
                    commands.append(attempts.timeout_timer(node, node.attempts[-1]))
            elif node.stage is Stage.ATTEMPT:
                commands.extend(stopping.outstanding(machine, node))
        if machine.verdict is not None:
            commands.append(stopping.run_timer(machine))
        return commands

    # --- what it looks like ----------------------------------------------------------------------

    @property
    def id(self) -> str:
        """The run's id, "" before it was requested."""
        return self._machine.run

    @property
    def workflow(self) -> str:
        """The name of the workflow that it runs."""
        return self._machine.workflow

    @property
    def phase(self) -> Phase:
        """Where it stands."""
        return self._machine.phase

    @property
    def inputs(self) -> Literals:
        """What it was given, defaults included; nothing where that did not fit."""
        root = self._machine.root
        return {} if root is None else root.inputs

    @property
    def outputs(self) -> Literals:
        """What came out, once it has succeeded."""
        return self._machine.outputs

    @property
    def failure(self) -> Failure | None:
        """Why it failed or was aborted."""
        return self._machine.failure

    @property
    def recovered_from(self) -> str:
        """The id of the run whose outcomes it takes, "" for none."""
        return self._machine.recovered_from

    @property
    def remark(self) -> str:
        """What a list shows beside it: why it failed, whom it waits for, where its outcomes come from."""
        if self.failure is not None:
            return self.failure.title
        if names := dict.fromkeys(gates.gate_of(node).name for node in self.waiting):
            return f"waits for an answer: {', '.join(names)}"
        return f"takes what run {self.recovered_from} had done" if self.recovered_from else ""

    @property
    def seq(self) -> int:
        """How many events it has handled."""
        return self._machine.seq

    @property
    def started_at(self) -> float:
        """When it was requested, in seconds since the epoch."""
        return self._machine.started_at

    @property
    def ended_at(self) -> float:
        """When it ended, 0.0 before."""
        return self._machine.ended_at

    @property
    def nodes(self) -> dict[str, NodeState]:
        """Every node by path, in order of creation. To read, not to write."""
        return self._machine.nodes

    @property
    def options(self) -> RunOptions:
        """How it is carried out."""
        return self._machine.options

    @property
    def program(self) -> Program:
        """Everything that it knows by name, what eager bodies brought included."""
        machine = self._machine
        return Program(dict(machine.tasks), dict(machine.workflows), dict(machine.launch_plans))

    def live_attempts(self) -> list[AttemptId]:
        """The attempts that are launched and have not ended."""
        return [
            AttemptId(self.id, node.path, len(node.attempts))
            for node in self._machine.nodes.values()
            if node.stage is Stage.ATTEMPT
        ]

    def parked_until(self) -> float | None:
        """When a run must be carried on of which nothing is left but parked bodies, gates and waits for retries;
        ``inf`` for "when somebody asks for it". ``None`` while anything else is under way."""
        if not self._machine.paused or self._machine.running:
            return None
        times: list[float] = []
        parked = False
        for node in self._machine.nodes.values():
            if node.stage is Stage.PARKED:
                parked = True
                times.extend(timer.due for timer in attempts.parked_timers(node))
            elif node.stage is Stage.GATE:
                parked = True
                times.extend([node.due] if node.due else [])
            elif node.stage is Stage.BACKOFF:
                times.append(node.due)
            elif node.stage is not Stage.NOTHING:
                return None
        return min(times, default=math.inf) if parked and self._machine.verdict is None else None

    @property
    def waiting(self) -> list[NodeState]:
        """The gates that wait for somebody's answer. To read, not to write."""
        return gates.waiting_gates(self._machine) if self._machine.paused else []

    def gates(self, name: str = "") -> list[NodeState]:
        """The gates of that name that have come to be; all for "". To read, not to write."""
        known = self._machine.gates
        return list(known.get(name, ())) if name else [node for named in known.values() for node in named]

    @property
    def done(self) -> int:
        """How many nodes have ended."""
        return self._machine.done

    def answer_to(self, gate: NodeState) -> Signal | None:
        """What answered a gate; ``None`` where nobody has, or the answer was taken over from another run."""
        return gates.answer_to(self._machine, gate)

    def refusal(self, signal: str) -> str | None:
        """Why the signal with that id was refused; "" if it was taken in, ``None`` if it has not come."""
        return self._machine.answers.get(signal)

    def story(self, path: str = "") -> list[str]:
        """What happened to a node, or to everything, for people. A long run remembers the latest lines only."""
        story = self._machine.story
        return story.told(path, self._machine.started_at) if story is not None else []

    def check_invariants(self) -> None:
        """Raise ``AssertionError`` when something is not as it must be. Looks at everything: for tests."""
        check_run(self._machine)

    def snapshot(self) -> bytes:
        """The whole state as canonical bytes:

        Replaying the same events gives the same bytes. The story is no part of it.
        """
        return snapshot(self._machine)


def _requested(machine: Machine, event: RunRequested) -> None:
    machine.run = event.run
    machine.workflow = event.workflow
    machine.options = event.options
    machine.started_at = event.at
    machine.define(event.program)
    machine.recovered_from = event.recovered_from
    machine.reuse = ReuseTable(event.reuse, moved=event.moved)
    machine.move_run(Trigger.REQUEST)
    graph = machine.workflows.get(event.workflow)
    try:
        if graph is None:
            known = ", ".join(machine.workflows) or "none"
            raise Unbound(f"the program has no workflow {event.workflow!r}; it has: {known}")
        inputs = complete(event.inputs, graph.interface, graph.name)
        check(inputs, graph.interface, graph.name)
        machine.root = frames.unfold(machine, graph, inputs, None)
    except Unbound as unbound:
        frames.fail_run(machine, faults.user(str(unbound)))
        return
    if not machine.root.remaining:
        frames.frame_done(machine, machine.root)


def _abort_requested(machine: Machine, event: AbortRequested) -> None:
    """A user's abort is final: everything is stopped. The run is over at once, or when what has to be cleaned up is;
    a second abort does not wait for that."""
    failure = faults.aborted(event.reason)
    if machine.verdict is not None:
        stopping.end_by_force(machine, machine.verdict, failure)
        return
    machine.move_run(Trigger.ABORT, event.reason)
    assert machine.root is not None
    machine.verdict = failure
    stopping.stop(machine, machine.root.nodes.values(), failure)
    if machine.root.remaining:
        stopping.give_run_time(machine)
    else:
        frames.end_aborted(machine)


def _node_abort_requested(machine: Machine, event: NodeAbortRequested) -> None:
    """A user's abort of a launch plan: final for it, a failure to what is around it."""
    node = machine.nodes.get(event.path)
    if node is None or node.kind is not Kind.LAUNCH_PLAN:
        machine.note(event.path, "ignored: it was to be aborted", "there is no such launch plan")
        return
    if node.phase.terminal or node.verdict is not None:
        machine.note(event.path, "ignored: it was to be aborted", "it was over, or is being stopped")
        return
    top = [node]
    stopping.stop(machine, top, faults.aborted(event.reason, event.path), shields=False)
    machine.ended.extend(each for each in top if each.phase.terminal)


def _conclude(machine: Machine, node: NodeState) -> None:
    """Everything inside a node whose end was known has ended."""
    verdict = node.verdict
    if verdict is None or node.inside or node.stage is not Stage.NOTHING:
        return
    node.verdict = None
    if verdict.trigger is Trigger.SUCCEED:
        machine.succeed(node, verdict.outputs)
        return
    assert verdict.failure is not None
    if verdict.trigger is Trigger.ABORT:
        machine.abort(node, verdict.failure)
        machine.ended.append(node)
    elif node.inline:
        machine.fail(node, verdict.failure, verdict.trigger)
    else:
        attempts.after_failure(machine, node, verdict.failure)


def _hear(machine: Machine, node: NodeState) -> None:
    """Tell the host of a node that it has ended."""
    host = node.host
    if isinstance(host, Frame):
        frames.member_ended(machine, host, node)
        return
    assert host is not None
    match host.kind:
        case Kind.BRANCH:
            branches.arm_ended(machine, host, node)
        case Kind.ARRAY:
            arrays.item_ended(machine, host, node)
        case _:
            calls.call_ended(machine, node)


_HANDLERS: dict[type, Callable[[Machine, Any], None]] = {
    RunRequested: _requested,
    AbortRequested: _abort_requested,
    NodeAbortRequested: _node_abort_requested,
    OwnerChanged: attempts.owner_changed,
    RetryDue: attempts.retry_due,
    TimeoutDue: attempts.timeout_due,
    CleanupDue: stopping.cleanup_due,
    CacheHit: attempts.cache_hit,
    CacheMiss: attempts.cache_miss,
    Started: attempts.started,
    Succeeded: attempts.succeeded,
    Unfolded: dynamic.unfolded,
    AttemptFault: attempts.failed,
    Lost: attempts.lost,
    Parked: attempts.parked,
    WakeDue: attempts.wake_due,
    GateDue: gates.gate_due,
    SignalReceived: gates.signal_received,
    BeginCall: calls.call_begun,
    FinishCall: calls.call_finished,
    CancelCall: calls.call_cancelled,
    StartTimer: calls.timer_started,
    FireTimer: calls.timer_fired,
    RecordValue: calls.value_drawn,
}
