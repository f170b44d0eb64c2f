"""A task that runs when the workflow fails."""

from flytekit import task, workflow
from flytekit.types.error import FlyteError


@task
def work(name: str) -> str:
    return name


@task
def clean_up(name: str, err: FlyteError | None = None) -> None:
    print(f"cleaning up {name} after {err}")


@workflow(on_failure=clean_up)
def wf(name: str = "cluster") -> str:
    return work(name=name)
