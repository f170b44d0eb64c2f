"""Runs for programs: rows, trees of nodes and gates as JSON values. What `describe --json` prints is what REST answers.

Knows: the engine's fold of events, literals as JSON. Must not know: stores, who asks.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from whimbrel.engine.gates import awaited_type, gate_of
from whimbrel.engine.nodes import Attempt, NodeState, Stage
from whimbrel.engine.run import Run
from whimbrel.model.attempt import Progress
from whimbrel.model.literal_types import describe
from whimbrel.model.literals import Literals
from whimbrel.model.program import GateKind
from whimbrel.model.run import Phase, RunSummary
from whimbrel.wire.literal_json import brief, by_name
from whimbrel.wire.spans import iso_moment, show_moment


def summary_json(summary: RunSummary) -> dict[str, Any]:
    """A run's row, for programs."""
    return {
        "run": summary.id,
        "entity": summary.entity,
        "phase": summary.phase.value,
        "source": summary.source,
        "created_at": iso_moment(summary.created_at),
        "started_at": iso_moment(summary.started_at),
        "ended_at": iso_moment(summary.ended_at),
        "epoch": summary.epoch,
        "owner": summary.owner,
        "message": summary.message,
        "project": summary.origin.project,
        "domain": summary.origin.domain,
        "name": summary.origin.name,
        "kind": summary.origin.kind,
        "target": summary.origin.target,
        "version": summary.origin.version,
        "labels": {key: value for key, value in summary.origin.labels.items() if value},
        "tags": [key for key, value in summary.origin.labels.items() if not value],
        "principal": summary.origin.principal,
        "cause": summary.origin.cause,
        "parent": summary.origin.parent,
        "gates": summary.waiting,
        "nodes_known": summary.nodes,
        "nodes_done": summary.done,
    }


def run_json(
    summary: RunSummary,
    state: Run,
    inputs: Literals,
    outputs: Literals,
    *,
    story: bool,
    progress: Mapping[str, Progress],
) -> dict[str, Any]:
    """All of a run, for programs: nodes in order of creation, each with the path of the node that it is inside."""
    said = {
        **summary_json(summary),
        "phase": state.phase.value,
        "inputs": by_name(inputs),
        "outputs": by_name(outputs) if state.phase is Phase.SUCCEEDED else None,
        "failure": msgspec.to_builtins(state.failure),
        "nodes": [
            {**node_json(node), "progress": progress_json(progress.get(path))} for path, node in state.nodes.items()
        ],
    }
    if story:
        said["story"] = state.story()
    return said


def node_row(node: NodeState) -> dict[str, Any]:
    """What can be said of a node without its values, for programs."""
    return {
        "path": node.path,
        "parent": node.parent,
        "kind": node.kind.value,
        "entity": node.entity,
        "name": node.name,
        "phase": node.phase.value,
        "line": node.line,
        "created_at": iso_moment(node.created_at),
        "started_at": iso_moment(node.started_at),
        "ended_at": iso_moment(node.ended_at),
        "cached": node.cached,
        "grafted_from": node.grafted_from,
        "recovered_from": node.recovered_from,
        "replaced": node.replaced,
        "waits_for": waits_for(node) if node.stage is Stage.GATE else None,
    }


def node_json(node: NodeState) -> dict[str, Any]:
    """A node, for programs. Large values stay references."""
    return {
        **node_row(node),
        "seconds": duration(node, node.ended_at) if node.ended_at else None,
        "inputs": by_name(node.inputs),
        "outputs": by_name(node.outputs) if node.phase.has_outputs else None,
        "cache_reason": node.cache_reason,
        "attempts": [_attempt_json(attempt) for attempt in node.attempts],
        "failure": msgspec.to_builtins(node.failure),
    }


def progress_json(said: Progress | None) -> dict[str, Any] | None:
    """How far an attempt says that it is, for programs."""
    if said is None:
        return None
    return {"done": said.done, "total": said.total or None, "message": said.message, "at": iso_moment(said.at)}


def _attempt_json(attempt: Attempt) -> dict[str, Any]:
    return {
        "number": attempt.number,
        "phase": attempt.phase.value,
        "launched_at": iso_moment(attempt.launched_at),
        "started_at": iso_moment(attempt.started_at),
        "ended_at": iso_moment(attempt.ended_at),
        "worker": attempt.worker,
        "failure": msgspec.to_builtins(attempt.failure),
    }


def duration(node: NodeState, now: float) -> float | None:
    """How long it has been under way, ``None`` before it began."""
    begin = node.started_at or node.queued_at
    if not begin or node.phase in (Phase.UNDEFINED, Phase.SKIPPED):
        return None
    return (node.ended_at or now) - begin


def waits_for(node: NodeState) -> str:
    """``waits for an approval of value=6 until 14:00``."""
    target = gate_of(node)
    wanted = awaited_type(node)
    if target.kind is GateKind.APPROVE:
        what = "waits for an approval" + (f" of {brief(node.inputs)}" if node.inputs else "")
    else:
        what = "sleeps" if wanted is None else f"waits for {describe(wanted)}"
    return f"{what} until {show_moment(node.due)}" if node.due else what


def waiting_json(node: NodeState) -> dict[str, Any]:
    """A gate that waits, for programs."""
    wanted = awaited_type(node)
    return {
        "gate": gate_of(node).name,
        "path": node.path,
        "kind": gate_of(node).kind.value,
        "type": describe(wanted) if wanted is not None else None,
        "wanted": msgspec.to_builtins(wanted),
        "until": iso_moment(node.due),
        "waits_for": waits_for(node),
    }
