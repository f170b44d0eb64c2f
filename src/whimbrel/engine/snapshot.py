"""The whole state of a run as canonical bytes: equal states have equal bytes, whatever led to them.

Knows: every field that the engine remembers. Must not know: what they mean. The story is left out: it is told, not
remembered.
"""

from __future__ import annotations

from typing import Any

from whimbrel.engine.machine import Machine
from whimbrel.engine.nodes import ArrayState, Frame, NodeState
from whimbrel.model.codec import canonical

# Of a node: what stands in the program (the graph's node, the spec) is told by names; other nodes by their paths.
_PLAIN = (
    "path",
    "id",
    "kind",
    "entity",
    "name",
    "parent",
    "line",
    "phase",
    "created_at",
    "born",
    "queued_at",
    "started_at",
    "ended_at",
    "inputs",
    "outputs",
    "failure",
    "attempts",
    "user_retries",
    "system_retries",
    "cached",
    "cache_reason",
    "key",
    "group",
    "digest",
    "inline",
    "grafted_from",
    "recovered_from",
    "fresh",
    "replaced",
    "metadata",
    "stage",
    "due",
    "waiting",
    "call",
    "cache_key",
    "inside",
    "deadline",
    "deadlines",
)


def snapshot(machine: Machine) -> bytes:
    """The state as msgpack with sorted keys."""
    return canonical(
        {
            "run": machine.run,
            "workflow": machine.workflow,
            "options": machine.options,
            "phase": machine.phase,
            "outputs": machine.outputs,
            "failure": machine.failure,
            "started_at": machine.started_at,
            "ended_at": machine.ended_at,
            "seq": machine.seq,
            "running": machine.running,
            "paused": machine.paused,
            "signals": list(machine.signals.values()),
            "answers": machine.answers,
            "verdict": machine.verdict,
            "deadline": machine.deadline,
            "deadlines": machine.deadlines,
            "recovered_from": machine.recovered_from,
            "reuse": machine.reuse.left(),
            "tasks": machine.tasks,
            "workflows": machine.workflows,
            "launch_plans": machine.launch_plans,
            "queue": [node.path for node in machine.queue],
            "root": _frame(machine.root),
            "nodes": [_node(node) for node in machine.nodes.values()],
        }
    )


def _node(node: NodeState) -> dict[str, Any]:
    told: dict[str, Any] = {name: getattr(node, name) for name in _PLAIN}
    host = node.host
    told["host"] = host.path if isinstance(host, NodeState) else None
    told["driver"] = node.driver.path if node.driver is not None else None
    told["children"] = [child.path for child in node.children]
    told["downstream"] = [below.path for below in node.downstream]
    told["frame"] = _frame(node.frame)
    told["array"] = _array(node.array)
    told["verdict"] = node.verdict
    told["brackets"] = [node.brackets, [other.path for other in node.stopping]]
    told["within"] = [bracket.teardown.path for bracket in node.within]
    closes = node.closes
    told["closes"] = None if closes is None else [closes.setup.path if closes.setup else "", closes.left]
    if node.journal is not None:
        told["journal"] = node.journal.entries()
        told["bodies"] = list(node.journal.bodies.items())
        told["paths"] = list(node.journal.paths.values())
    return told


def _array(array: ArrayState | None) -> dict[str, Any] | None:
    if array is None:
        return None
    return {name: getattr(array, name) for name in ArrayState.__struct_fields__ if name != "item"}


def _frame(frame: Frame | None) -> dict[str, Any] | None:
    if frame is None:
        return None
    return {
        "graph": frame.graph.name,
        "inputs": frame.inputs,
        "nodes": [node.path for node in frame.nodes.values()],
        "remaining": frame.remaining,
        "failure": frame.failure,
    }
