"""When a schedule is due, and what of it is to be launched now: pure decisions, the time is an argument.

A cron expression is read as Debian's cron reads it (`docs/decisions/0248`), in UTC unless it begins with `CRON_TZ=`. A
fixed rate counts from the activation of its launch plan.

Knows: schedules as data, cron expressions. Must not know: clocks, stores, runs.
"""

from __future__ import annotations

import datetime as dt
import hashlib
import math
import re
from collections.abc import Iterator
from itertools import takewhile
from zoneinfo import ZoneInfo

from cronsim import CronSim, CronSimError
from msgspec import Struct

from whimbrel.errors import InputInvalid
from whimbrel.model.launch_plan import CronSchedule, FixedRate, Schedule
from whimbrel.model.scheduled import PlanName

ALIASES = {
    **dict.fromkeys(("hourly", "hours", "@hourly"), "0 * * * *"),
    **dict.fromkeys(("daily", "days", "@daily", "@midnight"), "0 0 * * *"),
    **dict.fromkeys(("weekly", "weeks", "@weekly"), "0 0 * * 0"),
    **dict.fromkeys(("monthly", "months", "@monthly"), "0 0 1 * *"),
    **dict.fromkeys(("yearly", "years", "@yearly", "annually", "@annually"), "0 0 1 1 *"),
}
"""Flyte's, and those of cron."""

MISSED = 60.0
"""Seconds after which a due time counts as missed: the server was away, or its clock jumped. Less is late."""

_MICRO = 1_000_000
_FIELDS = 5
_SHOWN = 30
"""Letters of a plan's name that are seen in the names of its executions."""

_OFFSET = re.compile(r"P(?:(\d+)Y)?(?:(\d+)M)?(?:(\d+)W)?(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)S)?)?")


class Timetable:
    """The due times of a schedule, in seconds since the epoch; they rise strictly.

    ``anchor`` is what a fixed rate counts from, to the whole second. Raises ``InputInvalid`` for what cannot be read.
    """

    def __init__(self, schedule: Schedule, anchor: float = 0.0) -> None:
        self._start = math.floor(anchor) * _MICRO
        self._period = 0
        match schedule:
            case FixedRate(seconds=seconds):
                if not (math.isfinite(seconds) and seconds >= 1.0):
                    raise InputInvalid(f"a fixed rate of {seconds:g} seconds is too fast; use a minute or more.")
                self._period = round(seconds * _MICRO)
            case CronSchedule(schedule=text):
                self._zone, self._expression = _read_cron(text)
                self._cron(0.0)

    def after(self, moment: float) -> float | None:
        """The first due time after ``moment``; ``None`` if there is none in sight."""
        return next(self.since(moment), None)

    def since(self, moment: float) -> Iterator[float]:
        """The due times after ``moment``, the earliest first."""
        if self._period:
            number = self._number(moment) + 1
            while True:
                yield self._at(number)
                number += 1
        # Where a zone repeats an hour its times must not come back.
        last = moment
        for found in self._times(moment):
            if found > last:
                last = found
                yield found

    def newest(self, after: float, until: float, count: int) -> list[float]:
        """The last ``count`` due times after ``after`` and not after ``until``, the earliest first. Takes as long as
        they are many, however far apart the two are."""
        if until <= after or count <= 0:
            return []
        if self._period:
            last = self._number(until)
            first = max(self._number(after) + 1, last - count + 1)
            return [self._at(number) for number in range(first, last + 1)]
        # Backwards from the end of the minute: what is due at `until` is among them.
        end = math.floor(until / 60.0) * 60.0 + 60.0
        found: list[float] = []
        for moment in self._times(end, reverse=True):
            if moment <= after or len(found) == count:
                break
            if moment <= until and (not found or moment < found[-1]):
                found.append(moment)
        return found[::-1]

    def _number(self, moment: float) -> int:
        """Of a rate: which due time is the last that is not after ``moment``."""
        number = (math.floor(moment * _MICRO) - self._start) // self._period
        while self._at(number + 1) <= moment:
            number += 1
        while self._at(number) > moment:
            number -= 1
        return number

    def _at(self, number: int) -> float:
        return (self._start + number * self._period) / _MICRO

    def _times(self, moment: float, *, reverse: bool = False) -> Iterator[float]:
        try:
            for found in self._cron(moment, reverse=reverse):
                yield found.timestamp()
        except (OverflowError, ValueError, OSError):
            # The calendar ends.
            return

    def _cron(self, moment: float, *, reverse: bool = False) -> CronSim:
        try:
            return CronSim(self._expression, dt.datetime.fromtimestamp(moment, self._zone), reverse=reverse)
        except CronSimError as error:
            raise InputInvalid(f"the schedule {self._expression!r} cannot be read: {error}; {_HOW}") from None


_HOW = "write five fields (minute, hour, day of the month, month, day of the week), or hourly, daily, weekly, monthly."


