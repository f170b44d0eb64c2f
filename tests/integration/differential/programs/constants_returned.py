"""Inputs and constants that are returned as they are."""

from flytekit import task, workflow


@task
def work(x: int) -> int:
    return x


@workflow
def wf(x: int, label: str) -> (int, str, int):
    return x, label, work(x=3)
