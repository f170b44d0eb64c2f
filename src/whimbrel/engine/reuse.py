"""Outcomes of another run that equal calls of this one take instead of being launched: recovery and forks.

Knows: what makes two calls equal, and which outcome is given to whom. Must not know: how a node takes it. Rules: an
outcome is given once. A call takes the outcome that was recorded at its own place; only where the run says that
places may have ``moved``, one of an equal call that stood at another, the oldest first, and never at a
place where an equal call stood without success: that one is made again. In a graph a node takes nothing once anything
upstream of it was computed anew, whatever came of it: order may stand for effects that no input shows.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeAlias

from whimbrel.engine.nodes import Frame, NodeState
from whimbrel.graph.passes import node_promises
from whimbrel.model.program import START, Node
from whimbrel.model.run import EntryKind, Reusable, choose

Content: TypeAlias = tuple[str, str, str]
"""Entity, digest of its code, digest of its inputs."""


class ReuseTable:
    """What is left to be taken. False when there never was anything."""

    __slots__ = ("_by_content", "_known", "_values", "moved")

    def __init__(self, entries: Iterable[Reusable] = (), *, moved: bool = False) -> None:
        self.moved = moved
        self._known: dict[str, Reusable] = {}
        self._by_content: dict[Content, dict[str, Reusable]] = {}
        self._values: list[Reusable] = []
        for entry in entries:
            if entry.kind is EntryKind.VALUE:
                self._values.append(entry)
            else:
                self._known[entry.origin] = entry
                self._by_content.setdefault((entry.entity, entry.code, entry.inputs), {})[entry.place] = entry

    def __bool__(self) -> bool:
        return bool(self._known or self._values)

    def take(self, entity: str, code: str, inputs: str, place: str) -> Reusable | None:
        """The outcome for a call, which nobody else is given then."""
        rows = self._by_content.get((entity, code, inputs)) if code else None
        if not rows:
            return None
        found = choose(rows, place, moved=self.moved)
        if found is not None:
            del rows[found.place]
        return found

    def give(self, origin: str) -> Reusable | None:
        """The outcome that a driver has chosen for a call that it would have run itself."""
        found = self._known.get(origin)
        if found is not None:
            self._by_content[found.entity, found.code, found.inputs].pop(found.place, None)
        return found

    def for_driver(self, path: str) -> tuple[Reusable, ...]:
        """What the driver of the eager node ``path`` may take by itself: outcomes of eager calls, and values that
        its bodies drew."""
        eager = [row for rows in self._by_content.values() for row in rows.values() if row.eager]
        drawn = [value for value in self._values if value.parent == path or value.parent.startswith(f"{path}/")]
        return (*eager, *drawn)

    def left(self) -> list[str]:
        """Where what has not been taken comes from."""
        return [row.origin for rows in self._by_content.values() for row in rows.values()]


def place_of(state: NodeState) -> str:
    """The name of a node's place, which is the same in every run of a program."""
    return "/".join(state.call) if state.key else state.path


def settled_above(state: NodeState) -> bool:
    """Whether nothing that a node of a graph waits for was computed anew in this run. What handles a failure always
    runs."""
    at = _calling(state)
    while at is not None and at.node is not None and at.scope is not None:
        if at.closes is not None and at.closes.setup is None:
            return False
        scope: Frame = at.scope
        for above in at.node.upstream:
            if above != START and scope.nodes[above].fresh and not _only_opens(scope.nodes[above], at.node):
                return False
        # For an arm, what its branch waits for counts too.
        at = _calling(at.host if isinstance(at.host, NodeState) else scope.owner)
    return True


def _calling(at: NodeState | None) -> NodeState | None:
    """The node of a graph that ``at`` is, or that it is an item of."""
    while at is not None and at.node is None and isinstance(at.host, NodeState) and at.host.array is not None:
        at = at.host
    return at


def _only_opens(setup: NodeState, node: Node) -> bool:
    """Whether ``setup`` is that of a bracket, and gives ``node`` nothing: what was done within it before stays done."""
    return setup.opens is not None and all(promise.node != setup.id for promise in node_promises(node))


def make_fresh(state: NodeState) -> None:
    """Something is computed anew here, and so in whatever it is part of."""
    at: NodeState | None = state
    while at is not None and not at.fresh:
        at.fresh = True
        at = at.host.owner if isinstance(at.host, Frame) else at.host
