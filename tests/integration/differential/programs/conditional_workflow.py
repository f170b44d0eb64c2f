"""A workflow in an arm."""

from flytekit import conditional, task, workflow


@task
def add(a: int, b: int) -> int:
    return a + b


@workflow
def twice(x: int) -> int:
    return add(a=add(a=x, b=1), b=1)


@workflow
def wf(x: int, label: str = "one") -> int:
    return (
        conditional("how")
        .if_(label == "two")
        .then(twice(x=x))
        .elif_(label == "one")
        .then(add(a=x, b=1))
        .else_()
        .fail("neither one nor two")
    )
