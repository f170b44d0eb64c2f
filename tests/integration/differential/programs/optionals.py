"""Values that may be missing."""

from flytekit import task, workflow


@task
def maybe(x: int | None = None, y: str | None = "there") -> int | None:
    return x


@task
def sure(x: int | None) -> int:
    return x or 0


@workflow
def wf(x: int | None = None) -> int:
    first = maybe(x=x)
    second = maybe()
    third = maybe(x=3, y=None)
    first >> second
    second >> third
    return sure(x=third)
