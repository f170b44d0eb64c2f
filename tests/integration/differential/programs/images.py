"""Images by name."""

from flytekit import task, workflow


@task(container_image="ghcr.io/example/image:v1")
def here(x: int) -> int:
    return x


@task(container_image="{{.image.default.fqn}}-gpu:{{.image.default.version}}")
def built(x: int) -> int:
    return x


@workflow
def wf(x: int) -> int:
    return built(x=here(x=x))
