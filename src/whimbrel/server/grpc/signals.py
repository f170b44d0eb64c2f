"""SignalService: the gates of an execution that wait for an answer, and the answers.

Knows: executions, gates, messages through `wire`. Must not know: gRPC.
"""

from __future__ import annotations

from typing import Any

from whimbrel.controlplane.executions import Executions
from whimbrel.controlplane.seen import Seen
from whimbrel.engine.gates import awaited_type, gate_of
from whimbrel.engine.nodes import NodeState
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

    async def _seen(self, execution_id: Any) -> Seen:
        return await self._executions.seen(read_execution_id(execution_id))

    async def _list(self, request: Any, response: Any) -> None:
        if request.filters:
            raise InputInvalid("signals are listed whole; leave the filters out.")
        seen = await self._seen(request.workflow_execution_id)
        limit, offset = read_limit(request.limit), read_token(request.token)
        gates = [node for node in seen.gates() if awaited_type(node) is not None]
        for node in gates[offset : offset + limit]:
            _fill(response.signals.add(), node, request.workflow_execution_id)
        response.token = next_token(offset, limit, len(gates) - offset) if len(gates) > offset + limit else ""

    async def _get_or_create(self, request: Any, response: Any) -> None:
        seen = await self._seen(request.id.execution_id)
        _fill(response, _gate(seen, request.id.signal_id), request.id.execution_id)

    async def _set(self, request: Any, response: Any) -> None:
        id = read_execution_id(request.id.execution_id)
        seen = await self._seen(request.id.execution_id)
        gate = _gate(seen, request.id.signal_id)
        wanted = awaited_type(gate)
        assert wanted is not None
        # Of a child by its path: others in the run may have its name.
        name = gate.path if seen.path else request.id.signal_id
        await self._executions.signal(id, name, decode_literal(request.value, wanted))


def _gate(seen: Seen, name: str) -> NodeState:
    for node in seen.gates(name):
        if awaited_type(node) is not None:
            return node
    raise EntityNotFound(f"{seen.entity.id} has no gate {name!r}, or it has not come to it.")


def _fill(into: Any, node: NodeState, execution_id: Any) -> None:
    into.id.signal_id = gate_of(node).name
    write_execution_id(into.id.execution_id, read_execution_id(execution_id))
    write_type(into.type, awaited_type(node))
