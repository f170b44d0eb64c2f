"""What is kept of schedules: how far each has been decided, and what it fired.

Knows: launch plans by name. Must not know: cron, clocks, runs as the engine keeps them.
"""

from __future__ import annotations

from enum import StrEnum

from msgspec import Struct


class PlanName(Struct, frozen=True, gc=False, order=True):
    """A launch plan whatever its version: at most one version of it is active."""

    project: str
    domain: str
    name: str

    def __str__(self) -> str:
        return f"the launch plan {self.name} ({self.project}/{self.domain})"


class Mark(Struct, frozen=True, gc=False):
    """Of a launch plan: which version was active since when, and up to when it has been decided what is to be launched.

    Times are seconds since the epoch. ``decided_at`` never goes back for as long as the activation is the same.
    """

    plan: PlanName
    version: str
    activated_at: float
    decided_at: float


class Backfill(Struct, frozen=True, gc=False):
    """Launch every due time of a version of a launch plan from ``since`` to ``until``, both included, at most
    ``concurrency`` at a time. Times are seconds since the epoch; ``anchor`` is what a fixed rate counts from."""

    plan: PlanName
    version: str
    since: float
    until: float
    concurrency: int
    anchor: float


class Outcome(StrEnum):
    """What came of a due time."""

    FIRED = "fired"
    """There is an execution."""
    SKIPPED = "skipped"
    """As many executions were running as the plan allows, or the server was away for too long."""
    REFUSED = "refused"
    """The launch plan cannot be launched; the detail says why."""


class Firing(Struct, frozen=True, gc=False):
    """A due time of a launch plan, and what came of it.

    ``execution`` is the name of the execution, ``run`` the id of its run; both follow from plan and ``due``. ``at`` is
    when it was decided, in seconds since the epoch. ``backfill`` is the id of the backfill that did it, "" for the
    schedule itself.
    """

    plan: PlanName
    due: float
    version: str
    execution: str
    run: str
    outcome: Outcome
    at: float
    detail: str = ""
    backfill: str = ""
