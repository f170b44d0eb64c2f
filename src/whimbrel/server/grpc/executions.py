"""What AdminService says of executions: of workflows, of their nodes, of the attempts at those.

Knows: executions, runs, messages through `wire`. Must not know: gRPC, how runs are driven.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Collection
from typing import Any

from whimbrel.controlplane.executions import EAGER, Executions
from whimbrel.controlplane.seen import Seen
from whimbrel.engine.nodes import Kind, NodeState
from whimbrel.errors import InputInvalid
from whimbrel.model.literals import Literals
from whimbrel.model.registered import Entity, EntityId, EntityKind
from whimbrel.model.run import Phase
from whimbrel.server.downloads import Downloads
from whimbrel.server.feed import Feed
from whimbrel.server.grpc import nodes as views
from whimbrel.server.grpc.binding import Call, Calling, Handler
from whimbrel.server.grpc.holding import Holding
from whimbrel.server.grpc.spans import fill_spans
from whimbrel.wire.flyte import executions as wire
from whimbrel.wire.flyte.entities import write_id
from whimbrel.wire.flyte.executions import ExecutionRecord
from whimbrel.wire.flyte.listing import next_token, read_filters, read_limit, read_query, read_token

Fetch = Callable[[Literals], Awaitable[Literals]]
"""Reads what stands in the blob store."""
PRINCIPAL = "whimbrel"


class ExecutionCalls:
    """See the module."""

    def __init__(self, executions: Executions, fetch: Fetch, feed: Feed, downloads: Downloads) -> None:
        self._executions = executions
        self._fetch = fetch
        self._downloads = downloads
        self._feed = feed
        self._holding = Holding()

    def handlers(self) -> dict[str, Handler | Calling]:
        """The methods of AdminService that are about executions."""
        return {
            "CreateExecution": Calling(self._create),
            "RelaunchExecution": Calling(self._relaunch),
            "RecoverExecution": Calling(self._recover),
            "GetExecution": Calling(self._get),
            "GetExecutionData": self._data,
            "UpdateExecution": self._update,
            "ListExecutions": self._list,
            "TerminateExecution": self._terminate,
            "GetExecutionMetrics": self._metrics,
            "ListNodeExecutions": self._list_nodes,
            "ListNodeExecutionsForTask": self._list_nodes_of_task,
            "GetNodeExecution": self._get_node,
            "GetNodeExecutionData": self.node_data,
            "GetDynamicNodeWorkflow": self._dynamic,
            "ListTaskExecutions": self._list_tries,
            "GetTaskExecution": self._get_try,
            "GetTaskExecutionData": self.try_data,
        }

    # --- executions

    def _made(self, response: Any, made: EntityId, call: Call) -> None:
        wire.write_execution_id(response.id, made)
        self._holding.made(call.peer, str(made))

    async def _create(self, request: Any, response: Any, call: Call) -> None:
        self._made(response, await self._executions.create(request), call)

    async def _relaunch(self, request: Any, response: Any, call: Call) -> None:
        id = wire.read_execution_id(request.id)
        made = await self._executions.relaunch(
            id, request.name, overwrite_cache=request.overwrite_cache, principal=_name(call)
        )
        self._made(response, made, call)

    async def _recover(self, request: Any, response: Any, call: Call) -> None:
        id = wire.read_execution_id(request.id)
        self._made(response, await self._executions.recover(id, request.name, principal=_name(call)), call)

    async def _get(self, request: Any, response: Any, call: Call) -> None:
        id = wire.read_execution_id(request.id)
        seen = await self._executions.seen(id)
        seconds = self._holding.seconds(call.peer, str(id), call.remaining)
        # From inside an eager task one connection asks for all that it has called, one after the other.
        if seconds and EAGER not in seen.record.labels:
            seen = await self._ended(seen, seconds)
        self._fill(response, seen)
        self._holding.answered(call.peer, str(id))

    async def _ended(self, seen: Seen, seconds: float) -> Seen:
        """The execution when it has ended, or somebody must answer first, or the time is over."""
        with contextlib.suppress(TimeoutError), self._feed.following(seen.run.id) as changed:
            async with asyncio.timeout(seconds):
                while not (seen.phase.terminal or seen.waits or self._feed.closed):
                    await changed.wait()
                    changed.clear()
                    seen = await self._executions.see(seen.entity)
        return seen

    def _fill(self, into: Any, seen: Seen) -> None:
        self._fill_row(into, seen.entity, seen.record)
        closure = into.closure
        closure.phase = wire.workflow_phase(seen.phase)
        wire.fill_times(closure, seen.entity.created_at, seen.started_at, seen.ended_at)
        failure = seen.failure
        if seen.phase is Phase.ABORTED and failure is not None:
            closure.abort_metadata.cause = failure.message
            closure.abort_metadata.principal = PRINCIPAL
        elif failure is not None:
            wire.fill_error(closure.error, failure, seen.ended_at)

    def _fill_row(self, into: Any, entity: Entity, record: ExecutionRecord) -> None:
        wire.write_execution_id(into.id, entity.id)
        wire.fill_spec(into.spec, entity, record)
        target, closure = record.target, into.closure
        closure.workflow_id.resource_type = 2
        closure.workflow_id.project, closure.workflow_id.domain = target.project, target.domain
        closure.workflow_id.name = record.workflow
        closure.workflow_id.version = record.workflows.get(target.name, target.version)
        wire.fill_state(closure.state_change_details, entity)

    async def _data(self, request: Any, response: Any) -> None:
        seen = await self._executions.seen(wire.read_execution_id(request.id))
        wire.literal_map(response.full_inputs, await self._fetch(seen.inputs), seen.interface.inputs)
        wire.literal_map(response.full_outputs, await self._fetch(seen.outputs), seen.interface.outputs)

    async def _update(self, request: Any, response: Any) -> None:
        await self._executions.set_state(wire.read_execution_id(request.id), wire.execution_state(request.state))

    async def _list(self, request: Any, response: Any) -> None:
        filters, others = read_filters(request.filters, EntityKind.EXECUTION)
        # Two lists are read as one: the place in each.
        request.token, _, children = request.token.partition("-")
        query = read_query(request, EntityKind.EXECUTION, filters=filters)
        found, following = await self._executions.find(query, others, read_token(children))
        for entity in found:
            self._fill(response.executions.add(), await self._executions.see(entity))
        response.token = f"{following[0]}-{following[1]}" if following else ""

    async def _terminate(self, request: Any, response: Any) -> None:
        await self._executions.terminate(wire.read_execution_id(request.id), request.cause)

    # --- nodes

    async def _whole(self, execution_id: Any) -> Seen:
        return await self._executions.seen(wire.read_execution_id(execution_id))

    async def _list_nodes(self, request: Any, response: Any) -> None:
        _only_pages(request)
        seen = await self._whole(request.workflow_execution_id)
        limit, offset = read_limit(request.limit), read_token(request.token)
        page = seen.nodes_under(request.unique_parent_id)[offset : offset + limit]
        await self._fill_nodes(response, seen, page)
        response.token = next_token(offset, limit, len(page))

    async def _list_nodes_of_task(self, request: Any, response: Any) -> None:
        _only_pages(request)
        seen, node = await self._node(request.task_execution_id.node_execution_id)
        views.find_try(node, request.task_execution_id.retry_attempt)
        limit, offset = read_limit(request.limit), read_token(request.token)
        page = seen.nodes_under(seen.wire_id(node.path))[offset : offset + limit]
        await self._fill_nodes(response, seen, page)
        response.token = next_token(offset, limit, len(page))

    async def _fill_nodes(self, response: Any, seen: Seen, page: list[NodeState]) -> None:
        decked = await self._executions.decked(seen)
        for node in page:
            await self._fill_node(response.node_executions.add(), seen, node, decked)

    async def has_deck(self, id: EntityId, node: str) -> bool:
        """Whether a node of an execution shows something. Raises ``EntityNotFound``."""
        seen = await self._executions.seen(id)
        return seen.node_at(node).path in await self._executions.decked(seen)

    async def _metrics(self, request: Any, response: Any) -> None:
        seen = await self._executions.seen(wire.read_execution_id(request.id))
        fill_spans(response.span, seen, request.depth, self._executions.now())

    async def _node(self, id: Any) -> tuple[Seen, NodeState]:
        seen = await self._whole(id.execution_id)
        return seen, seen.node_at(id.node_id)

    async def _get_node(self, request: Any, response: Any) -> None:
        seen, node = await self._node(request.id)
        await self._fill_node(response, seen, node, await self._executions.decked(seen))

    async def _fill_node(self, into: Any, seen: Seen, node: NodeState, decked: Collection[str]) -> None:
        into.id.node_id = seen.wire_id(node.path)
        wire.write_execution_id(into.id.execution_id, seen.entity.id)
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
        if node.path in decked:
            closure.deck_uri = self._downloads.deck_page(seen.entity.id, into.id.node_id)
        if node.kind is Kind.LAUNCH_PLAN and node.entity in seen.run.program.launch_plans:
            child = await self._executions.child_of(seen, node)
            wire.write_execution_id(closure.workflow_node_metadata.executionId, child)

    async def node_data(self, request: Any, response: Any) -> None:
        """``GetNodeExecutionData``."""
        seen, node = await self._node(request.id)
        interface = views.interface_of(seen.run, node)
        wire.literal_map(response.full_inputs, await self._fetch(node.inputs), interface.inputs)
        wire.literal_map(response.full_outputs, await self._fetch(node.outputs), interface.outputs)
        address = wire.flyte_address(seen.entity.id, request.id.node_id)
        wire.fill_urls(response.flyte_urls, address, deck=node.path in await self._executions.decked(seen))
        if node.kind is Kind.DYNAMIC and node.frame is not None:
            place, tasks = views.task_id(node, seen.record), seen.record.tasks
            try:
                wire.fill_dynamic(response.dynamic_workflow, node.frame.graph, seen.run.program, tasks, place)
            except InputInvalid:
                # It names what is nowhere, and has failed by that; the rest is there to be seen.
                response.ClearField("dynamic_workflow")

    async def _dynamic(self, request: Any, response: Any) -> None:
        seen, node = await self._node(request.id)
        if node.kind is not Kind.DYNAMIC or node.frame is None:
            raise InputInvalid(f"the node {request.id.node_id} has made no workflow.")
        place, tasks = views.task_id(node, seen.record), seen.record.tasks
        wire.fill_dynamic_workflow(response.compiled_workflow, node.frame.graph, seen.run.program, tasks, place)

    # --- attempts

    async def _list_tries(self, request: Any, response: Any) -> None:
        _only_pages(request)
        seen, node = await self._node(request.node_execution_id)
        limit, offset = read_limit(request.limit), read_token(request.token)
        page = views.tries(node)[offset : offset + limit]
        for tried in page:
            self._fill_try(response.task_executions.add(), seen, tried, request.node_execution_id)
        response.token = next_token(offset, limit, len(page))

    async def _get_try(self, request: Any, response: Any) -> None:
        seen, node = await self._node(request.id.node_execution_id)
        tried = views.find_try(node, request.id.retry_attempt)
        self._fill_try(response, seen, tried, request.id.node_execution_id)

    def _fill_try(self, into: Any, seen: Seen, tried: views.Tried, node_id: Any) -> None:
        write_id(into.id.task_id, views.task_id(tried.node, seen.record))
        into.id.node_execution_id.CopyFrom(node_id)
        into.id.retry_attempt = tried.number
        into.is_parent = tried.node.kind is Kind.DYNAMIC and tried.node.frame is not None
        closure = into.closure
        closure.phase = wire.task_phase(tried.phase)
        attempt = tried.attempt
        wire.fill_times(closure, attempt.launched_at, attempt.started_at, attempt.ended_at)
        if attempt.started_at:
            wire.fill_log(closure.logs.add(), self._downloads.logs_page(seen.run.id, tried.node.path))
        if tried.failure is not None:
            wire.fill_error(closure.error, tried.failure, attempt.ended_at)

    async def try_data(self, request: Any, response: Any) -> None:
        """``GetTaskExecutionData``."""
        seen, node = await self._node(request.id.node_execution_id)
        tried = views.find_try(node, request.id.retry_attempt)
        interface = views.interface_of(seen.run, tried.node)
        wire.literal_map(response.full_inputs, await self._fetch(tried.node.inputs), interface.inputs)
        wire.literal_map(response.full_outputs, await self._fetch(tried.outputs), interface.outputs)
        node_id = request.id.node_execution_id.node_id
        address = wire.flyte_address(seen.entity.id, node_id, request.id.retry_attempt)
        wire.fill_urls(response.flyte_urls, address, deck=node.path in await self._executions.decked(seen))


def _only_pages(request: Any) -> None:
    if request.filters:
        raise InputInvalid("nodes and attempts are listed whole; leave the filters out.")


def _name(call: Call) -> str:
    return str(call.principal) if call.principal is not None else ""
