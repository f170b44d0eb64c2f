"""Runs as pages draw them: the rows of a tree, one node, the decisions around it. Moments are ISO 8601 in UTC,
``null`` while they are not known.

Knows: JSON. Must not know: the model.
"""

from __future__ import annotations

from typing import Annotated, Any

from msgspec import Meta, Struct

from whimbrel.wire.rest.runs import NodeDetail, Row


class WholeNode(NodeDetail, frozen=True, kw_only=True):
    """All of a node. ``metadata`` is how it is run, as the author says."""

    metadata: dict[str, Any]


class TreeAttempt(Struct, frozen=True):
    """When a try was launched, began and ended; ``fault`` is what kind of failure it was, "" for none."""

    phase: str
    fault: str
    launched_at: str | None
    started_at: str | None
    ended_at: str | None


class TreeNode(Struct, frozen=True):
    """What can be shown of a node without its values.

    ``role`` is what it is in its graph: ``setup``, ``teardown``, ``member`` (of the bracket whose setup is at the path
    ``bracket``), ``failure``, or nothing of these. ``upstream`` has the paths of the nodes that come before it,
    ``data`` those of the ones whose outputs it takes (for a call of an eager body: as far as its values prove it).
    ``takes`` says which inputs of the graph it is in it takes, and as which of its own. ``length`` is that of a map.
    ``line`` is the author's. ``hint`` is what tells it from its neighbours: the small ones of its inputs, at most 60
    letters. ``group`` is where in an eager body the call was made: the asyncio tasks, and the groups of them, the
    outermost first, as ``gather#1/chain.2``. ``replaced_by`` is the path of the call that stands in its place;
    ``again`` says that it is the same call, which a new try of the body has made once more.
    """

    path: str
    parent: str
    kind: str
    entity: str
    name: str
    phase: str
    line: str
    role: str
    bracket: str
    upstream: list[str]
    data: list[str]
    created_at: str | None
    queued_at: str | None
    started_at: str | None
    ended_at: str | None
    attempts: list[TreeAttempt]
    length: int | None
    cached: bool
    grafted_from: str
    recovered_from: str
    replaced: bool
    waits_for: str | None
    error: str | None
    takes: dict[str, list[str]] = {}
    hint: str = ""
    group: str = ""
    replaced_by: str = ""
    again: bool = False


class Tree(Struct, frozen=True):
    """The rows of a run after its event ``seq``. As a stream: ``clock`` with what time it is here (``now``), ``nodes``
    with the rows that have changed, ``progress`` with ``path`` and how far that is, ``run`` with the run's own row,
    ``end``."""

    run: Row
    seq: int
    nodes: list[TreeNode]


class DecisionQuery(Struct, frozen=True, forbid_unknown_fields=True):
    """Around which eager ``node``, from the place ``after`` on (how many came before)."""

    node: str
    after: Annotated[int, Meta(ge=0)] = 0
    limit: Annotated[int, Meta(ge=1, le=1000)] = 200


class Decision(Struct, frozen=True):
    """What an eager body learnt, or waits to learn. ``kind`` is ``call``, ``timer``, ``value`` or ``abort``; ``key``
    its name in the body ``body``, ``path`` the node of a call. ``outcome`` says how it came out: ``succeeded``,
    ``failed``, ``cancelled``, ``stopped``, ``timed out``, ``fired``, ``drawn``; "" while that is not known. ``value``
    is what was drawn, or why it failed, in short. ``at`` is when that was, or when it began to wait; ``due`` when a
    timer fires. ``seq`` is the number of the event of the run."""

    seq: int
    kind: str
    key: str
    group: str
    body: str
    path: str
    entity: str
    outcome: str
    value: str
    at: str | None
    due: str | None


class Decisions(Struct, frozen=True):
    """Decisions in the order in which every driver learns of them. ``next`` is the ``after`` of the page that follows;
    null on the last, which also has what is ``waiting``."""

    decisions: list[Decision]
    next: int | None
    waiting: list[Decision]
