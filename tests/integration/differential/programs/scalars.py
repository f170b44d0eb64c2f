"""Scalars in and out."""

from flytekit import task, workflow


@task
def whole(x: int) -> int:
    return x


@task
def mixed(a: int, b: float, c: str, d: bool) -> str:
    return f"{a}{b}{c}{d}"


@workflow
def wf(a: int, b: float, c: str, d: bool) -> str:
    return mixed(a=whole(x=a), b=b, c=c, d=d)
