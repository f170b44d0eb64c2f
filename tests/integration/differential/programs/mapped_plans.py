"""A launch plan over a list."""

from flytekit import LaunchPlan, map_task, task, workflow


@task
def add(a: int, b: int) -> int:
    return a + b


@workflow
def inner(a: int, b: int = 2) -> int:
    return add(a=a, b=b)


plan = LaunchPlan.get_or_create(inner, "mapped_plans.plan", default_inputs={"b": 3})


@workflow
def wf(xs: list[int]) -> list[int]:
    return map_task(plan, concurrency=2)(a=xs, b=[1, 2])
