"""The attempt protocol: what a control plane tells a worker, and what a worker reports.

One protocol for every executor; each message is a msgpack frame on its transport. Calls of an eager body are reports
too: the driver says
*begin*, the control plane *delivers* outcomes in the order in which they became durable.
"""

from __future__ import annotations

from typing import TypeAlias

from msgspec import Struct

from whimbrel.model.failure import Failure
from whimbrel.model.literals import Literal, Literals
from whimbrel.model.program import Graph, Metadata, Program, Target, TaskSpec
from whimbrel.model.run import AttemptId, Entry, Outcome, Reusable
from whimbrel.model.secrets import SecretValue

# --- control plane to worker


class Launch(Struct, frozen=True, gc=False, tag="launch"):
    """Run one attempt. ``metadata`` is final (overrides laid over). For an eager task, ``journal`` is what earlier
    drivers recorded,
    and ``reuse`` what another run has for nested eager calls and for values that are drawn (``moved``: at any place).

    ``started_at`` is when the run was requested, in seconds since the epoch. ``program`` names the entities that the
    control plane has already.
    """

    attempt: AttemptId
    task: TaskSpec
    inputs: Literals
    metadata: Metadata
    started_at: float = 0.0
    epoch: int = 0
    workflow: str = ""
    journal: tuple[Entry, ...] = ()
    reuse: tuple[Reusable, ...] = ()
    moved: bool = False
    park_after: float | None = None
    """For an eager task: see ``RunOptions``."""
    secrets: tuple[SecretValue, ...] = ()
    """Put in by the executor on the way to the worker: the engine knows none, and no event has them."""
    secrets_trouble: str = ""
    """Why some of them could not be looked up."""


class Cancel(Struct, frozen=True, gc=False, tag="cancel"):
    """Stop an attempt: cooperatively first, then by force after ``grace`` seconds."""

    attempt: AttemptId
    reason: str
    grace: float = 5.0


class Deliver(Struct, frozen=True, gc=False, tag="deliver"):
    """Entries of an eager attempt's journal that have become durable, in order."""

    attempt: AttemptId
    entries: tuple[Entry, ...]


class Shutdown(Struct, frozen=True, gc=False, tag="shutdown"):
    """Finish nothing more; exit."""


Instruction: TypeAlias = Launch | Cancel | Deliver | Shutdown


# --- worker to control plane


class Hello(Struct, frozen=True, gc=False, tag="hello"):
    """A worker process is ready."""

    pid: int


class Started(Struct, frozen=True, gc=False, tag="started"):
    """The attempt's function is about to be called."""

    attempt: AttemptId
    worker: str
    at: float


class Heartbeat(Struct, frozen=True, gc=False, tag="heartbeat"):
    """The worker lives."""

    at: float


class LogChunk(Struct, frozen=True, gc=False, tag="log"):
    """Text that the attempt wrote; ``stream`` is ``stdout``, ``stderr`` or ``log``.

    A chunk of ``log`` is one record, of that ``level`` (``INFO``, …), as whole lines.
    """

    attempt: AttemptId
    stream: str
    text: str
    at: float
    level: str = ""


class Progress(Struct, frozen=True, gc=False, tag="progress"):
    """How far the attempt is; ``total`` 0 when unknown."""

    attempt: AttemptId
    done: float
    total: float
    message: str
    at: float


class DeckUpdate(Struct, frozen=True, gc=False, tag="deck"):
    """A deck of the attempt as it is now, in place of what it was.

    ``place`` is its place among the attempt's decks. ``html`` is a fragment of HTML that nobody has looked at; large
    ones stand in the blob store under ``uri``.
    """

    attempt: AttemptId
    name: str
    place: int
    html: str
    at: float
    uri: str = ""


class Succeeded(Struct, frozen=True, gc=False, tag="succeeded"):
    """The attempt returned."""

    attempt: AttemptId
    outputs: Literals
    at: float


class Unfolded(Struct, frozen=True, gc=False, tag="unfolded"):
    """The function of a dynamic task has said what is to be run in its place: the end of the attempt, not of the node.

    ``graph`` takes no inputs: what it was made from is bound as constants. Its outputs are the node's. ``define`` has
    the entities that it names.
    """

    attempt: AttemptId
    graph: Graph
    define: Program
    at: float


