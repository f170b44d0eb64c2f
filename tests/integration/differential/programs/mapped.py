"""A task over a list."""

from flytekit import map_task, task, workflow


@task
def square(x: int) -> int:
    return x * x


@task
def total(xs: list[int]) -> int:
    return sum(xs)


@workflow
def wf(xs: list[int]) -> int:
    return total(xs=map_task(square)(x=xs))
