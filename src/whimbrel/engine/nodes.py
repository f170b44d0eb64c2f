"""The mutable state of one run: nodes, their attempts, and the frames that graphs unfold into.

Knows: what there is to remember. Must not know: when any of it changes (see machine.py and its neighbours).
``describe`` reads ``NodeState``; only the engine writes it.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import TypeVar

from msgspec import Struct

from whimbrel.engine.journal import Journal
from whimbrel.engine.table import Trigger
from whimbrel.model.commands import CacheKey
from whimbrel.model.failure import Failure
from whimbrel.model.interface import Interface
from whimbrel.model.literals import Literal, Literals
from whimbrel.model.program import Bracket, Graph, Metadata, Node, Target, TaskSpec
from whimbrel.model.run import Phase

T = TypeVar("T")


def added(to: Sequence[T], one: T) -> Sequence[T]:
    """``to``, which may be changed, with one more at its end.

    Most nodes have nothing in most of their lists, and one attempt. A list of its own for each would be most of what
    the garbage collector walks in a wide run, again and again; nothing is a tuple that all share, one attempt a tuple
    that the collector lets go of when it first sees it. Only what grows is a list.
    """
    if isinstance(to, list):
        to.append(one)
        return to
    return [*to, one] if to else (one,)


class Kind(StrEnum):
    """What a node is."""

    TASK = "task"
    WORKFLOW = "workflow"
    LAUNCH_PLAN = "launch_plan"
    ARRAY = "array"
    GATE = "gate"
    BRANCH = "branch"
    EAGER = "eager"
    DYNAMIC = "dynamic"

    @property
    def composed(self) -> bool:
        """Whether it is made of other nodes, which speak for themselves in a run that reuses outcomes."""
        return self in _COMPOSED


_COMPOSED = frozenset({Kind.WORKFLOW, Kind.LAUNCH_PLAN, Kind.ARRAY, Kind.DYNAMIC})


class Stage(StrEnum):
    """What a task or eager node that has not ended waits for."""

    NOTHING = ""
    CACHE = "cache"
    """The answer to a look-up."""
    SLOT = "slot"
    """Room under ``max_parallelism``."""
    BACKOFF = "backoff"
    """The wait before the next attempt."""
    ATTEMPT = "attempt"
    """The end of the attempt that was launched last."""
    PARKED = "parked"
    """An entry for its journal, or the time of its body's earliest timer: its driver has left memory."""
    GATE = "gate"
    """The answer to a gate, or the end of its time."""


class Attempt(Struct, eq=False, gc=False):
    """One try at a task or eager node. Times are seconds since the epoch, 0.0 when not yet.

    What it refers to never leads back to it, so the garbage collector need not know of it.
    """

    number: int
    launched_at: float
    phase: Phase = Phase.QUEUED
    started_at: float = 0.0
    ended_at: float = 0.0
    worker: str = ""
    failure: Failure | None = None
    delivered: int = 0
    """How many entries its driver was sent, beside the journal that it was launched with."""
    counted_from: float = 0.0
    """When its time-out began to count: a driver that follows a parked one goes on counting."""

    @property
    def live(self) -> bool:
        """Whether a report of it would count."""
        return self.phase is Phase.QUEUED or self.phase is Phase.RUNNING


class Verdict(Struct, frozen=True):
    """How a node will end once everything inside has ended: it succeeds, fails, times out, or is aborted."""

    trigger: Trigger
    failure: Failure | None = None
    outputs: Literals = {}


class Signal(Struct, eq=False):
    """An answer to gates that was taken in."""

    gate: str
    value: Literal
    by: str
    reason: str
    used: int = 0
    """The seq of the event by which the first gate took it; 0 while none has."""


