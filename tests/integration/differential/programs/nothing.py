"""Nothing in, nothing out."""

from flytekit import task, workflow


@task
def act() -> None:
    print("acting")


@workflow
def wf() -> None:
    act()
    act()


@workflow
def empty_handed(x: int):
    act()
