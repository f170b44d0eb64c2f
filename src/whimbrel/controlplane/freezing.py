"""From what an eager run did to the graph that would do the same, where there is one.

What an eager body hands to a call was in its inputs, in what earlier calls gave, in its code, or it was computed in
the body; the record only has values. So a value is taken for an edge when it is equal to a run's input or to (a part
of) the output of a call that had ended before. Values that say nothing (``None``, booleans, -1, 0, 1, empty ones) are
edges only from an input of the run with the same name. Where several fit, an input with the same name wins, then the
latest output, then any input; the others are named in ``Edge.others``. A list or mapping is looked into. The rest is
a constant if ``constants`` has it, or if it counts calls (0, 1, …); otherwise it was computed, and there is no graph.

Knows recorded runs and literals. Must not know Python values or how a workflow is written.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TypeAlias

from msgspec import Struct

from whimbrel.engine.nodes import Kind, NodeState
from whimbrel.engine.run import Run
from whimbrel.model.content import input_digest
from whimbrel.model.literals import (
    BoolLiteral,
    BytesLiteral,
    FloatLiteral,
    IntLiteral,
    ListLiteral,
    Literal,
    Literals,
    MapLiteral,
    NoneLiteral,
    StrLiteral,
    UnionLiteral,
    render_path,
)
from whimbrel.model.program import START
from whimbrel.model.run import EntryKind, Failed, Phase

Path: TypeAlias = tuple[str | int, ...]


class Edge(Struct, frozen=True):
    """Output ``var`` of call ``node`` (``START``: input ``var`` of the run), at ``path``. ``others`` fit as well."""

    node: str
    var: str
    path: Path = ()
    others: tuple[Edge, ...] = ()


class Constant(Struct, frozen=True):
    """The value itself, at ``path`` inside the input (or output) that it belongs to."""

    path: Path


class Items(Struct, frozen=True):
    """A list of which some items are edges."""

    items: tuple[Source, ...]


class Fields(Struct, frozen=True):
    """A mapping of which some values are edges."""

    items: dict[str, Source]


Source: TypeAlias = Edge | Constant | Items | Fields


class FrozenCall(Struct, frozen=True):
    """A call, where its inputs come from, and the calls that it follows though it takes nothing of theirs."""

    node: NodeState
    inputs: dict[str, Source]
    after: tuple[str, ...]


class Frozen(Struct, frozen=True):
    """What an eager body did, as a graph."""

    calls: tuple[FrozenCall, ...]
    outputs: dict[str, Source]


class NotFreezable(Exception):
    """``reasons`` say what of the run has no place in a graph."""

    def __init__(self, reasons: list[str]) -> None:
        self.reasons = reasons
        super().__init__("; ".join(reasons))


def freeze(run: Run, fetch: Callable[[Literals], Literals], constants: frozenset[str]) -> Frozen:
    """The graph of the eager workflow that ``run`` ran. Raises ``NotFreezable``.

    ``fetch`` reads references; ``constants`` are digests of literals that stand in the body's code.
    """
    body = _body(run)
    reasons = list(_hindrances(body))
    if reasons:
        raise NotFreezable(reasons)
    calls = [call for call in body.children if not call.replaced]
    given = {call.path: fetch(call.inputs) for call in calls}
    gave = {call.path: fetch(call.outputs) for call in calls}
    binder = _Binder(fetch(body.inputs), constants)
    frozen: list[FrozenCall] = []
    ancestors: dict[str, set[str]] = {}
    for at, call in enumerate(calls):
        ended = sorted((before for before in calls[:at] if _ended_before(before, call)), key=lambda each: each.ended_at)
        binder.producers = [(before.path, gave[before.path]) for before in ended]
        binder.counted = sum(each.entity == call.entity for each in calls)
        inputs: dict[str, Source] = {}
        for name, literal in given[call.path].items():
            what = f"input {name!r} of call {call.path} ({call.entity.rpartition('.')[2]})"
            binder.default = _default(call, name)
            inputs[name] = binder.bind(name, literal, what, reasons)
        binder.default = None
        above = {edge.node for source in inputs.values() for edge in edges(source)} - {START}
        known = above.union(*(ancestors[each] for each in above))
        after: list[str] = []
        for before in reversed(ended):
            if before.path not in known and _in_line(before.key, call.key):
                after.append(before.path)
                known |= ancestors[before.path] | {before.path}
        ancestors[call.path] = known
        frozen.append(FrozenCall(call, inputs, tuple(after)))
    binder.producers = [(call.path, gave[call.path]) for call in sorted(calls, key=lambda each: each.ended_at)]
    binder.counted = 0
    outputs = {
        name: binder.bind("", literal, f"output {name!r}", reasons) for name, literal in fetch(body.outputs).items()
    }
    if reasons:
        raise NotFreezable(reasons)
    return Frozen(tuple(frozen), outputs)


def edges(source: Source) -> Iterator[Edge]:
    """Every edge in ``source``."""
    if isinstance(source, Edge):
        yield source
    elif isinstance(source, Items):
        for item in source.items:
            yield from edges(item)
    elif isinstance(source, Fields):
        for item in source.items.values():
            yield from edges(item)


# --- shape -----------------------------------------------------------------------------------------------


def _body(run: Run) -> NodeState:
    nodes = [node for node in run.nodes.values() if not node.parent]
    if len(nodes) != 1 or nodes[0].kind is not Kind.EAGER or nodes[0].entity != run.workflow:
        raise NotFreezable(
            ["it is not the run of an eager workflow: `whimbrel compile` prints the graph of a static one"]
        )
    if nodes[0].phase is Phase.RECOVERED:
        raise NotFreezable([f"it took its outcome from run {run.recovered_from}: freeze that one"])
    if run.phase is not Phase.SUCCEEDED:
        raise NotFreezable([f"it has not succeeded: it is {run.phase.value}"])
    return nodes[0]


def _hindrances(body: NodeState) -> Iterator[str]:
    for call in body.children:
        if not call.replaced and not call.phase.has_outputs:
            short = call.entity.rpartition(".")[2]
            raced = " (a race that it lost, or a time-out)" if call.phase is Phase.ABORTED else ""
            yield f"call {call.path} ({short}) ended {call.phase.value}{raced}: what follows from that is code"
    for entry in body.journal.entries() if body.journal is not None else ():
        if entry.parent != body.path or entry.outcome is None or isinstance(entry.outcome, Failed):
            continue
        if entry.kind is EntryKind.TIMER:
            yield f"a timer fired in the body ({entry.key}): a graph knows no time"
        elif entry.kind is EntryKind.VALUE:
            yield f"the body drew a value ({entry.key}: time, or chance): a graph draws none"


def _default(call: NodeState, name: str) -> Literal | None:
    called = call.spec or call.graph
    parameter = called.interface.inputs.get(name) if called is not None else None
    return None if parameter is None else parameter.default


def _ended_before(before: NodeState, call: NodeState) -> bool:
    return before.ended_at <= call.created_at


def _in_line(before: str, call: str) -> bool:
    """Whether one call followed another by order of the code, not by chance: both in one asyncio task, or one in a
    task that the other's spawned."""
    first, second = (f"{key.rpartition(':')[0]}:" if ":" in key else "" for key in (before, call))
    return first.startswith(second) or second.startswith(first)


