"""A branch with several arms that fails in the last."""

from flytekit import conditional, task, workflow


@task
def half(x: float) -> float:
    return x / 2


@task
def double(x: float) -> float:
    return x * 2


@task
def same(x: float) -> float:
    return x


@workflow
def wf(x: float) -> float:
    found = (
        conditional("fractions")
        .if_((x > 0.1) & (x < 1.0))
        .then(double(x=x))
        .elif_((x == 5.0) | (x != 7.5))
        .then(same(x=x))
        .elif_((x > 1.0) & (x <= 10.0))
        .then(half(x=x))
        .else_()
        .fail("the input must be between 0 and 10")
    )
    return double(x=found)
