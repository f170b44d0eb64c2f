"""Directories."""

from flytekit import task, workflow
from flytekit.types.directory import FlyteDirectory, TensorboardLogs


@task
def collect(folder: FlyteDirectory) -> FlyteDirectory:
    return folder


@task
def logs(folder: FlyteDirectory["csv"]) -> TensorboardLogs:
    return folder


@workflow
def wf(folder: FlyteDirectory) -> FlyteDirectory:
    return collect(folder=folder)
