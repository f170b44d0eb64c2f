"""A branch and a map whose arguments come from everywhere."""

from functools import partial

from flytekit import conditional, map_task, task, workflow


@task
def numbers(n: int) -> list[int]:
    return list(range(n))


@task
def scale(x: int, by: int) -> int:
    return x * by


@task
def none() -> list[int]:
    return []


@workflow
def wf(n: int, by: int) -> list[int]:
    xs = numbers(n=n)
    factor = scale(x=by, by=2)
    return conditional("any").if_(n > 0).then(map_task(partial(scale, by=factor))(x=xs)).else_().then(none())
