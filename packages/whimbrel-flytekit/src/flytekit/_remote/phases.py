"""Phases by Flyte's numbers, and which of them a phase of whimbrel's is."""

from __future__ import annotations

from enum import IntEnum
from typing import Self

from whimbrel import WorkflowExecutionPhase
from whimbrel.model.run import Phase


class _Told(IntEnum):
    @classmethod
    def enum_to_string(cls, value: int) -> str:
        """``SUCCEEDED``; ``UNKNOWN`` for a number that is none of them."""
        return cls(value).name if value in list(cls) else "UNKNOWN"

    @classmethod
    def of(cls, phase: str) -> Self:
        """The one of a phase of whimbrel's; what has no other name here is what comes nearest."""
        return cls[phase] if phase in cls.__members__ else cls[_NEAREST.get(Phase(phase), "UNDEFINED")]


_NEAREST = {
    Phase.SUCCEEDING: "RUNNING",
    Phase.FAILING: "RUNNING",
    Phase.ABORTING: "RUNNING",
    Phase.PAUSED: "RUNNING",
    Phase.DYNAMIC_RUNNING: "RUNNING",
    Phase.RECOVERED: "SUCCEEDED",
    Phase.SKIPPED: "ABORTED",
    Phase.TIMED_OUT: "FAILED",
}


class NodeExecutionPhase(_Told):
    """The phases of nodes."""

    UNDEFINED = 0
    QUEUED = 1
    RUNNING = 2
    SUCCEEDED = 3
    FAILING = 4
    FAILED = 5
    ABORTED = 6
    SKIPPED = 7
    TIMED_OUT = 8
    DYNAMIC_RUNNING = 9
    RECOVERED = 10


class TaskExecutionPhase(_Told):
    """The phases of attempts."""

    UNDEFINED = 0
    QUEUED = 1
    RUNNING = 2
    SUCCEEDED = 3
    ABORTED = 4
    FAILED = 5
    INITIALIZING = 6
    WAITING_FOR_RESOURCES = 7
    RETRYABLE_FAILED = 8


def execution_phase(phase: str) -> WorkflowExecutionPhase:
    """The phase of an execution."""
    known = WorkflowExecutionPhase.__members__
    return known[phase] if phase in known else known[_NEAREST.get(Phase(phase), "UNDEFINED")]
