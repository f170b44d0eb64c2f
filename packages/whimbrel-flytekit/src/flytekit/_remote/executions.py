"""Executions, their nodes and attempts, by flytekit's classes, as they were when they were last synced.

Knows: whimbrel's executions of a server. Must not know: transports, how anything is launched.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from msgspec import Struct

from flytekit._remote.identifiers import (
    Identifier,
    NodeExecutionIdentifier,
    ResourceType,
    TaskExecutionIdentifier,
    WorkflowExecutionIdentifier,
)
from flytekit._remote.phases import NodeExecutionPhase, TaskExecutionPhase, execution_phase
from flytekit._remote.resolving import LiteralsResolver
from flytekit.exceptions.user import FlyteAssertion
from whimbrel import WorkflowExecutionPhase
from whimbrel.client.executions import Execution
from whimbrel.client.values import Values
from whimbrel.model.failure import Failure
from whimbrel.model.run import Phase
from whimbrel.wire.rest.runs import Attempt, NodeDetail


class ExecutionError(Struct, frozen=True):
    """What an execution, node or attempt failed with. ``kind`` 0 is not to be tried again, 1 is."""

    code: str
    message: str
    error_uri: str = ""
    kind: int = 0


class Closure(Struct, frozen=True):
    """How far something is. Moments are in UTC, ``None`` while they are not known."""

    phase: int
    error: ExecutionError | None = None
    created_at: dt.datetime | None = None
    started_at: dt.datetime | None = None
    updated_at: dt.datetime | None = None
    duration: dt.timedelta | None = None
    workflow_id: Identifier | None = None
    task_node_metadata: Any = None


class ExecutionSpec(Struct, frozen=True):
    """What was launched, and how."""

    launch_plan: Identifier
    labels: dict[str, str] = {}
    tags: tuple[str, ...] = ()


class ExecutionHolder(Protocol):
    """What an execution asks of the remote that it came from."""

    def sync_execution(self, execution: Any, *, sync_nodes: bool = False) -> Any:
        """Ask again."""
        ...

    def wait(
        self,
        execution: Any,
        timeout: dt.timedelta | float | None = None,
        poll_interval: dt.timedelta | float | None = None,
        sync_nodes: bool = True,
    ) -> Any:
        """Wait for the end."""
        ...

    def url_of(self, execution: Execution) -> str:
        """Where people look at it."""
        ...

    def node_values(self, execution: Execution, path: str) -> tuple[Values, Values | None]:
        """Inputs and outputs of a node."""
        ...


class FlyteWorkflowExecution:
    """An execution on a server. ``sync`` asks for its state anew, with its nodes if they are wanted."""

    def __init__(self, remote: ExecutionHolder, execution: Execution, kind: ResourceType) -> None:
        self._remote = remote
        self._execution = execution
        self._kind = kind
        self._type_hints: Mapping[str, Any] = {}
        self._nodes: dict[str, FlyteNodeExecution] = {}

    @property
    def remote_execution(self) -> Execution:
        """As whimbrel's client has it."""
        return self._execution

    @property
    def id(self) -> WorkflowExecutionIdentifier:
        """Its full id."""
        found = self._execution
        return WorkflowExecutionIdentifier(found.project, found.domain, found.name or found.run)

    @property
    def execution_url(self) -> str:
        """Where people look at it."""
        return self._execution.url or self._remote.url_of(self._execution)

    @property
    def spec(self) -> ExecutionSpec:
        """What was launched, and how."""
        found = self._execution
        launched = Identifier(self._kind, found.project, found.domain, found.entity, found.version)
        return ExecutionSpec(launched, dict(found.labels), found.tags)

    @property
    def closure(self) -> Closure:
        """How far it is."""
        found = self._execution
        return Closure(
            execution_phase(found.phase),
            error_of(found.failure, found.phase, found.message),
            found.created_at,
            found.started_at,
            found.ended_at or found.started_at or found.created_at,
            found.duration,
            self.spec.launch_plan,
        )

    @property
    def is_done(self) -> bool:
        """Whether it has ended, however."""
        return self._execution.is_done

    @property
    def is_successful(self) -> bool:
        """Whether it has succeeded."""
        return self.closure.phase == WorkflowExecutionPhase.SUCCEEDED

    @property
    def error(self) -> ExecutionError | None:
        """What it failed with; ``None`` for one that succeeded. Raises ``FlyteAssertion`` while it is under way."""
        if not self.is_done:
            raise FlyteAssertion("Please wait until the execution has completed before asking for its error.")
        return self.closure.error

    @property
    def inputs(self) -> LiteralsResolver:
        """What it was given."""
        return LiteralsResolver(self._execution.inputs)

    @property
    def outputs(self) -> LiteralsResolver:
        """What it gave. Raises ``FlyteAssertion`` while it is under way, and when it failed."""
        if not self.is_done:
            raise FlyteAssertion("Please wait until the execution has completed before asking for its outputs.")
        failed = self.closure.error
        if failed is not None:
            raise FlyteAssertion(f"There are no outputs: the execution failed. {failed.message}")
        resolver = LiteralsResolver(self._execution.outputs)
        resolver.update_type_hints(self._type_hints)
        return resolver

    @property
    def node_executions(self) -> dict[str, FlyteNodeExecution]:
        """Its nodes by id, once it was synced with them."""
        return self._nodes

    def sync(self, sync_nodes: bool = False) -> FlyteWorkflowExecution:
        """Ask for its state anew."""
        self._remote.sync_execution(self, sync_nodes=sync_nodes)
        return self

    def wait(
        self,
        timeout: dt.timedelta | float | None = None,
        poll_interval: dt.timedelta | float | None = None,
        sync_nodes: bool = True,
    ) -> FlyteWorkflowExecution:
        """Wait for its end. Raises ``FlyteTimeout``."""
        self._remote.wait(self, timeout, poll_interval, sync_nodes)
        return self

    def tell(self, execution: Execution, *, nodes: bool) -> None:
        """What a server says of it now."""
        self._execution = execution
        if nodes:
            self._nodes = _nodes(execution, self.id, self._remote, "")

    def hint(self, types: Mapping[str, Any]) -> None:
        """The Python types that its outputs are to be."""
        self._type_hints = types

    def __repr__(self) -> str:
        phase = WorkflowExecutionPhase.enum_to_string(self.closure.phase)
        return f"FlyteWorkflowExecution({self.id}, {phase})"


