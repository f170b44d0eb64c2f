"""What the engine wants done. Carried out by the control plane's loop once the events that led to them are durable."""

from __future__ import annotations

from typing import TypeAlias

from msgspec import Struct

from whimbrel.model.attempt import Cancel, Deliver, Launch
from whimbrel.model.events import CleanupDue, GateDue, RetryDue, TimeoutDue, WakeDue
from whimbrel.model.failure import Failure
from whimbrel.model.literals import Literals
from whimbrel.model.run import Phase


class CacheKey(Struct, frozen=True, gc=False):
    """What outputs are cached by. ``interface`` and ``inputs`` are digests; ``inputs`` is per input, without the
    ignored ones."""

    task: str
    version: str
    interface: str
    inputs: dict[str, str]


class LookUpCache(Struct, frozen=True, gc=False, tag="look_up_cache"):
    """Answer with ``CacheHit`` or ``CacheMiss``; with ``serialize``, not before nobody else computes the same."""

    path: str
    key: CacheKey
    serialize: bool


class WriteCache(Struct, frozen=True, gc=False, tag="write_cache"):
    """Keep these outputs, and end the reservation if there is one."""

    path: str
    key: CacheKey
    outputs: Literals


class ReleaseCache(Struct, frozen=True, gc=False, tag="release_cache"):
    """The reserved computation failed: let the next in line try."""

    path: str
    key: CacheKey


class SetTimer(Struct, frozen=True, gc=False, tag="set_timer"):
    """Post ``event`` (with its time) at ``due``, in seconds since the epoch."""

    due: float
    event: RetryDue | TimeoutDue | CleanupDue | WakeDue | GateDue


class EndRun(Struct, frozen=True, gc=False, tag="end_run"):
    """The run is over."""

    phase: Phase
    outputs: Literals
    failure: Failure | None


Command: TypeAlias = Launch | Cancel | Deliver | LookUpCache | WriteCache | ReleaseCache | SetTimer | EndRun
