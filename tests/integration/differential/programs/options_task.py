"""Retries, time-outs, interruptible, deprecated, environment."""

from datetime import timedelta

from flytekit import task, workflow


@task(retries=3, timeout=timedelta(minutes=5), interruptible=True)
def flaky(x: int) -> int:
    return x


@task(timeout=90, deprecated="use the other", interruptible=False)
def old(x: int) -> int:
    return x


@task(environment={"MODE": "fast", "A": "1"})
def env(x: int) -> int:
    return x


@workflow
def wf(x: int) -> int:
    return env(x=old(x=flaky(x=x)))
