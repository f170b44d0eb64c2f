"""Options of single nodes."""

from datetime import timedelta

from flytekit import Resources, task, workflow


@task
def work(x: int) -> int:
    return x


@workflow
def wf(x: int) -> int:
    a = work(x=x).with_overrides(node_name="first-step", retries=2)
    b = work(x=a).with_overrides(name="a label", timeout=timedelta(seconds=30), interruptible=True)
    c = work(x=b).with_overrides(
        requests=Resources(cpu="2", mem="1Gi"), limits=Resources(cpu="4", mem="2Gi"), container_image="repo/img:1"
    )
    return work(x=c).with_overrides(cache=True, cache_version="7", cache_serialize=True)