# --- values ----------------------------------------------------------------------------------------------


class _Binder:
    """Finds where values come from. ``producers`` are calls that have ended, the latest last; ``counted``
    says how many equal calls there are, ``default`` what the input is when nobody says."""

    def __init__(self, inputs: Literals, constants: frozenset[str]) -> None:
        self._inputs = inputs
        self._constants = constants
        self._parts: dict[str, dict[str, list[tuple[str, Path]]]] = {}
        self.producers: list[tuple[str, Literals]] = []
        self.counted = 0
        self.default: Literal | None = None

    def bind(self, name: str, literal: Literal, what: str, reasons: list[str], path: Path = ()) -> Source:
        """Where ``literal`` comes from; what was computed is told to ``reasons``."""
        edge = self._edge(name, literal)
        if edge is not None:
            return edge
        bare = _bare(literal)
        if self.default is not None and input_digest(_bare(self.default)) == input_digest(bare):
            return Constant(path)
        if input_digest(bare) in self._constants or _says_nothing(bare) or self._counts(bare):
            return Constant(path)
        if isinstance(bare, ListLiteral) and bare.items:
            items = tuple(self.bind("", item, what, reasons, (*path, at)) for at, item in enumerate(bare.items))
            return Items(items) if any(True for item in items for _ in edges(item)) else Constant(path)
        if isinstance(bare, MapLiteral) and bare.items:
            fields = {key: self.bind("", item, what, reasons, (*path, key)) for key, item in bare.items.items()}
            return Fields(fields) if any(True for item in fields.values() for _ in edges(item)) else Constant(path)
        reasons.append(
            f"{what}{f' at {render_path(path)}' if path else ''} was computed in the body: it is no input of the run, "
            "no output of an earlier call and no constant of the code. Compute it in a task"
        )
        return Constant(path)

    def _counts(self, literal: Literal) -> bool:
        return isinstance(literal, IntLiteral) and 0 <= literal.value < self.counted

    def _edge(self, name: str, literal: Literal) -> Edge | None:
        bare = _bare(literal)
        wanted = input_digest(bare)
        mine = self._inputs.get(name)
        named = Edge(START, name) if mine is not None and input_digest(_bare(mine)) == wanted else None
        if _says_nothing(bare):
            return named
        found = [named] if named is not None else []
        for node, outputs in reversed(self.producers):
            found += [Edge(node, var, path) for var, path in self._places(node, outputs).get(wanted, ())]
        found += [Edge(START, var, path) for var, path in self._places(START, self._inputs).get(wanted, ())]
        if not found:
            return None
        first, *others = dict.fromkeys(found)
        return Edge(first.node, first.var, first.path, tuple(others))

    def _places(self, node: str, values: Literals) -> Mapping[str, list[tuple[str, Path]]]:
        """Everything in ``values`` by digest: whole ones first, then what is inside, the outer before the inner."""
        known = self._parts.get(node)
        if known is None:
            known = self._parts[node] = {}
            waiting: list[tuple[str, Path, Literal]] = [(var, (), _bare(value)) for var, value in values.items()]
            for var, path, value in waiting:  # grows
                if not _says_nothing(value):
                    known.setdefault(input_digest(value), []).append((var, path))
                if isinstance(value, ListLiteral):
                    waiting += [(var, (*path, at), _bare(item)) for at, item in enumerate(value.items)]
                elif isinstance(value, MapLiteral):
                    waiting += [(var, (*path, key), _bare(item)) for key, item in value.items.items()]
        return known


def _bare(literal: Literal) -> Literal:
    while isinstance(literal, UnionLiteral):
        literal = literal.value
    return literal


def _says_nothing(literal: Literal) -> bool:
    match literal:
        case NoneLiteral() | BoolLiteral():
            return True
        case IntLiteral() | FloatLiteral():
            return literal.value in (-1, 0, 1)
        case StrLiteral() | BytesLiteral():
            return not literal.value
        case ListLiteral() | MapLiteral():
            return not literal.items
        case _:
            return False
