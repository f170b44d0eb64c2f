"""Random eager bodies for the laws of the engine, a driver that runs them, and the oracle of what they give.

A body is a generator: it yields the place of a call (or several, for whichever ends first) and is sent the outcome. So
it runs under a simulated driver, and in the oracle, without asyncio.
"""

from __future__ import annotations

import random
import zlib
from collections import deque
from collections.abc import Generator
from typing import Any, Protocol, TypeAlias

from tests.laws.engine_programs import QUESTION, Oracle, Stopped, a_gate, draw_array, gate_names, worth
from whimbrel.model.attempt import (
    AttemptFault,
    BeginCall,
    CancelCall,
    FinishCall,
    FireTimer,
    Launch,
    RecordValue,
    StartTimer,
    Succeeded,
)
from whimbrel.model.codec import digest
from whimbrel.model.failure import Failure, Fault
from whimbrel.model.literals import DurationLiteral, IntLiteral, ListLiteral, Literal, Literals
from whimbrel.model.program import (
    ArrayTarget,
    BranchTarget,
    GateKind,
    GateTarget,
    Metadata,
    Program,
    TaskKind,
    TaskTarget,
    WorkflowTarget,
)
from whimbrel.model.run import Done, Entry, EntryKind, Failed, Outcome

Place: TypeAlias = tuple[str, str]
Body: TypeAlias = Generator[tuple[Place, ...], tuple[Place, Outcome], Literals]


