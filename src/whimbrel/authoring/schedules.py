"""When a launch plan is to be launched: ``CronSchedule`` and ``FixedRate``, checked when they are written.

Data only: who launches, and at which moments, is the control plane's business.
"""

from __future__ import annotations

import datetime as dt
import re

from whimbrel.errors import CallMismatch
from whimbrel.model import launch_plan as model

_ALIASES = frozenset(
    alias
    for name, plural in (
        ("hourly", "hours"),
        ("daily", "days"),
        ("weekly", "weeks"),
        ("monthly", "months"),
        ("yearly", "years"),
        ("annually", "annually"),
    )
    for alias in (name, plural, f"@{name}")
)

_MONTHS = {
    name: number
    for number, name in enumerate(
        ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"), start=1
    )
}
_DAYS = {name: number for number, name in enumerate(("sun", "mon", "tue", "wed", "thu", "fri", "sat"))}

_FIELDS: tuple[tuple[str, int, int, dict[str, int]], ...] = (
    ("minute", 0, 59, {}),
    ("hour", 0, 23, {}),
    ("day of the month", 1, 31, {}),
    ("month", 1, 12, _MONTHS),
    ("day of the week", 0, 7, _DAYS),
)

_ZONE = "CRON_TZ="

_OFFSET = re.compile(r"P(?=.)(\d+Y)?(\d+M)?(\d+W)?(\d+D)?(T(?=.)(\d+H)?(\d+M)?(\d+S)?)?")


class CronSchedule:
    """Launch at the times of a cron expression, in UTC or in the time zone of a leading ``CRON_TZ=Europe/Oslo``.

    ``schedule`` has five fields (minute, hour, day of the month, month, day of the week; each ``*``, a value, a range
    ``1-5``, a step ``*/15``, a list of those) or is an alias such as ``hourly`` or ``@daily``. ``cron_expression`` is
    the older form of six fields. ``kickoff_time_input_arg`` names the workflow's datetime input that gets the time
    that was due; ``offset`` (an ISO 8601 duration such as ``PT1H``) is taken off that time. Raises ``CallMismatch``.
    """

    def __init__(
        self,
        cron_expression: str | None = None,
        schedule: str | None = None,
        offset: str | None = None,
        kickoff_time_input_arg: str | None = None,
    ) -> None:
        if (cron_expression is None) is (schedule is None):
            raise CallMismatch("a CronSchedule has either a schedule or a cron_expression: give one of them.")
        if schedule is not None:
            check_cron(schedule)
        else:
            _check_older(cron_expression or "")
        if offset is not None and not _OFFSET.fullmatch(offset):
            raise CallMismatch(f"the offset {offset!r} is no ISO 8601 duration. Write PT1H for an hour, for example.")
        self.schedule = schedule if schedule is not None else cron_expression or ""
        self.offset = offset or ""
        self.kickoff_time_input_arg = kickoff_time_input_arg or ""

    def spec(self) -> model.CronSchedule:
        """As the control plane takes it."""
        return model.CronSchedule(self.schedule, self.offset, self.kickoff_time_input_arg)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, CronSchedule) and self.spec() == other.spec()

    def __hash__(self) -> int:
        return hash(self.spec())

    def __repr__(self) -> str:
        return f"CronSchedule(schedule={self.schedule!r})"


class FixedRate:
    """Launch every ``duration``, a whole number of minutes. ``kickoff_time_input_arg`` as for ``CronSchedule``.

    Raises ``CallMismatch``.
    """

    def __init__(self, duration: dt.timedelta, kickoff_time_input_arg: str | None = None) -> None:
        if not isinstance(duration, dt.timedelta):
            raise CallMismatch(f"the duration of a FixedRate is {duration!r}. Give a timedelta.")
        if duration < dt.timedelta(minutes=1) or duration % dt.timedelta(minutes=1):
            raise CallMismatch(f"a FixedRate of {duration} is no whole number of minutes. Give one minute or more.")
        self.duration = duration
        self.kickoff_time_input_arg = kickoff_time_input_arg or ""

    def spec(self) -> model.FixedRate:
        """As the control plane takes it."""
        return model.FixedRate(self.duration.total_seconds(), self.kickoff_time_input_arg)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, FixedRate) and self.spec() == other.spec()

    def __hash__(self) -> int:
        return hash(self.spec())

    def __repr__(self) -> str:
        return f"FixedRate({self.duration!r})"


def check_cron(schedule: str) -> None:
    """Raise ``CallMismatch`` unless ``schedule`` is an alias or has five fields, each in its range; a time zone
    may stand before it."""
    if not isinstance(schedule, str):
        raise CallMismatch(f"the schedule is {schedule!r}. Write a cron expression, such as '0 3 * * *'.")
    expression = _without_zone(schedule.strip())
    if expression.lower() in _ALIASES:
        return
    fields = expression.split()
    if len(fields) != len(_FIELDS):
        known = ", ".join(sorted(alias for alias in _ALIASES if not alias.startswith("@")))
        raise CallMismatch(
            f"the schedule {schedule!r} has {len(fields)} fields. Write five (minute, hour, day of the month, month, "
            f"day of the week), or one of {known}."
        )
    for text, (name, low, high, names) in zip(fields, _FIELDS, strict=True):
        for item in text.split(","):
            fault = _fault(item, low, high, names)
            if fault:
                raise CallMismatch(
                    f"the schedule {schedule!r}: {item!r} is no {name}: {fault}. "
                    f"Write *, a value from {low} to {high}, a range {low}-{high}, or a step */2."
                )


def _without_zone(schedule: str) -> str:
    head, _, rest = schedule.partition(" ")
    if not head.startswith(_ZONE):
        return schedule
    import zoneinfo  # reads the time-zone database; only schedules that name a zone need it

    name = head.removeprefix(_ZONE)
    try:
        zoneinfo.ZoneInfo(name)
    except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
        raise CallMismatch(
            f"the schedule {schedule!r}: {name!r} is no time zone. Write one such as Europe/Oslo."
        ) from None
    return rest.strip()


def _fault(item: str, low: int, high: int, names: dict[str, int]) -> str:
    span, slash, step = item.partition("/")
    if slash and (not step.isdecimal() or int(step) < 1):
        return f"{step!r} is no step"
    if span == "*":
        return ""
    first, dash, last = span.partition("-")
    ends = []
    for text in (first, last) if dash else (first,):
        value = names.get(text.lower(), int(text) if text.isdecimal() else None)
        if value is None:
            return f"{text!r} is no number" + (" and no name" if names else "")
        if not low <= value <= high:
            return f"{value} is not from {low} to {high}"
        ends.append(value)
    return "it ends before it begins" if dash and ends[0] > ends[1] else ""


def _check_older(expression: str) -> None:
    inner = expression.removeprefix("cron(").removesuffix(")")
    if len(inner.split()) != 6:
        raise CallMismatch(
            f"the cron_expression {expression!r} is not of six fields. Write schedule='0 3 * * *', of five."
        )
