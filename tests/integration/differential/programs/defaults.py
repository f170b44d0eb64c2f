"""Defaults of tasks and of workflows."""

from flytekit import task, workflow


@task
def greet(name: str, greeting: str = "hello", times: int = 1) -> str:
    return greeting * times + name


@workflow
def wf(name: str = "world", times: int = 2) -> str:
    first = greet(name=name)
    return greet(name=first, times=times)
