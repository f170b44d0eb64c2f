"""Dataclasses that may be missing, in lists too."""

from dataclasses import dataclass
from typing import List, Optional

from flytekit import task, workflow


@dataclass
class Point:
    x: int
    y: Optional[int] = None


@task
def first(points: List[Point], fallback: Optional[Point] = None) -> Optional[Point]:
    return points[0] if points else fallback


@workflow
def wf(fallback: Optional[Point] = None) -> Optional[Point]:
    first(points=[Point(1), Point(2, 3)], fallback=Point(4))
    return first(points=[], fallback=fallback)