class FlyteNodeExecution:
    """A node of an execution. Its id is its path: a node inside ``n1`` is called ``n1/n0``."""

    def __init__(
        self, execution: Execution, id: WorkflowExecutionIdentifier, remote: ExecutionHolder, detail: NodeDetail
    ) -> None:
        self._execution = execution
        self._of = id
        self._remote = remote
        self._detail = detail
        self._found: tuple[Values, Values | None] | None = None

    @property
    def id(self) -> NodeExecutionIdentifier:
        """Its full id."""
        return NodeExecutionIdentifier(self._detail.path, self._of)

    @property
    def metadata(self) -> NodeDetail:
        """All that the server says of it: kind, entity, cache, line, attempts."""
        return self._detail

    @property
    def closure(self) -> Closure:
        """How far it is."""
        detail = self._detail
        seconds = detail.seconds
        return Closure(
            NodeExecutionPhase.of(detail.phase),
            _error_of_json(detail.failure),
            _moment(detail.created_at),
            _moment(detail.started_at),
            _moment(detail.ended_at) or _moment(detail.started_at),
            None if seconds is None else dt.timedelta(seconds=seconds),
        )

    @property
    def is_done(self) -> bool:
        """Whether it has ended, however."""
        return Phase(self._detail.phase).terminal

    @property
    def error(self) -> ExecutionError | None:
        """What it failed with. Raises ``FlyteAssertion`` while it is under way."""
        if not self.is_done:
            raise FlyteAssertion("Please wait until the node has completed before asking for its error.")
        return self.closure.error

    @property
    def inputs(self) -> LiteralsResolver:
        """What it was given."""
        return LiteralsResolver(self._values()[0])

    @property
    def outputs(self) -> LiteralsResolver | None:
        """What it gave; ``None`` when it failed. Raises ``FlyteAssertion`` while it is under way."""
        if not self.is_done:
            raise FlyteAssertion("Please wait until the node has completed before asking for its outputs.")
        found = self._values()[1]
        return None if found is None else LiteralsResolver(found)

    def _values(self) -> tuple[Values, Values | None]:
        if self._found is None:
            self._found = self._remote.node_values(self._execution, self._detail.path)
        return self._found

    @property
    def task_executions(self) -> list[FlyteTaskExecution]:
        """The attempts at it, if it is a task."""
        return [FlyteTaskExecution(self, attempt, self._of) for attempt in self._detail.attempts]

    @property
    def subworkflow_node_executions(self) -> dict[str, FlyteNodeExecution]:
        """The nodes inside it: of a workflow, a branch, a map, a dynamic or an eager one."""
        return _nodes(self._execution, self._of, self._remote, self._detail.path)

    @property
    def workflow_executions(self) -> list[FlyteWorkflowExecution]:
        """None: what a launch plan launches inside an execution is nodes of it."""
        return []

    @property
    def executions(self) -> list[Any]:
        """The attempts at it, or the nodes inside it."""
        return [*self.task_executions, *self.subworkflow_node_executions.values()]

    def __repr__(self) -> str:
        return f"FlyteNodeExecution({self.id}, {self._detail.phase})"


