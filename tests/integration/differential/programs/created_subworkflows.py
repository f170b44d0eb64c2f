"""`create_node` for workflows."""

from flytekit import task, workflow
from flytekit.core.node_creation import create_node


@task
def add(a: int, b: int) -> int:
    return a + b


@workflow
def inner(x: int, y: int = 2) -> int:
    return add(a=x, b=y)


@workflow
def wf(x: int) -> int:
    first = create_node(inner, x=x)
    second = create_node(add, a=1, b=2)
    second >> first
    return add(a=first.o0, b=second.o0)
