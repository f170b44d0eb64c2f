"""A nightly report: a launch plan with a schedule, fixed inputs, and the time it was due.

    whimbrel run examples/data/nightly.py nightly_report --due 2024-05-17T02:00:00

The schedule is data: it is checked when the plan is made, compiled with it, and fires on a server. Launched by
hand, the plan is a workflow with some inputs given beforehand.
"""

from __future__ import annotations

import datetime as dt

from whimbrel import CronSchedule, LaunchPlan, Slack, WorkflowExecutionPhase, task, workflow


@task
def rows_of(day: dt.date, region: str) -> int:
    """How many rows arrived on a day."""
    return day.toordinal() % 1000 + len(region)


@task
def write(day: dt.date, region: str, rows: int) -> str:
    """One line for the log."""
    return f"{region} {day}: {rows} rows"


@task
def day_before(due: dt.datetime) -> dt.date:
    """The day that a run at night is about."""
    return due.date() - dt.timedelta(days=1)


@workflow
def report(due: dt.datetime, region: str) -> str:
    """What arrived on the day before ``due``."""
    day = day_before(due=due)
    return write(day=day, region=region, rows=rows_of(day=day, region=region))


nightly_report = LaunchPlan.get_or_create(
    report,
    name="nightly_report",
    fixed_inputs={"region": "north"},
    schedule=CronSchedule(schedule="0 2 * * *", kickoff_time_input_arg="due"),
    notifications=[Slack(phases=[WorkflowExecutionPhase.FAILED], recipients_email=["data@example.org"])],
)