def _read_cron(text: str) -> tuple[dt.tzinfo, str]:
    stripped = text.strip()
    zone: dt.tzinfo = dt.UTC
    head, _, rest = stripped.partition(" ")
    for prefix in ("CRON_TZ=", "TZ="):
        if head.startswith(prefix):
            name = head.removeprefix(prefix)
            try:
                zone = ZoneInfo(name)
            except (KeyError, ValueError, OSError):
                raise InputInvalid(f"{name!r} is no time zone; write one such as Europe/Oslo.") from None
            stripped = rest.strip()
            break
    expression = ALIASES.get(stripped.lower(), stripped)
    fields = _newer(expression.removeprefix("cron(").removesuffix(")").split())
    if len(fields) != _FIELDS:
        raise InputInvalid(f"the schedule {text!r} has {len(fields)} fields, not {_FIELDS}; {_HOW}")
    # Flyte's parser takes a question mark for a star.
    return zone, " ".join("*" if field == "?" else field for field in fields)


def _newer(fields: list[str]) -> list[str]:
    """Five fields, of the six of the older form: the last is the year, and days of the week are counted from one."""
    if len(fields) != _FIELDS + 1 or fields[-1] not in ("*", "?"):
        return fields
    days = re.sub(r"(?<![\d#/])\d+", lambda day: str(int(day[0]) - 1), fields[-2])
    return [*fields[:-2], days]


class Decision(Struct, frozen=True, gc=False):
    """What is to be launched now (``due``, the earliest first), up to when that decides it, and when to look again
    (``None``: never). ``skipped_from`` is the first due time that is left out because too many were missed, ``None`` if
    all of them are launched; those left out end before ``due[0]``, or at ``decided_at`` where nothing is launched.
    """

    due: tuple[float, ...]
    decided_at: float
    next: float | None
    skipped_from: float | None = None


def decide(timetable: Timetable, *, activated_at: float, decided_at: float, now: float, catch_up: int) -> Decision:
    """What a schedule that is active since ``activated_at``, and decided up to ``decided_at``, asks for ``now``.

    Of due times that were missed (by more than ``MISSED`` seconds) the newest ``catch_up`` are launched. A clock that
    was set back changes nothing: what was decided stays decided.
    """
    after = max(activated_at, decided_at)
    if now <= after:
        return Decision((), after, timetable.after(after))
    overdue = min(max(now - MISSED, after), now)
    missed = timetable.newest(after, overdue, catch_up)
    late = tuple(takewhile(lambda due: due <= now, timetable.since(overdue)))
    skipped = timetable.after(after)
    if skipped is not None and (skipped > overdue or (missed and skipped == missed[0])):
        skipped = None
    return Decision((*missed, *late), now, timetable.after(now), skipped)


def check_schedule(schedule: Schedule | None) -> None:
    """Raises ``InputInvalid`` for one that cannot be read."""
    if schedule is not None:
        Timetable(schedule)
        kickoff_time(schedule, 0.0)


def kickoff_time(schedule: Schedule, due: float) -> dt.datetime:
    """What the kickoff-time input is given for ``due``, in UTC: the due time, less the offset of the schedule.

    Raises ``InputInvalid`` for an offset that cannot be read.
    """
    moment = dt.datetime.fromtimestamp(due, dt.UTC)
    if not isinstance(schedule, CronSchedule) or not schedule.offset:
        return moment
    read = _OFFSET.fullmatch(schedule.offset)
    if read is None:
        raise InputInvalid(f"the offset {schedule.offset!r} is no ISO 8601 duration; write PT1H for an hour.")
    years, months, weeks, days, hours, minutes, seconds = (int(part or 0) for part in read.groups())
    try:
        year, month = divmod(moment.year * 12 + moment.month - 1 - years * 12 - months, 12)
        first = moment.replace(year=year, month=month + 1, day=1)
        # A month that is shorter ends with its last day.
        length = ((first + dt.timedelta(days=31)).replace(day=1) - first).days
        moved = first + dt.timedelta(days=min(moment.day, length) - 1)
        return moved - dt.timedelta(weeks=weeks, days=days, hours=hours, minutes=minutes, seconds=seconds)
    except (ValueError, OverflowError):
        raise InputInvalid(f"the offset {schedule.offset!r} leads out of the calendar; use a shorter one.") from None


def execution_name(plan: PlanName, due: float) -> str:
    """The name of the execution of ``plan`` that is due at ``due``: always the same one, so that to launch it again is
    to launch nothing. Lower-case letters, digits and dashes, at most 63."""
    digest = hashlib.sha256(f"{plan.project}/{plan.domain}/{plan.name}/{round(due * _MICRO)}".encode()).hexdigest()
    shown = re.sub(r"[^a-z0-9]+", "-", plan.name.rpartition(".")[2].lower())[:_SHOWN].strip("-") or "plan"
    return f"{shown}-{dt.datetime.fromtimestamp(due, dt.UTC):%Y%m%dt%H%M%S}-{digest[:12]}"
