"""Annotated types."""

from typing import Annotated

from flytekit import HashMethod, task, workflow


def digest(xs: list) -> str:
    return str(len(xs))


@task
def make() -> Annotated[list[int], HashMethod(digest)]:
    return [1]


@task
def use(x: Annotated[int, "a plain note"], xs: Annotated[list[int], HashMethod(digest)]) -> int:
    return x


@workflow
def wf(x: int) -> int:
    return use(x=x, xs=make())
