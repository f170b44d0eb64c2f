"""Steps that are ordered without passing values."""

from flytekit import task, workflow


@task
def prepare() -> None:
    pass


@task
def work(x: int) -> int:
    return x


@task
def clean() -> None:
    pass


@workflow
def wf(x: int) -> int:
    p = prepare()
    w = work(x=x)
    c = clean()
    p >> w
    w >> c
    return w
