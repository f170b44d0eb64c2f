"""A chain, and one step that is used twice."""

from flytekit import task, workflow


@task
def one() -> int:
    return 1


@task
def add(a: int, b: int) -> int:
    return a + b


@workflow
def wf() -> int:
    x = one()
    y = add(a=x, b=x)
    return add(a=y, b=x)
