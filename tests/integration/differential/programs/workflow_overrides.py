"""Options of nodes that run workflows."""

from flytekit import task, workflow


@task
def work(x: int) -> int:
    return x


@workflow
def inner(x: int) -> int:
    return work(x=x)


@workflow
def wf(x: int) -> int:
    a = inner(x=x).with_overrides(node_name="inner-one", interruptible=True)
    return inner(x=a).with_overrides(retries=3)
