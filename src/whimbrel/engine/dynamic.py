"""Dynamic nodes: an attempt says what is to be run in its place, and the node becomes that.

Knows: reports of such attempts. Must not know: how graphs run (frames.py), how attempts are retried (attempts.py).

A body that gives values without calling anything succeeds like a task. Once a body has unfolded it is over: what is
inside has retries and time-outs of its own, and a failure inside is the node's.
"""

from __future__ import annotations

from whimbrel.engine import faults
from whimbrel.engine.attempts import ended_too_late, live
from whimbrel.engine.binding import Unbound
from whimbrel.engine.frames import frame_done, unfold
from whimbrel.engine.machine import Machine
from whimbrel.engine.nodes import Kind
from whimbrel.engine.table import Trigger
from whimbrel.model.attempt import Unfolded
from whimbrel.model.run import Phase


def unfolded(machine: Machine, event: Unfolded) -> None:
    """The function has said what is to be run."""
    node = live(machine, event.attempt, "unfolded")
    if node is None or ended_too_late(machine, node):
        return
    if node.kind is not Kind.DYNAMIC:
        raise machine.illegal(node.path, f"the attempt of a node of kind {node.kind.value} cannot unfold")
    machine.end_attempt(node, Phase.SUCCEEDED)
    machine.define(event.define)
    machine.move(node, Trigger.UNFOLD)
    if not node.started_at:
        node.started_at = machine.at  # the report that it began was lost
    try:
        node.frame = unfold(machine, event.graph, {}, node)
    except Unbound as unbound:
        machine.fail(node, faults.user(f"{node.name}: {unbound}", node.path, node.line))
        return
    if not node.frame.remaining:
        frame_done(machine, node.frame)
