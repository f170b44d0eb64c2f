"""What the references of test_references.py point at, and what points back here."""

from __future__ import annotations

from whimbrel import LaunchPlan, eager, task, workflow


@task
def double(x: int, times: int = 1) -> int:
    return x * 2**times


@workflow
def doubled_twice(x: int) -> int:
    return double(x=double(x=x))


@eager
async def doubled_thrice(x: int) -> int:
    return await double(x=await doubled_twice(x=x))


by_eight = LaunchPlan.create("by eight", doubled_twice, default_inputs={"x": 2})
alias = double
