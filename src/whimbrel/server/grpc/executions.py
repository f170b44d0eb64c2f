"""What AdminService says of executions: of workflows, of their nodes, of the attempts at those.

Knows: executions, runs, messages through `wire`. Must not know: gRPC, how runs are driven.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from whimbrel.controlplane.executions import Executions
from whimbrel.engine.nodes import Kind, NodeState
from whimbrel.engine.run import Run
from whimbrel.errors import InputInvalid
from whimbrel.model.literals import Literals
from whimbrel.model.registered import Entity, EntityKind
from whimbrel.model.run import Phase
from whimbrel.server.grpc import nodes as views
from whimbrel.server.grpc.binding import Handler
from whimbrel.wire.flyte import executions as wire
from whimbrel.wire.flyte.entities import write_id
from whimbrel.wire.flyte.executions import ExecutionRecord
from whimbrel.wire.flyte.listing import next_token, read_filters, read_limit, read_query, read_token

Fetch = Callable[[Literals], Awaitable[Literals]]
"""Reads what stands in the blob store."""


class ExecutionCalls:
    """See the module."""

    def __init__(self, executions: Executions, fetch: Fetch) -> None:
        self._executions = executions
        self._fetch = fetch

    def handlers(self) -> dict[str, Handler]:
        """The methods of AdminService that are about executions."""
        return {
            "CreateExecution": self._create,
            "RelaunchExecution": self._relaunch,
            "RecoverExecution": self._recover,
            "GetExecution": self._get,
            "GetExecutionData": self._data,
            "ListExecutions": self._list,
            "TerminateExecution": self._terminate,
            "ListNodeExecutions": self._list_nodes,
            "GetNodeExecution": self._get_node,
            "GetNodeExecutionData": self._node_data,
            "GetDynamicNodeWorkflow": self._dynamic,
            "ListTaskExecutions": self._list_tries,
            "GetTaskExecution": self._get_try,
            "GetTaskExecutionData": self._try_data,
        }

    # --- executions

    async def _create(self, request: Any, response: Any) -> None:
        wire.write_execution_id(response.id, await self._executions.create(request))

    async def _relaunch(self, request: Any, response: Any) -> None:
        id = wire.read_execution_id(request.id)
        made = await self._executions.relaunch(id, request.name, overwrite_cache=request.overwrite_cache)
        wire.write_execution_id(response.id, made)

    async def _recover(self, request: Any, response: Any) -> None:
        made = await self._executions.recover(wire.read_execution_id(request.id), request.name)
        wire.write_execution_id(response.id, made)

    async def _get(self, request: Any, response: Any) -> None:
        await self._fill(response, await self._executions.get(wire.read_execution_id(request.id)))

    async def _fill(self, into: Any, entity: Entity) -> None:
        record = wire.record_of(entity)
        run = await self._executions.run_of(entity)
        wire.write_execution_id(into.id, entity.id)
        wire.fill_spec(into.spec, entity, record)
        closure = into.closure
        closure.phase = wire.workflow_phase(run.phase)
        closure.workflow_id.resource_type = 2
        closure.workflow_id.project, closure.workflow_id.domain = record.target.project, record.target.domain
        closure.workflow_id.name, closure.workflow_id.version = record.workflow, record.target.version
        wire.fill_times(closure, entity.created_at, run.started_at, run.ended_at)
        if run.phase is Phase.ABORTED and run.failure is not None:
            closure.abort_metadata.cause = run.failure.message
        elif run.failure is not None:
            wire.fill_error(closure.error, run.failure, run.ended_at)

    async def _data(self, request: Any, response: Any) -> None:
        run = await self._executions.run_of(await self._executions.get(wire.read_execution_id(request.id)))
        interface = run.program.workflows[run.workflow].interface
        wire.literal_map(response.full_inputs, await self._fetch(run.inputs), interface.inputs)
        wire.literal_map(response.full_outputs, await self._fetch(run.outputs), interface.outputs)

    async def _list(self, request: Any, response: Any) -> None:
        filters, others = read_filters(request.filters, EntityKind.EXECUTION)
        query = read_query(request, EntityKind.EXECUTION, filters=filters)
        found, following = await self._executions.find(query, others)
        for entity in found:
            await self._fill(response.executions.add(), entity)
        response.token = str(following) if following else ""

    async def _terminate(self, request: Any, response: Any) -> None:
        await self._executions.terminate(wire.read_execution_id(request.id), request.cause)

    # --- nodes

    async def _whole(self, execution_id: Any) -> tuple[ExecutionRecord, Run]:
        entity = await self._executions.get(wire.read_execution_id(execution_id))
        return wire.record_of(entity), await self._executions.run_of(entity)

    async def _list_nodes(self, request: Any, response: Any) -> None:
        _only_pages(request)
        _, run = await self._whole(request.workflow_execution_id)
        limit, offset = read_limit(request.limit), read_token(request.token)
        page = views.nodes_under(run, request.unique_parent_id)[offset : offset + limit]
        for node in page:
            _fill_node(response.node_executions.add(), node, request.workflow_execution_id)
        response.token = next_token(offset, limit, len(page))

    async def _node(self, id: Any) -> tuple[ExecutionRecord, Run, NodeState]:
        record, run = await self._whole(id.execution_id)
        return record, run, views.find_node(run, id.node_id)

    async def _get_node(self, request: Any, response: Any) -> None:
        _, _, node = await self._node(request.id)
        _fill_node(response, node, request.id.execution_id)

    async def _node_data(self, request: Any, response: Any) -> None:
        record, run, node = await self._node(request.id)
        interface = views.interface_of(run, node)
        wire.literal_map(response.full_inputs, await self._fetch(node.inputs), interface.inputs)
        wire.literal_map(response.full_outputs, await self._fetch(node.outputs), interface.outputs)
        if node.kind is Kind.DYNAMIC and node.frame is not None:
            place = views.task_id(node, record)
            wire.fill_dynamic(response.dynamic_workflow, node.frame.graph, run.program, record.tasks, place)

    async def _dynamic(self, request: Any, response: Any) -> None:
        record, run, node = await self._node(request.id)
        if node.kind is not Kind.DYNAMIC or node.frame is None:
            raise InputInvalid(f"the node {request.id.node_id} has made no workflow.")
        place = views.task_id(node, record)
        wire.fill_dynamic_workflow(response.compiled_workflow, node.frame.graph, run.program, record.tasks, place)

    # --- attempts

    async def _list_tries(self, request: Any, response: Any) -> None:
        _only_pages(request)
        record, _, node = await self._node(request.node_execution_id)
        limit, offset = read_limit(request.limit), read_token(request.token)
        page = views.tries(node)[offset : offset + limit]
        for tried in page:
            _fill_try(response.task_executions.add(), tried, record, request.node_execution_id)
        response.token = next_token(offset, limit, len(page))

    async def _get_try(self, request: Any, response: Any) -> None:
        record, _, node = await self._node(request.id.node_execution_id)
        tried = views.find_try(node, request.id.retry_attempt)
        _fill_try(response, tried, record, request.id.node_execution_id)

    async def _try_data(self, request: Any, response: Any) -> None:
        _, run, node = await self._node(request.id.node_execution_id)
        tried = views.find_try(node, request.id.retry_attempt)
        interface = views.interface_of(run, tried.node)
        wire.literal_map(response.full_inputs, await self._fetch(tried.node.inputs), interface.inputs)
        wire.literal_map(response.full_outputs, await self._fetch(tried.outputs), interface.outputs)


def _only_pages(request: Any) -> None:
    if request.filters:
        raise InputInvalid("nodes and attempts are listed whole; leave the filters out.")


def _fill_node(into: Any, node: NodeState, execution_id: Any) -> None:
    into.id.node_id = views.wire_id(node.path)
    into.id.execution_id.CopyFrom(execution_id)
    into.metadata.spec_node_id = views.spec_id(node)
    into.metadata.is_parent_node = views.is_parent(node)
    into.metadata.is_dynamic = node.kind is Kind.DYNAMIC and node.frame is not None
    into.metadata.is_array = node.kind is Kind.ARRAY
    closure = into.closure
    closure.phase = wire.node_phase(node.phase)
    wire.fill_times(closure, node.queued_at or node.created_at, node.started_at, node.ended_at)
    if node.failure is not None:
        wire.fill_error(closure.error, node.failure, node.ended_at)
    if node.cached:
        closure.task_node_metadata.cache_status = 2  # CACHE_HIT


def _fill_try(into: Any, tried: views.Tried, record: ExecutionRecord, node_id: Any) -> None:
    write_id(into.id.task_id, views.task_id(tried.node, record))
    into.id.node_execution_id.CopyFrom(node_id)
    into.id.retry_attempt = tried.number
    closure = into.closure
    closure.phase = wire.task_phase(tried.phase)
    attempt = tried.attempt
    wire.fill_times(closure, attempt.launched_at, attempt.started_at, attempt.ended_at)
    if tried.failure is not None:
        wire.fill_error(closure.error, tried.failure, attempt.ended_at)
