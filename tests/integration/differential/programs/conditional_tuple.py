"""A branch whose arms give several values."""

from typing import Tuple

from flytekit import conditional, task, workflow


@task
def pair(x: int) -> Tuple[int, str]:
    return x, "a"


@task
def other(x: int) -> Tuple[int, str]:
    return -x, "b"


@workflow
def wf(x: int) -> Tuple[int, str]:
    number, text = conditional("which").if_(x > 0).then(pair(x=x)).else_().then(other(x=x))
    return number, text
