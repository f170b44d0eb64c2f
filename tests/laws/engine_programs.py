"""Random programs for the laws of the engine, and what a plain interpretation makes of them.

Every task takes and gives an int, and what it gives depends on its name and inputs only. So the oracle needs no engine.
"""

from __future__ import annotations

import random
import zlib

from msgspec import Struct
from msgspec.structs import replace

from whimbrel.graph.passes import bracketed, replace_in_node, replace_promises
from whimbrel.model.interface import Interface, Parameter, Variable
from whimbrel.model.literal_types import DURATION, INTEGER, NONE, STRING, StructType, UnionType
from whimbrel.model.literals import (
    BoolLiteral,
    DurationLiteral,
    IntLiteral,
    ListLiteral,
    Literal,
    Literals,
    MapLiteral,
    NoneLiteral,
    StrLiteral,
    UnionLiteral,
)
from whimbrel.model.program import (
    START,
    ArrayTarget,
    Binding,
    Bracket,
    BranchCase,
    BranchTarget,
    CacheSpec,
    CodeRef,
    Comparison,
    Condition,
    FailurePolicy,
    GateKind,
    GateTarget,
    Graph,
    Junction,
    ListBinding,
    LiteralBinding,
    MapBinding,
    Metadata,
    Node,
    Program,
    PromiseBinding,
    TaskKind,
    TaskSpec,
    TaskTarget,
    WorkflowTarget,
)

EITHER = UnionType((INTEGER, NONE))
NOTHING_NEEDED = Interface(
    {"a": Parameter(INTEGER, default=IntLiteral(5)), "b": Parameter(INTEGER, default=IntLiteral(7))},
    {"o0": Variable(INTEGER)},
)
TOLD = Interface(
    {
        "a": Parameter(EITHER),
        "b": Parameter(INTEGER, default=IntLiteral(7)),
        "error": Parameter(UnionType((STRING, NONE))),
    },
    {"o0": Variable(INTEGER)},
)
HANDLING = Interface(
    {
        "a": Parameter(INTEGER),
        "b": Parameter(INTEGER, default=IntLiteral(7)),
        "err": Parameter(UnionType((StructType("FlyteError", {"message": STRING, "failed_node_id": STRING}), NONE))),
    },
    {"o0": Variable(INTEGER)},
)
UNARY = Interface({"a": Parameter(INTEGER), "b": Parameter(INTEGER, default=IntLiteral(7))}, {"o0": Variable(INTEGER)})


class Shape(Struct, frozen=True):
    """How programs are drawn. ``poison``: the chance that a task fails for good."""

    size: int = 5
    depth: int = 2
    poison: float = 0.0
    eager: float = 0.0
    cache: float = 0.0
    retries: int = 2
    timeouts: float = 0.0
    policy: FailurePolicy | None = None
    brackets: float = 0.0
    maps: float = 0.0
    dynamic: float = 0.0
    handlers: float = 0.0
    """The chance that a workflow has a failure node."""
    gates: float = 0.0


def worth(literal: Literal) -> int:
    """An int for any literal."""
    if isinstance(literal, IntLiteral):
        return literal.value
    if isinstance(literal, UnionLiteral):
        return worth(literal.value)
    if isinstance(literal, NoneLiteral | StrLiteral):
        return 0
    if isinstance(literal, ListLiteral):
        return sum(at * worth(item) for at, item in enumerate(literal.items, 1)) % 10_007
    assert isinstance(literal, MapLiteral)
    return sum(worth(item) for item in literal.items.values()) % 10_007


def compute(task: str, inputs: Literals) -> Literals:
    """What ``task`` gives. What a teardown is told depends on what happened: it gives the same whatever that is."""
    if task.endswith(("teardown", "handler")):
        return {"o0": IntLiteral(1)}
    salt = zlib.crc32(task.encode()) % 997
    return {"o0": IntLiteral((worth(inputs["a"]) * 31 + worth(inputs["b"]) * 17 + salt) % 10_007)}


