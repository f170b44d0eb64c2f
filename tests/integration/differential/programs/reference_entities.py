"""References by `get_reference_entity`, and classes of references."""

from typing import NamedTuple

from flytekit import reference_launch_plan, reference_task, task, workflow

Pair = NamedTuple("Pair", [("a", int), ("b", str)])


@reference_task(project="other", domain="production", name="lib.pair", version="v1")
def pair(x: int, y: str = "z") -> Pair:
    return Pair(x, y)


@reference_launch_plan(project="other", domain="production", name="lib.plan", version="v1")
def plan(a: int) -> Pair:
    return Pair(a, "x")


@task
def join(a: int, b: str) -> str:
    return b * a


@workflow
def wf(x: int) -> str:
    p = pair(x=x, y="w")
    q = plan(a=p.a)
    return join(a=q.a, b=p.b)
