"""A graph while it grows: drafts of nodes, in order of creation, that become a frozen ``model.Graph``.

Knows the IR. Must not know Python functions, values or types: the tracer brings those down to targets, bindings and
literal types. The section on branches: while an arm of a conditional is open, new nodes go into the arm. An arm of
one node whose outputs are the arm's is kept as that node; any other arm becomes a workflow of its own, so that only
the chosen one runs.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from whimbrel.errors import Problem
from whimbrel.graph.passes import bracketed, replace_in_node, replace_promises, upstream
from whimbrel.model.interface import Interface, Parameter, Variable
from whimbrel.model.literal_types import LiteralType, UnionType
from whimbrel.model.program import (
    START,
    Binding,
    Bracket,
    BranchCase,
    BranchTarget,
    Condition,
    FailurePolicy,
    Graph,
    Metadata,
    Node,
    PromiseBinding,
    SourceLine,
    Target,
    WorkflowTarget,
)

Outputs = Mapping[str, LiteralType | None]
"""Literal types by output; ``None`` where the type is not known because something is wrong already."""


class DraftNode:
    """A node that may still change. ``after`` holds the drafts that ``>>`` put before it."""

    __slots__ = ("after", "arm", "id", "inputs", "line", "name", "outputs", "overrides", "said", "target")

    def __init__(
        self,
        id: str,
        target: Target | None,
        outputs: Outputs,
        inputs: dict[str, Binding],
        line: SourceLine | None,
        arm: Arm | None,
    ) -> None:
        self.id = id
        self.target = target
        self.outputs = outputs
        self.inputs = inputs
        self.after: dict[str, DraftNode] = {}
        self.arm = arm
        self.line = line
        self.name = ""
        self.overrides = NOTHING
        self.said: dict[str, Any] | None = None
        """What its overrides were in the author's words, where there are any."""


NOTHING = Metadata()


class Arm:
    """One arm of a branch: the nodes made for it, and what it gives. ``condition`` is ``None`` for ``else_``."""

    __slots__ = ("bindings", "branch", "condition", "line", "message", "nodes", "outputs")

    def __init__(self, branch: DraftBranch, condition: Condition | None, line: SourceLine | None) -> None:
        self.branch = branch
        self.condition = condition
        self.line = line
        self.nodes: list[DraftNode] = []
        self.bindings: dict[str, Binding] = {}
        self.outputs: Outputs = {}
        self.message: str | None = None


class DraftBranch(DraftNode):
    """A branch node while its arms are written."""

    __slots__ = ("arms", "count", "title")

    def __init__(self, id: str, title: str, line: SourceLine | None, arm: Arm | None) -> None:
        super().__init__(id, None, {}, {}, line, arm)
        self.title = title
        self.arms: list[Arm] = []
        self.count = 0

    def next_id(self) -> str:
        """The id of the next node in any of the arms."""
        self.count += 1
        return f"{self.id}-n{self.count - 1}"


