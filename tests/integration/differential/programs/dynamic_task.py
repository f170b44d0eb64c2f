"""A dynamic task: a step like any other, until it runs."""

from flytekit import dynamic, task, workflow


@task
def square(x: int) -> int:
    return x * x


@task
def total(xs: list[int]) -> int:
    return sum(xs)


@dynamic(retries=1)
def squares(n: int) -> list[int]:
    """As many squares as are wanted."""
    return [square(x=i) for i in range(n)]


@workflow
def wf(n: int) -> int:
    return total(xs=squares(n=n))
