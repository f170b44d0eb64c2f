"""Types as Python 3.10 writes them."""

from flytekit import task, workflow


@task
def either(x: int | str, y: list[int] | None = None, z: dict[str, float] | None = None) -> int | None:
    return None


@workflow
def wf(x: int | str, y: list[int]) -> int | None:
    return either(x=x, y=y)
