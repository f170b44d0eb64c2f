"""Small programs, and a run to play them on by hand."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

from whimbrel.engine.nodes import NodeState
from whimbrel.engine.run import Run
from whimbrel.model.attempt import AttemptFault, BeginCall, Deliver, Launch, Started, Succeeded
from whimbrel.model.commands import Command
from whimbrel.model.events import Event, RunRequested
from whimbrel.model.failure import Failure, Fault
from whimbrel.model.interface import Interface, Parameter, Variable
from whimbrel.model.literal_types import INTEGER
from whimbrel.model.literals import IntLiteral, Literals
from whimbrel.model.program import (
    START,
    Binding,
    CodeRef,
    FailurePolicy,
    Graph,
    LiteralBinding,
    Metadata,
    Node,
    Program,
    PromiseBinding,
    SourceLine,
    TaskKind,
    TaskSpec,
    TaskTarget,
)
from whimbrel.model.run import AttemptId, Done, Entry, RunOptions

C = TypeVar("C")

INT = Interface({"x": Parameter(INTEGER)}, {"o0": Variable(INTEGER)})
ONE = {"x": IntLiteral(1)}
X = PromiseBinding(START, "x")


def out(number: int) -> Literals:
    return {"o0": IntLiteral(number)}


def task(name: str = "t", kind: TaskKind = TaskKind.TASK, interface: Interface = INT, **metadata: Any) -> TaskSpec:
    return TaskSpec(name, interface, CodeRef("m", name), kind, Metadata(**metadata))


def eager(name: str = "e", **metadata: Any) -> TaskSpec:
    return task(name, TaskKind.EAGER, **metadata)


def node(id: str, entity: str = "t", above: Sequence[str] = (), x: Binding | None = None, **options: Any) -> Node:
    """A node of a task whose input ``x`` is that of the first node above, or the workflow's."""
    binding = x if x is not None else PromiseBinding(above[0], "o0") if above else X
    return Node(id, TaskTarget(entity), {"x": binding}, tuple(above), line=SourceLine("flow.py", 7), **options)


def graph(
    *nodes: Node,
    name: str = "w",
    output: Binding | None = None,
    policy: FailurePolicy = FailurePolicy.FAIL_IMMEDIATELY,
) -> Graph:
    """A workflow; its output is that of its last node."""
    last = output or (PromiseBinding(nodes[-1].id, "o0") if nodes else LiteralBinding(IntLiteral(0)))
    return Graph(name, INT, nodes, {"o0": last}, policy, line=SourceLine("flow.py", 3))


def program(*entities: TaskSpec | Graph) -> Program:
    return Program(
        {one.name: one for one in entities if isinstance(one, TaskSpec)},
        {one.name: one for one in entities if isinstance(one, Graph)},
    )


def attempt(path: str, number: int = 1) -> AttemptId:
    return AttemptId("r", path, number)


def fault(message: str = "boom", fault: Fault = Fault.USER, recoverable: bool = True) -> Failure:
    return Failure(fault, message, "m:Boom", recoverable=recoverable)


class Play:
    """A run of ``w``, checked after every event. ``asked`` is what the last event asked for."""

    def __init__(self, whole: Program, *, inputs: Literals | None = None, workflow: str = "w", **options: Any) -> None:
        self.run = Run()
        self.log: list[Event] = []
        self.asked: list[Command] = []
        self.now = 10.0
        self.post(
            RunRequested("r", workflow, whole, ONE if inputs is None else inputs, RunOptions(**options), self.now)
        )

    def post(self, event: Event) -> list[Command]:
        self.now += 1.0
        self.asked = self.run.handle(event)
        self.log.append(event)
        self.run.check_invariants()
        return self.asked

    def started(self, path: str, number: int = 1) -> list[Command]:
        return self.post(Started(attempt(path, number), "w1", self.now))

    def succeeded(self, path: str, value: int = 2, number: int = 1) -> list[Command]:
        return self.post(Succeeded(attempt(path, number), out(value), self.now))

    def failed(self, path: str, failure: Failure | None = None, number: int = 1) -> list[Command]:
        return self.post(AttemptFault(attempt(path, number), failure or fault(), self.now))

    def call(self, key: str, entity: str = "t", *, driver: int = 1, parent: str = "n0", **more: Any) -> list[Command]:
        """The driver of ``n0`` begins a call."""
        more = {"workflow": False, "inputs": ONE, "digest": entity, **more}
        begin = BeginCall(attempt("n0", driver), parent, key, entity, at=self.now, **more)
        return self.post(begin)

    def only(self, kind: type[C]) -> C:
        """The one command of a kind."""
        (found,) = self.every(kind)
        return found

    def every(self, kind: type[C]) -> list[C]:
        return [command for command in self.asked if isinstance(command, kind)]

    def launched(self) -> list[AttemptId]:
        return [launch.attempt for launch in self.every(Launch)]

    def delivered(self) -> Entry:
        """The one entry that was delivered."""
        (entry,) = self.only(Deliver).entries
        return entry

    def node(self, path: str) -> NodeState:
        return self.run.nodes[path]

    def phases(self) -> dict[str, str]:
        return {path: node.phase.value for path, node in self.run.nodes.items()}


def playing_eager(*entities: TaskSpec | Graph, **metadata: Any) -> Play:
    """A run of one eager node ``n0`` whose driver has started; ``t`` is a task that it may call."""
    play = Play(program(eager(**metadata), task(), *entities, graph(node("n0", "e"))))
    play.started("n0")
    return play


DONE = Done(out(2))
