"""A branch of two arms."""

from flytekit import conditional, task, workflow


@task
def half(x: float) -> float:
    return x / 2


@task
def double(x: float) -> float:
    return x * 2


@workflow
def wf(x: float) -> float:
    return conditional("size").if_((x >= 0.1) & (x <= 1.0)).then(half(x=x)).else_().then(double(x=x))
