"""Values of several types."""

from flytekit import task, workflow


@task
def either(x: int | str | list[float]) -> int | str:
    return str(x)


@task
def show(x: int | str) -> str:
    return str(x)


@workflow
def wf(x: int | str = 3) -> str:
    a = either(x=[1.0, 2.0])
    b = either(x="text")
    a >> b
    return show(x=either(x=1))
