"""Launch plans as steps."""

from flytekit import LaunchPlan, task, workflow


@task
def add(a: int, b: int) -> int:
    return a + b


@workflow
def inner(a: int, b: int = 2) -> int:
    return add(a=a, b=b)


default = LaunchPlan.get_or_create(inner)
pinned = LaunchPlan.get_or_create(inner, "launch_plan_nodes.pinned", fixed_inputs={"b": 5})


@workflow
def wf(a: int) -> int:
    x = default(a=a)
    y = pinned(a=x)
    return add(a=y, b=1)
