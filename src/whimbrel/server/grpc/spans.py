"""What AdminService says of where the time of an execution went: spans in spans.

Of a node: how long it waited (``NODE_SETUP``), its attempts, and what followed (``NODE_TEARDOWN``); of an attempt: how
long it waited for a worker (``TASK_SETUP``) and how long it ran (``TASK_RUNTIME``).

Knows: runs, messages through `wire`. Must not know: gRPC.
"""

from __future__ import annotations

from typing import Any

from whimbrel.controlplane.seen import Seen
from whimbrel.engine.nodes import NodeState
from whimbrel.server.grpc import nodes as views
from whimbrel.wire.flyte import executions as wire
from whimbrel.wire.flyte.entities import write_id


def fill_spans(into: Any, seen: Seen, depth: int, now: float) -> None:
    """The span of an execution, ``depth`` levels of it (0: all). What goes on ends ``now``."""
    wire.write_execution_id(into.workflow_id, seen.entity.id)
    wire.fill_span(into, seen.started_at or seen.entity.created_at, seen.ended_at or now)
    _Spans(seen, now).nodes(into, "", depth - 1)


class _Spans:
    def __init__(self, seen: Seen, now: float) -> None:
        self._seen = seen
        self._now = now

    def nodes(self, into: Any, parent: str, depth: int) -> None:
        """The nodes inside one."""
        if depth:
            for node in self._seen.nodes_under(parent):
                self._node(into.spans.add(), node, depth)

    def _node(self, into: Any, node: NodeState, depth: int) -> None:
        id = self._seen.wire_id(node.path)
        into.node_id.node_id = id
        wire.write_execution_id(into.node_id.execution_id, self._seen.entity.id)
        begun, ended = node.queued_at or node.created_at, node.ended_at or self._now
        wire.fill_span(into, begun, ended)
        if depth == 1:
            return
        tried = views.tries(node)
        if tried:
            first, last = tried[0].attempt.launched_at, max(each.attempt.ended_at or self._now for each in tried)
            self._operation(into, "NODE_SETUP", begun, first)
            for each in tried:
                self._try(into.spans.add(), node, each, depth - 1)
            self._operation(into, "NODE_TEARDOWN", last, ended)
        if views.is_parent(node):
            self.nodes(into, id, depth - 1)

    def _try(self, into: Any, node: NodeState, tried: views.Tried, depth: int) -> None:
        attempt = tried.attempt
        write_id(into.task_id.task_id, views.task_id(tried.node, self._seen.record))
        into.task_id.node_execution_id.node_id = self._seen.wire_id(node.path)
        wire.write_execution_id(into.task_id.node_execution_id.execution_id, self._seen.entity.id)
        into.task_id.retry_attempt = tried.number
        ended = attempt.ended_at or self._now
        wire.fill_span(into, attempt.launched_at, ended)
        if depth != 1 and attempt.started_at:
            self._operation(into, "TASK_SETUP", attempt.launched_at, attempt.started_at)
            self._operation(into, "TASK_RUNTIME", attempt.started_at, ended)

    def _operation(self, into: Any, name: str, begun: float, ended: float) -> None:
        if ended > begun:
            span = into.spans.add(operation_id=name)
            wire.fill_span(span, begun, ended)
