"""Two branches, one behind the other, over the outputs of steps and of the first branch."""

from flytekit import conditional, task, workflow


@task
def measure(x: int) -> int:
    return x


@task
def up(x: int) -> int:
    return x + 1


@task
def down(x: int) -> int:
    return x - 1


@workflow
def wf(x: int, limit: int = 5) -> int:
    m = measure(x=x)
    first = conditional("first").if_(m > limit).then(down(x=m)).else_().then(up(x=m))
    return conditional("second").if_((first == 3) | (m != 4)).then(up(x=first)).else_().then(down(x=first))
