"""A branch inside a workflow that is inside another, and a launch plan in an arm."""

from flytekit import LaunchPlan, conditional, task, workflow


@task
def add(a: int) -> int:
    return a + 1


@workflow
def small(x: int) -> int:
    return add(a=x)


plan = LaunchPlan.get_or_create(small)


@workflow
def inner(x: int) -> int:
    return conditional("size").if_(x < 3).then(plan(x=x)).elif_(x < 9).then(small(x=x)).else_().fail("too large")


@workflow
def wf(x: int) -> int:
    return inner(x=inner(x=x))
