"""The nodes of a run as Flyte's clients see them: ids, parents, kinds, attempts.

Items of a map are no nodes to Flyte, but task executions of the map; nodes that have not begun are not there yet.

Knows: runs. Must not know: messages, gRPC.
"""

from __future__ import annotations

from typing import NamedTuple

from whimbrel.engine.nodes import Attempt, Kind, NodeState
from whimbrel.engine.run import Run
from whimbrel.errors import EntityNotFound
from whimbrel.graph.interfaces import program_interfaces, target_interface
from whimbrel.model.failure import Failure
from whimbrel.model.interface import Interface
from whimbrel.model.literals import Literals
from whimbrel.model.program import ArrayTarget, BranchTarget
from whimbrel.model.registered import EntityId, EntityKind
from whimbrel.model.run import Phase
from whimbrel.wire.flyte.executions import ExecutionRecord


def spec_id(node: NodeState) -> str:
    """The id of a node in the template that it comes from, where arms of conditionals have short ones."""
    host = node.host
    if isinstance(host, NodeState) and host.kind is Kind.BRANCH:
        return node.id.removeprefix(f"{host.id}-")
    return node.id


def is_parent(node: NodeState) -> bool:
    """Whether clients look for nodes inside. A launch plan's run is one of its own to them."""
    return node.kind in (Kind.WORKFLOW, Kind.BRANCH) or (node.kind is Kind.DYNAMIC and node.frame is not None)


def interface_of(run: Run, node: NodeState) -> Interface:
    """What a node takes and gives, as far as that is known."""
    if node.target is None or isinstance(node.target, BranchTarget):
        return Interface()
    return target_interface(node.target, program_interfaces(run.program)) or Interface()


class Tried(NamedTuple):
    """A task execution: an attempt of a node, or the latest of an item of a map. ``number`` counts from 0."""

    node: NodeState
    number: int
    attempt: Attempt

    @property
    def phase(self) -> Phase:
        """Its phase. What a reused node took is there without an attempt."""
        return self.attempt.phase

    @property
    def failure(self) -> Failure | None:
        """Why it failed."""
        return self.attempt.failure

    @property
    def outputs(self) -> Literals:
        """What it gave."""
        return self.node.outputs if self.attempt is self.node.attempts[-1] else {}


def tries(node: NodeState) -> list[Tried]:
    """The task executions of a node."""
    if node.kind is Kind.ARRAY:
        return [Tried(item, at, item.attempts[-1]) for at, item in enumerate(node.children) if item.attempts]
    if node.kind in (Kind.TASK, Kind.EAGER, Kind.DYNAMIC):
        return [Tried(node, attempt.number - 1, attempt) for attempt in node.attempts]
    return []


def find_try(node: NodeState, number: int) -> Tried:
    """The task execution of that number. Raises ``EntityNotFound``."""
    for tried in tries(node):
        if tried.number == number:
            return tried
    raise EntityNotFound(f"the node {node.path} has no attempt {number}.")


def task_id(node: NodeState, record: ExecutionRecord) -> EntityId:
    """The task that a node runs. One that a dynamic task brought was registered with it."""
    target = node.target
    while isinstance(target, ArrayTarget):
        target = target.target
    name = node.entity if target is None or isinstance(target, BranchTarget) else target.name
    place = record.target
    return record.tasks.get(name) or EntityId(EntityKind.TASK, place.project, place.domain, name, place.version)
