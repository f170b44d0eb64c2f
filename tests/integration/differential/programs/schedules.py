"""Launch plans with schedules."""

import datetime

from flytekit import CronSchedule, FixedRate, LaunchPlan, task, workflow


@task
def work(at: datetime.datetime) -> None:
    print(at)


@workflow
def wf(at: datetime.datetime) -> None:
    work(at=at)


nightly = LaunchPlan.get_or_create(
    wf, "schedules.nightly", schedule=CronSchedule(schedule="0 3 * * *", kickoff_time_input_arg="at")
)
alias = LaunchPlan.get_or_create(
    wf, "schedules.alias", schedule=CronSchedule(schedule="@daily", kickoff_time_input_arg="at")
)
often = LaunchPlan.get_or_create(
    wf,
    "schedules.often",
    schedule=FixedRate(duration=datetime.timedelta(minutes=10), kickoff_time_input_arg="at"),
)
hours = LaunchPlan.get_or_create(
    wf,
    "schedules.hours",
    fixed_inputs={"at": datetime.datetime(2024, 1, 1)},
    schedule=FixedRate(duration=datetime.timedelta(hours=3)),
)
ROOTS = ("wf", "nightly", "alias", "often", "hours")
