"""Requests and limits."""

from flytekit import Resources, task, workflow


@task(requests=Resources(cpu="1", mem="500Mi"), limits=Resources(cpu="2", mem="1Gi", gpu="1"))
def both(x: int) -> int:
    return x


@task(requests=Resources(cpu="2", ephemeral_storage="1Gi"))
def asked(x: int) -> int:
    return x


@task(resources=Resources(cpu=("1", "2"), mem="1Gi"))
def pairs(x: int) -> int:
    return x


@workflow
def wf(x: int) -> int:
    return pairs(x=asked(x=both(x=x)))
