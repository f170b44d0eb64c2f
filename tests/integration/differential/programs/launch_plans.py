"""Launch plans with inputs given beforehand."""

from flytekit import LaunchPlan, task, workflow


@task
def add(a: int, b: int) -> int:
    return a + b


@workflow
def wf(a: int, b: int = 3, c: str = "c") -> int:
    return add(a=a, b=b)


usual = LaunchPlan.get_or_create(wf, "launch_plans.usual", default_inputs={"a": 4})
pinned = LaunchPlan.get_or_create(wf, "launch_plans.pinned", fixed_inputs={"b": 7}, default_inputs={"c": "d"})
ROOTS = ("wf", "usual", "pinned")
