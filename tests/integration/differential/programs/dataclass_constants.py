"""Dataclasses as constants and defaults."""

from dataclasses import dataclass

from flytekit import task, workflow


@dataclass
class Point:
    x: int = 1
    y: float = 2.5


@task
def show(point: Point) -> str:
    return str(point)


@workflow
def wf(point: Point = Point(3, 4.0)) -> str:
    show(point=point)
    return show(point=Point(5, 6.0))
