"""Lists, of lists too, with promises inside."""

from flytekit import task, workflow


@task
def number(x: int) -> int:
    return x


@task
def total(xs: list[int]) -> int:
    return sum(xs)


@task
def flat(xss: list[list[int]]) -> list[int]:
    return [x for xs in xss for x in xs]


@workflow
def wf(n: int) -> int:
    a = number(x=n)
    b = number(x=2)
    xs = flat(xss=[[a, 1], [2, b]])
    t = total(xs=xs)
    return total(xs=[t, b, a, 4])
