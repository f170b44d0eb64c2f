"""Lists and dictionaries as defaults."""

from typing import Dict, List, Optional

from flytekit import task, workflow


@task
def total(xs: List[int], weights: Dict[str, float], names: Optional[List[str]] = None) -> float:
    return sum(xs) + sum(weights.values())


@workflow
def wf(xs: List[int] = [1, 2, 3], weights: Dict[str, float] = {"a": 0.5, "b": 1.5}) -> float:
    total(xs=[4, 5], weights={"c": 2.5}, names=["x"])
    return total(xs=xs, weights=weights)
