"""Schedules, what they fired, and backfills. Moments are ISO 8601 in UTC.

Knows: schedules as data. Must not know: when they are due.
"""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta, Struct

from whimbrel.model.launch_plan import Schedule

Limit = Annotated[int, Meta(ge=1, le=500, description="At most so many.")]


class ScheduleQuery(Struct, frozen=True, forbid_unknown_fields=True):
    """Which schedules: of this ``project`` and ``domain`` ("" is any), with ``text`` in the name of the launch plan.
    ``cursor`` is the ``next`` of the page before."""

    project: str = ""
    domain: str = ""
    text: str = ""
    limit: Limit = 50
    cursor: str = ""


class FiringShape(Struct, frozen=True):
    """A due time, and what came of it: ``outcome`` is fired, skipped or refused, ``detail`` says why it was not fired.
    ``late`` is how many seconds after ``due`` it was launched. ``backfill`` is the id of the backfill that did it."""

    due: str | None
    version: str
    execution: str
    run: str
    outcome: str
    at: str | None
    late: float
    detail: str = ""
    backfill: str = ""


class ScheduleRow(Struct, frozen=True):
    """An active launch plan with a schedule: its next due times, and what came of the last one.

    ``fault`` says why it is never due, where its schedule cannot be read."""

    project: str
    domain: str
    name: str
    version: str
    schedule: Schedule
    active_since: str | None
    next: list[str]
    last: FiringShape | None
    fault: str = ""


class SchedulePage(Struct, frozen=True):
    """Schedules by project, domain and name. ``next`` is the ``cursor`` of the next page."""

    schedules: list[ScheduleRow]
    next: str | None


class FiringQuery(Struct, frozen=True, forbid_unknown_fields=True):
    """Which page of a history."""

    limit: Limit = 50
    cursor: str = ""


class FiringPage(Struct, frozen=True):
    """What came of due times, the latest first. ``next`` is the ``cursor`` of the next page."""

    firings: list[FiringShape]
    next: str | None


class NewBackfill(Struct, frozen=True, forbid_unknown_fields=True):
    """Launch what was due from ``since`` to ``until`` (now, if it is left out), both included, at most ``concurrency``
    executions at a time. ``dry_run`` only says what would be launched."""

    since: str
    until: str = ""
    concurrency: Annotated[int, Meta(ge=1, le=1000)] = 4
    dry_run: bool = False


class DueShape(Struct, frozen=True):
    """A due time, and the execution that is there for it, or would be: ``phase`` is null where there is none yet."""

    due: str | None
    execution: str
    run: str
    phase: str | None


class BackfillRow(Struct, frozen=True):
    """A backfill. ``state`` is RUNNING, DONE or STOPPED, or DRY where nothing is launched; its ``id`` is "" then."""

    id: str
    project: str
    domain: str
    name: str
    version: str
    state: str
    since: str | None
    until: str | None
    concurrency: int
    created_at: str | None


class BackfillDetail(BackfillRow, frozen=True, kw_only=True):
    """With its due times, the earliest first."""

    times: list[DueShape]


class BackfillQuery(Struct, frozen=True, forbid_unknown_fields=True):
    """Which backfills: of this ``project`` and ``domain`` ("" is any). ``cursor`` is the ``next`` of the last page."""

    project: str = ""
    domain: str = ""
    limit: Limit = 50
    cursor: str = ""


class BackfillPage(Struct, frozen=True):
    """Backfills, the newest first. ``next`` is the ``cursor`` of the next page."""

    backfills: list[BackfillRow]
    next: str | None
