"""Runs made of events, to be looked at."""

from __future__ import annotations

from whimbrel.engine.run import Run
from whimbrel.model.attempt import AttemptFault, BeginCall, Started, Succeeded
from whimbrel.model.commands import Command
from whimbrel.model.events import Event, RunRequested
from whimbrel.model.failure import Failure, Fault
from whimbrel.model.interface import Interface, Parameter, Variable
from whimbrel.model.literal_types import INTEGER
from whimbrel.model.literals import IntLiteral, ListLiteral
from whimbrel.model.program import (
    ArrayTarget,
    CodeRef,
    Graph,
    LiteralBinding,
    Metadata,
    Node,
    Program,
    TaskKind,
    TaskSpec,
    TaskTarget,
)
from whimbrel.model.run import AttemptId, RunOptions

ONE = Interface({}, {"o0": Variable(INTEGER)})


def task(name: str, *, retries: int | None = None, kind: TaskKind = TaskKind.TASK) -> TaskSpec:
    return TaskSpec(f"m.{name}", ONE, CodeRef("m", name), kind, Metadata(retries=retries))


class World:
    """A run of independent nodes ``n0``, ``n1``, … that run the named tasks; time goes on by a second an event."""

    def __init__(self, *tasks: TaskSpec) -> None:
        nodes = tuple(Node(f"n{at}", TaskTarget(spec.name)) for at, spec in enumerate(tasks))
        self.begin(Program({spec.name: spec for spec in tasks}, {"m.wf": Graph("m.wf", Interface(), nodes)}))

    def begin(self, program: Program) -> None:
        self.now = 1000.0
        self.run = Run()
        self.handle(RunRequested("r1", "m.wf", program, {}, RunOptions(), self.now))

    def handle(self, event: Event) -> list[Command]:
        return self.run.handle(event)

    def attempt(self, path: str) -> AttemptId:
        return AttemptId("r1", path, len(self.run.nodes[path].attempts))

    def tick(self) -> float:
        self.now += 1.0
        return self.now

    def start(self, path: str) -> None:
        self.handle(Started(self.attempt(path), "worker", self.tick()))

    def succeed(self, path: str) -> None:
        self.handle(Succeeded(self.attempt(path), {"o0": IntLiteral(1)}, self.tick()))

    def fail(self, path: str, message: str, traceback: str = "") -> None:
        failure = Failure(Fault.USER, message, "builtins:ValueError", traceback=traceback, line="wf.py:3")
        self.handle(AttemptFault(self.attempt(path), failure, self.tick()))

    def call(self, parent: str, key: str, entity: str) -> None:
        self.handle(BeginCall(self.attempt(parent), parent, key, entity, False, {}, f"digest {key}", self.tick()))


class MapWorld(World):
    """A run whose one node maps ``a``, which may lose items, over a list."""

    def __init__(self, length: int) -> None:
        spec = TaskSpec("m.a", Interface({"x": Parameter(INTEGER)}, {"o0": Variable(INTEGER)}), CodeRef("m", "a"))
        items = ListLiteral(tuple(map(IntLiteral, range(length))))
        target = ArrayTarget("m.map a over x", TaskTarget("m.a"), ("x",), min_successes=1)
        node = Node("n0", target, {"x": LiteralBinding(items)})
        self.begin(Program({"m.a": spec}, {"m.wf": Graph("m.wf", Interface(), (node,))}))
