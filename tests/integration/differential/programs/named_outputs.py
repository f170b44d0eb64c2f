"""Named outputs of tasks and of a workflow."""

from typing import NamedTuple

from flytekit import task, workflow


class Stats(NamedTuple):
    mean: float
    count: int


class Result(NamedTuple):
    value: float
    label: str


@task
def stats(xs: list[float]) -> Stats:
    return Stats(0.0, len(xs))


@task
def label(mean: float) -> NamedTuple("Label", [("text", str)]):
    return ("text",)


@workflow
def wf(xs: list[float]) -> Result:
    s = stats(xs=xs)
    return Result(value=s.mean, label=label(mean=s.mean).text)
