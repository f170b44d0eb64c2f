"""Options of nodes that are maps, and a task that is mapped and called."""

from flytekit import Resources, map_task, task, workflow


@task
def square(x: int) -> int:
    return x * x


@workflow
def wf(xs: list[int], x: int) -> list[int]:
    square(x=x)
    return map_task(square)(x=xs).with_overrides(
        node_name="squares", retries=2, requests=Resources(cpu="1", mem="1Gi"), limits=Resources(cpu="2")
    )


@workflow
def again(xs: list[int]) -> list[int]:
    return map_task(square, min_success_ratio=1.0)(x=map_task(square)(x=xs))


ROOTS = ("wf", "again")
