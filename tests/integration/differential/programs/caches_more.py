"""Caches with policies, and of nodes."""

from flytekit import Cache, task, workflow


@task(cache=Cache(version="v1"))
def a(x: int) -> int:
    return x


@task(cache=True, cache_version="v2", retries=1, interruptible=True)
def b(x: int) -> int:
    return x


@workflow
def wf(x: int) -> int:
    first = a(x=x).with_overrides(cache=False)
    return b(x=first).with_overrides(cache=True, cache_version="v3", interruptible=False, retries=4)
