"""Images that are described."""

from flytekit import ImageSpec, task, workflow

plain = ImageSpec(name="trainer", registry="ghcr.io/example", base_image="ghcr.io/example/base:1")


@task(container_image="{{.image.default}}")
def whole(x: int) -> int:
    return x


@workflow
def wf(x: int) -> int:
    return whole(x=x)
