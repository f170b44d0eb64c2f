"""What can happen to a run. The engine's input, and its log: folding the events gives the state back, byte for byte.

Reports of attempts are events as they stand; the rest are defined here. Every event carries its time, so that the
engine needs no clock.
"""

from __future__ import annotations

from typing import TypeAlias

from msgspec import Struct

from whimbrel.model.attempt import (
    AttemptFault,
    BeginCall,
    CancelCall,
    FinishCall,
    FireTimer,
    Lost,
    Parked,
    RecordValue,
    Started,
    StartTimer,
    Succeeded,
    Unfolded,
)
from whimbrel.model.literals import Literal, Literals
from whimbrel.model.program import Program
from whimbrel.model.run import Reusable, RunOptions


class RunRequested(Struct, frozen=True, gc=False, tag="run_requested"):
    """The first event. ``workflow`` names a workflow of ``program``; a task is run as a workflow of one node.

    ``reuse`` has the outcomes that equal calls take, in the order in which they are given away; ``recovered_from`` is
    the id of the run that they come from, if this one is its recovery or fork. ``moved``: the program or its
    inputs have changed, so an outcome may also be taken by an equal call that stands elsewhere.
    """

    run: str
    workflow: str
    program: Program
    inputs: Literals
    options: RunOptions
    at: float
    reuse: tuple[Reusable, ...] = ()
    recovered_from: str = ""
    moved: bool = False


class OwnerChanged(Struct, frozen=True, gc=False, tag="owner_changed"):
    """Another process took the run over: attempts that nobody runs any more are lost without blame."""

    epoch: int
    owner: str
    at: float
    gone: tuple[str, ...] = ()
    """Paths of the nodes whose attempt is not running any more."""


class AbortRequested(Struct, frozen=True, gc=False, tag="abort_requested"):
    """A user wants the run to end."""

    reason: str
    at: float


class NodeAbortRequested(Struct, frozen=True, gc=False, tag="node_abort_requested"):
    """A user wants the launch plan at ``path`` to end, which is an execution of its own to them. What is around it
    hears of that as of any failure."""

    path: str
    reason: str
    at: float


class RetryDue(Struct, frozen=True, gc=False, tag="retry_due"):
    """The wait before attempt ``number`` is over."""

    path: str
    number: int
    at: float


class TimeoutDue(Struct, frozen=True, gc=False, tag="timeout_due"):
    """Attempt ``number`` has run for as long as it may."""

    path: str
    number: int
    at: float


class CleanupDue(Struct, frozen=True, gc=False, tag="cleanup_due"):
    """What was stopped has had its time to clean up: the node at ``path``, or the whole run for "".

    ``number`` tells the deadlines of one node apart: whoever takes a run over gives it a new one.
    """

    path: str
    number: int
    at: float


class WakeDue(Struct, frozen=True, gc=False, tag="wake_due"):
    """The time has come for which the body that attempt ``number`` drove was parked."""

    path: str
    number: int
    at: float


class GateDue(Struct, frozen=True, gc=False, tag="gate_due"):
    """The time of the gate at ``path`` is over: it has slept, or nobody has answered."""

    path: str
    at: float


class SignalReceived(Struct, frozen=True, gc=False, tag="signal"):
    """Somebody answered a gate: a boolean for an approval, a value of its type else.

    ``gate`` is its name, or the path of its node where several have that name. ``by`` says who, "" if unknown.
    ``id`` tells signals apart: the same one twice changes nothing. ``reason`` is that of a rejection.
    """

    gate: str
    value: Literal
    by: str
    at: float
    id: str = ""
    reason: str = ""


class CacheHit(Struct, frozen=True, gc=False, tag="cache_hit"):
    """The cache had the outputs. ``reason`` says whose they are."""

    path: str
    outputs: Literals
    reason: str
    at: float


class CacheMiss(Struct, frozen=True, gc=False, tag="cache_miss"):
    """The cache had nothing; ``reason`` says why not."""

    path: str
    reason: str
    at: float


Event: TypeAlias = (
    RunRequested
    | OwnerChanged
    | AbortRequested
    | NodeAbortRequested
    | RetryDue
    | TimeoutDue
    | CleanupDue
    | WakeDue
    | GateDue
    | SignalReceived
    | CacheHit
    | CacheMiss
    | Started
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
