"""Entities that somebody else registered."""

from flytekit import reference_launch_plan, reference_task, task, workflow


@reference_task(project="other", domain="production", name="lib.normalize", version="v7")
def normalize(x: float, by: float) -> float:
    return x


@reference_launch_plan(project="other", domain="production", name="lib.plan", version="v7")
def plan(x: float) -> float:
    return x


@task
def work(x: float) -> float:
    return x


@workflow
def wf(x: float) -> float:
    a = normalize(x=x, by=2.0)
    return work(x=plan(x=a))