class GraphBuilder:
    """Adds nodes to a graph.

    ``problems`` collects what cannot be built; ``graphs`` are workflows made of branch arms.
    """

    def __init__(self, name: str, inputs: Mapping[str, LiteralType | None], prefix: str = "n") -> None:
        self.name = name
        self.prefix = prefix
        self.inputs = inputs
        self.nodes: list[DraftNode] = []
        self.problems: list[Problem] = []
        self.graphs: dict[str, Graph] = {}
        self._brackets: list[tuple[DraftNode, DraftNode, list[DraftNode], str]] = []
        self._open: list[Arm] = []
        self._drafts: dict[str, DraftNode] = {}

    # --- growing -----------------------------------------------------------------------------------------------------

    @property
    def open_arm(self) -> Arm | None:
        """The innermost arm that is being written."""
        return self._open[-1] if self._open else None

    def _place(self) -> tuple[str, Arm | None, list[DraftNode]]:
        if self._open:
            arm = self._open[-1]
            return arm.branch.next_id(), arm, arm.nodes
        return f"{self.prefix}{len(self.nodes)}", None, self.nodes

    def add(self, target: Target, outputs: Outputs, inputs: dict[str, Binding], line: SourceLine | None) -> DraftNode:
        """Add a node, to the open arm if there is one."""
        id, arm, nodes = self._place()
        draft = DraftNode(id, target, outputs, inputs, line, arm)
        nodes.append(draft)
        self._drafts[id] = draft
        return draft

    def order(self, before: DraftNode, after: DraftNode, line: SourceLine) -> None:
        """Let ``after`` wait for ``before``. Between nodes of different arms it is the branches that are ordered."""
        if before is after:
            self._wrong(f"the node {before.id} is ordered before itself", "Name two different nodes around `>>`.", line)
            return
        enclosing = {id(draft.arm): draft for draft in _enclosing(before)}
        for draft in _enclosing(after):
            source = enclosing.get(id(draft.arm))
            if source is draft:
                break
            if source is not None:
                draft.after[source.id] = source
                return
        self._wrong(
            f"the nodes {before.id} and {after.id} are in different arms of one conditional: they never both run",
            "Order nodes of the same arm, or the conditional itself.",
            line,
        )

    def bracket(self, setup: DraftNode, teardown: DraftNode, members: list[DraftNode], error: str) -> None:
        """Let ``setup`` run before all of ``members``, and ``teardown`` after them, whatever becomes of them.

        Inner brackets are closed, and come here, first. ``error`` is the teardown's input that is told what failed.
        """
        self._brackets.append((setup, teardown, members, error))

    def said(self) -> dict[str, dict[str, Any]]:
        """What the author said of single nodes, by node id."""
        return {draft.id: draft.said for draft in self._drafts.values() if draft.said}

    def _wrong(self, message: str, remedy: str, line: SourceLine | None) -> None:
        file, number = (line.file or None, line.line) if line else (None, 0)
        self.problems.append(Problem(message, remedy=remedy, file=file, line=number))

    # --- branches ----------------------------------------------------------------------------------------------------

    def begin_branch(self, title: str, line: SourceLine | None) -> DraftBranch:
        """Add a branch node; its arms follow."""
        id, arm, nodes = self._place()
        branch = DraftBranch(id, title, line, arm)
        nodes.append(branch)
        self._drafts[id] = branch
        return branch

    def open(self, branch: DraftBranch, condition: Condition | None, line: SourceLine | None) -> Arm:
        """Begin an arm: nodes that are added now are its own."""
        arm = Arm(branch, condition, line)
        branch.arms.append(arm)
        self._open.append(arm)
        return arm

    def close(self, arm: Arm, bindings: dict[str, Binding], outputs: Outputs, message: str | None = None) -> None:
        """End an arm with what it gives, or with the message that it fails with."""
        while self._open and self._open.pop() is not arm:
            pass  # an arm inside that was never given a value ends here too
        arm.bindings = bindings
        arm.outputs = outputs
        arm.message = message
        # With one arm or many, what every arm that gives something gives is there to be used.
        arm.branch.outputs = _common([done.outputs for done in arm.branch.arms if done.message is None])

    # --- freezing ----------------------------------------------------------------------------------------------------

    def finish(
        self,
        interface: Interface,
        outputs: dict[str, Binding],
        *,
        failure_policy: FailurePolicy = FailurePolicy.FAIL_IMMEDIATELY,
        metadata: Metadata = NOTHING,
        doc: str = "",
        line: SourceLine | None = None,
        failure_node: Node | None = None,
        failure_error: str = "",
    ) -> Graph:
        """The graph."""
        nodes = tuple(self._freeze(draft) for draft in self.nodes)
        brackets = tuple(
            Bracket(setup.id, teardown.id, tuple(member.id for member in members), error)
            for setup, teardown, members, error in self._brackets
        )
        nodes = bracketed(nodes, brackets)
        return Graph(
            self.name,
            interface,
            nodes,
            outputs,
            failure_policy,
            metadata,
            doc,
            line,
            brackets,
            failure_node,
            failure_error,
        )

    def _freeze(self, draft: DraftNode) -> Node:
        if isinstance(draft, DraftBranch):
            return self._freeze_branch(draft)
        assert draft.target is not None
        node = Node(draft.id, draft.target, draft.inputs, (), draft.name, draft.overrides, draft.line)
        return _with_upstream(node, draft.after)

    def _freeze_branch(self, branch: DraftBranch) -> Node:
        cases: list[BranchCase] = []
        otherwise: Node | None = None
        message = ""
        for arm in branch.arms:
            if arm.condition is None and arm.message is not None:
                message = arm.message
                continue
            node = self._freeze_arm(arm)
            if arm.condition is None:
                otherwise = node
            else:
                cases.append(BranchCase(arm.condition, node))
        complete = bool(branch.arms) and branch.arms[-1].condition is None
        if not complete:
            # No case holds and there is no else: nothing runs, and that is no failure.
            otherwise = self._wrap(branch, [], {}, {}, f"{branch.id}-else", branch.line)
        target = BranchTarget(branch.title, tuple(cases), otherwise, message)
        node = Node(branch.id, target, {}, (), branch.name or branch.title, branch.overrides, branch.line)
        return _with_upstream(node, branch.after)

    def _freeze_arm(self, arm: Arm) -> Node:
        branch = arm.branch
        if arm.message is not None:
            return Node(branch.next_id(), BranchTarget(branch.title, (), None, arm.message), line=arm.line)
        nodes = [self._freeze(draft) for draft in arm.nodes]
        if len(nodes) == 1 and arm.bindings == _whole(arm.nodes[0]):
            # Its upstream nodes are the branch's: it is not asked to run before they are done.
            return _without_upstream(nodes[0])
        position = branch.arms.index(arm)
        return self._wrap(branch, nodes, arm.bindings, arm.outputs, f"{branch.id}-arm{position}", arm.line)

    def _wrap(
        self,
        branch: DraftBranch,
        nodes: list[Node],
        bindings: dict[str, Binding],
        outputs: Outputs,
        suffix: str,
        line: SourceLine | None,
    ) -> Node:
        """A node that runs ``nodes`` as a workflow of their own; what comes from outside becomes its inputs."""
        inside = {node.id for node in nodes}
        given: dict[str, Binding] = {}
        parameters: dict[str, Parameter] = {}

        def inward(promise: PromiseBinding) -> Binding:
            if promise.node in inside:
                return promise
            name = promise.var if promise.node == START else f"{promise.node}_{promise.var}".replace("-", "_")
            kind = self._type_of(promise.node, promise.var)
            while given.get(name, outside := PromiseBinding(promise.node, promise.var)) != outside:
                name += "_"
            given[name] = PromiseBinding(promise.node, promise.var)
            if kind is not None:
                parameters[name] = Parameter(kind)
            return PromiseBinding(START, name, promise.path)

        moved = []
        for node in nodes:
            changed = replace_in_node(node, inward)
            kept = tuple(id for id in node.upstream if id in inside)
            moved.append(Node(node.id, changed.target, changed.inputs, kept, node.name, node.overrides, node.line))
        bound = {name: replace_promises(binding, inward) for name, binding in bindings.items()}
        name = f"{self.name}.{suffix}"
        interface = Interface(
            parameters, {key: Variable(kind) for key, kind in outputs.items() if kind is not None and key in bound}
        )
        self.graphs[name] = Graph(name, interface, tuple(moved), bound, line=line)
        return Node(branch.next_id(), WorkflowTarget(name), given, line=line)

    def _type_of(self, node: str, var: str) -> LiteralType | None:
        if node == START:
            return self.inputs.get(var)
        draft = self._drafts.get(node)
        return draft.outputs.get(var) if draft is not None else None


def _enclosing(draft: DraftNode) -> Iterator[DraftNode]:
    """``draft`` and the branches around it, innermost first."""
    yield draft
    while draft.arm is not None:
        draft = draft.arm.branch
        yield draft


def _whole(draft: DraftNode) -> dict[str, Binding]:
    return {name: PromiseBinding(draft.id, name) for name in draft.outputs}


def _common(arms: list[Outputs]) -> Outputs:
    """The outputs that every arm has; a union where the types differ."""
    if not arms:
        return {}
    found: dict[str, LiteralType | None] = {}
    for name in arms[0]:
        kinds = [arm[name] for arm in arms if name in arm]
        if len(kinds) == len(arms):
            known: list[LiteralType] = []  # not a set: literal types may hold dicts
            known.extend(kind for kind in kinds if kind is not None and kind not in known)
            found[name] = None if not known else known[0] if len(known) == 1 else UnionType(tuple(known))
    return found


def _with_upstream(node: Node, explicit: Mapping[str, DraftNode]) -> Node:
    return Node(node.id, node.target, node.inputs, upstream(node, explicit), node.name, node.overrides, node.line)


def _without_upstream(node: Node) -> Node:
    return Node(node.id, node.target, node.inputs, (), node.name, node.overrides, node.line)
