"""Ids of what a server holds, by flytekit's names. Data only."""

from __future__ import annotations

from enum import IntEnum
from typing import TypeVar

from msgspec import Struct

from whimbrel.model.registered import EntityKind

F = TypeVar("F")


class ResourceType(IntEnum):
    """What an id is of, by Flyte's numbers."""

    UNSPECIFIED = 0
    TASK = 1
    WORKFLOW = 2
    LAUNCH_PLAN = 3


KINDS = {
    ResourceType.TASK: EntityKind.TASK,
    ResourceType.WORKFLOW: EntityKind.WORKFLOW,
    ResourceType.LAUNCH_PLAN: EntityKind.LAUNCH_PLAN,
}


class Identifier(Struct, frozen=True):
    """The full id of a task, workflow or launch plan."""

    resource_type: int
    project: str
    domain: str
    name: str
    version: str

    def resource_type_name(self) -> str:
        """``TASK``, ``WORKFLOW`` or ``LAUNCH_PLAN``."""
        return ResourceType(self.resource_type).name

    def __str__(self) -> str:
        return f"{self.resource_type_name()}:{self.project}:{self.domain}:{self.name}:{self.version}"


class WorkflowExecutionIdentifier(Struct, frozen=True):
    """The full id of an execution."""

    project: str
    domain: str
    name: str

    def __str__(self) -> str:
        return f"ex:{self.project}:{self.domain}:{self.name}"


class NodeExecutionIdentifier(Struct, frozen=True):
    """A node of an execution. Here its id is its path: ``n0/0/n1``."""

    node_id: str
    execution_id: WorkflowExecutionIdentifier

    def __str__(self) -> str:
        return f"{self.execution_id}:{self.node_id}"


class TaskExecutionIdentifier(Struct, frozen=True):
    """An attempt at a node; the first is 0."""

    task_id: Identifier
    node_execution_id: NodeExecutionIdentifier
    retry_attempt: int

    def __str__(self) -> str:
        return f"{self.node_execution_id}:{self.retry_attempt}"


class SignalIdentifier(Struct, frozen=True):
    """A gate of an execution."""

    signal_id: str
    execution_id: WorkflowExecutionIdentifier


class Signal(Struct, frozen=True):
    """A gate that waits. ``value`` is what it was given, ``None`` so far."""

    id: SignalIdentifier
    type: str
    value: object = None
