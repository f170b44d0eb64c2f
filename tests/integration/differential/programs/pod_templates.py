"""A pod template by name."""

from flytekit import task, workflow


@task(pod_template_name="with-disk")
def named(x: int) -> int:
    return x


@workflow
def wf(x: int) -> int:
    return named(x=x)
