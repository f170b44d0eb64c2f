"""Maps with limits, of which some items may fail."""

from functools import partial

from flytekit import map_task, task, workflow


@task(retries=2)
def scale(x: int, by: int, label: str) -> int:
    return x * by


@workflow
def wf(xs: list[int], by: int) -> list[int]:
    return map_task(partial(scale, by=2, label="a"), concurrency=4)(x=xs)


@workflow
def ratio(xs: list[int]) -> None:
    map_task(partial(scale, by=2, label="a"), concurrency=0, min_success_ratio=0.5)(x=xs)


@workflow
def least(xs: list[int], labels: list[str]) -> None:
    map_task(partial(scale, by=2), min_successes=3)(x=xs, label=labels)