class FlyteTaskExecution:
    """An attempt at a node."""

    def __init__(self, node: FlyteNodeExecution, attempt: Attempt, of: WorkflowExecutionIdentifier) -> None:
        self._node = node
        self._attempt = attempt
        self._of = of

    @property
    def id(self) -> TaskExecutionIdentifier:
        """Its full id."""
        of, detail = self._of, self._node.metadata
        task = Identifier(ResourceType.TASK, of.project, of.domain, detail.entity, "")
        return TaskExecutionIdentifier(task, self._node.id, self._attempt.number - 1)

    @property
    def closure(self) -> Closure:
        """How far it is."""
        attempt = self._attempt
        started, ended = _moment(attempt.started_at), _moment(attempt.ended_at)
        return Closure(
            TaskExecutionPhase.of(attempt.phase),
            _error_of_json(attempt.failure),
            _moment(attempt.launched_at),
            started,
            ended or started,
            ended - started if started and ended else None,
        )

    @property
    def is_done(self) -> bool:
        """Whether it has ended, however."""
        return self._attempt.ended_at is not None

    @property
    def error(self) -> ExecutionError | None:
        """What it failed with. Raises ``FlyteAssertion`` while it is under way."""
        if not self.is_done:
            raise FlyteAssertion("Please wait until the task has completed before asking for its error.")
        return self.closure.error

    @property
    def inputs(self) -> LiteralsResolver:
        """What it was given."""
        return self._node.inputs

    @property
    def outputs(self) -> LiteralsResolver | None:
        """What the node gave."""
        return self._node.outputs


def _nodes(
    execution: Execution, id: WorkflowExecutionIdentifier, remote: ExecutionHolder, parent: str
) -> dict[str, FlyteNodeExecution]:
    """The nodes inside the node at ``parent``, by the last part of their paths."""
    inside = [detail for detail in execution.nodes.values() if detail.parent == parent]
    return {
        detail.path.removeprefix(f"{parent}/"): FlyteNodeExecution(execution, id, remote, detail) for detail in inside
    }


def error_of(failure: Failure | None, phase: Phase, message: str) -> ExecutionError | None:
    """What an execution failed with."""
    if failure is None:
        ended_badly = phase.terminal and not phase.has_outputs
        return ExecutionError(phase.value, message or phase.value) if ended_badly else None
    text = f"{failure.traceback.rstrip()}\n\n{failure.title}" if failure.traceback else failure.title
    return ExecutionError(f"{failure.fault.value.upper()}:{_class(failure.type)}", text)


def _error_of_json(failure: Mapping[str, Any] | None) -> ExecutionError | None:
    if failure is None:
        return None
    title = f"{_class(str(failure.get('type', '')))}: {failure.get('message', '')}"
    trace = str(failure.get("traceback", "")).rstrip()
    code = f"{str(failure.get('fault', 'user')).upper()}:{_class(str(failure.get('type', '')))}"
    return ExecutionError(code, f"{trace}\n\n{title}" if trace else title)


def _class(name: str) -> str:
    return name.rpartition(":")[2] or "Unknown"


def _moment(text: str | None) -> dt.datetime | None:
    return None if text is None else dt.datetime.fromisoformat(text)
