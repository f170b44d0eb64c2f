"""Runs, attempts and recorded calls: the nouns that stores and listings speak of."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import TypeAlias

from msgspec import Struct

from whimbrel.model.failure import Failure
from whimbrel.model.literals import Literals


class Phase(StrEnum):
    """The phases of runs and nodes, by Flyte's names."""

    UNDEFINED = "UNDEFINED"
    QUEUED = "QUEUED"
    RUNNING = "RUNNING"
    SUCCEEDING = "SUCCEEDING"
    SUCCEEDED = "SUCCEEDED"
    FAILING = "FAILING"
    FAILED = "FAILED"
    ABORTING = "ABORTING"
    ABORTED = "ABORTED"
    TIMED_OUT = "TIMED_OUT"
    SKIPPED = "SKIPPED"
    RECOVERED = "RECOVERED"
    DYNAMIC_RUNNING = "DYNAMIC_RUNNING"
    PAUSED = "PAUSED"

    @property
    def has_outputs(self) -> bool:
        """Whether the work was done: in this run, or in the one whose outcomes it takes."""
        return self is Phase.SUCCEEDED or self is Phase.RECOVERED

    @property
    def terminal(self) -> bool:
        """Whether nothing can follow."""
        return self in _TERMINAL


_TERMINAL = frozenset({Phase.SUCCEEDED, Phase.FAILED, Phase.ABORTED, Phase.TIMED_OUT, Phase.SKIPPED, Phase.RECOVERED})


SEARCHED_OF_MESSAGE = 500
"""Letters of a message that lists are searched by: what went wrong is said first."""


class AttemptId(Struct, frozen=True, gc=False, order=True):
    """One try at one node of one run; ``number`` counts from 1."""

    run: str
    path: str
    number: int


RAW_OUTPUTS = "WHIMBREL_RAW_OUTPUTS"
"""The variable of a run that says below which directory or address its command lines put files of users."""


class RunOptions(Struct, frozen=True, gc=False):
    """How a run is carried out. ``max_parallelism`` 0 means no limit; ``system_retries`` is the allowance of each
    node, and ``regained`` whether an eager node has it back whenever a call of its body has ended (of older runs: no);
    ``cleanup_seconds`` is how long what was stopped may take to clean up before it is stopped by force.

    A driver whose body has waited for ``park_after`` seconds, or will wait longer than that for its next timer, leaves
    memory; so does a run of which nothing else is left. 0 parks at every idle moment; ``None`` never.
    """

    max_parallelism: int = 0
    overwrite_cache: bool = False
    system_retries: int = 3
    environment: dict[str, str] = {}
    tags: tuple[str, ...] = ()
    cleanup_seconds: float = 30.0
    park_after: float | None = 60.0
    regained: bool = False


class RunOrigin(Struct, frozen=True, gc=False):
    """What a run was launched from, and under which name: of an execution, its id (``project``, ``domain``, ``name``)
    and the entity that was asked for (``kind`` task, workflow or launch_plan; ``target``; ``version``). All "" for a
    run of a file. A tag is a label without a value. Written once: a run never moves.

    ``principal`` is who launched it, where that is known; ``cause`` is "schedule", "relaunch", "recover", "fork",
    "call" (of an eager task, by Flyte's client) or "", and ``parent`` the id of the run that it comes from, where it
    comes from one."""

    project: str = ""
    domain: str = ""
    name: str = ""
    kind: str = ""
    target: str = ""
    version: str = ""
    labels: dict[str, str] = {}
    principal: str = ""
    cause: str = ""
    parent: str = ""


class RunSummary(Struct, frozen=True, gc=False):
    """A run's row: what lists show. Times are seconds since the epoch, 0.0 when not yet.

    ``entity`` is the name of what was run and ``source`` the file or module it came from, as the user gave it.
    ``wake_at`` is 0.0 unless the run is parked: then it is when it must be carried on, ``inf`` for "on request".
    ``waiting`` is how many of its gates wait for somebody's answer. ``nodes`` is how many nodes are known and ``done``
    how many of them have ended, as it was when the row was written last: at the beginning, at the end, when it rests.
    """

    id: str
    entity: str
    phase: Phase
    created_at: float
    started_at: float = 0.0
    ended_at: float = 0.0
    epoch: int = 0
    owner: str = ""
    source: str = ""
    message: str = ""
    wake_at: float = 0.0
    origin: RunOrigin = RunOrigin()
    waiting: int = 0
    nodes: int = 0
    done: int = 0

    @property
    def searched(self) -> str:
        """What ``RunQuery.text`` is looked for in: id, name, entity, source and the beginning of the message."""
        said = (self.id, self.origin.name, self.entity, self.source, self.message[:SEARCHED_OF_MESSAGE])
        return "\n".join(each for each in said if each).casefold()