def poisoned(task: str) -> bool:
    """Whether every attempt of ``task`` fails, and says that retrying is useless."""
    return task.startswith("poison")


def draw_program(rng: random.Random, shape: Shape) -> Program:
    """A program whose workflow ``main`` may use everything else in it."""
    tasks: dict[str, TaskSpec] = {}
    workflows: dict[str, Graph] = {}
    for number in range(rng.randint(1, 4)):
        name = f"{'poison' if rng.random() < shape.poison else 'task'}{number}"
        tasks[name] = TaskSpec(name, UNARY, CodeRef("m", name), metadata=draw_metadata(rng, shape))
    if rng.random() < shape.eager:
        for number in range(rng.randint(1, 2)):
            name = f"eager{number}"
            timeout = 10.0 if rng.random() < shape.timeouts else None
            metadata = Metadata(retries=rng.randint(0, shape.retries), timeout=timeout)
            tasks[name] = TaskSpec(name, UNARY, CodeRef("m", name), TaskKind.EAGER, metadata)
    for number in range(2 if rng.random() < shape.dynamic else 0):
        name = f"dynamic{number}"
        tasks[name] = TaskSpec(name, UNARY, CodeRef("m", name), TaskKind.DYNAMIC, draw_metadata(rng, shape))
    if shape.brackets:
        for part, interface in (("setup", NOTHING_NEEDED), ("teardown", TOLD)):
            name = f"{'poison_' if rng.random() < shape.poison / 2 else ''}{part}"
            tasks[name] = TaskSpec(name, interface, CodeRef("m", name), metadata=draw_metadata(rng, shape))
    if shape.handlers:
        name = f"{'poison_' if rng.random() < shape.poison else ''}handler"
        tasks[name] = TaskSpec(name, HANDLING, CodeRef("m", name), metadata=draw_metadata(rng, shape))
    for level in range(shape.depth):
        for number in range(rng.randint(0, 2)):
            name = f"w{level}_{number}"
            known = list(workflows)
            workflows[name] = draw_graph(rng, shape, name, list(tasks), known)
    workflows["main"] = draw_graph(rng, shape, "main", list(tasks), list(workflows))
    return Program(tasks, workflows)


def draw_metadata(rng: random.Random, shape: Shape) -> Metadata:
    """Retries, backoff, time-outs and a cache, or not."""
    return Metadata(
        retries=rng.randint(0, shape.retries),
        backoff=rng.choice([None, 0.5]),
        backoff_limit=rng.choice([None, 1.0]),
        timeout=rng.choice([1.0, 10.0]) if rng.random() < shape.timeouts else None,
        cache=CacheSpec("1", (), rng.random() < 0.5) if rng.random() < shape.cache else None,
    )