class CallRaised(Exception):
    """A call that the body does not catch has failed."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(failure.title)
        self.failure = failure


class Interrupted(Exception):
    """The body has to stop."""


class Context(Protocol):
    """What a body may do."""

    def call(
        self,
        scope: str,
        entity: str,
        inputs: Literals,
        *,
        workflow: bool = False,
        shielded: bool = False,
        target: ArrayTarget | GateTarget | None = None,
    ) -> Place: ...
    def open(self, scope: str, entity: str, inputs: Literals) -> tuple[Place, bool]: ...
    def finish(self, place: Place, outcome: Outcome) -> None: ...
    def cancel(self, place: Place) -> None: ...
    def timer(self, scope: str) -> Place: ...
    def value(self, scope: str) -> Place: ...


def plain_workflows(program: Program) -> list[str]:
    """The workflows that reach no eager task: a body may call them without end in sight."""
    plain: list[str] = []
    for name, graph in program.workflows.items():
        targets = []
        stack = list(graph.nodes)
        while stack:
            node = stack.pop()
            target = node.target
            while isinstance(target, ArrayTarget):
                target = target.target
            if isinstance(target, TaskTarget | WorkflowTarget):
                targets.append(target)
            elif not isinstance(target, GateTarget):
                assert isinstance(node.target, BranchTarget)
                stack.extend(case.node for case in node.target.cases)
                stack.extend([node.target.otherwise] if node.target.otherwise else [])
        if all(
            target.name in plain
            if isinstance(target, WorkflowTarget)
            else program.tasks[target.name].kind is TaskKind.TASK
            for target in targets
        ):
            plain.append(name)
    return plain


def one(outcome: Outcome) -> Literals:
    """The outputs, or what awaiting the call raises."""
    if isinstance(outcome, Failed):
        raise CallRaised(outcome.failure)
    return outcome.outputs


def body(context: Context, program: Program, scope: str, name: str, inputs: Literals) -> Body:
    """What the eager task ``name`` does with ``inputs``: always the same. Told to stop, it may call something."""
    manner = zlib.crc32(f"{name} {inputs} manner".encode()) % 4
    try:
        return (yield from steps(context, program, scope, name, inputs))
    except Interrupted:
        tasks = [task for task, spec in program.tasks.items() if spec.kind is TaskKind.TASK]
        for _ in range(manner):
            yield (context.call(scope, tasks[0], {"a": IntLiteral(1), "b": IntLiteral(2)}),)
        if manner == 3:
            return {"o0": IntLiteral(manner)}  # it acts as if nothing had happened
        raise


def steps(context: Context, program: Program, scope: str, name: str, inputs: Literals) -> Body:
    """The steps of a body."""
    rng = random.Random(zlib.crc32(f"{name} {inputs}".encode()))
    tasks = [
        task
        for task, spec in program.tasks.items()
        if spec.kind is TaskKind.TASK and not task.endswith(("setup", "teardown", "handler"))
    ]
    dynamic = [task for task in program.tasks if task == "dynamic0"]  # it reaches no eager task
    lower = [task for task, spec in program.tasks.items() if spec.kind is TaskKind.EAGER and task < name]
    workflows = plain_workflows(program)
    gated = bool(gate_names(program))
    total = worth(inputs["a"])

    def given() -> Literals:
        return {"a": IntLiteral(total), "b": IntLiteral(rng.randint(0, 99))}

    def add(outputs: Literals) -> None:
        nonlocal total
        total = (total * 31 + worth(outputs.get("o0", IntLiteral(3)))) % 10_007

    for _ in range(rng.randint(1, 4)):
        match rng.choice(
            [
                "bracket",
                "call",
                "gather",
                "try",
                "race",
                "cancel",
                "abandon",
                "timer",
                "value",
                "inline",
                "eager",
                "flow",
                "dynamic",
                "map",
                "gate",
                "gates",
            ]
        ):
            case "bracket":
                _, outcome = yield (context.call(scope, tasks[0], given(), shielded=True),)
                one(outcome)
                held = [context.call(scope, rng.choice(tasks), given()) for _ in range(2)]
                close = given()
                try:
                    for place in held:
                        one((yield (place,))[1])
                except (CallRaised, Interrupted):
                    for place in held:
                        context.cancel(place)
                    yield (context.call(scope, tasks[0], close, shielded=True),)
                    raise
                one((yield (context.call(scope, tasks[0], close, shielded=True),))[1])
            case "call":
                _, outcome = yield (context.call(scope, rng.choice(tasks), given()),)
                add(one(outcome))
            case "gather":
                places = [context.call(scope, rng.choice(tasks), given()) for _ in range(rng.randint(2, 4))]
                outcomes = []
                for place in places:
                    outcomes.append((yield (place,))[1])
                for outcome in outcomes:
                    add(one(outcome))
            case "try":
                _, outcome = yield (context.call(scope, rng.choice(tasks), given()),)
                add(outcome.outputs if isinstance(outcome, Done) else {})
            case "race":
                places = [context.call(scope, rng.choice(tasks), given()) for _ in range(2)]
                winner, _ = yield tuple(places)
                for place in places:
                    if place != winner:
                        context.cancel(place)
            case "cancel":
                context.cancel(context.call(scope, rng.choice(tasks), given()))
            case "abandon":
                context.call(scope, rng.choice(tasks), given())
            case "timer":
                yield (context.timer(scope),)
            case "value":
                yield (context.value(scope),)
            case "inline" if lower:
                add((yield from inline(context, program, scope, rng.choice(lower), given())))
            case "eager" if lower:
                _, outcome = yield (context.call(scope, rng.choice(lower), given()),)
                add(one(outcome))
            case "dynamic" if dynamic:
                _, outcome = yield (context.call(scope, dynamic[0], given()),)
                add(one(outcome))
            case "map" if dynamic:
                over = draw_array(rng, "m", [*tasks, *dynamic], workflows)
                items: Literal = ListLiteral(tuple(IntLiteral(rng.randint(0, 99)) for _ in range(rng.randint(0, 4))))
                if isinstance(over.target, ArrayTarget):
                    items = ListLiteral((items, items))
                lists = {**given(), **dict.fromkeys(over.mapped, items)}
                _, outcome = yield (context.call(scope, over.name, lists, target=over),)
                add(one(outcome))
            case "gate" if gated:
                gate = a_gate(rng, patient=True)
                passed: Literals = {"value": IntLiteral(total)} if gate.kind is GateKind.APPROVE else {}
                if gate.kind is GateKind.SLEEP:
                    passed = {"duration": DurationLiteral(0, 1, 0)}
                _, outcome = yield (context.call(scope, gate.name, passed, target=gate),)
                add(one(outcome))
            case "gates" if gated:
                # A race of an answer and a task; a call that is made later asks again.
                gate = GateTarget("ask0", GateKind.SIGNAL, QUESTION)
                places = [context.call(scope, "ask0", {}, target=gate), context.call(scope, rng.choice(tasks), given())]
                winner, _ = yield tuple(places)
                for place in places:
                    if place != winner:
                        context.cancel(place)
                _, outcome = yield (context.call(scope, "ask0", {}, target=gate),)
                add(one(outcome))
            case "flow" if workflows:
                _, outcome = yield (context.call(scope, rng.choice(workflows), given(), workflow=True),)
                add(one(outcome))
    return {"o0": IntLiteral(total)}


def inline(context: Context, program: Program, scope: str, name: str, inputs: Literals) -> Body:
    """A nested eager body, run by the same driver."""
    place, answered = context.open(scope, name, inputs)
    if not answered:
        outcome: Outcome
        try:
            outcome = Done((yield from body(context, program, f"{place[0]}/{place[1]}", name, inputs)))
        except CallRaised as raised:
            outcome = Failed(raised.failure)
        except Interrupted:
            context.cancel(place)
            raise
        context.finish(place, outcome)
    _, outcome = yield (place,)
    return one(outcome)


class Driver:
    """One attempt of an eager node: replays its journal, then goes on. ``outbox`` is what it has to say, in order."""

    def __init__(self, launch: Launch, program: Program, rng: random.Random) -> None:
        self.launch = launch
        self.outbox: deque[Any] = deque()
        self.known: dict[Place, Entry] = {(entry.parent, entry.key): entry for entry in launch.journal}
        assert len(self.known) == len(launch.journal)
        self.delivered: dict[Place, Outcome] = {}
        self.heard = 0
        self._program = program
        self._rng = rng
        self._inbox = deque(entry for entry in launch.journal if entry.outcome is not None)
        self._calls: dict[str, int] = {}
        self._timers: list[Place] = []
        self._waiting: tuple[Place, ...] | None = None
        self._over = False
        self._body = body(self, program, launch.attempt.path, launch.task.name, launch.inputs)

    def start(self) -> None:
        """Run to the first wait."""
        self._resume(None)

    def deliver(self, entries: tuple[Entry, ...]) -> None:
        """Entries have become durable. Those that it has already are repeats."""
        self.heard += len(entries)
        for entry in entries:
            place = (entry.parent, entry.key)
            assert entry.outcome is not None
            if place in self.delivered:
                assert self.delivered[place] == entry.outcome, "two outcomes for one call"
            elif all((waiting.parent, waiting.key) != place for waiting in self._inbox):
                self._inbox.append(entry)
        self._resume(None)

    def _resume(self, sent: tuple[Place, Outcome] | None) -> None:
        try:
            while not self._over:
                if self._waiting is None:
                    self._waiting = next(self._body)
                found = next((place for place in self._waiting if place in self.delivered), None)
                if found is not None:
                    self._waiting = self._body.send((found, self.delivered[found]))
                elif self._inbox:
                    entry = self._inbox.popleft()
                    assert entry.outcome is not None
                    if entry.kind is EntryKind.ABORT:
                        for place in self._waiting:
                            self.cancel(place)
                        self._waiting = self._body.throw(Interrupted())
                    self.delivered[entry.parent, entry.key] = entry.outcome
                else:
                    return
        except StopIteration as stop:
            self._over = True
            self.outbox.append(Succeeded(self.launch.attempt, stop.value, 0.0))
        except CallRaised as raised:
            self._over = True
            self.outbox.append(AttemptFault(self.launch.attempt, raised.failure, 0.0))
        except Interrupted:
            self._over = True
            failure = Failure(Fault.CANCELLED, "it was stopped", recoverable=False)
            self.outbox.append(AttemptFault(self.launch.attempt, failure, 0.0))

    def _place(self, scope: str, prefix: str = "") -> Place:
        self._calls[scope + prefix] = number = self._calls.get(scope + prefix, 0) + 1
        return scope, f"{prefix}{number}"

    def call(
        self,
        scope: str,
        entity: str,
        inputs: Literals,
        *,
        workflow: bool = False,
        shielded: bool = False,
        target: ArrayTarget | GateTarget | None = None,
    ) -> Place:
        return self._begin(scope, entity, inputs, workflow=workflow, shielded=shielded, target=target)

    def _begin(
        self,
        scope: str,
        entity: str,
        inputs: Literals,
        *,
        workflow: bool = False,
        inline: bool = False,
        shielded: bool = False,
        target: ArrayTarget | GateTarget | None = None,
    ) -> Place:
        place = self._place(scope)
        identity = digest([entity, inputs, target])
        known = self.known.get(place)
        replaces = known is not None and known.digest != identity
        if replaces:
            # A retry of the body took another road: what failed the last time did not fail now.
            self._displace(place)
        if known is None or replaces:
            self.outbox.append(
                BeginCall(
                    self.launch.attempt,
                    *place,
                    entity,
                    workflow,
                    inputs,
                    identity,
                    0.0,
                    inline=inline,
                    replaces=replaces,
                    metadata=Metadata(shielded=shielded or None),
                    target=target,
                )
            )
        return place

    def _displace(self, place: Place) -> None:
        gone = [one for one in self.known if one == place or f"{one[0]}/".startswith(f"{place[0]}/{place[1]}/")]
        for one in gone:
            del self.known[one]
            self.delivered.pop(one, None)
        self._inbox = deque(entry for entry in self._inbox if (entry.parent, entry.key) not in gone)

    def open(self, scope: str, entity: str, inputs: Literals) -> tuple[Place, bool]:
        place = self._begin(scope, entity, inputs, inline=True)
        known = self.known.get(place)
        return place, known is not None and known.outcome is not None

    def finish(self, place: Place, outcome: Outcome) -> None:
        self.outbox.append(FinishCall(self.launch.attempt, *place, outcome, 0.0))

    def cancel(self, place: Place) -> None:
        known = self.known.get(place)
        if known is None or known.outcome is None:
            self.outbox.append(CancelCall(self.launch.attempt, *place, 0.0))

    def timer(self, scope: str) -> Place:
        place = self._place(scope, "timer")
        known = self.known.get(place)
        if known is None:
            self.outbox.append(StartTimer(self.launch.attempt, *place, 5.0, 0.0))
        if known is None or known.outcome is None:
            self.outbox.append(FireTimer(self.launch.attempt, *place, 0.0))
        return place

    def value(self, scope: str) -> Place:
        place = self._place(scope, "value")
        if place not in self.known:
            self.outbox.append(RecordValue(self.launch.attempt, *place, IntLiteral(self._rng.randint(0, 99)), 0.0))
        return place


class EagerOracle(Oracle):
    """The oracle, with bodies."""

    def task(self, name: str, inputs: Literals) -> Literals:
        if self.program.tasks[name].kind is TaskKind.EAGER:
            context = _Immediate(self)
            running = body(context, self.program, "", name, inputs)
            try:
                places = next(running)
                while True:
                    places = running.send((places[0], context.outcomes[places[0]]))
            except StopIteration as stop:
                outputs: Literals = stop.value
                return outputs
            except CallRaised as raised:
                raise Stopped(name) from raised
        return super().task(name, inputs)


class _Immediate:
    """Calls answer at once."""

    def __init__(self, oracle: Oracle) -> None:
        self.oracle = oracle
        self.outcomes: dict[Place, Outcome] = {}

    def _answer(self, scope: str, outcome: Outcome) -> Place:
        place = (scope, str(len(self.outcomes)))
        self.outcomes[place] = outcome
        return place

    def call(
        self,
        scope: str,
        entity: str,
        inputs: Literals,
        *,
        workflow: bool = False,
        shielded: bool = False,
        target: ArrayTarget | GateTarget | None = None,
    ) -> Place:
        try:
            if isinstance(target, GateTarget):
                outputs = self.oracle.gate(target, inputs)
            elif target is not None:
                outputs = self.oracle.array(target, inputs)
            else:
                outputs = self.oracle.workflow(entity, inputs) if workflow else self.oracle.task(entity, inputs)
        except Stopped as stopped:
            return self._answer(scope, Failed(Failure(Fault.USER, str(stopped))))
        return self._answer(scope, Done(outputs))

    def open(self, scope: str, entity: str, inputs: Literals) -> tuple[Place, bool]:
        return self.call(scope, entity, inputs), True

    def finish(self, place: Place, outcome: Outcome) -> None:
        raise AssertionError("nothing is opened here")

    def cancel(self, place: Place) -> None:
        pass

    def timer(self, scope: str) -> Place:
        return self._answer(scope, Done({}))

    def value(self, scope: str) -> Place:
        return self._answer(scope, Done({"o0": IntLiteral(0)}))