class NodeState(Struct, eq=False):
    """One node of a run, whatever made it: a graph, a branch, or a call of an eager body."""

    path: str
    id: str
    """The node's id in its graph, or the call's key (with its incarnation) in its eager body."""
    kind: Kind
    entity: str
    name: str
    """What to show: the name that the author gave to the node, else that of the entity."""
    parent: str = ""
    """Path of the node that it is inside, "" for those of the run's own graph."""
    line: str = ""
    phase: Phase = Phase.UNDEFINED
    created_at: float = 0.0
    born: int = 0
    """The seq of the event that made it."""
    changed: int = 0
    """The seq of the last event that changed its phase or its attempts."""
    queued_at: float = 0.0
    started_at: float = 0.0
    ended_at: float = 0.0
    inputs: Literals = {}
    outputs: Literals = {}
    failure: Failure | None = None
    attempts: Sequence[Attempt] = ()
    user_retries: int = 0
    """How many it has used; system retries are counted apart, and the loss of a control plane is not counted at all."""
    system_retries: int = 0
    cached: bool = False
    cache_reason: str = ""
    """Why the cache had the outputs, or why not."""
    key: str = ""
    """The call's key, for a call of an eager body."""
    group: str = ""
    """Where in the body it began, as its driver said; "" where the key tells."""
    digest: str = ""
    inline: bool = False
    """An eager call that the driver above runs itself."""
    grafted_from: str = ""
    """Path of the node whose outcome this call took: the body has changed since that was recorded."""
    recovered_from: str = ""
    """``run/path`` of the node of another run whose outcome this one took."""
    fresh: bool = False
    """Something in it was computed anew, in a run that reuses outcomes of another."""
    replaced: bool = False
    """Another call stands at this key now; this one's outcome is no part of the program any more."""
    children: Sequence[NodeState] = ()

    # What follows is the engine's own.
    host: Frame | NodeState | None = None
    """Who is told when it ends: a frame, a branch or a map, or the eager node whose body called it."""
    node: Node | None = None
    target: Target | None = None
    """What it runs."""
    spec: TaskSpec | None = None
    graph: Graph | None = None
    metadata: Metadata = Metadata()
    stage: Stage = Stage.NOTHING
    due: float = 0.0
    """When the backoff or the gate's wait ends, or the parked body's earliest timer is due; 0.0: no time is set."""
    waiting: int = 0
    """How many upstream nodes have not succeeded yet."""
    downstream: Sequence[NodeState] = ()
    frame: Frame | None = None
    """The frame that a sub-workflow, or the body of a dynamic node, unfolded into."""
    array: ArrayState | None = None
    """Of a map that has begun: its items."""
    scope: Frame | None = None
    """The frame whose nodes its bindings name."""
    driver: NodeState | None = None
    """Of an eager node: the node whose attempt runs its body; itself, unless it is inline."""
    journal: Journal | None = None
    call: tuple[str, str] = ("", "")
    """(body, key) by which the driver knows the call; the body's name has no incarnation in it."""
    cache_key: CacheKey | None = None
    verdict: Verdict | None = None
    """How it ends, when that is known while something inside goes on."""
    inside: int = 0
    """With a verdict: how many of its children have not ended."""
    deadline: float = 0.0
    """When the time to clean up is over, for a driver that was told to stop."""
    deadlines: int = 0
    """How many deadlines it was given; the latest counts."""
    stopping: Sequence[NodeState] = ()
    """Of a driver: calls of its bodies that were told to stop and did not end at once. Some may have ended since."""
    brackets: bool = False
    """Of a driver: whether its bodies have made shielded calls. Then what they cancel ends when its worker says so."""
    within: Sequence[BracketState] = ()
    """The brackets whose teardown waits for it."""
    closes: BracketState | None = None
    """The bracket whose teardown it is; of a failure node, what it waits for."""
    opens: BracketState | None = None
    """The bracket whose setup it is."""

    def __repr__(self) -> str:
        return f"<node {self.path} {self.phase.value}>"

    @property
    def begun(self) -> bool:
        """Whether anything of it may have happened: an attempt was launched, or the cache had the outputs."""
        return bool(self.attempts) or self.started_at > 0.0 or self.phase.has_outputs

    @property
    def called_by(self) -> NodeState | None:
        """The node whose driver called it, for a call of an eager body."""
        return self.host.driver if isinstance(self.host, NodeState) else None

    @property
    def of_map(self) -> bool:
        """Whether it is an item of a map."""
        return isinstance(self.host, NodeState) and self.host.kind is Kind.ARRAY

    @property
    def live_attempt(self) -> Attempt | None:
        """The attempt that is launched and has not ended."""
        return self.attempts[-1] if self.stage is Stage.ATTEMPT else None


class ArrayState(Struct, eq=False):
    """The items of a map that has begun; its children are those that have, in order."""

    item: Interface
    """What one item takes and gives."""
    length: int
    needed: int
    """How many must succeed."""
    limit: int
    """How many may go on at a time, 0 for any number."""
    begun: int = 0
    active: int = 0
    """How many have begun and not ended."""
    succeeded: int = 0
    failed: int = 0
    first: Failure | None = None
    """The first failure of an item."""
    failure: Failure | None = None
    """Why the map fails, once it cannot succeed any more."""


class Frame(Struct, eq=False):
    """A graph that is being run: the root's, a sub-workflow's, or that of a dynamic node."""

    graph: Graph
    owner: NodeState | None
    """The node that unfolded into it, ``None`` for the run's own graph."""
    inputs: Literals
    nodes: dict[str, NodeState] = {}
    remaining: int = 0
    """How many of its nodes have not ended."""
    failure: Failure | None = None
    """The first failure inside."""


class BracketState(Struct, eq=False):
    """A bracket of a graph that is being run. Without a setup: what the failure node of a graph waits for."""

    bracket: Bracket
    setup: NodeState | None
    teardown: NodeState
    watched: list[NodeState]
    """What the teardown waits for: the setup, the members, whatever else is upstream of it."""
    left: int
    """How many of them have not ended."""

    @property
    def owed(self) -> bool:
        """Whether the teardown must still run, or run to its end."""
        return (self.setup is None or self.setup.begun) and not self.teardown.phase.terminal