def draw_graph(rng: random.Random, shape: Shape, name: str, tasks: list[str], workflows: list[str]) -> Graph:
    """A graph whose edges need not follow the order of its nodes."""
    setup = next((task for task in tasks if task.endswith("setup")), "")
    teardown = next((task for task in tasks if task.endswith("teardown")), "")
    handler = next((task for task in tasks if task.endswith("handler")), "")
    tasks = [task for task in tasks if task not in (setup, teardown, handler)]
    ids = [f"n{number}" for number in range(rng.randint(0, shape.size))]
    order = ids[:]
    rng.shuffle(order)
    nodes: dict[str, Node] = {}
    naps: list[str] = []
    for id in order:
        # A sleep gives nothing: others are only ordered behind it.
        above = [one for one in nodes if one not in naps]
        if rng.random() < shape.gates:
            nodes[id] = draw_gate(rng, id, above, patient=not shape.timeouts)
            if not nodes[id].target.interface.outputs:  # type: ignore[union-attr]  # it is a gate
                naps.append(id)
        else:
            nodes[id] = draw_node(rng, id, above, tasks, workflows, depth=2, maps=shape.maps)
        if naps and naps[-1] != id and rng.random() < 0.5:
            nodes[id] = replace(nodes[id], upstream=tuple(dict.fromkeys((*nodes[id].upstream, naps[-1]))))
    interface = Interface({"a": Parameter(INTEGER), "b": Parameter(INTEGER)}, {"o0": Variable(INTEGER)})
    policy = shape.policy or rng.choice(list(FailurePolicy))
    outputs = {"o0": draw_binding(rng, [id for id in order if id not in naps])}
    drawn = tuple(nodes[id] for id in ids)
    brackets = draw_brackets(rng, shape, drawn, setup, teardown)
    ends = [
        node
        for number, bracket in enumerate(brackets)
        for node in (
            Node(bracket.setup, TaskTarget(setup), {var: LiteralBinding(IntLiteral(number)) for var in "ab"}),
            Node(
                bracket.teardown,
                TaskTarget(teardown),
                {"a": PromiseBinding(bracket.setup, "o0"), "error": LiteralBinding(NoneLiteral())},
                (bracket.setup,),
            ),
        )
    ]
    rng.shuffle(ends)
    graph = Graph(name, interface, bracketed((*drawn, *ends), brackets), outputs, policy, brackets=brackets)
    if handler and rng.random() < shape.handlers:
        told = LiteralBinding(UnionLiteral(1, NoneLiteral()))
        inputs: dict[str, Binding] = {"a": PromiseBinding(START, "a"), "b": PromiseBinding(START, "b"), "err": told}
        return replace(graph, failure_node=Node("fn0", TaskTarget(handler), inputs), failure_error="err")
    return graph


def draw_brackets(
    rng: random.Random, shape: Shape, nodes: tuple[Node, ...], setup: str, teardown: str
) -> tuple[Bracket, ...]:
    """Brackets around some of the nodes: side by side, or one in the other, the inner first."""
    found: list[Bracket] = []
    free = [node.id for node in nodes]
    while setup and teardown and len(found) < 3 and rng.random() < shape.brackets:
        members = rng.sample(free, rng.randint(0, len(free)))
        free = [id for id in free if id not in members]
        for inner in found:
            around = {id for one in found for id in one.members}
            if inner.setup not in around and rng.random() < 0.5:
                members += [inner.setup, *inner.members, inner.teardown]
        number = len(found)
        members = list(dict.fromkeys(members))
        found.append(Bracket(f"setup{number}", f"teardown{number}", tuple(members), "error"))
    return tuple(found)


def draw_node(
    rng: random.Random,
    id: str,
    above: list[str],
    tasks: list[str],
    workflows: list[str],
    depth: int,
    maps: float = 0.0,
) -> Node:
    """A task, a sub-workflow, a map or a branch that may use the nodes ``above``."""
    if rng.random() < maps:
        return draw_map(rng, id, above, tasks, workflows)
    kind = rng.random()
    if depth and kind < 0.2:
        cases = tuple(
            BranchCase(
                draw_condition(rng, above, 2), draw_node(rng, f"{id}-n{number}", above, tasks, workflows, depth - 1)
            )
            for number in range(rng.randint(1, 2))
        )
        last = draw_node(rng, f"{id}-n{len(cases)}", above, tasks, workflows, depth - 1)
        return Node(id, BranchTarget(id, cases, last), upstream=tuple(above))
    inputs = {"a": draw_binding(rng, above), "b": draw_binding(rng, above)}
    named = [node for binding in inputs.values() for node in promised(binding)]
    upstream = tuple(dict.fromkeys([*named, *rng.sample(above, min(len(above), rng.randint(0, 1)))]))
    if workflows and kind < 0.45:
        return Node(id, WorkflowTarget(rng.choice(workflows)), inputs, upstream)
    return Node(id, TaskTarget(rng.choice(tasks)), inputs, upstream)


APPROVAL = Interface({"value": Parameter(INTEGER)}, {"o0": Variable(INTEGER)})
QUESTION = Interface({}, {"o0": Variable(INTEGER)})
NAP = Interface({"duration": Parameter(DURATION)})


