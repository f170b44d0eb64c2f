"""SignalService: the gates of an execution that wait for an answer, and the answers.

Knows: executions, gates, messages through `wire`. Must not know: gRPC.
"""

from __future__ import annotations

from typing import Any

from whimbrel.controlplane.executions import Executions
from whimbrel.engine.gates import awaited_type, gate_of
from whimbrel.engine.nodes import NodeState
from whimbrel.engine.run import Run
from whimbrel.errors import EntityNotFound, InputInvalid
from whimbrel.server.grpc.binding import Handler
from whimbrel.wire.flyte.entities import write_type
from whimbrel.wire.flyte.executions import read_execution_id, write_execution_id
from whimbrel.wire.flyte.listing import next_token, read_limit, read_token
from whimbrel.wire.flyte.literals import decode_literal


class SignalCalls:
    """See the module."""

    def __init__(self, executions: Executions) -> None:
        self._executions = executions

    def handlers(self) -> dict[str, Handler]:
        """The methods of SignalService."""
        return {"ListSignals": self._list, "SetSignal": self._set, "GetOrCreateSignal": self._get_or_create}

    async def _run(self, execution_id: Any) -> Run:
        entity = await self._executions.get(read_execution_id(execution_id))
        return await self._executions.run_of(entity)

    async def _list(self, request: Any, response: Any) -> None:
        if request.filters:
            raise InputInvalid("signals are listed whole; leave the filters out.")
        run = await self._run(request.workflow_execution_id)
        limit, offset = read_limit(request.limit), read_token(request.token)
        gates = [node for node in run.gates() if awaited_type(node) is not None]
        for node in gates[offset : offset + limit]:
            _fill(response.signals.add(), node, request.workflow_execution_id)
        response.token = next_token(offset, limit, len(gates) - offset) if len(gates) > offset + limit else ""

    async def _get_or_create(self, request: Any, response: Any) -> None:
        run = await self._run(request.id.execution_id)
        _fill(response, _gate(run, request.id.signal_id), request.id.execution_id)

    async def _set(self, request: Any, response: Any) -> None:
        id = read_execution_id(request.id.execution_id)
        run = await self._run(request.id.execution_id)
        wanted = awaited_type(_gate(run, request.id.signal_id))
        assert wanted is not None
        await self._executions.signal(id, request.id.signal_id, decode_literal(request.value, wanted))


def _gate(run: Run, name: str) -> NodeState:
    for node in run.gates(name):
        if awaited_type(node) is not None:
            return node
    raise EntityNotFound(f"run {run.id} has no gate {name!r}, or it has not come to it.")


def _fill(into: Any, node: NodeState, execution_id: Any) -> None:
    into.id.signal_id = gate_of(node).name
    write_execution_id(into.id.execution_id, read_execution_id(execution_id))
    write_type(into.type, awaited_type(node))
