"""Conditions over attributes of promises."""

from dataclasses import dataclass

from flytekit import conditional, task, workflow


@dataclass
class Report:
    score: float
    name: str


@task
def judge() -> Report:
    return Report(0.5, "x")


@task
def good(name: str) -> str:
    return name


@task
def bad(name: str) -> str:
    return name


@workflow
def wf() -> str:
    r = judge()
    return conditional("grade").if_(r.score > 0.5).then(good(name=r.name)).else_().then(bad(name=r.name))