def a_gate(rng: random.Random, *, patient: bool) -> GateTarget:
    """An approval (some are rejected), a question, or a sleep; many have the same name."""
    kind = rng.choice(["ok", "ok", "ask", "nap", "no"])
    timeout = None if patient else rng.choice([None, 50.0])
    if kind == "nap":
        return GateTarget("nap", GateKind.SLEEP, NAP)
    if kind == "ask":
        return GateTarget(f"ask{rng.randint(0, 2)}", GateKind.SIGNAL, QUESTION, timeout)
    return GateTarget(f"{kind}{rng.randint(0, 2)}", GateKind.APPROVE, APPROVAL, timeout)


def draw_gate(rng: random.Random, id: str, above: list[str], *, patient: bool) -> Node:
    """A gate that may use the nodes ``above``."""
    target = a_gate(rng, patient=patient)
    inputs: dict[str, Binding] = {}
    if target.kind is GateKind.APPROVE:
        inputs["value"] = draw_binding(rng, above)
    elif target.kind is GateKind.SLEEP:
        inputs["duration"] = LiteralBinding(DurationLiteral(0, rng.randint(0, 20), 0))
    named = [node for binding in inputs.values() for node in promised(binding)]
    upstream = tuple(dict.fromkeys([*named, *rng.sample(above, min(len(above), rng.randint(0, 1)))]))
    return Node(id, target, inputs, upstream)


def reply(gate: str) -> Literal:
    """What everybody answers at the gates of that name."""
    return IntLiteral(zlib.crc32(gate.encode()) % 100) if gate.startswith("ask") else BoolLiteral(gate.startswith("ok"))


def gate_names(program: Program) -> list[str]:
    """The names of the gates in the graphs, where they can be answered."""
    targets = [node.target for graph in program.workflows.values() for node in graph.nodes]
    named = dict.fromkeys(target.name for target in targets if isinstance(target, GateTarget))
    return [name for name in named if name != "nap"]


def draw_map(rng: random.Random, id: str, above: list[str], tasks: list[str], workflows: list[str]) -> Node:
    """A map over ``a``, sometimes over ``b`` too; now and then over what is no list, or over lists that do not fit."""
    target = draw_array(rng, id, tasks, workflows)
    length = rng.randint(0, 4)
    inputs = {}
    for var in "ab":
        if var not in target.mapped or rng.random() < 0.05:
            inputs[var] = draw_binding(rng, above)
        else:
            nested = isinstance(target.target, ArrayTarget) and var in target.target.mapped
            items = [draw_items(rng, above) if nested else draw_binding(rng, above) for _ in range(length)]
            inputs[var] = ListBinding(tuple(items))
    named = [node for binding in inputs.values() for node in promised(binding)]
    overrides = Metadata(retries=rng.randint(0, 2)) if rng.random() < 0.2 else Metadata()
    return Node(id, target, inputs, tuple(dict.fromkeys(named)), overrides=overrides)


def draw_items(rng: random.Random, above: list[str]) -> Binding:
    """A short list."""
    return ListBinding(tuple(draw_binding(rng, above) for _ in range(rng.randint(0, 2))))


def draw_array(rng: random.Random, name: str, tasks: list[str], workflows: list[str]) -> ArrayTarget:
    """What a map runs: a task, a workflow, another map."""
    inner: TaskTarget | WorkflowTarget | ArrayTarget = TaskTarget(rng.choice(tasks))
    if workflows and rng.random() < 0.3:
        inner = WorkflowTarget(rng.choice(workflows))
    if rng.random() < 0.15:
        inner = ArrayTarget(f"{name} inside", inner, ("a",))
    return ArrayTarget(
        f"map {name}",
        inner,
        ("a", "b") if rng.random() < 0.3 and not isinstance(inner, ArrayTarget) else ("a",),
        rng.choice([0, 0, 1, 2]),
        rng.choice([None, None, None, 0, 1]),
        rng.choice([1.0, 1.0, 0.5]),
    )


