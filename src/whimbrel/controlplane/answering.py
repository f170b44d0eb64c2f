"""The gates of a run that somebody may answer, reached or not.

Knows: the engine's fold of events, the inbox. Must not know: who answers, or how the value is written.
"""

from __future__ import annotations

from typing import NamedTuple

from whimbrel.controlplane.offloading import replayed
from whimbrel.controlplane.ports import Store
from whimbrel.controlplane.requests import event_of
from whimbrel.engine.gates import gate_of
from whimbrel.engine.nodes import Kind, Stage
from whimbrel.engine.run import Run
from whimbrel.errors import EntityNotFound, RunNotResumable
from whimbrel.graph.passes import arms
from whimbrel.model.events import SignalReceived
from whimbrel.model.literal_types import BOOLEAN, LiteralType
from whimbrel.model.program import BranchTarget, GateKind, GateTarget, Node
from whimbrel.model.run import Phase, RunSummary
from whimbrel.wire.spans import iso_moment


class Gate(NamedTuple):
    """What is known of a gate: how it asks, and for what."""

    kind: GateKind
    wanted: LiteralType


async def as_it_will_be(store: Store, summary: RunSummary, at: float) -> Run:
    """The run, with the answers that lie in its inbox. ``at`` is the time now. Raises ``RunNotResumable`` for one that
    has ended, also since ``summary`` was read: it would hear nothing more."""
    must_be_open(summary)
    # The inbox first: an answer that is taken from it meanwhile is among the events then, and counts once.
    requests = await store.requests(summary.id)
    run = await replayed(await store.events(summary.id))
    _must_wait(summary.id, run.phase)
    for request in requests:
        event = event_of(request, at)
        if isinstance(event, SignalReceived):
            run.handle(event)
    return run


def answered_before(run: Run, gate: str) -> str:
    """Who has answered a gate of ``run``, and when, as a phrase; "" where nobody has."""
    at_path = run.nodes.get(gate)
    nodes = run.gates(gate) or ([at_path] if at_path is not None and at_path.kind is Kind.GATE else [])
    for node in reversed(nodes):
        found = run.answer_to(node)
        if found is not None:
            return f"{found.by or 'somebody'} has answered it at {iso_moment(node.ended_at)}"
    return ""


def must_be_open(summary: RunSummary) -> None:
    """Raises ``RunNotResumable`` for a run that has ended."""
    _must_wait(summary.id, summary.phase)


def _must_wait(run_id: str, phase: Phase) -> None:
    if phase.terminal:
        raise RunNotResumable(f"run {run_id} has ended ({phase.value}): it waits for no answer")


def known_gate(run: Run, gate: str) -> Gate:
    """The gate that is meant: one that waits, or one that will. Raises ``EntityNotFound``."""
    at_path = run.nodes.get(gate)
    nodes = run.gates(gate) or ([at_path] if at_path is not None and at_path.kind is Kind.GATE else [])
    targets = [gate_of(node) for node in sorted(nodes, key=lambda node: node.stage is not Stage.GATE)]
    targets += [target for target in _planned(run) if target.name == gate]
    for target in targets:
        wanted = _wanted(target)
        if wanted is not None:
            return Gate(target.kind, wanted)
    names = dict.fromkeys(
        target.name for target in (*map(gate_of, run.gates()), *_planned(run)) if _wanted(target) is not None
    )
    there_are = f"its gates are {', '.join(names)}" if names else "it has none"
    raise EntityNotFound(
        f"run {run.id} knows no gate {gate!r}; {there_are}. "
        "The gates of an eager workflow are known once it has come to them"
    )


def _wanted(target: GateTarget) -> LiteralType | None:
    if target.kind is GateKind.SLEEP:
        return None
    return BOOLEAN if target.kind is GateKind.APPROVE else target.interface.outputs["o0"].type


def _planned(run: Run) -> list[GateTarget]:
    """The gates in the graphs of the run's program, whether or not they have been reached."""
    found: list[GateTarget] = []
    waiting: list[Node] = [node for graph in run.program.workflows.values() for node in graph.nodes]
    while waiting:
        target = waiting.pop().target
        if isinstance(target, GateTarget):
            found.append(target)
        elif isinstance(target, BranchTarget):
            waiting.extend(arms(target))
    return found
