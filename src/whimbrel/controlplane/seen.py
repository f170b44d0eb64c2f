"""What clients see as an execution: a run, or a launch plan inside one, which has a name of its own to them.

Knows: runs and their nodes. Must not know: how executions are kept, transports.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import NamedTuple

from whimbrel.engine.nodes import Frame, Kind, NodeState
from whimbrel.engine.run import Run
from whimbrel.errors import EntityNotFound
from whimbrel.model.failure import Failure
from whimbrel.model.interface import Interface
from whimbrel.model.literals import Literals
from whimbrel.model.registered import Entity, EntityId, EntityKind
from whimbrel.model.run import Phase
from whimbrel.wire.flyte.executions import ExecutionRecord

_SHOWN = 45
"""Letters of the parent's name in that of a child: both together are no longer than Flyte lets a name be."""


class Seen(NamedTuple):
    """An execution as it is now. ``node`` is the launch plan inside the run, ``None`` for the whole run."""

    entity: Entity
    record: ExecutionRecord
    run: Run
    node: NodeState | None = None

    @property
    def phase(self) -> Phase:
        """Where it stands."""
        return self.run.phase if self.node is None else self.node.phase

    @property
    def started_at(self) -> float:
        """When it began, 0.0 before."""
        return self.run.started_at if self.node is None else self.node.started_at

    @property
    def ended_at(self) -> float:
        """When it ended, 0.0 before."""
        return self.run.ended_at if self.node is None else self.node.ended_at

    @property
    def failure(self) -> Failure | None:
        """Why it failed or was aborted."""
        return self.run.failure if self.node is None else self.node.failure

    @property
    def inputs(self) -> Literals:
        """What it was given."""
        return self.run.inputs if self.node is None else self.node.inputs

    @property
    def outputs(self) -> Literals:
        """What it gave."""
        return self.run.outputs if self.node is None else self.node.outputs

    @property
    def interface(self) -> Interface:
        """What it takes and gives."""
        return self.run.program.workflows[self.record.workflow].interface

    @property
    def path(self) -> str:
        """The path of the launch plan in the run, "" for the whole run."""
        return "" if self.node is None else self.node.path

    @property
    def waits(self) -> bool:
        """Whether nothing of the run goes on before somebody answers, or its time comes."""
        return self.run.parked_until() is not None

    def wire_id(self, path: str) -> str:
        """The id of a node: its path from here, ``n1/n0`` as ``n1-0-n0``."""
        inside = path[len(self.path) + 1 :] if self.path else path
        return inside.replace("/", "-0-")

    def node_at(self, id: str) -> NodeState:
        """The node with that id. Raises ``EntityNotFound``."""
        prefix = f"{self.path}/" if self.path else ""
        likely = prefix + id.replace("-0-", "/")
        for path in (likely, *self.run.nodes) if likely in self.run.nodes else self.run.nodes:
            node = self.run.nodes[path]
            if path.startswith(prefix) and self.wire_id(path) == id and is_there(node):
                return node
        raise EntityNotFound(f"{self.entity.id} has no node {id!r}, or it has not come to it.")

    def nodes_under(self, id: str) -> list[NodeState]:
        """The nodes inside the one with that id; those of its own graph for ""."""
        path = self.node_at(id).path if id else self.path
        return [node for node in self.run.nodes.values() if node.parent == path and is_there(node)]

    def gates(self, name: str = "") -> list[NodeState]:
        """The gates of that name that have come to be; all for ""."""
        prefix = f"{self.path}/" if self.path else ""
        return [node for node in self.run.gates(name) if node.path.startswith(prefix)]


def is_there(node: NodeState) -> bool:
    """Whether clients see the node: it has begun, and is no item of a map."""
    return node.phase is not Phase.UNDEFINED and not node.of_map


def plan_around(run: Run, node: NodeState) -> NodeState | None:
    """The launch plan that a node is in, the innermost."""
    above = node.parent
    while above:
        around = run.nodes[above]
        if around.kind is Kind.LAUNCH_PLAN:
            return around
        above = around.parent
    return None


def child_id(parent: EntityId, path: str) -> EntityId:
    """The id of the launch plan at ``path``, inside the execution ``parent``."""
    whole = f"{parent.project}/{parent.domain}/{parent.name}/{path}"
    digest = hashlib.sha256(whole.encode()).hexdigest()[:12]
    return EntityId(EntityKind.CHILD, parent.project, parent.domain, f"{parent.name[:_SHOWN]}-{digest}")


def begun_plans(run: Run, known: int) -> Iterator[NodeState]:
    """The launch plans that have begun since the run had ``known`` nodes. Takes time by what is new, not by all."""
    found: dict[int, NodeState] = {}
    new = len(run.nodes) - known
    for at, node in enumerate(reversed(run.nodes.values())):
        if at == new:
            break
        if isinstance(node.host, Frame) and node.host.owner is not None and node.host.owner.kind is Kind.LAUNCH_PLAN:
            found[id(node.host.owner)] = node.host.owner
    yield from reversed(found.values())