def unfolded(program: Program, name: str, inputs: Literals) -> Graph:
    """What the dynamic task ``name`` makes of ``inputs``: always the same. The higher ones use all that is lower."""
    rng = random.Random(zlib.crc32(f"{name} {inputs}".encode()))
    usable = [
        task
        for task, spec in program.tasks.items()
        if spec.kind is TaskKind.TASK or (name != "dynamic0" and task != name)
    ]
    shape = Shape(size=3, brackets=0.3, maps=0.3)
    drawn = draw_graph(rng, shape, name, usable, [])
    known = {"a": IntLiteral(worth(inputs["a"])), "b": IntLiteral(worth(inputs["b"]))}

    def constant(promise: PromiseBinding) -> Binding:
        return LiteralBinding(known[promise.var]) if promise.node == START else promise

    return replace(
        drawn,
        interface=Interface({}, drawn.interface.outputs),
        nodes=tuple(replace_in_node(node, constant) for node in drawn.nodes),
        outputs={var: replace_promises(binding, constant) for var, binding in drawn.outputs.items()},
    )


def draw_binding(rng: random.Random, above: list[str], depth: int = 1) -> Binding:
    """A constant, an input, an output, or a list or dict of those."""
    kind = rng.random()
    if depth and kind < 0.1:
        return ListBinding(tuple(draw_binding(rng, above, depth - 1) for _ in range(rng.randint(0, 3))))
    if depth and kind < 0.15:
        return MapBinding({key: draw_binding(rng, above, depth - 1) for key in "xy"})
    if kind < 0.3:
        return LiteralBinding(IntLiteral(rng.randint(0, 99)))
    if above and kind < 0.85:
        return PromiseBinding(rng.choice(above), "o0")
    return PromiseBinding(START, rng.choice("ab"))


def draw_condition(rng: random.Random, above: list[str], depth: int) -> Condition:
    """A comparison, or several. Some compare what is no scalar: the run must fail then."""
    if depth and rng.random() < 0.4:
        return Junction(
            rng.choice(["and", "or"]), draw_condition(rng, above, depth - 1), draw_condition(rng, above, depth - 1)
        )
    op = rng.choice(["==", "!=", "<", "<=", ">", ">="])
    limit = LiteralBinding(IntLiteral(rng.randint(0, 10_007)))
    if above and rng.random() < 0.8:
        return Comparison(op, PromiseBinding(rng.choice(above), "o0"), limit)
    return Comparison(op, limit, LiteralBinding(IntLiteral(rng.randint(0, 10_007))))


def promised(binding: Binding) -> list[str]:
    """The nodes that a binding names."""
    if isinstance(binding, PromiseBinding):
        return [binding.node] if binding.node != START else []
    if isinstance(binding, ListBinding):
        return [node for item in binding.items for node in promised(item)]
    if isinstance(binding, MapBinding):
        return [node for item in binding.items.values() for node in promised(item)]
    return []


# --- the oracle ------------------------------------------------------------------------------------------------------


class Stopped(Exception):
    """A poisoned task, or a condition over what is no scalar."""


