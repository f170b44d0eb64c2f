"""Dataclasses."""

from dataclasses import dataclass

from flytekit import task, workflow


@dataclass
class Point:
    x: int
    y: int
    label: str


@task
def make(x: int) -> Point:
    return Point(x, x, "p")


@task
def move(point: Point, by: int) -> Point:
    return Point(point.x + by, point.y + by, point.label)


@workflow
def wf(x: int) -> Point:
    return move(point=make(x=x), by=2)
