"""A diamond whose ends are bound in another order than they are made."""

from flytekit import task, workflow


@task
def start(n: int) -> int:
    return n


@task
def left(x: int) -> int:
    return x + 1


@task
def right(x: int) -> int:
    return x - 1


@task
def join(z: int, a: int, m: int) -> int:
    return z + a + m


@workflow
def wf(n: int) -> int:
    s = start(n=n)
    i = left(x=s)
    j = right(x=s)
    return join(m=i, a=j, z=s)
