"""The state of one run, and the few operations that change it; the rest of the engine is written in terms of them.

Knows: how a node moves, ends, is launched and is stopped. Must not know: what events mean (attempts.py, calls.py),
how graphs unfold (frames.py).

Nothing here calls itself: what follows from a change goes on one of three lists, ``settled`` (nodes whose verdict may
be carried out), ``ended`` (nodes whose host must hear) and ``ready`` (nodes that may begin), which ``Run`` works off
until all are empty. So a chain of 100,000 nodes needs no more stack than one.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping

from msgspec.structs import replace

from whimbrel.engine import faults
from whimbrel.engine.nodes import Attempt, Frame, Kind, NodeState, Signal, Stage, added
from whimbrel.engine.reuse import ReuseTable
from whimbrel.engine.story import Story, change
from whimbrel.engine.table import NODE, RUN, Trigger
from whimbrel.errors import IllegalTransition
from whimbrel.graph.digest import closure_digest, gate_digest
from whimbrel.graph.references import unresolved_text
from whimbrel.model.attempt import Cancel, Deliver, Launch
from whimbrel.model.commands import Command, EndRun, ReleaseCache, WriteCache
from whimbrel.model.failure import Failure
from whimbrel.model.launch_plan import LaunchPlanSpec
from whimbrel.model.literals import Literals
from whimbrel.model.program import (
    ArrayTarget,
    GateTarget,
    Graph,
    LaunchPlanTarget,
    Metadata,
    Program,
    Reference,
    Target,
    TaskKind,
    TaskSpec,
    WorkflowTarget,
    overlay,
)
from whimbrel.model.run import AttemptId, Done, Entry, Failed, Outcome, Phase, Reusable, RunOptions

NOT_SAID = Metadata()


class Machine:
    """See the module. ``at`` and ``seq`` are those of the event being handled."""

    def __init__(self, *, keep_story: bool) -> None:
        self.run = ""
        self.workflow = ""
        self.options = RunOptions()
        self.phase = Phase.UNDEFINED
        self.outputs: Literals = {}
        self.failure: Failure | None = None
        self.started_at = 0.0
        self.ended_at = 0.0
        self.seq = 0
        self.at = 0.0
        self.tasks: dict[str, TaskSpec] = {}
        self.workflows: dict[str, Graph] = {}
        self.launch_plans: dict[str, LaunchPlanSpec] = {}
        self.references: dict[str, Reference] = {}
        self.nodes: dict[str, NodeState] = {}
        self.root: Frame | None = None
        self.commands: list[Command] = []
        self.ready: deque[NodeState] = deque()
        self.ended: deque[NodeState] = deque()
        self.settled: deque[NodeState] = deque()
        self.verdict: Failure | None = None
        """Why the run is ABORTING: it is over once everything inside has cleaned up."""
        self.deadline = 0.0
        self.deadlines = 0
        self.queue: deque[NodeState] = deque()
        """Nodes to launch, all but eager ones, in the order in which they became ready. Those that ended meanwhile are
        passed over."""
        self.drivers: deque[NodeState] = deque()
        """Eager nodes to launch; empty between events."""
        self.paused = 0
        """Nodes that are PAUSED."""
        self.done = 0
        """Nodes that have ended."""
        self.gates: dict[str, list[NodeState]] = {}
        """The gates by name."""
        self.signals: dict[str, list[Signal]] = {}
        """The answers that were taken in, by the name or path that they were sent to."""
        self.answers: dict[str, str] = {}
        """Of each signal by id: why it was refused, "" if it was not."""
        self.running = 0
        """Live attempts of tasks and dynamic nodes: what ``max_parallelism`` limits."""
        self.recovered_from = ""
        self.reuse = ReuseTable()
        """What another run has for equal calls of this one."""
        self._codes: dict[Target, str] = {}
        self.story = Story() if keep_story else None

    # --- phases ----------------------------------------------------------------------------------

    def move(self, node: NodeState, trigger: Trigger, reason: str = "") -> None:
        """Change a node's phase by the table. Raises ``IllegalTransition``."""
        before = node.phase
        after = NODE.get((before, trigger))
        if after is None:
            raise self.illegal(node.path, f"{before.value} nodes know no {trigger.name} ({trigger.value})")
        node.phase = after
        node.changed = self.seq
        self.paused += (after is Phase.PAUSED) - (before is Phase.PAUSED)
        self.done += after.terminal - before.terminal
        if self.story is not None:
            self.story.add(self.seq, self.at, node.path, change(before, after), reason or trigger.value)

    def move_run(self, trigger: Trigger, reason: str = "") -> None:
        """Change the run's phase by the table. Raises ``IllegalTransition``."""
        before = self.phase
        after = RUN.get((before, trigger))
        if after is None:
            raise self.illegal("", f"{before.value} runs know no {trigger.name} ({trigger.value})")
        self.phase = after
        if self.story is not None:
            self.story.add(self.seq, self.at, "", change(before, after), reason or trigger.value)

    def illegal(self, path: str, message: str) -> IllegalTransition:
        """The error for an event that cannot be, with the story of the node."""
        told = self.story.ending(path, self.started_at) if self.story is not None else []
        story = "".join(f"\n    {line}" for line in told)
        return IllegalTransition(f"event {self.seq} of run {self.run}, {path or 'the run'}: {message}{story}")

    def note(self, path: str, what: str, reason: str = "") -> None:
        """Add a line to the story that is no change of phase."""
        if self.story is not None:
            self.story.add(self.seq, self.at, path, what, reason)

    # --- attempts --------------------------------------------------------------------------------

    def metadata(self, spec: TaskSpec, overrides: Metadata) -> Metadata:
        """What holds for a call of ``spec``: its own metadata, overrides, the environment of the run."""
        found = spec.metadata if overrides == NOT_SAID else overlay(spec.metadata, overrides)
        if self.options.environment:
            found = overlay(found, Metadata(environment=self.options.environment))
        return found

    def enqueue(self, node: NodeState) -> None:
        """Launch the next attempt as soon as there is room, and everything that this event brings about is known."""
        node.stage = Stage.SLOT
        (self.drivers if node.kind is Kind.EAGER else self.queue).append(node)

    def launch_queued(self) -> None:
        """Launch drivers (waiting for others takes no room), and tasks as far as ``max_parallelism`` lets."""
        while self.drivers:
            node = self.drivers.popleft()
            if node.stage is Stage.SLOT:
                self.launch(node)
        limit = self.options.max_parallelism
        queue = self.queue
        while queue and (not limit or self.running < limit):
            node = queue.popleft()
            if node.stage is Stage.SLOT:
                self.running += 1
                self.launch(node)

    def launch(self, node: NodeState) -> None:
        """Begin the next attempt."""
        number = len(node.attempts) + 1
        node.attempts = added(node.attempts, Attempt(number, self.at))
        node.changed = self.seq
        node.stage = Stage.ATTEMPT
        self.commands.append(self.launch_command(node))
        self.note(node.path, f"attempt {number} launched")

    def launch_command(self, node: NodeState) -> Launch:
        """What launches, or launches again, the node's last attempt."""
        assert node.spec is not None
        return Launch(
            AttemptId(self.run, node.path, len(node.attempts)),
            node.spec,
            node.inputs,
            node.metadata,
            self.started_at,
            0,
            self.workflow,
            node.journal.entries() if node.journal is not None else (),
            self.reuse.for_driver(node.path) if node.journal is not None and self.reuse else (),
            self.reuse.moved,
            self.options.park_after if node.journal is not None else None,
        )

    def end_attempt(self, node: NodeState, phase: Phase, failure: Failure | None = None) -> None:
        """The live attempt of ``node`` is over; its further reports are ignored."""
        attempt = node.attempts[-1]
        attempt.phase = phase
        attempt.ended_at = self.at
        attempt.failure = failure
        node.stage = Stage.NOTHING
        node.changed = self.seq
        if node.kind is not Kind.EAGER:
            self.running -= 1

    def stop_attempt(self, node: NodeState, phase: Phase, failure: Failure) -> None:
        """Cancel the live attempt of ``node``, if there is one. Nobody waits for the worker to confirm."""
        if node.stage is Stage.ATTEMPT:
            attempt = node.attempts[-1]
            self.commands.append(Cancel(AttemptId(self.run, node.path, attempt.number), failure.message))
            self.end_attempt(node, phase, failure)

    def wake(self, node: NodeState, reason: str) -> None:
        """Launch a new driver for a parked body."""
        self.move(node, Trigger.WAKE, reason)
        self.enqueue(node)

    # --- ends ------------------------------------------------------------------------------------

    def succeed(self, node: NodeState, outputs: Literals, trigger: Trigger = Trigger.SUCCEED, reason: str = "") -> None:
        """The node has its outputs."""
        node.outputs = outputs
        self._close(node, trigger, reason)
        if node.cache_key is not None and trigger is Trigger.SUCCEED:
            self.commands.append(WriteCache(node.path, node.cache_key, outputs))
        self.ended.append(node)

    def recover(self, node: NodeState, found: Reusable) -> None:
        """The node takes its outputs from another run."""
        node.recovered_from = found.origin
        self.succeed(node, found.outputs or {}, Trigger.RECOVER, f"as {found.path} of run {found.run}")

    def fail(self, node: NodeState, failure: Failure, trigger: Trigger = Trigger.FAIL) -> None:
        """The node will have no outputs."""
        node.failure = faults.at_node(failure, node.path)
        if node.closes is not None and node.closes.setup is None:
            self._note_handler(node, f"the failure node {node.path} failed too: {node.failure.title}")
        self._close(node, trigger, node.failure.title)
        self._release(node)
        self.ended.append(node)

    def _note_handler(self, node: NodeState, note: str) -> None:
        """A failure node has failed: what its workflow ends with says so. Before it ends, as that may end the
        workflow."""
        frame = node.host
        assert isinstance(frame, Frame)
        owner = frame.owner
        if owner is None and self.verdict is not None:
            self.verdict = replace(self.verdict, notes=(*self.verdict.notes, note))
        elif owner is not None and owner.verdict is not None and (stopped := owner.verdict.failure) is not None:
            owner.verdict = replace(owner.verdict, failure=replace(stopped, notes=(*stopped.notes, note)))
        elif frame.failure is not None:
            frame.failure = replace(frame.failure, notes=(*frame.failure.notes, note))

    def abort(self, node: NodeState, failure: Failure, trigger: Trigger = Trigger.ABORT) -> None:
        """The node is stopped, or (``Trigger.SKIP``) will never begin.

        Its host does not hear of it: it is the host's doing.
        """
        self.stop_attempt(node, Phase.ABORTED, failure)
        if trigger is Trigger.ABORT:
            node.failure = faults.at_node(failure, node.path)
        self._close(node, trigger, failure.message)
        self._release(node)

    def _close(self, node: NodeState, trigger: Trigger, reason: str) -> None:
        self.move(node, trigger, reason)
        node.ended_at = self.at
        node.stage = Stage.NOTHING
        node.verdict = None
        host = node.host
        around: NodeState | None
        if isinstance(host, Frame):
            host.remaining -= 1
            around = host.owner
            for bracket in node.within:
                bracket.left -= 1
                if not bracket.left:
                    self.ready.append(bracket.teardown)
        else:
            around = host
            if host is not None and host.array is not None:
                host.array.active -= 1
            for below in node.downstream:
                below.waiting -= 1
                if not below.waiting:
                    self.ready.append(below)
        if around is not None and around.verdict is not None:
            around.inside -= 1
            if not around.inside:
                self.settled.append(around)

    def _release(self, node: NodeState) -> None:
        cache = node.metadata.cache
        if node.cache_key is not None and cache is not None and cache.serialize and not self.options.overwrite_cache:
            self.commands.append(ReleaseCache(node.path, node.cache_key))

    # --- journals --------------------------------------------------------------------------------

    def record_call(self, node: NodeState) -> None:
        """Write the outcome of a call into its driver's journal, and deliver it.

        A call that was replaced has no place there any more.
        """
        driver = node.called_by
        assert driver is not None
        assert driver.journal is not None
        if node.replaced or driver.phase.terminal or driver.journal.paths.get(node.call) != node.path:
            return
        outcome: Outcome
        if node.phase.has_outputs:
            outcome = Done(node.outputs, node.cached)
        else:
            outcome = Failed(node.failure or faults.aborted("it did not run", node.path))
        self.deliver(driver, driver.journal.finish(node.call, outcome, self.seq, self.at))
        if self.options.regained:
            # It gets on: what is bad for one driver in ten is not to end a run of a thousand calls.
            driver.system_retries = 0

    def deliver(self, driver: NodeState, entry: Entry) -> None:
        """Tell the driver, if one is there; one that comes later finds it in its journal."""
        if driver.stage is Stage.PARKED:
            self.wake(driver, f"{entry.kind.value} {entry.key} has an outcome")
        elif driver.stage is Stage.ATTEMPT:
            driver.attempts[-1].delivered += 1
            self.commands.append(Deliver(AttemptId(self.run, driver.path, len(driver.attempts)), (entry,)))

    # --- the run ---------------------------------------------------------------------------------

    def end_run(self, trigger: Trigger, failure: Failure | None = None, outputs: Literals | None = None) -> None:
        """The run is over: everything inside has ended."""
        self.move_run(trigger, failure.title if failure is not None else "")
        self.failure = failure
        self.outputs = outputs or {}
        self.ended_at = self.at
        self.commands.append(EndRun(self.phase, self.outputs, failure))

    def define(self, program: Program) -> None:
        """Add entities; the newest of a name wins. Nodes that exist keep theirs."""
        self._codes.clear()
        self.tasks.update(program.tasks)
        self.workflows.update(program.workflows)
        self.launch_plans.update(program.launch_plans)
        self.references.update(program.references)

    def lacks(self, noun: str, name: str) -> str:
        """What is wrong where the program has no entity of that name."""
        reference = self.references.get(name)
        return f"the program has no {noun} {name!r}" if reference is None else unresolved_text(reference)

    def code_of(self, node: NodeState) -> str:
        """The digest of the code that the node runs, "" when it is not known."""
        target = node.target
        if isinstance(target, GateTarget):
            return gate_digest(target)
        if not isinstance(target, WorkflowTarget | LaunchPlanTarget | ArrayTarget):
            return node.spec.code_digest if node.spec is not None else ""
        code = self._codes.get(target)
        if code is None:
            code = closure_digest(target, Program(self.tasks, self.workflows, self.launch_plans))
            self._codes[target] = code
        return code

    def kind_of(self, spec: TaskSpec | None) -> Kind:
        """The kind of node that runs ``spec``."""
        return _KINDS[spec.kind] if spec is not None else Kind.TASK


_KINDS: Mapping[TaskKind, Kind] = {
    TaskKind.TASK: Kind.TASK,
    TaskKind.EAGER: Kind.EAGER,
    TaskKind.DYNAMIC: Kind.DYNAMIC,
}