class RunQuery(Struct, frozen=True):
    """Which runs a list shows, the newest first; what is left out restricts nothing.

    Of ``phases``, PAUSED stands for runs that wait for somebody's answer, whatever their phase.
    ``entity`` is a name or its end after a dot; ``text`` is looked for in ``RunSummary.searched``; runs were made at
    ``since`` or later and before ``until`` (seconds; 0.0 is open); each of ``labels`` is there with that value
    (``None``: any).
    ``before`` is the ``next`` of the page before.
    """

    phases: tuple[Phase, ...] = ()
    project: str = ""
    domain: str = ""
    entity: str = ""
    text: str = ""
    since: float = 0.0
    until: float = 0.0
    labels: tuple[tuple[str, str | None], ...] = ()
    limit: int = 100
    before: str = ""

    def takes(self, summary: RunSummary) -> bool:
        """Whether the list shows this one, on some page."""
        origin, entity = summary.origin, summary.entity
        return (
            (not self.phases or summary.phase in self.phases or (summary.waiting > 0 and Phase.PAUSED in self.phases))
            and self.project in ("", origin.project)
            and self.domain in ("", origin.domain)
            and (not self.entity or entity == self.entity or entity.endswith(f".{self.entity}"))
            and summary.created_at >= self.since
            and (not self.until or summary.created_at < self.until)
            and all(key in origin.labels and value in (None, origin.labels[key]) for key, value in self.labels)
            and self.text.casefold() in summary.searched
        )


class RunPage(Struct, frozen=True):
    """Some runs, the newest first. There are more for as long as ``next`` is not "", also when a page is short: rare
    ones are looked for in steps."""

    runs: list[RunSummary]
    next: str


class RunPages(Struct, frozen=True):
    """Where the pages of a list end: ``ends`` has the last run of each full page, which is the ``before`` of the next
    one. ``count`` is how many runs there are in all, ``whole`` whether that is so, or there may be more."""

    count: int
    ends: list[str]
    whole: bool


class Done(Struct, frozen=True, gc=False, tag="done"):
    """A call's outputs."""

    outputs: Literals
    cached: bool = False


class Failed(Struct, frozen=True, gc=False, tag="failed"):
    """Why a call has no outputs."""

    failure: Failure


Outcome: TypeAlias = Done | Failed


class EntryKind(StrEnum):
    """What a journal entry records: a call, a timer of the program's, a value drawn (time, randomness), or that the
    body was told to stop (a user's abort, a time-out) and cleans up from here on."""

    CALL = "call"
    TIMER = "timer"
    VALUE = "value"
    ABORT = "abort"


class Entry(Struct, frozen=True, gc=False):
    """One line of an eager workflow's journal.

    ``parent`` is the node path of the eager call whose body made it, ``key`` its call path in that body. ``seq`` is
    its place in the order of delivery; 0 while there is no outcome. A fired timer has a ``Done`` without outputs;
    ``due`` is when it fires, in seconds since the epoch.
    """

    parent: str
    key: str
    kind: EntryKind
    entity: str = ""
    digest: str = ""
    seq: int = 0
    at: float = 0.0
    due: float = 0.0
    outcome: Outcome | None = None
    path: str = ""


class Reusable(Struct, frozen=True, gc=False):
    """What a call gave in another run, for an equal call of this one.

    Equal: the same ``entity``, with code of the same digest ``code`` and inputs of the same digest ``inputs``
    (``content.inputs_digest``). ``run`` and ``path`` say where it comes from; ``parent`` and ``key`` name a call of an
    eager body as in ``Entry``. ``outputs`` is ``None`` where the call was made without success. ``eager``: it is an
    eager workflow. With ``kind`` VALUE it is a value that a body drew, and belongs to its place alone.
    """

    entity: str
    code: str
    inputs: str
    outputs: Literals | None
    run: str
    path: str
    parent: str = ""
    key: str = ""
    kind: EntryKind = EntryKind.CALL
    eager: bool = False

    @property
    def place(self) -> str:
        """The name of its place, which is the same in every run of a program."""
        return f"{self.parent}/{self.key}" if self.key else self.path

    @property
    def origin(self) -> str:
        """Where it comes from, for people: ``run/path``."""
        return f"{self.run}/{self.path}"


def choose(rows: Mapping[str, Reusable], place: str, *, moved: bool) -> Reusable | None:
    """Which of the outcomes of equal calls, by place, a call at ``place`` takes.

    That of its own place; ``moved``, else the oldest that is left. None where an equal call was made without success.
    """
    found = rows.get(place)
    if found is None and moved:
        found = next((row for row in rows.values() if row.outputs is not None), None)
    return None if found is None or found.outputs is None else found