class AttemptFault(Struct, frozen=True, gc=False, tag="fault"):
    """The attempt raised, timed out, or was cancelled (``failure.fault`` says which)."""

    attempt: AttemptId
    failure: Failure
    at: float


class Lost(Struct, frozen=True, gc=False, tag="lost"):
    """The worker ended, or fell silent, without a result. Said by the executor, not the worker."""

    attempt: AttemptId
    reason: str
    at: float


class Parked(Struct, frozen=True, gc=False, tag="parked"):
    """The driver of an eager attempt has left memory, as its body only waits: the end of this attempt, not of the body.

    ``seen`` is how many entries it had been delivered and had worked off: the rest it has missed. ``wake_at`` is when
    the earliest of the body's timers is due, in seconds since the epoch; 0.0 when there is none.
    """

    attempt: AttemptId
    seen: int
    wake_at: float
    at: float


AttemptEnd: TypeAlias = Succeeded | Unfolded | AttemptFault | Lost | Parked
"""The last that is heard of an attempt."""


class BeginCall(Struct, frozen=True, gc=False, tag="begin"):
    """An eager body calls ``entity``.

    ``parent`` is the node path of the eager call whose body it is, ``key`` the call path. ``digest`` is of the
    entity and its inputs. ``define`` brings entities that the control plane may not know. ``inline`` calls (nested
    eager bodies) are run by the driver itself, which ends them with ``FinishCall``. ``replaces`` says that another
    call stood at this key; ``graft`` names the finished node whose outcome this call takes, ``recover`` the
    origin of an outcome of another run (``Reusable``).
    """

    attempt: AttemptId
    parent: str
    key: str
    entity: str
    workflow: bool
    inputs: Literals
    digest: str
    at: float
    inline: bool = False
    metadata: Metadata = Metadata()
    define: Program | None = None
    replaces: bool = False
    graft: str = ""
    line: str = ""
    recover: str = ""
    target: Target | None = None
    """What is called, where ``entity`` is not the name of a task or workflow: a launch plan, a map, a gate."""
    group: str = ""
    """For people: where in the body it began, the asyncio tasks and what created them together, the outermost first
    (``gather#1/chain.2``). "" where the key tells."""


class FinishCall(Struct, frozen=True, gc=False, tag="finish"):
    """A call that the driver ran itself has ended."""

    attempt: AttemptId
    parent: str
    key: str
    outcome: Outcome
    at: float


class CancelCall(Struct, frozen=True, gc=False, tag="cancelcall"):
    """The program cancelled a call that it had begun: that is the call's outcome."""

    attempt: AttemptId
    parent: str
    key: str
    at: float


class StartTimer(Struct, frozen=True, gc=False, tag="timer"):
    """The program set a timer, due at a time in seconds since the epoch."""

    attempt: AttemptId
    parent: str
    key: str
    due: float
    at: float


class FireTimer(Struct, frozen=True, gc=False, tag="fire"):
    """A timer's time has come; it is delivered once that is durable."""

    attempt: AttemptId
    parent: str
    key: str
    at: float


class RecordValue(Struct, frozen=True, gc=False, tag="value"):
    """The program drew a value (time, randomness) that a replay must draw again."""

    attempt: AttemptId
    parent: str
    key: str
    value: Literal
    at: float


JournalReport: TypeAlias = BeginCall | FinishCall | CancelCall | StartTimer | FireTimer | RecordValue
Observation: TypeAlias = LogChunk | Progress | DeckUpdate
"""What an attempt shows while it runs. None of it is an event: it changes nothing."""
Report: TypeAlias = Started | Observation | Succeeded | Unfolded | AttemptFault | Lost | Parked | JournalReport
Frame: TypeAlias = (
    Hello
    | Heartbeat
    | Started
    | LogChunk
    | Progress
    | DeckUpdate
    | Succeeded
    | Unfolded
    | AttemptFault
    | Lost
    | Parked
    | BeginCall
    | FinishCall
    | CancelCall
    | StartTimer
    | FireTimer
    | RecordValue
)
