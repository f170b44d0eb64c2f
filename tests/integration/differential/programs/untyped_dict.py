"""A dictionary of anything."""

from flytekit import task, workflow


@task
def make() -> dict:
    return {"a": 1, "b": [1, 2]}


@task
def use(table: dict) -> int:
    return len(table)


@workflow
def wf() -> int:
    return use(table=make())
