"""A branch in a branch."""

from flytekit import conditional, task, workflow


@task
def low(x: int) -> int:
    return x


@task
def mid(x: int) -> int:
    return x


@task
def high(x: int) -> int:
    return x


@workflow
def wf(x: int) -> int:
    return (
        conditional("outer")
        .if_(x < 10)
        .then(conditional("inner").if_(x < 5).then(low(x=x)).else_().then(mid(x=x)))
        .else_()
        .then(high(x=x))
    )
