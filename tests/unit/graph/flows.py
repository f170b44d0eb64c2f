"""Small programs by hand, for the tests of the graph."""

from whimbrel.model.interface import Interface, Parameter, Variable
from whimbrel.model.literal_types import INTEGER, STRING, LiteralType
from whimbrel.model.literals import IntLiteral
from whimbrel.model.program import (
    START,
    Binding,
    CodeRef,
    Graph,
    Node,
    Program,
    PromiseBinding,
    SourceLine,
    TaskSpec,
    TaskTarget,
)

X = PromiseBinding(START, "x")
LINE = SourceLine("flows.py", 7, "n = inc(x=x)")


def out(node: str, *path: str | int) -> PromiseBinding:
    """The output ``o0`` of a node."""
    return PromiseBinding(node, "o0", path)


def task(name: str, given: LiteralType | None = INTEGER, gives: LiteralType | None = INTEGER) -> TaskSpec:
    """A task of one input ``x`` and one output."""
    inputs = {} if given is None else {"x": Parameter(given)}
    outputs = {} if gives is None else {"o0": Variable(gives)}
    return TaskSpec(name, Interface(inputs, outputs), CodeRef("flows", name))


INC = task("inc")
TEXT = task("text", INTEGER, STRING)
WITH_DEFAULT = TaskSpec(
    "with_default",
    Interface({"x": Parameter(INTEGER), "by": Parameter(INTEGER, "", IntLiteral(1))}, {"o0": Variable(INTEGER)}),
    CodeRef("flows", "with_default"),
)


def node(id: str, target: str = "inc", *after: str, **inputs: Binding) -> Node:
    """A node that runs a task; its upstream is what its inputs name, and ``after``."""
    above = [binding.node for binding in inputs.values() if isinstance(binding, PromiseBinding)]
    return Node(
        id, TaskTarget(target), inputs, tuple(dict.fromkeys([*(a for a in above if a != START), *after])), line=LINE
    )


def program(*nodes: Node, output: Binding | None = None, gives: LiteralType = INTEGER, **others: Graph) -> Program:
    """The workflow ``wf`` of an int ``x``, with the tasks above."""
    interface = Interface({"x": Parameter(INTEGER)}, {} if output is None else {"o0": Variable(gives)})
    graph = Graph("wf", interface, nodes, {} if output is None else {"o0": output}, line=SourceLine("flows.py", 3))
    tasks = {spec.name: spec for spec in (INC, TEXT, WITH_DEFAULT)}
    return Program(tasks, {"wf": graph, **others})
