"""A workflow that runs when the workflow fails."""

from flytekit import task, workflow


@task
def work(name: str) -> str:
    return name


@task
def delete(name: str) -> None:
    print(name)


@workflow
def clean_up(name: str) -> None:
    delete(name=name)


@workflow(on_failure=clean_up)
def wf(name: str) -> str:
    return work(name=name)
