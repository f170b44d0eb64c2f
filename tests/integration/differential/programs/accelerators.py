"""Accelerators and shared memory."""

from flytekit import Resources, task, workflow
from flytekit.extras.accelerators import A100, T4


@task(limits=Resources(gpu="1"), accelerator=T4)
def fast(x: int) -> int:
    return x


@task(limits=Resources(gpu="1"), accelerator=A100.partition_2g_10gb)
def part(x: int) -> int:
    return x


@task(limits=Resources(gpu="1"), accelerator=A100.unpartitioned)
def whole(x: int) -> int:
    return x


@task(shared_memory=True)
def shared(x: int) -> int:
    return x


@task(shared_memory="2Gi")
def sized(x: int) -> int:
    return x


@workflow
def wf(x: int) -> int:
    return sized(x=shared(x=whole(x=part(x=fast(x=x)))))
