"""A project of a user of flytekit: what its clients register on a server of ours."""

from datetime import timedelta

from flytekit import LaunchPlan, approve, conditional, dynamic, map_task, task, wait_for_input, workflow


@task
def double(x: int) -> int:
    return 2 * x


@task
def add(a: int, b: int = 1) -> int:
    return a + b


@task
def listed(xs: list[int]) -> int:
    return sum(xs)


@task
def broken(x: int) -> int:
    if x > 0:
        raise ValueError(f"no {x} today")
    return x


@workflow
def inner(x: int) -> int:
    return double(x=x)


@workflow
def nested(x: int, y: int = 3) -> int:
    return add(a=inner(x=x), b=double(x=y))


@workflow
def mapped(xs: list[int]) -> int:
    return listed(xs=map_task(double)(x=xs))


@workflow
def branchy(x: int) -> int:
    return conditional("big").if_(x > 10).then(double(x=x)).else_().then(add(a=x))


@dynamic
def laid_out(n: int) -> list[int]:
    return [double(x=each) for each in range(n)]


@workflow
def unfolding(n: int) -> int:
    return listed(xs=laid_out(n=n))


@workflow
def failing(x: int) -> int:
    return broken(x=double(x=x))


@workflow
def gated(x: int) -> int:
    return add(a=approve(double(x=x), "ok", timeout=timedelta(hours=1)))


@workflow
def waiting(x: int) -> int:
    return add(a=wait_for_input("first", timeout=timedelta(hours=1), expected_type=int), b=x)


fixed = LaunchPlan.get_or_create(nested, "fixed", default_inputs={"x": 5}, fixed_inputs={"y": 10})
