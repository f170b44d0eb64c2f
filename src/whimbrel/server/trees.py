"""Runs as trees of rows that pages draw, and which rows have changed: one fold of a run's events for all who look.

A row is what can be shown of a node without its values: where it is, what it is, how far it got and when. A run that
somebody follows is folded once, and then event by event.

Knows: the engine's fold, stores. Must not know: HTTP.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from typing import Any, TypeVar

from whimbrel.controlplane.describing import node_row
from whimbrel.controlplane.ports import RunStore
from whimbrel.durable.scope import trail_of
from whimbrel.engine.nodes import Frame, NodeState
from whimbrel.engine.run import Run
from whimbrel.graph.passes import node_promises, promises
from whimbrel.model.literals import Literals
from whimbrel.model.program import START, BranchTarget, Node
from whimbrel.server.flows import Flows
from whimbrel.wire.hints import hint
from whimbrel.wire.spans import iso_moment

T = TypeVar("T")

KEPT = 8
"""Runs whose fold is kept; more are folded again when somebody looks."""
_INLINE = 200
"""Events that are folded at once; more take a thread."""


class Tree:
    """The fold of one run. ``seq`` is the last event in it."""

    def __init__(self, run_id: str, store: RunStore) -> None:
        self._run_id = run_id
        self._store = store
        self._busy = asyncio.Lock()
        self._roles: dict[int, dict[str, tuple[str, str]]] = {}
        self._hints: dict[str, str] = {}
        self._flows = Flows()
        self.run = Run(keep_story=False)
        self.given: Literals = {}
        """What the run was launched with, before defaults."""

    @property
    def seq(self) -> int:
        """The number of the last event that it has taken in."""
        return self.run.seq

    async def look(self, after: int = 0) -> tuple[int, list[dict[str, Any]]]:
        """Take in what has happened since; the number of the last event, and the rows that have changed after the event
        ``after``, in order of creation. Raises ``EntityNotFound``."""
        seq, nodes = await self.changed(after)
        return seq, await self.rows(nodes)

    async def changed(self, after: int = 0) -> tuple[int, list[NodeState]]:
        """The same, with the nodes in place of their rows: whoever shows thousands makes the first rows first."""
        async with self._busy:
            events = await self._store.events(self._run_id, after=self.seq)

            def fold() -> list[NodeState]:
                before = self.seq
                if not before and events:
                    self.given = getattr(events[0], "inputs", {})
                for event in events:
                    self.run.handle(event)
                nodes = self.run.nodes.values()
                self._flows.look(node for node in nodes if node.key and node.changed > before)
                return [node for node in nodes if node.changed > after]

            nodes = await asyncio.to_thread(fold) if len(events) > _INLINE else fold()
            return self.seq, nodes

    async def rows(self, nodes: Sequence[NodeState]) -> list[dict[str, Any]]:
        """The rows of nodes of this tree, as they are now."""
        async with self._busy:

            def made() -> list[dict[str, Any]]:
                return [self._row(node) for node in nodes]

            return await asyncio.to_thread(made) if len(nodes) > _INLINE else made()

    async def read(self, work: Callable[[Run], T]) -> T:
        """What ``work`` makes of the run as it is, on a thread: nothing is taken in meanwhile."""
        async with self._busy:
            return await asyncio.to_thread(work, self.run)

    def _row(self, node: NodeState) -> dict[str, Any]:
        role, bracket = self._role(node)
        successor = _successor(self.run.nodes, node)
        array = node.array
        return {
            **node_row(node),
            "role": role,
            "bracket": bracket,
            "upstream": _upstream(node),
            "data": self._flows.into(node.path) if node.key else _sources(node),
            "takes": _takes(node.node) if node.node is not None else self._flows.takes(node.path),
            "hint": self._hint(node),
            "group": node.group or trail_of(node.key),
            "replaced_by": successor.path if successor is not None else "",
            "again": successor is not None and successor.digest == node.digest,
            "queued_at": iso_moment(node.queued_at),
            "attempts": [
                {
                    "phase": each.phase.value,
                    "fault": each.failure.fault.value if each.failure is not None else "",
                    "launched_at": iso_moment(each.launched_at),
                    "started_at": iso_moment(each.started_at),
                    "ended_at": iso_moment(each.ended_at),
                }
                for each in node.attempts
            ],
            "length": array.length if array is not None else None,
            "error": node.failure.title if node.failure is not None else None,
        }

    def _hint(self, node: NodeState) -> str:
        said = self._hints.get(node.path)
        if said is None:
            if not node.inputs:
                # A node of a graph is given its inputs when they are there.
                return ""
            said = self._hints[node.path] = hint(node.inputs)
        return said

    def _role(self, node: NodeState) -> tuple[str, str]:
        """What it is in its graph, and the path of the setup of its bracket."""
        scope = node.scope
        if scope is None or node.node is None:
            return "", ""
        roles = self._roles.get(id(scope))
        if roles is None:
            roles = self._roles[id(scope)] = dict(_roles(scope))
        return roles.get(node.id, ("", ""))


def _roles(scope: Frame) -> Iterator[tuple[str, tuple[str, str]]]:
    graph = scope.graph
    if graph.failure_node is not None:
        yield graph.failure_node.id, ("failure", "")
    # Inner brackets come first: what an outer one says of the same node is not heard.
    said: set[str] = set()
    for bracket in graph.brackets:
        setup = scope.nodes.get(bracket.setup)
        where = setup.path if setup is not None else ""
        for role, ids in (("setup", (bracket.setup,)), ("teardown", (bracket.teardown,)), ("member", bracket.members)):
            for id in ids:
                if id not in said:
                    said.add(id)
                    yield id, (role, where)


def _upstream(node: NodeState) -> list[str]:
    if node.node is None or node.scope is None:
        return []
    nodes = node.scope.nodes
    return [nodes[id].path for id in node.node.upstream if id in nodes]


def _sources(node: NodeState) -> list[str]:
    """The paths of the nodes whose outputs it takes."""
    if node.node is None or node.scope is None:
        return []
    nodes = node.scope.nodes
    return [nodes[id].path for id in dict.fromkeys(each.node for each in node_promises(node.node)) if id in nodes]


def _takes(node: Node) -> dict[str, list[str]]:
    """Which inputs of its graph it takes, and as which of its own; as none where a branch looks at them."""
    found: dict[str, list[str]] = {}
    for name, binding in node.inputs.items():
        for promise in promises(binding):
            if promise.node == START:
                found.setdefault(promise.var, []).append(name)
    if isinstance(node.target, BranchTarget):
        for promise in node_promises(node):
            if promise.node == START:
                found.setdefault(promise.var, [])
    return found


def _successor(nodes: dict[str, NodeState], node: NodeState) -> NodeState | None:
    """The call that stands at the key of one that was replaced."""
    driver = node.called_by if node.replaced else None
    journal = driver.journal if driver is not None else None
    found = journal.paths.get(node.call, "") if journal is not None else ""
    return nodes.get(found) if found != node.path else None


class Trees:
    """The trees that were looked at last, by run. For the thread of one event loop."""

    def __init__(self, store: RunStore) -> None:
        self._store = store
        self._trees: OrderedDict[str, Tree] = OrderedDict()

    def kept(self, run_id: str) -> Tree | None:
        """The tree of a run that somebody looks at, or has looked at lately."""
        return self._trees.get(run_id)

    def of(self, run_id: str) -> Tree:
        """The tree of a run, to be looked at. Nothing has been read when it is new."""
        tree = self._trees.get(run_id)
        if tree is None:
            tree = self._trees[run_id] = Tree(run_id, self._store)
        self._trees.move_to_end(run_id)
        while len(self._trees) > KEPT:
            self._trees.popitem(last=False)
        return tree
