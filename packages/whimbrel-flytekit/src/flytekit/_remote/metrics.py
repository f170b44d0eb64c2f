"""Where the time of an execution went: spans of its nodes and attempts, by flytekit's name.

Knows: whimbrel's executions of a server. Must not know: transports.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator

from msgspec import Struct

from whimbrel.client.executions import Execution
from whimbrel.wire.rest.runs import NodeDetail

_WAITING, _WORKING = "waiting", "working"


class FlyteExecutionSpan(Struct, frozen=True):
    """A span of time: of the execution, a node (``n0``) or an attempt (``n0[0]``), and the spans inside it."""

    name: str
    start: dt.datetime | None
    end: dt.datetime | None
    spans: tuple[FlyteExecutionSpan, ...] = ()
    operation: str = _WORKING

    @property
    def seconds(self) -> float:
        """How long it is; 0.0 for one that has not ended."""
        return (self.end - self.start).total_seconds() if self.start and self.end else 0.0

    def _flat(self, depth: int = 0) -> Iterator[tuple[int, FlyteExecutionSpan]]:
        yield depth, self
        for span in self.spans:
            yield from span._flat(depth + 1)

    def explain(self) -> None:
        """Print a line for each span: what was done, when, for how long, in what."""
        print(f"{'operation':12} {'start':26} {'end':26} {'seconds':>9}   entity")
        for depth, span in self._flat():
            start, end = (f"{at:%Y-%m-%d %H:%M:%S.%f}" if at else "-" for at in (span.start, span.end))
            print(f"{span.operation:12} {start:26} {end:26} {span.seconds:9.3f}   {'  ' * depth}{span.name}")

    def dump(self) -> None:
        """Print the seconds that went into waiting and into work, node by node, as YAML."""
        for depth, span in self._flat():
            if span.operation == _WORKING:
                indent = "  " * depth
                print(f"{indent}{span.name}:")
                print(f"{indent}  seconds: {span.seconds:.3f}")
                waited = sum(each.seconds for each in span.spans if each.operation == _WAITING)
                if waited:
                    print(f"{indent}  waiting: {waited:.3f}")


def spans_of(execution: Execution, depth: int) -> FlyteExecutionSpan:
    """The spans of an execution that was synced with its nodes, ``depth`` levels of nodes deep."""
    inside = _inside(execution, "", depth)
    return FlyteExecutionSpan(
        execution.name or execution.run, execution.started_at or execution.created_at, execution.ended_at, inside
    )


def _inside(execution: Execution, parent: str, depth: int) -> tuple[FlyteExecutionSpan, ...]:
    if depth <= 0:
        return ()
    nodes = [node for node in execution.nodes.values() if node.parent == parent]
    return tuple(_node(execution, node, depth) for node in nodes)


def _node(execution: Execution, node: NodeDetail, depth: int) -> FlyteExecutionSpan:
    created, started, ended = (_moment(text) for text in (node.created_at, node.started_at, node.ended_at))
    waited = [FlyteExecutionSpan(node.path, created, started, (), _WAITING)] if created and started else []
    tries = [
        FlyteExecutionSpan(f"{node.path}[{each.number - 1}]", _moment(each.started_at), _moment(each.ended_at))
        for each in node.attempts
    ]
    inside = _inside(execution, node.path, depth - 1)
    return FlyteExecutionSpan(node.path, created, ended, (*waited, *tries, *inside))


def _moment(text: str | None) -> dt.datetime | None:
    return None if text is None else dt.datetime.fromisoformat(text)
