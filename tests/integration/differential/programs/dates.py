"""Moments, days and spans of time."""

import datetime

from flytekit import task, workflow


@task
def when(at: datetime.datetime, day: datetime.date, span: datetime.timedelta) -> datetime.datetime:
    return at + span


@workflow
def wf(
    at: datetime.datetime = datetime.datetime(2024, 2, 29, 12, 30, tzinfo=datetime.UTC),
    span: datetime.timedelta = datetime.timedelta(hours=1, microseconds=5),
) -> datetime.datetime:
    day = datetime.date(2024, 3, 1)
    first = when(at=at, day=day, span=span)
    return when(at=first, day=day, span=datetime.timedelta(days=-2))
