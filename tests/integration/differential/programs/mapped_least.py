"""Maps of which some items may fail."""

from functools import partial
from typing import List, Optional

from flytekit import map_task, task, workflow


@task
def scale(x: int, by: int) -> int:
    return x * by


@workflow
def wf(xs: List[int]) -> List[Optional[int]]:
    return map_task(partial(scale, by=2), min_success_ratio=0.75)(x=xs)


@workflow
def least(xs: List[int]) -> List[Optional[int]]:
    return map_task(partial(scale, by=2), min_successes=3, concurrency=2)(x=xs)


ROOTS = ("wf", "least")
