"""Workflows in workflows in workflows."""

from flytekit import task, workflow


@task
def add(a: int, b: int = 1) -> int:
    return a + b


@workflow
def innermost(x: int) -> int:
    return add(a=x)


@workflow
def inner(x: int, y: int = 5) -> (int, int):
    a = innermost(x=x)
    return add(a=a, b=y), a


@workflow
def wf(x: int) -> int:
    a, b = inner(x=x)
    c, d = inner(x=a, y=b)
    add(a=c)
    return innermost(x=d)
