"""Runs as they are listed and shown, and what is asked of them. Moments are ISO 8601 in UTC, ``null`` while they are
not known.

Knows: JSON. Must not know: the model.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from msgspec import Meta, Struct

Limit = Annotated[int, Meta(ge=1, le=500, description="At most so many.")]


class ListQuery(Struct, frozen=True, forbid_unknown_fields=True):
    """Which runs: in any of ``phase`` (comma-separated; PAUSED are those that wait for an answer), of this ``entity``,
    of this ``project`` and ``domain``, with this ``label`` (``key`` or ``key=value``; several are separated by commas,
    and all have to be there), with ``text`` in id, name, entity, source or the beginning of the message, made between
    ``since`` and ``until``. ``cursor`` is the ``next`` of the page before. A tag is a label without a value."""

    phase: str = ""
    project: str = ""
    domain: str = ""
    label: str = ""
    entity: str = ""
    text: str = ""
    since: str = ""
    until: str = ""
    cursor: str = ""
    limit: Limit = 50


class PagesQuery(ListQuery, frozen=True, forbid_unknown_fields=True):
    """Which runs, as in lists of them, after the run ``cursor``, and how many are on a page."""

    limit: Limit = 200


class FilterQuery(Struct, frozen=True, forbid_unknown_fields=True):
    """In which ``project`` and ``domain``; "" is any."""

    project: str = ""
    domain: str = ""


class LogQuery(Struct, frozen=True, forbid_unknown_fields=True):
    """Which lines: of ``node`` and what is inside it, after the chunk ``after``."""

    node: str = ""
    after: Annotated[int, Meta(ge=0)] = 0
    limit: Annotated[int, Meta(ge=1, le=10_000)] = 1000


class EventsQuery(Struct, frozen=True, forbid_unknown_fields=True):
    """In which form: ``plain`` is JSON for everybody; ``exact`` is base64 of msgpack, with output and progress among
    the events; ``end`` is the end alone."""

    form: Literal["plain", "exact", "end"] = "plain"


class DeckQuery(Struct, frozen=True, forbid_unknown_fields=True):
    """Whose decks: of ``node`` and what is inside it. Without ``html`` only where each is a page."""

    node: str = ""
    html: bool = True


class Abort(Struct, frozen=True, forbid_unknown_fields=True):
    """Why a run is to end."""

    reason: str = "aborted over REST"


class Answer(Struct, frozen=True, forbid_unknown_fields=True):
    """An approval or a refusal: which ``gate`` (its name, or the path of its node), who answers, why."""

    gate: str
    by: str = ""
    reason: str = ""


class Signal(Struct, frozen=True, forbid_unknown_fields=True):
    """A ``value`` for a ``gate``, as JSON."""

    gate: str
    value: Any
    by: str = ""


class Row(Struct, frozen=True):
    """A run in a list. ``project``, ``domain`` and ``name`` are those of the execution that it is, "" where it is none
    (a run that ``whimbrel run`` made); ``kind``, ``target`` and ``version`` say what was launched. ``url`` is where it
    is shown.

    ``principal`` launched it, as far as that is known. ``cause`` is schedule, relaunch, recover, fork, call (of an
    eager task) or "", ``parent`` the run that it comes from. ``gates`` is how many gates wait for an answer,
    ``nodes_done`` how many of ``nodes_known`` have ended."""

    run: str
    entity: str
    phase: str
    source: str
    created_at: str | None
    started_at: str | None
    ended_at: str | None
    epoch: int
    owner: str
    message: str
    project: str = ""
    domain: str = ""
    name: str = ""
    kind: str = ""
    target: str = ""
    version: str = ""
    labels: dict[str, str] = {}
    tags: tuple[str, ...] = ()
    principal: str = ""
    cause: str = ""
    parent: str = ""
    gates: int = 0
    nodes_known: int = 0
    nodes_done: int = 0
    url: str = ""


class Pages(Struct, frozen=True):
    """How long a list of runs is: ``count`` runs, and ``ends`` are the last runs of each full page: the ``cursor`` of
    the next one. There may be more unless it is the ``whole`` list."""

    count: int
    ends: list[str]
    whole: bool


class Choice(Struct, frozen=True):
    """What runs can be filtered by, and how many of those that were looked at have it."""

    value: str
    runs: int


class Filters(Struct, frozen=True):
    """What the newest 1,000 runs can be filtered by, the most frequent first; of labels ``key=value``, of tags the
    tag."""

    projects: list[Choice]
    domains: list[Choice]
    entities: list[Choice]
    labels: list[Choice]


class ExecutionPlace(Struct, frozen=True):
    """The run of an execution. ``node`` is the path of its node, where it is a launch plan inside another run."""

    run: Row
    node: str


class Page(Struct, frozen=True):
    """Runs, the newest first. There are more for as long as ``next`` is not null, also when a page is short: rare ones
    are looked for in steps."""

    runs: list[Row]
    next: str | None


class Attempt(Struct, frozen=True):
    """A try at a node."""

    number: int
    phase: str
    launched_at: str | None
    started_at: str | None
    ended_at: str | None
    worker: str
    failure: dict[str, Any] | None


class NodeProgress(Struct, frozen=True):
    """How far an attempt says that it is."""

    done: float
    total: float | None
    message: str
    at: str | None


class NodeDetail(Struct, frozen=True):
    """A node; ``parent`` is the path of the node that it is inside."""

    path: str
    parent: str
    kind: str
    entity: str
    name: str
    phase: str
    line: str
    created_at: str | None
    started_at: str | None
    ended_at: str | None
    seconds: float | None
    inputs: dict[str, Any]
    outputs: dict[str, Any] | None
    cached: bool
    cache_reason: str
    grafted_from: str
    recovered_from: str
    replaced: bool
    waits_for: str | None
    attempts: list[Attempt]
    failure: dict[str, Any] | None
    progress: NodeProgress | None


class Detail(Row, frozen=True, kw_only=True):
    """All of a run: nodes in order of creation, and the gates that wait."""

    inputs: dict[str, Any]
    outputs: dict[str, Any] | None
    failure: dict[str, Any] | None
    nodes: list[NodeDetail]
    waiting: list[dict[str, Any]]


class Line(Struct, frozen=True):
    """A chunk of what an attempt wrote."""

    id: int
    node: str
    attempt: int
    stream: str
    level: str
    at: str | None
    text: str


class Lines(Struct, frozen=True):
    """Chunks in order of writing; ``next`` is the ``after`` of the next page."""

    lines: list[Line]
    next: int


class Deck(Struct, frozen=True):
    """What an attempt shows: HTML of the author's, to be shown in a frame without rights. ``page`` is where this server
    has it as a page, for such a frame; that is good for an hour where the server wants to know who asks."""

    node: str
    attempt: int
    name: str
    at: str | None
    html: str
    page: str = ""


class Accepted(Struct, frozen=True):
    """What was asked for is safe, and is carried out."""

    run: str