class Oracle:
    """Runs a program in plain Python, a node at a time, in dependency order."""

    def __init__(self, program: Program, eager: object = None) -> None:
        self.program = program
        self.eager = eager

    def workflow(self, name: str, inputs: Literals) -> Literals:
        """The outputs of a workflow. Raises ``Stopped`` when something in it must fail."""
        return self.graph(self.program.workflows[name], inputs)

    def graph(self, graph: Graph, inputs: Literals) -> Literals:
        """The outputs of a graph."""
        done: dict[str, Literals] = {}
        left = list(graph.nodes)
        while left:
            node = next(node for node in left if all(id in done for id in node.upstream))
            left.remove(node)
            done[node.id] = self.node(node, inputs, done)
        return {var: self.bound(binding, inputs, done) for var, binding in graph.outputs.items()}

    def node(self, node: Node, inputs: Literals, done: dict[str, Literals]) -> Literals:
        """The outputs of a node."""
        target = node.target
        if isinstance(target, BranchTarget):
            for case in target.cases:
                if self.holds(case.condition, inputs, done):
                    return self.node(case.node, inputs, done)
            assert target.otherwise is not None
            return self.node(target.otherwise, inputs, done)
        given = {var: self.bound(binding, inputs, done) for var, binding in node.inputs.items()}
        if isinstance(target, GateTarget):
            return self.gate(target, given)
        assert isinstance(target, TaskTarget | WorkflowTarget | ArrayTarget)
        return self.called(target, given)

    def called(self, target: TaskTarget | WorkflowTarget | ArrayTarget, given: Literals) -> Literals:
        """The outputs of a task, a workflow or a map."""
        if isinstance(target, ArrayTarget):
            return self.array(target, given)
        return (
            self.workflow(target.name, given) if isinstance(target, WorkflowTarget) else self.task(target.name, given)
        )

    def gate(self, target: GateTarget, given: Literals) -> Literals:
        """The outputs of a gate."""
        if target.kind is GateKind.SLEEP:
            return {}
        answer = reply(target.name)
        if answer == BoolLiteral(False):
            raise Stopped("rejected")
        return {"o0": given["value"] if target.kind is GateKind.APPROVE else answer}

    def array(self, target: ArrayTarget, given: Literals) -> Literals:
        """The outputs of a map."""
        lists: dict[str, tuple[Literal, ...]] = {}
        for var in target.mapped:
            found = given[var]
            if not isinstance(found, ListLiteral):
                raise Stopped("no list")
            lists[var] = found.items
        if len({len(items) for items in lists.values()}) > 1:
            raise Stopped("lists of different lengths")
        length = len(next(iter(lists.values())))
        if length and length < (target.min_successes or 0):
            raise Stopped("too few items")
        results: list[Literal] = []
        failed = 0
        for at in range(length):
            assert isinstance(target.target, TaskTarget | WorkflowTarget | ArrayTarget)
            try:
                result = self.called(target.target, {**given, **{var: items[at] for var, items in lists.items()}})["o0"]
                results.append(UnionLiteral(0, result) if target.partial else result)
            except Stopped:
                failed += 1
                results.append(UnionLiteral(1, NoneLiteral()))
        wanted = length * target.min_success_ratio if target.min_successes is None else target.min_successes
        if length - failed < min(wanted, length):
            raise Stopped("too few successes")
        return {"o0": ListLiteral(tuple(results))}

    def task(self, name: str, inputs: Literals) -> Literals:
        """The outputs of a task."""
        if poisoned(name):
            raise Stopped(name)
        if self.program.tasks[name].kind is TaskKind.DYNAMIC:
            return self.graph(unfolded(self.program, name, inputs), {})
        return compute(name, inputs)

    def bound(self, binding: Binding, inputs: Literals, done: dict[str, Literals]) -> Literal:
        """The literal that a binding stands for."""
        if isinstance(binding, LiteralBinding):
            return binding.value
        if isinstance(binding, PromiseBinding):
            found = inputs if binding.node == START else done[binding.node]
            return found[binding.var]
        if isinstance(binding, ListBinding):
            return ListLiteral(tuple(self.bound(item, inputs, done) for item in binding.items))
        return MapLiteral({name: self.bound(item, inputs, done) for name, item in binding.items.items()})

    def holds(self, condition: Condition, inputs: Literals, done: dict[str, Literals]) -> bool:
        """Whether a condition is true."""
        if isinstance(condition, Junction):
            left = self.holds(condition.left, inputs, done)
            if condition.op == "and":
                return left and self.holds(condition.right, inputs, done)
            return left or self.holds(condition.right, inputs, done)
        sides = [self.bound(side, inputs, done) for side in (condition.left, condition.right)]
        if not all(isinstance(side, IntLiteral) for side in sides):
            raise Stopped("not comparable")
        left_value, right_value = (worth(side) for side in sides)
        return {
            "==": left_value == right_value,
            "!=": left_value != right_value,
            "<": left_value < right_value,
            "<=": left_value <= right_value,
            ">": left_value > right_value,
            ">=": left_value >= right_value,
        }[condition.op]
