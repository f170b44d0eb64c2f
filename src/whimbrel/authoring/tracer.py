"""Compiling a workflow: its body runs once, and every call in it adds a node.

``Tracer`` is the caller in force meanwhile. It brings Python values down to bindings and collects everything that is
wrong, with the author's line, so that one compilation tells all. Must not know what workflows are: it is handed a
body to trace.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from types import FrameType
from typing import Any, overload

from whimbrel.authoring.binding import Binder
from whimbrel.authoring.calling import current
from whimbrel.authoring.context import ExecutionContext
from whimbrel.authoring.options import OVERRIDES, read_metadata, unknown_option
from whimbrel.authoring.promise import Ordered, Outputs, Promise, Void, misuse, results
from whimbrel.authoring.source import caller_line
from whimbrel.errors import CallMismatch, CompileError, Problem
from whimbrel.graph.builder import DraftNode, GraphBuilder
from whimbrel.graph.builder import Outputs as OutputTypes
from whimbrel.graph.interfaces import Called, called
from whimbrel.graph.passes import promises
from whimbrel.model.literal_types import LiteralType, StructType, attribute, describe
from whimbrel.model.program import (
    START,
    Binding,
    BranchTarget,
    GateTarget,
    Metadata,
    PromiseBinding,
    SourceLine,
    Target,
    overlay,
)


class NodePromise(Promise):
    """An output of a node, or an input of the workflow (``_draft`` is ``None``), at a path inside it.

    ``_kind`` is its literal type; ``None`` when something was wrong already, and nothing more shall be said.
    """

    __slots__ = ("_draft", "_kind", "_path", "_tracer", "_var")

    def __init__(
        self,
        tracer: Tracer,
        draft: DraftNode | None,
        var: str,
        kind: LiteralType | None,
        path: tuple[str | int, ...] = (),
    ) -> None:
        self._tracer = tracer
        self._draft = draft
        self._var = var
        self._kind = kind
        self._path = path

    def _binding(self) -> PromiseBinding:
        return PromiseBinding(START if self._draft is None else self._draft.id, self._var, self._path)

    def _step(self, step: str | int) -> NodePromise:
        kind = None if self._kind is None else attribute(self._kind, step)
        if kind is None and self._kind is not None:
            raise misuse(f"{self._what()} has nothing at {_step_text(step)}", _steps_of(self._kind))
        return NodePromise(self._tracer, self._draft, self._var, kind, (*self._path, step))

    def _precede(self, other: Ordered) -> None:
        if self._draft is not None:  # the inputs are there before anything runs
            NodeHandle(self._tracer, self._draft)._precede(other)

    def _override(self, options: dict[str, Any]) -> None:
        if self._draft is None:
            raise misuse(f"{self._what()} is given overrides", "Overrides go to the result of a call.")
        NodeHandle(self._tracer, self._draft)._override(options)

    def _what(self) -> str:
        source = f"the input {self._var!r}" if self._draft is None else f"the output {self._var!r} of {self._draft.id}"
        kind = f" ({describe(self._kind)})" if self._kind is not None else ""
        return f"{source}{''.join(map(_step_text, self._path))}{kind}"

    def __repr__(self) -> str:
        return f"<promise of {self._what()}>"


def _step_text(step: str | int) -> str:
    return f".{step}" if isinstance(step, str) else f"[{step}]"


def _steps_of(kind: LiteralType) -> str:
    if isinstance(kind, StructType) and kind.fields:
        return f"Its fields are {', '.join(kind.fields)}."
    return f"One cannot look into {describe(kind)} so."


class NodeHandle(Ordered):
    """A node of a graph that is being made: its outputs, its place in the order, its overrides."""

    __slots__ = ("_draft", "_tracer")

    def __init__(self, tracer: Tracer, draft: DraftNode) -> None:
        self._tracer = tracer
        self._draft = draft

    @property
    def id(self) -> str:
        """The id in the graph."""
        return self._draft.id

    @property
    def outputs(self) -> dict[str, Any]:
        """The promises by output name."""
        return {name: NodePromise(self._tracer, self._draft, name, kind) for name, kind in self._draft.outputs.items()}

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        if name in self._draft.outputs:
            return NodePromise(self._tracer, self._draft, name, self._draft.outputs[name])
        known = ", ".join(self._draft.outputs) or "none"
        raise misuse(f"the node {self.id} has no output {name!r}", f"Its outputs: {known}.")

    def _precede(self, other: Ordered) -> None:
        after = _draft_of(other)
        if after is None:
            raise misuse("the inputs of the workflow are ordered behind a node", "They are there before any node runs.")
        self._tracer.builder.order(self._draft, after, caller_line())

    def _override(self, options: dict[str, Any]) -> None:
        draft = self._draft
        draft.said = {**(draft.said or {}), **options}
        if options.get("node_name"):
            self._tracer.name_node(draft, str(options["node_name"]))
        name = options.pop("node_name", None) or options.pop("name", None)
        options.pop("name", None)
        for option in options:
            if option not in OVERRIDES:
                raise unknown_option(option, OVERRIDES)
        if name:
            draft.name = str(name)
        if options:
            version = ""
            if options.get("cache"):
                entity = self._tracer.entity_of(draft)
                version = entity._auto_version(options) if entity is not None else ""
            draft.overrides = overlay(draft.overrides, read_metadata(options, auto_version=version))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, NodeHandle) and other._draft is self._draft

    def __hash__(self) -> int:
        return hash(id(self._draft))

    def __repr__(self) -> str:
        return f"<node {self.id}>"


def _draft_of(thing: Ordered) -> DraftNode | None:
    if isinstance(thing, NodePromise | NodeHandle):
        return thing._draft
    if isinstance(thing, Void | Outputs):
        return _draft_of(thing._node)
    raise misuse(f"`>>` orders nodes and promises, not {type(thing).__name__}", "Put results of calls around it.")


class NodesView(Sequence[NodeHandle]):
    """The nodes so far, in order of creation; it grows with the graph."""

    def __init__(self, tracer: Tracer, start: int) -> None:
        self._tracer = tracer
        self._start = start

    def _drafts(self) -> list[DraftNode]:
        return self._tracer.builder.nodes[self._start :]

    @overload
    def __getitem__(self, index: int) -> NodeHandle: ...
    @overload
    def __getitem__(self, index: slice) -> list[NodeHandle]: ...
    def __getitem__(self, index: int | slice) -> NodeHandle | list[NodeHandle]:
        drafts = self._drafts()
        if isinstance(index, slice):
            return [NodeHandle(self._tracer, draft) for draft in drafts[index]]
        try:
            return NodeHandle(self._tracer, drafts[index])
        except IndexError:
            raise IndexError(
                f"the workflow has {len(drafts)} nodes so far, there is no nodes[{index}]: is its body empty?"
            ) from None

    def __len__(self) -> int:
        return len(self._drafts())

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and list(self) == list(other)

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return repr(list(self))


class Tracer:
    """Adds a node for every call. ``entities`` are those that were called, by node target; ids are ``prefix`` and a
    number."""

    def __init__(
        self,
        name: str,
        inputs: OutputTypes,
        *,
        layers: tuple[Any, ...] = (),
        prefix: str = "n",
        execution: ExecutionContext | None = None,
    ) -> None:
        self.builder = GraphBuilder(name, inputs, prefix)
        self.binder = Binder()
        self.entities: dict[Called, Any] = {}
        self.referred: dict[int, Any] = {}
        """References to what is among the entities already."""
        self._execution = execution or ExecutionContext()
        self._layers = layers
        # With decorators: how many nodes there were when the last node of each layer had been made.
        self._ends = [0] * len(layers)
        self._by_draft: dict[int, Any] = {}
        self._names: dict[str, DraftNode] = {}
        self._told: set[str] = set()
        self._placeholders = False
        self.doubtful: set[tuple[str | None, int]] = set()
        """Files and lines of calls that take what stands for a call that is wrong: of those, no more is said."""

    @property
    def execution(self) -> ExecutionContext:
        """Compiling is nobody's execution: a context of its own. A dynamic workflow is laid out in one, though."""
        return self._execution

    @property
    def problems(self) -> list[Problem]:
        """Everything that was wrong so far."""
        return self.builder.problems

    def entity_of(self, draft: DraftNode) -> Any:
        """What the node calls; ``None`` for a branch."""
        return self._by_draft.get(id(draft))

    def input(self, name: str) -> NodePromise:
        """The promise of a workflow input."""
        return NodePromise(self, None, name, self.builder.inputs.get(name))

    def trace(self, body: Callable[..., Any], names: Sequence[str]) -> Any:
        """Run ``body`` on the promises of the inputs, with this caller in force."""
        token = current.set(self)
        try:
            return body(**{name: self.input(name) for name in names})
        finally:
            current.reset(token)

    # --- calls -------------------------------------------------------------------------------------------------------

    def call(
        self, entity: Any, args: tuple[Any, ...], kwargs: dict[str, Any], overrides: Metadata | None = None
    ) -> Any:
        """Add a node, and give the promises of its outputs."""
        return self.promised(entity, self.add(entity, args, kwargs, caller_line(), overrides))

    def promised(self, entity: Any, draft: DraftNode | None) -> Any:
        """The promises of the outputs of a node that calls ``entity``."""
        if draft is None:
            self._placeholders = True
            return NodePromise(self, None, "", None)  # stands for a result of which nothing is known
        signature = entity.read
        if signature.result == "single":  # the most frequent by far
            return NodePromise(self, draft, signature.lone, draft.outputs.get(signature.lone))
        outputs = draft.outputs
        return results(
            signature, NodeHandle(self, draft), lambda name: NodePromise(self, draft, name, outputs.get(name))
        )

    def create_node(self, entity: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> NodeHandle:
        """Add a node, and give its handle."""
        line = caller_line()
        draft = self.add(entity, args, kwargs, line, entity.standing)
        if draft is None:
            raise CompileError(self.problems)
        return NodeHandle(self, draft)

    def add(
        self,
        entity: Any,
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
        line: SourceLine,
        overrides: Metadata | None,
    ) -> DraftNode | None:
        """Add a node for a call. ``None``, and problems, when the entity itself is wrong."""
        signature = entity.read
        if signature.problems:
            self.tell(signature.problems)
            return None
        bound, faults = signature.match(args, kwargs)
        if faults:
            self._wrong("; ".join(faults), f"The call must fit `{signature.name}({', '.join(signature.names)})`.", line)
        inputs: dict[str, Binding] = {}
        interface = signature._interface
        for name, value in bound.items():
            transformer = signature.inputs[name]
            if value is signature.defaults.get(name, _NO_DEFAULT):
                default = interface.inputs[name].default
                if default is not None:
                    inputs[name] = self.binder.constant(default)
                    continue
            if type(value) is NodePromise:
                inputs[name] = value._binding()
                continue
            try:
                inputs[name] = self.binder.bind(value, transformer)
            except CallMismatch as error:
                remedy = f"Pass {transformer.name}, or change the annotation of {name!r} in {signature.name}."
                self._wrong(f"{signature.name}(), input {name!r}: {error}", remedy, line)
        target: Target = entity.target()
        outputs = {name: transformer.literal_type for name, transformer in signature.outputs.items()}
        draft = self.builder.add(target, outputs, inputs, line)
        if overrides is not None:
            draft.overrides = overrides
        if self._placeholders and any(not p.var for binding in inputs.values() for p in promises(binding)):
            self.doubtful.add((line.file or None, line.line))
        self.enter(entity, target)
        self._by_draft[id(draft)] = entity
        self._layer_grows()
        return draft

    def add_gate(
        self, target: GateTarget, outputs: OutputTypes, inputs: dict[str, Binding], line: SourceLine
    ) -> DraftNode:
        """Add a node that waits."""
        draft = self.builder.add(target, outputs, inputs, line)
        self._layer_grows()
        return draft

    def _layer_grows(self) -> None:
        if len(self._layers) > 2:  # with one decorator there is nothing to tell apart
            self._ends[self._layer()] = len(self.builder.nodes)

    def name_node(self, draft: DraftNode, name: str) -> None:
        """The author gives the node a name, which is then its own in the workflow."""
        other = self._names.setdefault(name, draft)
        if other is not draft:
            self._wrong(
                f"two nodes are called {name!r}: {other.id} and {draft.id}",
                "Give each its own node_name; `name` is a label that several may have.",
                caller_line(),
            )

    def enter(self, entity: Any, target: Target) -> None:
        """Keep the entity that ``target`` names: the program that is made of this needs it."""
        if isinstance(target, BranchTarget | GateTarget):
            return
        named = entity.named
        before = self.entities.setdefault(called(target), named)
        if before is not named and (before.reference is not None or named.reference is not None):
            # A reference, and what it points at or another to the same: the program has both.
            first, second = (named, before) if before.reference is not None else (before, named)
            self.entities[called(target)] = first
            self.referred[id(second)] = second
            return
        if before is not named:
            self._wrong(f"two different {named.noun}s are called {named.name}", "Give each its own name.", named.line)

    def _layer(self) -> int:
        """Which layer is running: the innermost decorator, or the body, that has a frame on the stack."""
        codes = []
        frame: FrameType | None = sys._getframe(1)
        while frame is not None:
            codes.append(frame.f_code)
            if frame.f_code is _TRACE:
                break
            frame = frame.f_back
        found = -1
        for code in reversed(codes):
            # The same decorator twice has the same code: layers are matched in order, outermost first.
            if found + 1 < len(self._layers) and code is self._layers[found + 1]:
                found += 1
        return max(found, 0)

    def layer_start(self) -> int:
        """Where the nodes of the running layer begin: behind those of the decorators around it. In the body: at 0."""
        if len(self._layers) <= 2:
            return 0
        layer = self._layer()
        return 0 if layer == len(self._layers) - 1 else max(self._ends[:layer], default=0)

    def tell(self, problems: Sequence[Problem]) -> None:
        """Collect problems, each once."""
        for problem in problems:
            if str(problem) not in self._told:
                self._told.add(str(problem))
                self.builder.problems.append(problem)

    def _wrong(self, message: str, remedy: str, line: SourceLine) -> None:
        self.tell([Problem(message, remedy=remedy, file=line.file or None, line=line.line)])


_NO_DEFAULT = object()
_TRACE = Tracer.trace.__code__
