"""What was decided around an eager body, in the order in which it learnt of it: a replay is told the same.

Knows: the engine's journals. Must not know: stores, HTTP.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import Any

from whimbrel.durable.scope import trail_of
from whimbrel.engine.nodes import NodeState
from whimbrel.model.failure import Fault
from whimbrel.model.run import Done, Entry, EntryKind, Failed
from whimbrel.wire.hints import hint
from whimbrel.wire.spans import iso_moment

WAITING = 200
"""Calls and timers without an outcome that are told of, at most."""
_ENDS = {Fault.CANCELLED: "cancelled", Fault.ABORT: "stopped", Fault.TIMEOUT: "timed out"}


def decisions(node: NodeState, after: int, limit: int) -> dict[str, Any]:
    """A page: what was decided around the body of ``node`` and the bodies inside it, from the place ``after`` on; and
    what it waits for, if that is the last page. Nothing for a node without a body."""
    known = islice(_decided(node), after, after + limit + 1)
    rows = [_row(entry) for entry in known]
    more = len(rows) > limit
    waiting = [] if more else [_row(entry) for entry in islice(_pending(node), WAITING)]
    return {"decisions": rows[:limit], "next": after + limit if more else None, "waiting": waiting}


def _entries(node: NodeState) -> Iterator[Entry]:
    driver = node.driver or node
    if driver.journal is None:
        return
    body = f"{node.call[0]}/{node.call[1]}" if node.inline else node.path
    for entry in driver.journal:
        if driver is node or entry.parent == body or entry.parent.startswith(f"{body}/"):
            yield entry


def _decided(node: NodeState) -> Iterator[Entry]:
    return (entry for entry in _entries(node) if entry.outcome is not None)


def _pending(node: NodeState) -> Iterator[Entry]:
    if node.phase.terminal:
        # What nobody waits for any more.
        return iter(())
    return (entry for entry in _entries(node) if entry.outcome is None)


def _row(entry: Entry) -> dict[str, Any]:
    outcome = entry.outcome
    value = ""
    what = ""
    if isinstance(outcome, Failed):
        what = _ENDS.get(outcome.failure.fault, "failed")
        if entry.kind is not EntryKind.CALL or what == "failed":
            value = outcome.failure.title
    elif isinstance(outcome, Done):
        what = {EntryKind.CALL: "succeeded", EntryKind.TIMER: "fired"}.get(entry.kind, "drawn")
        if entry.kind is EntryKind.VALUE:
            value = hint(outcome.outputs).partition("=")[2]
    return {
        "seq": entry.seq,
        "kind": entry.kind.value,
        "key": entry.key,
        "group": trail_of(entry.key),
        "body": entry.parent,
        "path": entry.path,
        "entity": entry.entity,
        "outcome": what,
        "value": value,
        "at": iso_moment(entry.at),
        "due": iso_moment(entry.due),
    }
