"""Several unnamed outputs."""

from flytekit import task, workflow


@task
def three(x: int) -> tuple[int, str, float]:
    return x, str(x), float(x)


@task
def two(x: int) -> tuple[int, bool]:
    return x, True


@workflow
def wf(x: int) -> (int, str, float, bool):
    a, b, c = three(x=x)
    d, e = two(x=a)
    return d, b, c, e
